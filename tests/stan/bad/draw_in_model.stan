parameters {
  real mu;
}
model {
  mu ~ normal(normal_rng(0, 1), 1);
}
