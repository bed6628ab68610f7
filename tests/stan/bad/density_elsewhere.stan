parameters {
  real mu;
}
transformed parameters {
  real shifted = mu + 1;
  shifted ~ std_normal();
}
