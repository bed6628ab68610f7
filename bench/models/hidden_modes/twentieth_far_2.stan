// A twentieth of the mass is 20 deviations away: log Z 0, shares 0.95 and 0.05.
transformed data {
  vector[2] exact = [0.95, 0.05]';
}
parameters {
  vector[2] x;
}
transformed parameters {
  vector[2] part = log(exact);
  part[1] += normal_lpdf(x | 0, 1);
  part[2] += normal_lpdf(x[1] | 20, 1) + normal_lpdf(x[2:2] | 0, 1);
}
model {
  target += log_sum_exp(part);
}
generated quantities {
  vector[2] mode = softmax(part);
  vector[2] share = exact;
}
