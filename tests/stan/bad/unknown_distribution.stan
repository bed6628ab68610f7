parameters {
  real height;
}
model {
  height ~ nromal(170, 10);
}
