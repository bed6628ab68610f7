// A quarter of the mass in a narrow mode beside one that is correlated: log Z 0, shares 0.75 and 0.25.
transformed data {
  vector[2] exact = [0.75, 0.25]';
  matrix[5, 5] root = cholesky_decompose(add_diag(rep_matrix(0.8, 5, 5), 0.2));
  vector[5] aside = [7, -6, 2, 0, -4]';
}
parameters {
  vector[5] x;
}
transformed parameters {
  vector[2] part = log(exact);
  part[1] += multi_normal_cholesky_lpdf(x | rep_vector(0, 5), root);
  part[2] += normal_lpdf(x | aside, 0.4);
}
model {
  target += log_sum_exp(part);
}
generated quantities {
  vector[2] mode = softmax(part);
  vector[2] share = exact;
}
