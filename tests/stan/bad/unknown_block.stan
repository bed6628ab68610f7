data {
  int n;
}
paramters {
  real mu;
}
