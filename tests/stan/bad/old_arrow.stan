transformed data {
  real scale;
  scale <- 2.5;
}
