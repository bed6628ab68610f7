// Six tenths of the mass in a mode half as wide, aside in three coordinates: log Z 0, shares 0.4 and 0.6.
transformed data {
  vector[2] exact = [0.4, 0.6]';
  vector[7] aside = [0, 9, 0, 0, -7, 0, 5]';
}
parameters {
  vector[7] x;
}
transformed parameters {
  vector[2] part = log(exact);
  part[1] += normal_lpdf(x | 0, 1);
  part[2] += normal_lpdf(x | aside, 0.5);
}
model {
  target += log_sum_exp(part);
}
generated quantities {
  vector[2] mode = softmax(part);
  vector[2] share = exact;
}
