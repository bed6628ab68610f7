/* The density that a tempered population starts from: a mixture of a broad normal density and of
 * normal densities about draws that were found in another way, wider than these.
 *
 * The broad part alone is enough in principle. But a posterior that is narrow beside it is reached
 * by a handful of particles, between whose powers the mass jumps from the one to the other, and
 * the evidence is then theirs. With the known places in the mixture nothing jumps; where the broad
 * part finds more than was known, its particles gain weight all the same (defensive mixtures:
 * Hesterberg 1995, doi:10.1080/00401706.1995.10484303). */
#include <math.h>
#include <string.h>
#include "infer/explore/population.h"

/* Of the covariance of what is known: its tails must be covered. */
static const double widening = 2.25, broad_share = 0.5;

static sl_status learn_group(const double *x, int64_t rows, int32_t dim, double *covariance,
                             double *mean, sl__metric *shape) {
  const double n = (double)rows;
  memset(mean, 0, (size_t)dim * sizeof *mean);
  memset(covariance, 0, (size_t)dim * (size_t)dim * sizeof *covariance);
  for (int64_t r = 0; r < rows; r++)
    for (int32_t i = 0; i < dim; i++) mean[i] += x[r * dim + i] / n;
  for (int64_t r = 0; r < rows; r++)
    for (int32_t i = 0; i < dim; i++) {
      const double off = (x[r * dim + i] - mean[i]) / n * widening;
      for (int32_t j = 0; j <= i; j++) covariance[i * dim + j] += off * (x[r * dim + j] - mean[j]);
    }
  for (int32_t i = 0; i < dim; i++) {
    covariance[i * dim + i] += 1e-12 + 1e-6 * covariance[i * dim + i];
    for (int32_t j = i + 1; j < dim; j++) covariance[i * dim + j] = covariance[j * dim + i];
  }
  return sl__metric_set_dense(shape, covariance) ? SL_OK : SL_NUMERIC;
}

/* A group whose covariance is not definite, as of a chain that never moved, is left out. */
static sl_status learn_groups(sl__arena *arena, const sl__smc_options *options,
                              sl__first_density *first) {
  const size_t dim = (size_t)first->dim;
  double *covariance = sl__arena_take(arena, dim * dim, sizeof *covariance);
  if (!covariance) return SL_NO_MEMORY;
  for (int k = 0; k < options->known_groups; k++) {
    sl__metric *shape = &first->shapes[first->groups];
    SL__TRY(sl__metric_open(arena, SL__METRIC_DENSE, first->dim, 0, shape));
    const double *x = options->known + k * options->known_rows * first->dim;
    double *mean = first->means + first->groups * first->dim;
    first->groups +=
        learn_group(x, options->known_rows, first->dim, covariance, mean, shape) == SL_OK;
  }
  return SL_OK;
}

sl_status sl__first_density_open(sl__arena *arena, int32_t dim, const sl__smc_options *options,
                                 sl__first_density *first) {
  const size_t wide = (size_t)dim, parts = (size_t)options->known_groups + 1;
  *first = (sl__first_density){.dim = dim};
  first->centre = sl__arena_take(arena, wide, sizeof(double));
  first->spread = sl__arena_take(arena, wide, sizeof(double));
  first->means = sl__arena_take(arena, wide * parts, sizeof(double));
  first->shapes = sl__arena_take(arena, parts, sizeof *first->shapes);
  first->log_shares = sl__arena_take(arena, parts, sizeof(double));
  first->work = sl__arena_take(arena, (wide + 1) * parts, sizeof(double));
  if (!first->centre || !first->spread || !first->means || !first->shapes || !first->log_shares ||
      !first->work)
    return SL_NO_MEMORY;
  if (options->centre) memcpy(first->centre, options->centre, wide * sizeof(double));
  return learn_groups(arena, options, first);
}

