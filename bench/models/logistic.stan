// Logistic regression; prior_sd 0 stands for no prior at all.
data {
  int<lower=1> rows, columns;
  matrix[rows, columns] x;
  array[rows] int<lower=0, upper=1> y;
  real<lower=0> prior_sd;
}
parameters {
  vector[columns] weight;
}
model {
  if (prior_sd > 0) weight ~ normal(0, prior_sd);
  y ~ bernoulli_logit(x * weight);
}
