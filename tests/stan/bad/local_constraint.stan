model {
  real<lower=0> total = 0;
}
