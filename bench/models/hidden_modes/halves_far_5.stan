// A half of the mass is 25 of its deviations away, in five dimensions: log Z 0, shares 0.5, 0.5.
transformed data {
  vector[2] exact = [0.5, 0.5]';
}
parameters {
  vector[5] x;
}
transformed parameters {
  vector[2] part = log(exact);
  part[1] += normal_lpdf(x | 0, 0.1);
  part[2] += normal_lpdf(x[1] | 2.5, 0.1) + normal_lpdf(x[2:5] | 0, 0.1);
}
model {
  target += log_sum_exp(part);
}
generated quantities {
  vector[2] mode = softmax(part);
  vector[2] share = exact;
}