void sl__first_density_settle(sl__first_density *first) {
  const int32_t dim = first->dim;
  const double constant = 0.5 * dim * log(2 * M_PI);
  const double broad = first->groups > 0 ? broad_share : 1;
  first->log_shares[0] = log(broad) - constant;
  for (int32_t i = 0; i < dim; i++) first->log_shares[0] -= log(first->spread[i]);
  for (int k = 0; k < first->groups; k++) {
    first->log_shares[1 + k] = log((1 - broad) / first->groups) - constant;
    for (int32_t i = 0; i < dim; i++)
      first->log_shares[1 + k] -= log(first->shapes[k].factor[i * dim + i]);
  }
}

/* Half the squared distance from a group's centre in its own measure; gradient [dim] of minus that:
 * with y = L^-1 (q - mean), -L^-T y. */
static double group_energy(const sl__first_density *first, int k, const double *q,
                           double *gradient) {
  const int32_t dim = first->dim;
  const double *factor = first->shapes[k].factor, *mean = first->means + k * dim;
  double sum = 0;
  for (int32_t i = 0; i < dim; i++) {
    double y = q[i] - mean[i];
    for (int32_t j = 0; j < i; j++) y -= factor[i * dim + j] * gradient[j];
    gradient[i] = y / factor[i * dim + i];
    sum += 0.5 * gradient[i] * gradient[i];
  }
  for (int32_t i = dim - 1; i >= 0; i--) {
    gradient[i] /= factor[i * dim + i];
    for (int32_t j = 0; j < i; j++) gradient[j] -= factor[i * dim + j] * gradient[i];
  }
  for (int32_t i = 0; i < dim; i++) gradient[i] = -gradient[i];
  return sum;
}

double sl__first_density_at(const sl__first_density *first, const double *q, double *gradient) {
  const int32_t dim = first->dim;
  double *slopes = first->work, *logs = first->work + (1 + first->groups) * dim;
  logs[0] = first->log_shares[0];
  for (int32_t i = 0; i < dim; i++) {
    const double x = (q[i] - first->centre[i]) / first->spread[i];
    slopes[i] = -x / first->spread[i];
    logs[0] -= 0.5 * x * x;
  }
  double most = logs[0], sum = 0;
  for (int k = 0; k < first->groups; k++) {
    logs[1 + k] = first->log_shares[1 + k] - group_energy(first, k, q, slopes + (1 + k) * dim);
    most = fmax(most, logs[1 + k]);
  }
  for (int k = 0; k <= first->groups; k++) sum += exp(logs[k] - most);
  const double value = most + log(sum);
  if (!gradient) return value;
  memset(gradient, 0, (size_t)dim * sizeof *gradient);
  for (int k = 0; k <= first->groups; k++) {
    const double share = exp(logs[k] - value);
    if (share > 0)
      for (int32_t i = 0; i < dim; i++) gradient[i] += share * slopes[k * dim + i];
  }
  return value;
}

/* Rows in turn: an even one is of the broad part, odd ones of one group after the other. */
void sl__first_density_draw(const sl__first_density *first, sl__random_key key, int64_t rows,
                            double *q) {
  const int32_t dim = first->dim;
  for (int64_t r = 0; r < rows; r++) {
    double *to = q + r * dim;
    for (int32_t i = 0; i < dim; i++) to[i] = sl__random_normal(key, (uint64_t)r, (uint32_t)i);
    if (first->groups == 0 || r % 2 == 0) {
      for (int32_t i = 0; i < dim; i++) to[i] = first->centre[i] + first->spread[i] * to[i];
      continue;
    }
    const int64_t k = r / 2 % first->groups;
    const double *factor = first->shapes[k].factor, *mean = first->means + k * dim;
    for (int32_t i = dim - 1; i >= 0; i--) {
      double sum = mean[i];
      for (int32_t j = 0; j <= i; j++) sum += factor[i * dim + j] * to[j];
      to[i] = sum;
    }
  }
}
