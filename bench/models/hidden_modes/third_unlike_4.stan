// A third of the mass in a narrower mode, scales of 0.1 to 10: log Z 0, shares 2/3 and 1/3.
transformed data {
  vector[2] exact = [2.0 / 3, 1.0 / 3]';
  vector[4] wide = [0.1, 1, 3, 10]';
  vector[4] narrow = [0.05, 0.2, 1, 2]';
  vector[4] aside = [1.2, 0, -30, 60]';
}
parameters {
  vector[4] x;
}
transformed parameters {
  vector[2] part = log(exact);
  part[1] += normal_lpdf(x | 0, wide);
  part[2] += normal_lpdf(x | aside, narrow);
}
model {
  target += log_sum_exp(part);
}
generated quantities {
  vector[2] mode = softmax(part);
  vector[2] share = exact;
}
