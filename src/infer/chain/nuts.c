/* The machine of a NUTS transition. */
#include "infer/chain/nuts.h"
#include <math.h>
#include <string.h>
#include "base/dot.h"

/* An energy error beyond which a trajectory is called divergent, as in Stan. */
static const double most_energy_error = 1000;

static double *take(sl__arena *arena, int32_t dim) {
  return sl__arena_take(arena, (size_t)dim, sizeof(double));
}

static bool take_span(sl__arena *arena, int32_t dim, sl__nuts_span *span) {
  double **all[] = {&span->first_momentum,   &span->first_velocity, &span->last_momentum,
                    &span->last_velocity,    &span->momentum_sum,   &span->proposal.q,
                    &span->proposal.gradient};
  bool good = true;
  for (size_t i = 0; i < sizeof all / sizeof *all; i++)
    good &= (*all[i] = take(arena, dim)) != NULL;
  return good;
}

sl_status sl__nuts_open(sl__arena *arena, const sl__metric *metric, int most_depth,
                        sl__random_key key, sl__nuts *nuts) {
  const int32_t dim = metric->dim;
  *nuts = (sl__nuts){
      .dim = dim, .metric = metric, .most_depth = most_depth, .key = key, .step_size = 1};
  double **all[] = {&nuts->here.q,          &nuts->here.gradient,
                    &nuts->moving.q,        &nuts->moving.gradient,
                    &nuts->momentum,        &nuts->behind_q,
                    &nuts->behind_gradient, &nuts->ahead_q,
                    &nuts->ahead_gradient,  &nuts->sum};
  bool good = take_span(arena, dim, &nuts->whole);
  for (size_t i = 0; i < sizeof all / sizeof *all; i++)
    good &= (*all[i] = take(arena, dim)) != NULL;
  good &= sl__stride_open(arena, dim, &nuts->stride) == SL_OK;
  for (int i = 0; i < most_depth + 2; i++) good &= take_span(arena, dim, &nuts->stack[i]);
  return good ? SL_OK : SL_NO_MEMORY;
}

double sl__nuts_chance(sl__nuts *nuts) {
  return sl__random_uniform(nuts->key, nuts->draws_of_chance++, 0);
}

/* ---- small arithmetic on [dim] ---- */

static void copy(int32_t n, double *to, const double *from) {
  memcpy(to, from, (size_t)n * sizeof *to);
}

static void exchange(double **a, double **b) {
  double *kept = *a;
  *a = *b;
  *b = kept;
}

static double log_add(double a, double b) {
  const double most = fmax(a, b);
  return isinf(most) ? most : most + log1p(exp(fmin(a, b) - most));
}

/* ---- spans ---- */

/* Whether a path still moves apart at both ends (Betancourt 2017, equation A.4.2). */
static bool goes_on(int32_t dim, const double *first_velocity, const double *last_velocity,
                    const double *momentum_sum) {
  return sl__dot(dim, first_velocity, momentum_sum) > 0 &&
         sl__dot(dim, last_velocity, momentum_sum) > 0;
}

/* Whether a followed by b does not turn round: over both, over a and the first point of b, over the
 * last point of a and b. */
static bool joined_goes_on(sl__nuts *nuts, const sl__nuts_span *a, const sl__nuts_span *b) {
  const int32_t dim = nuts->dim;
  double *sum = nuts->sum;
  for (int32_t i = 0; i < dim; i++) sum[i] = a->momentum_sum[i] + b->momentum_sum[i];
  if (!goes_on(dim, a->first_velocity, b->last_velocity, sum)) return false;
  for (int32_t i = 0; i < dim; i++) sum[i] = a->momentum_sum[i] + b->first_momentum[i];
  if (!goes_on(dim, a->first_velocity, b->first_velocity, sum)) return false;
  for (int32_t i = 0; i < dim; i++) sum[i] = b->momentum_sum[i] + a->last_momentum[i];
  return goes_on(dim, a->last_velocity, b->last_velocity, sum);
}

