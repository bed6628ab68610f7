parameters {
  real<lower=0> rate;
}
model {
  target += -2 * lgama(rate);
}
