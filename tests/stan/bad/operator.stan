transformed data {
  int x = 3;
  x++;
}