static void exchange_proposals(sl__nuts_span *a, sl__nuts_span *b) {
  const sl__nuts_point kept = a->proposal;
  a->proposal = b->proposal;
  b->proposal = kept;
}

/* a becomes a followed by b, which is used up. Its proposal is b's with this probability. */
static void join(sl__nuts *nuts, sl__nuts_span *a, sl__nuts_span *b, double log_probability) {
  if (log_probability >= 0 || log(sl__nuts_chance(nuts)) < log_probability)
    exchange_proposals(a, b);
  exchange(&a->last_momentum, &b->last_momentum);
  exchange(&a->last_velocity, &b->last_velocity);
  for (int32_t i = 0; i < nuts->dim; i++) a->momentum_sum[i] += b->momentum_sum[i];
  a->log_weight = log_add(a->log_weight, b->log_weight);
  a->level++;
}

/* The moving point as a span of its own; last_velocity is filled in already. */
static void make_leaf(sl__nuts *nuts, sl__nuts_span *leaf) {
  const int32_t dim = nuts->dim;
  copy(dim, leaf->first_velocity, leaf->last_velocity);
  copy(dim, leaf->first_momentum, nuts->momentum);
  copy(dim, leaf->last_momentum, nuts->momentum);
  copy(dim, leaf->momentum_sum, nuts->momentum);
  copy(dim, leaf->proposal.q, nuts->moving.q);
  copy(dim, leaf->proposal.gradient, nuts->moving.gradient);
  leaf->proposal.value = nuts->moving.value;
  leaf->proposal.energy = nuts->moving.energy;
  leaf->log_weight = nuts->first_energy - nuts->moving.energy;
  leaf->level = 0;
}

/* ---- the transition ---- */

/* Draws a momentum: the trajectory is one point, and moving stands there. */
static void set_out(sl__nuts *nuts) {
  const int32_t dim = nuts->dim;
  const uint64_t row = nuts->draws_of_chance++;
  for (int32_t i = 0; i < dim; i++)
    nuts->momentum[i] = sl__random_normal(nuts->key, row, (uint32_t)i);
  sl__metric_momentum(nuts->metric, nuts->momentum, nuts->momentum);
  sl__metric_velocity(nuts->metric, nuts->momentum, nuts->whole.last_velocity);
  copy(dim, nuts->moving.q, nuts->here.q);
  copy(dim, nuts->moving.gradient, nuts->here.gradient);
  nuts->moving.value = nuts->here.value;
  nuts->first_energy =
      -nuts->here.value + 0.5 * sl__dot(dim, nuts->momentum, nuts->whole.last_velocity);
  nuts->moving.energy = nuts->first_energy;
  make_leaf(nuts, &nuts->whole);
  nuts->accept_sum = 0;
  nuts->depth = nuts->leapfrogs = nuts->strides = 0;
  nuts->divergent = nuts->irreversible = false;
  nuts->wanted = nuts->moving.q;
}

/* Chooses a direction and goes on from that end of the trajectory. */
static void start_doubling(sl__nuts *nuts) {
  const int32_t dim = nuts->dim;
  const double direction = sl__nuts_chance(nuts) > 0.5 ? 1 : -1;
  if (direction != nuts->direction) {
    exchange(&nuts->whole.first_momentum, &nuts->whole.last_momentum);
    exchange(&nuts->whole.first_velocity, &nuts->whole.last_velocity);
    exchange(&nuts->behind_q, &nuts->ahead_q);
    exchange(&nuts->behind_gradient, &nuts->ahead_gradient);
    const double energy = nuts->behind_energy;
    nuts->behind_energy = nuts->ahead_energy;
    nuts->ahead_energy = energy;
    nuts->direction = direction;
  }
  copy(dim, nuts->moving.q, nuts->ahead_q);
  copy(dim, nuts->moving.gradient, nuts->ahead_gradient);
  nuts->moving.energy = nuts->ahead_energy;
  copy(dim, nuts->momentum, nuts->whole.last_momentum);
  nuts->height = 0;
  sl__stride_start(nuts);
}

