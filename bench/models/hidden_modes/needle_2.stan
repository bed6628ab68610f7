// A half of the mass in a needle 200 times as narrow as what it stands in: log Z 0, shares 0.5, 0.5.
transformed data {
  vector[2] exact = [0.5, 0.5]';
}
parameters {
  vector[2] x;
}
transformed parameters {
  vector[2] part = log(exact);
  part[1] += normal_lpdf(x | -4, 2);
  part[2] += normal_lpdf(x | 1, 0.01);
}
model {
  target += log_sum_exp(part);
}
generated quantities {
  vector[2] mode = softmax(part);
  vector[2] share = exact;
}
