/* Moves of a tempered population: Hamiltonian, in the metric of its own covariance. A power has as
 * many as it takes until the particles have forgotten where they were: the weights of the next
 * power are then about those of independent draws. */
#include <math.h>
#include <string.h>
#include "infer/explore/population.h"

/* Moves go on while the largest correlation of a coordinate with itself at the beginning is above
 * the first and still falls by the second in a round of moves. Between separate modes nothing
 * moves, and it stays where it is. */
static const double forgotten = 0.2, worth_going_on = 0.03;

/* The metric: the population's covariance. */
static void learn_metric(sl__population *p) {
  const int32_t dim = p->dim;
  const double n = (double)p->rows;
  double *mean = p->velocity, *covariance = p->work;
  memset(mean, 0, (size_t)dim * sizeof *mean);
  for (int64_t r = 0; r < p->rows; r++)
    for (int32_t i = 0; i < dim; i++) mean[i] += p->now.q[r * dim + i] / n;
  const bool dense = p->metric.form == SL__METRIC_DENSE;
  const size_t count = dense ? (size_t)dim * (size_t)dim : (size_t)dim;
  memset(covariance, 0, count * sizeof *covariance);
  for (int64_t r = 0; r < p->rows; r++)
    for (int32_t i = 0; i < dim; i++) {
      const double x = (p->now.q[r * dim + i] - mean[i]) / n;
      for (int32_t j = dense ? 0 : i; j <= i; j++)
        covariance[dense ? i * dim + j : i] += x * (p->now.q[r * dim + j] - mean[j]);
    }
  if (!dense) {
    for (int32_t i = 0; i < dim; i++)
      if (covariance[i] > 0) p->metric.scale[i] = sqrt(covariance[i]);
    return;
  }
  for (int32_t i = 0; i < dim; i++) {
    covariance[i * dim + i] += 1e-12 + 1e-9 * covariance[i * dim + i];
    for (int32_t j = i + 1; j < dim; j++) covariance[i * dim + j] = covariance[j * dim + i];
  }
  sl__metric_set_dense(&p->metric, covariance);
}

static double tempered(const sl__population *p, const sl__particles *at, int64_t row) {
  const double first = p->power < 1 ? (1 - p->power) * at->first_value[row] : 0;
  return first + p->power * at->value[row];
}

/* momentum += step * gradient of the tempered log density. */
static void push(const sl__population *p, double step, int64_t row) {
  const double *gradient = p->next.gradient + row * p->dim;
  const double *first = p->next.first_gradient + row * p->dim;
  double *momentum = p->momentum + row * p->dim;
  for (int32_t i = 0; i < p->dim; i++) {
    const double pull = p->power < 1 ? (1 - p->power) * first[i] : 0;
    momentum[i] += step * (p->power * gradient[i] + pull);
  }
}

static double kinetic(sl__population *p, const double *momentum) {
  double sum = 0;
  sl__metric_velocity(&p->metric, momentum, p->velocity);
  for (int32_t i = 0; i < p->dim; i++) sum += momentum[i] * p->velocity[i];
  return 0.5 * sum;
}

/* Each particle has steps of its own, 0.4 to 1 of the common size: densities with narrow and wide
 * places are moved in both. */
static double own_step(const sl__population *p, sl__random_key key, int64_t row) {
  return p->step_size * (0.4 + 0.6 * sl__random_uniform(key, (uint64_t)row, (uint32_t)p->dim + 2));
}

static sl_status leapfrogs(sl__population *p, sl__random_key key, int count) {
  for (int step = 0; step < count; step++) {
    for (int64_t r = 0; r < p->rows; r++) {
      double *q = p->next.q + r * p->dim;
      const double size = own_step(p, key, r);
      push(p, (step == 0 ? 0.5 : 1) * size, r);
      sl__metric_velocity(&p->metric, p->momentum + r * p->dim, p->velocity);
      for (int32_t i = 0; i < p->dim; i++) q[i] += size * p->velocity[i];
    }
    SL__TRY(sl__population_evaluate(p, p->rows, &p->next));
    if (p->options->progress &&
        !p->options->progress(p->options->user, p->power, p->report->gradients))
      return sl__fail(p->context, SL_STOPPED, "stopped at power %g of the target", p->power);
  }
  for (int64_t r = 0; r < p->rows; r++) push(p, 0.5 * own_step(p, key, r), r);
  return SL_OK;
}

/* One Hamiltonian move of every particle. */
static sl_status move(sl__population *p) {
  const sl__random_key key = sl__population_key(p);
  const int count =
      1 + (int)sl__random_below(key, 0, (uint32_t)p->dim + 4, (uint64_t)p->options->most_leapfrogs);
  for (int64_t r = 0; r < p->rows; r++) {
    double *momentum = p->momentum + r * p->dim;
    sl__population_copy(p, &p->now, r, &p->next, r);
    for (int32_t i = 0; i < p->dim; i++)
      momentum[i] = sl__random_normal(key, (uint64_t)r, (uint32_t)i);
    sl__metric_momentum(&p->metric, momentum, momentum);
    p->first_energy[r] = kinetic(p, momentum) - tempered(p, &p->now, r);
  }
  SL__TRY(leapfrogs(p, key, count));
  double accepted = 0;
  for (int64_t r = 0; r < p->rows; r++) {
    const double energy = kinetic(p, p->momentum + r * p->dim) - tempered(p, &p->next, r);
    const double gain = p->first_energy[r] - energy;
    double chance = gain >= 0 ? 1 : exp(gain);
    if (!(chance >= 0)) chance = 0; /* not a number: the way led out of the support */
    accepted += chance / (double)p->rows;
    if (sl__random_uniform(key, (uint64_t)r, (uint32_t)p->dim + 6) < chance)
      sl__population_copy(p, &p->next, r, &p->now, r);
  }
  p->report->accept = accepted;
  p->step_size *= exp(accepted - p->options->accept);
  p->step_size = fmin(fmax(p->step_size, 1e-6), 2);
  return SL_OK;
}

/* Of coordinate i now with itself when the moves began. */
static double correlation(const sl__population *p, int32_t i) {
  const double n = (double)p->rows;
  double now = 0, begun = 0, squares = 0, begun_squares = 0, product = 0;
  for (int64_t r = 0; r < p->rows; r++) {
    now += p->now.q[r * p->dim + i] / n;
    begun += p->begun[r * p->dim + i] / n;
  }
  for (int64_t r = 0; r < p->rows; r++) {
    const double a = p->now.q[r * p->dim + i] - now, b = p->begun[r * p->dim + i] - begun;
    squares += a * a;
    begun_squares += b * b;
    product += a * b;
  }
  return squares > 0 && begun_squares > 0 ? product / sqrt(squares * begun_squares) : 0;
}

static double remembered(const sl__population *p) {
  double most = 0;
  for (int32_t i = 0; i < p->dim; i++) most = fmax(most, correlation(p, i));
  return most;
}

sl_status sl__population_move(sl__population *p, int least, int most) {
  learn_metric(p);
  memcpy(p->begun, p->now.q, (size_t)p->rows * (size_t)p->dim * sizeof(double));
  double before = 1;
  for (int done = 0; done < most;) {
    for (int i = 0; i < least && done < most; i++, done++) SL__TRY(move(p));
    const double left = done < most ? remembered(p) : 0;
    if (left < forgotten || left > before - worth_going_on) break;
    before = left;
  }
  return SL_OK;
}
