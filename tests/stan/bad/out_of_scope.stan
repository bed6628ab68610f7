model {
  for (i in 1:3) {
    real last = i;
  }
  target += last;
}
