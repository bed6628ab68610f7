data {
  matrix[3, 3] A;
}
transformed data {
  vector[3] first = A[1];
}
