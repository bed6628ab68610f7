// Seeds that germinated: a binomial regression with an effect for every plate.
data {
  int<lower=1> plates;
  array[plates] int<lower=0> germinated, sown;
  vector[plates] kind, extract;
}
parameters {
  real<lower=0> precision;
  real intercept, of_kind, of_extract, of_both;
  vector[plates] effect;
}
model {
  precision ~ gamma(0.01, 0.01);
  intercept ~ normal(0, 10);
  of_kind ~ normal(0, 10);
  of_extract ~ normal(0, 10);
  of_both ~ normal(0, 10);
  effect ~ normal(0, inv_sqrt(precision));
  germinated ~ binomial_logit(sown, intercept + of_kind * kind + of_extract * extract
                                    + of_both * (kind .* extract) + effect);
}
