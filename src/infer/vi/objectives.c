/* The registries of objectives and estimators, and the bound that several objectives are.
 *
 * Renyi's bound (Li and Turner 2016, arXiv:1602.02311, equation 4) of order alpha, with s = 1 -
 * alpha: (1 / s) log(mean of w^s). s -> 0 is the ELBO, s = 1 the importance-weighted bound of
 * Burda et al. 2016, s = 2 half the log of the second moment (the chi-square bound of Dieng et
 * al. 2017). For s <= 1 it lies below log Z and is to be made large, for s > 1 above it and to
 * be made small.
 *
 * With v the normalised w^s, its whole derivative is the sum of v times the derivative of log w.
 * The part of that through log q's own parameters can be turned into one through the draw: for
 * f(x), E[f d log q(x) / d theta] = E[df/dx dx/d theta] (Tucker et al. 2019, arXiv:1810.04152,
 * equation 5). With f = v, whose derivative by log w is s v (1 - v), the sum becomes that of (1
 * - s) v + s v^2 times the derivative of log w through the draw: their equation 8 at s = 1, and
 * 12 at any s. */
#include <math.h>
#include <string.h>
#include "infer/vi/objectives.h"

static const sl__vi_objective *const registry[] = {
#define OBJECTIVE(name) &sl__vi_objective_##name,
#include "infer/vi/objectives.def"
};

const sl__vi_objective *const *sl__vi_objectives(int *count) {
  *count = (int)(sizeof registry / sizeof registry[0]);
  return registry;
}

const sl__vi_objective *sl__vi_objective_find(const char *name) {
  for (size_t i = 0; i < sizeof registry / sizeof registry[0]; i++)
    if (strcmp(registry[i]->name, name) == 0) return registry[i];
  return NULL;
}

const sl__vi_estimator_row sl__vi_estimator_rows[SL__VI_ESTIMATORS] = {
#define ESTIMATOR(symbol, name, road, summary) {name, summary, road},
#include "infer/vi/estimators.def"
};

double sl__vi_log_mean_power(const sl__vi_group *group, double power, double *shares) {
  double most = -INFINITY, total = 0;
  for (int64_t i = 0; i < group->count; i++) most = fmax(most, power * group->log_weights[i]);
  if (!isfinite(most)) return NAN;
  for (int64_t i = 0; i < group->count; i++) {
    shares[i] = exp(power * group->log_weights[i] - most);
    total += shares[i];
  }
  for (int64_t i = 0; i < group->count; i++) shares[i] /= total;
  return most + log(total / (double)group->count);
}

bool sl__vi_always_upper(double alpha) {
  (void)alpha;
  return true;
}

/* Tucker et al. 2019, arXiv:1810.04152, section 6, for mean w^power in place of mean w. The square is
 * what the logarithm of a mean over few draws adds. With power > 1 the mean is made small, and of
 * few draws it is so wherever none comes near the target: one draw with nearly all the weight would
 * be pushed away, and q with it, without end. There the mean itself is what steps make smaller
 * (Dieng et al. 2017, arXiv:1611.00328, section 3.2), up to the factor that makes shares of weights. */
static double doubly_reparameterized(double share, double power) {
  return (1 - power) * share + (power > 1 ? 0 : power * share * share);
}

double sl__vi_renyi(const sl__vi_group *group, double power, double *coefficients) {
  const double bound = sl__vi_log_mean_power(group, power, coefficients) / power;
  const double sign = power > 1 ? 1 : -1;
  for (int64_t i = 0; i < group->count; i++) {
    const double share = coefficients[i];
    const bool doubly = group->estimator == SL__VI_BY_DREG;
    coefficients[i] = sign * (doubly ? doubly_reparameterized(share, power) : share);
  }
  return sign * bound;
}
