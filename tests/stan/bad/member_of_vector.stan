data {
  vector[2] pair;
}
transformed data {
  real first = pair.1;
}
