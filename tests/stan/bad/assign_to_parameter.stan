parameters {
  real mu;
}
model {
  mu = 3;
}
