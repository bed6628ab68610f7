parameters {
  real<lower=0> width;
  vector[width] bins;
}
