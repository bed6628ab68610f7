data {
  int N;
  vector[N] x;
  vector[N] w;
}
transformed data {
  real total = x * w;
}
