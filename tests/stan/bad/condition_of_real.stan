parameters {
  real switch;
}
model {
  if (switch) {
    target += 1;
  }
}
