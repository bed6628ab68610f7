data {
  int<lower=0> count;
  vector[count] response;
}
parameters {
  real slope;
}
model {
  respones ~ normal(slope, 1);
}
