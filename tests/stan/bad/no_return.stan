functions {
  real sign_of(real x) {
    if (x > 0) {
      return 1;
    } else if (x < 0) {
      return -1;
    }
  }
}
