data {
  real x;
}
parameters {
  real x;
}
