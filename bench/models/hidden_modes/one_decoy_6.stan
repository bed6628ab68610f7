// A half of the mass in a mode three tenths as wide, past a ten-millionth that is in sight: log Z 0, shares 0.5 and 0.5.
transformed data {
  real decoy = 1e-7;
  vector[2] exact = [0.5, 0.5]';
  vector[6] aside = [-12, 0, 0, 0, 0, 0]';
}
parameters {
  vector[6] x;
}
transformed parameters {
  vector[2] part = log(exact);
  part[1] += normal_lpdf(x | 0, 1);
  part[2] += normal_lpdf(x | 8, 0.3);
}
model {
  target += log_mix(decoy, normal_lpdf(x | aside, 1), log_sum_exp(part));
}
generated quantities {
  vector[2] mode = softmax(part);
  vector[2] share = exact;
}
