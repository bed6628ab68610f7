// Three tenths of the mass are 10 deviations away: log Z 0, shares 0.7 and 0.3.
transformed data {
  vector[2] exact = [0.7, 0.3]';
}
parameters {
  vector[12] x;
}
transformed parameters {
  vector[2] part = log(exact);
  part[1] += normal_lpdf(x | 0, 1);
  part[2] += normal_lpdf(x[1] | 10, 1) + normal_lpdf(x[2:12] | 0, 1);
}
model {
  target += log_sum_exp(part);
}
generated quantities {
  vector[2] mode = softmax(part);
  vector[2] share = exact;
}
