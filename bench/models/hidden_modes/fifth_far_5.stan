// Narrow modes 224 of their deviations apart, in five dimensions: log Z 0, shares 0.8 and 0.2.
transformed data {
  vector[2] exact = [0.8, 0.2]';
}
parameters {
  vector[5] x;
}
transformed parameters {
  vector[2] part = log(exact);
  part[1] += normal_lpdf(x | -5, 0.1);
  part[2] += normal_lpdf(x | 5, 0.1);
}
model {
  target += log_sum_exp(part);
}
generated quantities {
  vector[2] mode = softmax(part);
  vector[2] share = exact;
}
