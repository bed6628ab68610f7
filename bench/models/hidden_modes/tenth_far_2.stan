// A tenth of the mass is 12 deviations away: log Z 0, shares 0.9 and 0.1.
transformed data {
  vector[2] exact = [0.9, 0.1]';
}
parameters {
  vector[2] x;
}
transformed parameters {
  vector[2] part = log(exact);
  part[1] += normal_lpdf(x | 0, 1);
  part[2] += normal_lpdf(x[1] | 12, 1) + normal_lpdf(x[2:2] | 0, 1);
}
model {
  target += log_sum_exp(part);
}
generated quantities {
  vector[2] mode = softmax(part);
  vector[2] share = exact;
}
