data {
  int<lower=1> N;
parameters {
  real mu;
}
