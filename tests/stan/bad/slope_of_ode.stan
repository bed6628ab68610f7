functions {
  vector decay(vector y, real t, real rate) {
    return -rate * y;
  }
}
data {
  array[4] real times;
}
transformed data {
  array[4] vector[1] y = ode_rk45(decay, [1]', 0, times, 0.5);
}
