parameters {
  real alpha;
}
model {
  alpha ~ normal(theta, 1);
}
