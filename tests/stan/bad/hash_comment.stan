# a regression
data {
  int N;
}
