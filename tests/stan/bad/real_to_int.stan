data {
  int N;
}
transformed data {
  int half = N / 2.0;
}
