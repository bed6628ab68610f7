parameters {
  array[4] int<lower=0> counts;
}
