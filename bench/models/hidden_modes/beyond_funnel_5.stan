// A mode beyond the wide end of a funnel: log Z 0, shares 0.85 and 0.15.
transformed data {
  vector[2] exact = [0.85, 0.15]';
}
parameters {
  real y;
  vector[4] x;
}
transformed parameters {
  vector[2] part = log(exact);
  part[1] += normal_lpdf(y | 0, 1.5) + normal_lpdf(x | 0, exp(y / 2));
  part[2] += normal_lpdf(y | 10, 0.5) + normal_lpdf(x | 0, 1);
}
model {
  target += log_sum_exp(part);
}
generated quantities {
  vector[2] mode = softmax(part);
  vector[2] share = exact;
}
