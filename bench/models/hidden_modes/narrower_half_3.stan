// A half of the mass in a mode half as wide, aside in all coordinates: log Z 0, shares 0.5 and 0.5.
transformed data {
  vector[2] exact = [0.5, 0.5]';
}
parameters {
  vector[3] x;
}
transformed parameters {
  vector[2] part = log(exact);
  part[1] += normal_lpdf(x | 0, 1);
  part[2] += normal_lpdf(x | 6, 0.5);
}
model {
  target += log_sum_exp(part);
}
generated quantities {
  vector[2] mode = softmax(part);
  vector[2] share = exact;
}