void sl__nuts_begin(sl__nuts *nuts) {
  set_out(nuts);
  nuts->probing = false;
  nuts->direction = 1;
  copy(nuts->dim, nuts->behind_q, nuts->here.q);
  copy(nuts->dim, nuts->behind_gradient, nuts->here.gradient);
  copy(nuts->dim, nuts->ahead_q, nuts->here.q);
  copy(nuts->dim, nuts->ahead_gradient, nuts->here.gradient);
  nuts->behind_energy = nuts->ahead_energy = nuts->first_energy;
  start_doubling(nuts);
}

void sl__nuts_probe(sl__nuts *nuts) {
  set_out(nuts);
  nuts->probing = true;
  nuts->direction = 1;
  sl__stride_start(nuts);
}

static bool finish(sl__nuts *nuts) {
  const sl__nuts_point kept = nuts->here;
  const size_t size = (size_t)nuts->dim * sizeof *kept.q;
  nuts->moved = memcmp(kept.q, nuts->whole.proposal.q, size) != 0;
  nuts->here = nuts->whole.proposal;
  nuts->whole.proposal = kept;
  nuts->accept = nuts->strides > 0 ? nuts->accept_sum / nuts->strides : 0;
  return true;
}

/* Joins spans of equal level on the stack; false: one of them turns round. */
static bool fold_stack(sl__nuts *nuts) {
  while (nuts->height > 1) {
    sl__nuts_span *a = &nuts->stack[nuts->height - 2], *b = a + 1;
    if (a->level != b->level) break;
    if (!joined_goes_on(nuts, a, b)) return false;
    join(nuts, a, b, b->log_weight - log_add(a->log_weight, b->log_weight));
    nuts->height--;
  }
  return true;
}

/* The subtree is whole: joins it to the trajectory. True: the transition is over. */
static bool take_subtree(sl__nuts *nuts) {
  sl__nuts_span *whole = &nuts->whole, *added = &nuts->stack[0];
  copy(nuts->dim, nuts->ahead_q, nuts->moving.q);
  copy(nuts->dim, nuts->ahead_gradient, nuts->moving.gradient);
  nuts->ahead_energy = nuts->moving.energy;
  nuts->depth++;
  const bool on = joined_goes_on(nuts, whole, added);
  join(nuts, whole, added, added->log_weight - whole->log_weight);
  if (!on || nuts->depth >= nuts->most_depth) return finish(nuts);
  start_doubling(nuts);
  return false;
}

bool sl__nuts_give(sl__nuts *nuts, double value, const double *gradient) {
  sl__nuts_span *leaf = &nuts->stack[nuts->probing ? 0 : nuts->height];
  const sl__stride_state state = sl__stride_give(nuts, value, gradient, leaf->last_velocity);
  nuts->leapfrogs++;
  if (nuts->probing) return true;
  if (state == SL__STRIDE_ON) return false;
  nuts->strides++;
  nuts->irreversible = state == SL__STRIDE_IRREVERSIBLE;
  const double gain = nuts->first_energy - nuts->moving.energy;
  /* A step that had to be halved is too long: if its end counted, whose energy is bounded, no step
   * would be too long to learn. */
  if (!nuts->stride.halved) nuts->accept_sum += gain > 0 ? 1 : exp(gain);
  if (nuts->irreversible) return finish(nuts);
  if (state == SL__STRIDE_DIVERGENT || !(gain > -most_energy_error)) {
    nuts->divergent = true;
    return finish(nuts);
  }
  make_leaf(nuts, leaf);
  nuts->height++;
  if (!fold_stack(nuts)) return finish(nuts);
  if (nuts->height == 1 && nuts->stack[0].level == nuts->depth) return take_subtree(nuts);
  sl__stride_start(nuts);
  return false;
}
