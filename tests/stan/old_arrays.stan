// Arrays as they were declared before they had a word of their own.
functions {
  real spread(real[] values, int[,] groups, vector[] rows) {
    int n = size(values);
    real total;
    total = 0;
    for (i in 1:n)
      total += square(values[i] - rows[groups[i, 1]][1]);
    return total / n;
  }
}
data {
  int<lower=1> N;
  int<lower=1> G;
  int<lower=1, upper=G> group[N, 2];
  real y[N], z[N];
  vector[3] x[G];
}
parameters {
  vector<lower=0>[3] weight[G];
  real<lower=-1, upper=1> rho[2, 2];
  simplex[4] share[G], total_share;
}
model {
  real local_values[N];
  for (i in 1:N) local_values[i] = dot_product(weight[group[i, 1]], x[group[i, 2]]);
  y ~ normal(local_values, spread(z, group, x));
}
