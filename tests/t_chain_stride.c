/* Steps of a trajectory that are halved where the energy changes too much: against a plain
 * integrator that tries all lengths both ways, and against a density that is known. */
#include "check.h"
#include "infer/chain/metric.h"
#include "infer/chain/nuts.h"

enum { DIM = 2, MOST_HALVINGS = 6 };
static const double most_change = 1; /* of the energy, on a step */

/* x ~ normal(0, WIDTH), y ~ normal(0, exp(x)): gradient comes out. */
#define WIDTH 1.5
static double funnel(const double *q, double *gradient) {
  const double precision = exp(-2 * q[0]);
  gradient[0] = -q[0] / (WIDTH * WIDTH) - 1 + q[1] * q[1] * precision;
  gradient[1] = -q[1] * precision;
  return -0.5 * q[0] * q[0] / (WIDTH * WIDTH) - q[0] - 0.5 * q[1] * q[1] * precision;
}

/* ---- a plain integrator, all masses 1 ---- */

typedef struct state {
  double q[DIM], p[DIM], g[DIM], energy;
} state;

static state at(const double *q, const double *p) {
  state s = {.q = {q[0], q[1]}, .p = {p[0], p[1]}};
  s.energy = -funnel(s.q, s.g) + 0.5 * (p[0] * p[0] + p[1] * p[1]);
  return s;
}

/* Whether the energy stays within bounds on a step of so many leapfrogs. */
static bool integrate(state from, double step, int leapfrogs, state *to) {
  double least = from.energy, most = from.energy;
  const double h = step / leapfrogs;
  for (int k = 0; k < leapfrogs; k++) {
    double q[DIM], p[DIM], g[DIM];
    for (int i = 0; i < DIM; i++) p[i] = from.p[i] + 0.5 * h * from.g[i];
    for (int i = 0; i < DIM; i++) q[i] = from.q[i] + h * p[i];
    funnel(q, g);
    for (int i = 0; i < DIM; i++) p[i] += 0.5 * h * g[i];
    from = at(q, p);
    if (!isfinite(from.energy)) return false;
    least = fmin(least, from.energy);
    most = fmax(most, from.energy);
    if (most - least > most_change) return false;
  }
  *to = from;
  return true;
}

/* The fewest halvings that will do; MOST_HALVINGS + 1: none does. */
static int fewest(const state *from, double step, state *to) {
  for (int h = 0; h <= MOST_HALVINGS; h++)
    if (integrate(*from, step, 1 << h, to)) return h;
  return MOST_HALVINGS + 1;
}

/* ---- the machine ---- */

typedef struct machine {
  sl_context *context;
  sl__arena arena;
  sl__metric metric;
  sl__nuts nuts;
} machine;

static void open_machine(machine *m, double step) {
  const sl_context_options options = {.size = sizeof options, .threads = 1};
  const sl__random_key key = {5, SL__STREAM_CHAIN, 0};
  if (sl_context_new(&options, &m->context) != SL_OK) abort();
  sl__arena_open(&m->arena, m->context);
  if (sl__metric_open(&m->arena, SL__METRIC_DIAGONAL, DIM, 0, &m->metric) != SL_OK) abort();
  m->metric.scale[0] = m->metric.scale[1] = 1;
  if (sl__nuts_open(&m->arena, &m->metric, 10, key, &m->nuts) != SL_OK) abort();
  m->nuts.step_size = step;
  m->nuts.most_halvings = MOST_HALVINGS;
}
static void close_machine(machine *m) {
  sl__arena_close(&m->arena);
  sl_context_free(m->context);
}

static sl__stride_state stride(machine *m, const state *from, double direction) {
  sl__nuts *nuts = &m->nuts;
  double gradient[DIM], velocity[DIM];
  for (int i = 0; i < DIM; i++) {
    nuts->moving.q[i] = from->q[i];
    nuts->moving.gradient[i] = from->g[i];
    nuts->momentum[i] = from->p[i];
  }
  nuts->moving.energy = from->energy;
  nuts->direction = direction;
  sl__stride_state made = SL__STRIDE_ON;
  for (sl__stride_start(nuts); made == SL__STRIDE_ON;) {
    const double value = funnel(nuts->moving.q, gradient);
    made = sl__stride_give(nuts, value, gradient, velocity);
  }
  if (made == SL__STRIDE_DONE)
    CHECK(velocity[0] == nuts->momentum[0] && velocity[1] == nuts->momentum[1]);
  return made;
}

