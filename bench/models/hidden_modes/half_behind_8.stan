// A half of the mass in a mode half as wide, across correlations: log Z 0, shares 0.5 and 0.5.
transformed data {
  vector[2] exact = [0.5, 0.5]';
  matrix[8, 8] root = cholesky_decompose(add_diag(rep_matrix(0.5, 8, 8), 0.5));
  vector[8] aside = [5, -5, 5, -5, 5, -5, 5, -5]';
}
parameters {
  vector[8] x;
}
transformed parameters {
  vector[2] part = log(exact);
  part[1] += multi_normal_cholesky_lpdf(x | rep_vector(0, 8), root);
  part[2] += normal_lpdf(x | aside, 0.5);
}
model {
  target += log_sum_exp(part);
}
generated quantities {
  vector[2] mode = softmax(part);
  vector[2] share = exact;
}
