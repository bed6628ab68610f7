// A half of the mass in a spike 20 times as narrow, in the midst of what it stands in, as a prior of
// "spike and slab" makes it: log Z 0, shares 0.5, 0.5.
transformed data {
  vector[2] exact = [0.5, 0.5]';
}
parameters {
  vector[5] x;
}
transformed parameters {
  vector[2] part = log(exact);
  part[1] += normal_lpdf(x | 0, 1);
  part[2] += normal_lpdf(x | 0, 0.05);
}
model {
  target += log_sum_exp(part);
}
generated quantities {
  vector[2] mode = softmax(part);
  vector[2] share = exact;
}
