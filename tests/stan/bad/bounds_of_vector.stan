data {
  real low;
  real<lowr=low> x;
}
