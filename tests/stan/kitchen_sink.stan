/* Every kind of type and statement at least once; it need not make sense. */
functions {
  real later(real x, data vector y);
  void show(array[,] int counts) {
    print("counts: ", counts, " of ", size(counts));
  }
  real kernel_lpdf(real x, real scale) {
    if (scale <= 0)
      reject("scale ", scale, " is not positive");
    else if (scale > 1e6) {
      fatal_error("scale is absurd");
    } else
      return -0.5 * (x / scale) ^ 2 - log(scale);
    return negative_infinity();
  }
  tuple(real, array[] vector) split(vector x, int n) {
    return (x[1], {head(x, n), tail(x, rows(x) - n)});
  }
  vector shift_lp(vector x, real by) {
    target += std_normal_lpdf(x | );
    return x + by;
  }
  real later(real x, data vector y) {
    return x * sum(y);
  }
}
data {
  int<lower=0> N, K;
  array[N] int<lower=1, upper=K> which;
  matrix[N, K] X;
  row_vector<upper=3>[K] cap;
  array[2, N] complex_vector[K] waves;
  tuple(int, array[N] real<lower=0>) pair;
}
transformed data {
  real epsilon = 1.5e-3, big = 1_000_000;
  array[3] int order = {3, 1, 2};
  matrix[2, 2] rotation = [[0, -1], [1, 0]];
  complex i = 3i + 2.5;
  ;
  for (n in 1:N) {
    if (which[n] == 1 || !(n % 2)) continue;
    if (n > 10 && which[n] != K) break;
    order[1] += n %/% 2;
  }
  while (epsilon > .5) epsilon /= 2;
  for (row in X) print(row);
}
parameters {
  real<offset=1, multiplier=2 * epsilon> mu;
  vector<lower=0, upper=big>[K] beta;
  ordered[K] cut;
  positive_ordered[K] rising;
  simplex[K] theta;
  unit_vector[K] direction;
  sum_to_zero_vector[K] effect;
  sum_to_zero_matrix[N, K] effects;
  corr_matrix[K] Omega;
  cov_matrix[K] Sigma;
  cholesky_factor_corr[K] L;
  cholesky_factor_cov[K] C;
  cholesky_factor_cov[N, K] D;
  column_stochastic_matrix[K, K] P;
  array[2] row_stochastic_matrix[K, K] Q;
}
transformed parameters {
  vector[N] eta = X * beta + mu;
  real first;
  array[2] vector[1] rest;
  (first, rest) = split(eta, 1);
  jacobian += sum(log(beta));
}
model {
  profile("priors") {
    beta ~ gamma(2, 1) T[0, 10];
    mu ~ normal(0, 1) T[, 5];
    first ~ normal(0, 1) T[ , ];
    {first, mu} ~ normal(0, 1);
    to_vector(L * L') ~ normal(0, 1);
  }
  target += kernel_lpdf(mu | 2) + later(first, to_vector(cap));
  matrix[2, 2] S = rotation' * rotation \ rotation;
  S .*= S;
  S ./= S .^ 2;
  S[1, :] -= S[:2, 2]' ./ S[2:, 1]';
  S *= 2;
  show({{1, 2}, {3, 4}});
}
generated quantities {
  real r = N > 0 ? normal_rng(mu, 1) : K > 0 ? mu : not_a_number();
  array[N] real again = X[which][:, 1];
  int count = pair.1 + size(pair.2);
}
