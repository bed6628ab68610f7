/* The variance of log w over given points, whose density need not be p's: over any that are
 * everywhere it is 0 where q is p, and only there, so that q can be taught what p is like in places
 * that draws of either hardly come to. Log Z need not be known. q may be many nats off far out; so
 * points pull no more than those one nat from the centre (Huber's loss). Where p is 0 they tell
 * nothing. */
#include <math.h>
#include "infer/vi/objectives.h"

static const double most_pull = 1;

static double clipped(double x) {
  return fmin(fmax(x, -most_pull), most_pull);
}

/* Where the pulls are in balance, by halving. */
static double centre_of(const sl__vi_group *group) {
  enum { HALVINGS = 40 };
  double low = INFINITY, high = -INFINITY;
  for (int64_t i = 0; i < group->count; i++) {
    if (!isfinite(group->log_weights[i])) continue;
    low = fmin(low, group->log_weights[i]);
    high = fmax(high, group->log_weights[i]);
  }
  for (int k = 0; k < HALVINGS && low < high; k++) {
    const double middle = low + 0.5 * (high - low);
    double pull = 0;
    for (int64_t i = 0; i < group->count; i++)
      if (isfinite(group->log_weights[i])) pull += clipped(group->log_weights[i] - middle);
    if (pull > 0)
      low = middle;
    else
      high = middle;
  }
  return low;
}

static double weigh(const sl__vi_group *group, double *coefficients) {
  const double n = (double)group->count, centre = centre_of(group);
  double loss = 0;
  for (int64_t i = 0; i < group->count; i++) {
    coefficients[i] = 0;
    if (!isfinite(group->log_weights[i])) continue;
    const double off = group->log_weights[i] - centre, pull = clipped(off);
    loss += (pull * off - 0.5 * pull * pull) / n;
    coefficients[i] = pull / n;
  }
  return loss;
}

const sl__vi_objective sl__vi_objective_variance = {
    .name = "variance",
    .summary = "variance of the log weights of given points, far ones bounded",
    .source = "Richter et al. 2020, arXiv:2010.10436, equation 4",
    .estimators = 1u << SL__VI_BY_SCORE,
    .usual = SL__VI_BY_SCORE,
    .from_draws = true,
    .weigh = weigh,
};