/* From points all over the funnel, and deep in its neck. */
TEST(steps_are_as_short_as_needed_and_can_be_taken_back) {
  machine m;
  const double step = 0.7;
  open_machine(&m, step);
  int64_t seen[SL__STRIDE_IRREVERSIBLE + 1] = {0}, halved = 0;
  for (uint64_t k = 0; k < 4000; k++) {
    const sl__random_key key = {3, SL__STREAM_TEST, 0};
    double z[2 * DIM];
    for (uint32_t i = 0; i < 2 * DIM; i++) z[i] = sl__random_normal(key, k, i);
    const double x = 2.5 * z[0], direction = k % 2 ? 1 : -1;
    const state from = at((const double[]){x, exp(x) * z[1]}, z + DIM);
    state to, back;
    const int there = fewest(&from, direction * step, &to);
    sl__stride_state expected = SL__STRIDE_DIVERGENT;
    if (there <= MOST_HALVINGS)
      expected =
          fewest(&to, -direction * step, &back) < there ? SL__STRIDE_IRREVERSIBLE : SL__STRIDE_DONE;
    const sl__stride_state got = stride(&m, &from, direction);
    seen[got]++;
    CHECK(got == expected);
    if (got != SL__STRIDE_DONE) continue;
    halved += there > 0;
    for (int i = 0; i < DIM; i++) {
      CHECK(fabs(m.nuts.moving.q[i] - to.q[i]) <= 1e-9 * (1 + fabs(to.q[i])));
      CHECK(fabs(m.nuts.momentum[i] - to.p[i]) <= 1e-9 * (1 + fabs(to.p[i])));
    }
    CHECK(fabs(m.nuts.moving.energy - to.energy) <= 1e-9 * (1 + fabs(to.energy)));
  }
  CHECK(seen[SL__STRIDE_DIVERGENT] > 20 && seen[SL__STRIDE_IRREVERSIBLE] > 20 && halved > 100);
  close_machine(&m);
}

/* Shares of x below some of its quantiles, by steps of which a part is halved. Where steps may be
 * taken that cannot be taken back, these are off by 20 errors. */
TEST(a_funnel_keeps_its_margins) {
  enum { MOVES = 400000, BATCHES = 50, CUTS = 3 };
  static const double share[CUTS] = {0.1, 0.3, 0.5},
                      normal[CUTS] = {-1.2815515655446004, -0.52440051270804089, 0};
  double below[BATCHES][CUTS] = {{0}}, gradient[DIM];
  machine m;
  open_machine(&m, 0.8);
  m.nuts.here.value = funnel(m.nuts.here.q, m.nuts.here.gradient);
  int64_t irreversible = 0;
  for (int i = 0; i < MOVES; i++) {
    double value;
    sl__nuts_begin(&m.nuts);
    do value = funnel(m.nuts.wanted, gradient);
    while (!sl__nuts_give(&m.nuts, value, gradient));
    irreversible += m.nuts.irreversible;
    for (int c = 0; c < CUTS; c++)
      below[i / (MOVES / BATCHES)][c] +=
          (m.nuts.here.q[0] < WIDTH * normal[c]) / (double)(MOVES / BATCHES);
  }
  CHECK(irreversible > MOVES / 100);
  for (int c = 0; c < CUTS; c++) {
    double mean = 0, squares = 0;
    for (int b = 0; b < BATCHES; b++) mean += below[b][c] / BATCHES;
    for (int b = 0; b < BATCHES; b++) squares += pow(below[b][c] - mean, 2);
    const double se = sqrt(squares / (BATCHES - 1) / BATCHES);
    CHECK(se < 0.006);
    if (!CHECK(fabs(mean - share[c]) < 5 * se))
      printf("  %g below the quantile of %g (error %g)\n", mean, share[c], se);
  }
  close_machine(&m);
}
