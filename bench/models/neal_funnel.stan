// Neal 2003, section 8: v is normal(0, 3), and says how wide nine others are.
parameters {
  real v;
  vector[9] x;
}
model {
  v ~ normal(0, 3);
  x ~ normal(0, exp(v / 2));
}
