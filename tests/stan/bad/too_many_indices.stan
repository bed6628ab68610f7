data {
  array[5] vector[3] x;
}
transformed data {
  real y = x[1, 2, 3];
}
