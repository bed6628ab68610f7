data {
  vecotr[3] x;
}
