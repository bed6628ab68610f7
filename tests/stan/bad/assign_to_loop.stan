model {
  for (i in 1:10) {
    i += 1;
  }
}
