// A walk of unknown step seen with unknown noise, its middle third not at all.
data {
  int<lower=1> times, seen;
  array[seen] int<lower=1, upper=times> at;
  vector[seen] observed;
}
parameters {
  real<lower=0> step, noise;
  vector[times] position;
}
model {
  step ~ lognormal(0, 2);
  noise ~ lognormal(0, 2);
  position[1] ~ normal(0, step);
  position[2:times] ~ normal(position[1:times - 1], step);
  observed ~ normal(position[at], noise);
}
