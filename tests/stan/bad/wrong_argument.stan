data {
  int N;
  vector[N] y;
}
parameters {
  real<lower=0> rate;
}
model {
  y ~ poisson(rate);
}
