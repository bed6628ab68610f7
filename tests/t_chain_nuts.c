/* Transitions of the no-U-turn sampler: against a plain recursive one, against known densities. */
#include "check.h"
#include "infer/chain/metric.h"
#include "infer/chain/nuts.h"
#include "infer/diagnose/diagnose.h"

enum { DIM = 2 };

static sl_context *new_context(void) {
  sl_context *context = NULL;
  const sl_context_options options = {.size = sizeof options, .threads = 1};
  if (sl_context_new(&options, &context) != SL_OK) abort();
  return context;
}

/* ---- densities: value and gradient ---- */

typedef double (*density)(const double *q, double *gradient);

static double correlated(const double *q, double *gradient) {
  const double r = 0.9, s = 1 / (1 - r * r);
  gradient[0] = -s * (q[0] - r * q[1]);
  gradient[1] = -s * (q[1] - r * q[0]);
  return 0.5 * (q[0] * gradient[0] + q[1] * gradient[1]);
}

/* x ~ normal(0, 1), y ~ normal(0, exp(x / 2)). */
static double funnel(const double *q, double *gradient) {
  const double precision = exp(-q[0]);
  gradient[0] = -q[0] - 0.5 + 0.5 * q[1] * q[1] * precision;
  gradient[1] = -q[1] * precision;
  return -0.5 * q[0] * q[0] - 0.5 * q[0] - 0.5 * q[1] * q[1] * precision;
}

/* Independent exponentials, by logarithms: x = exp(q), with the Jacobian. */
static double bounded(const double *q, double *gradient) {
  double value = 0;
  for (int i = 0; i < DIM; i++) {
    gradient[i] = 1 - exp(q[i]);
    value += q[i] - exp(q[i]);
  }
  return value;
}

/* ---- a recursive sampler, as papers have it ---- */

typedef struct point {
  double q[DIM], p[DIM], v[DIM], g[DIM], value;
} point;
typedef struct tree {
  point first, last, chosen; /* in order of time */
  double sum[DIM], log_weight;
  bool good;
} tree;
typedef struct plain {
  density f;
  double step, w[DIM], first_energy, accept; /* w: variances */
  int leapfrogs;
  bool divergent;
  uint64_t used;
} plain;

static double chance(plain *s) {
  return sl__random_uniform((sl__random_key){77, SL__STREAM_TEST, 1}, s->used++, 0);
}
static double energy(const point *a) {
  return -a->value + 0.5 * (a->p[0] * a->v[0] + a->p[1] * a->v[1]);
}
static point leap(plain *s, const point *from, double direction) {
  point to = *from;
  const double h = direction * s->step;
  for (int i = 0; i < DIM; i++) to.p[i] += 0.5 * h * to.g[i];
  for (int i = 0; i < DIM; i++) to.q[i] += h * s->w[i] * to.p[i];
  to.value = s->f(to.q, to.g);
  for (int i = 0; i < DIM; i++) {
    to.p[i] += 0.5 * h * to.g[i];
    to.v[i] = s->w[i] * to.p[i];
  }
  return to;
}
static double add_logs(double a, double b) {
  const double most = fmax(a, b);
  return most + log(exp(a - most) + exp(b - most));
}
static bool apart(const point *a, const point *b, const double *sum) {
  return a->v[0] * sum[0] + a->v[1] * sum[1] > 0 && b->v[0] * sum[0] + b->v[1] * sum[1] > 0;
}
/* a before b in time. */
static bool whole_is_apart(const tree *a, const tree *b) {
  double sum[DIM], left[DIM], right[DIM];
  for (int i = 0; i < DIM; i++) {
    sum[i] = a->sum[i] + b->sum[i];
    left[i] = a->sum[i] + b->first.p[i];
    right[i] = b->sum[i] + a->last.p[i];
  }
  return apart(&a->first, &b->last, sum) && apart(&a->first, &b->first, left) &&
         apart(&a->last, &b->last, right);
}
static tree grow(plain *s, const point *from, int level, double direction) {
  tree t = {.good = false};
  if (level == 0) {
    const point to = leap(s, from, direction);
    const double gain = s->first_energy - energy(&to);
    s->leapfrogs++;
    s->accept += gain > 0 ? 1 : exp(gain);
    s->divergent |= !(gain > -1000);
    t = (tree){to, to, to, {to.p[0], to.p[1]}, gain, gain > -1000};
    return t;
  }
  const tree near = grow(s, from, level - 1, direction);
  if (!near.good) return t;
  const tree far = grow(s, direction > 0 ? &near.last : &near.first, level - 1, direction);
  if (!far.good) return t;
  t.log_weight = add_logs(near.log_weight, far.log_weight);
  t.chosen = log(chance(s)) < far.log_weight - t.log_weight ? far.chosen : near.chosen;
  const tree *a = direction > 0 ? &near : &far, *b = direction > 0 ? &far : &near;
  t.first = a->first;
  t.last = b->last;
  for (int i = 0; i < DIM; i++) t.sum[i] = a->sum[i] + b->sum[i];
  t.good = whole_is_apart(a, b);
  return t;
}
static int transition(plain *s, point *here, uint64_t number, int most_depth) {
  for (int i = 0; i < DIM; i++) {
    here->p[i] = sl__random_normal((sl__random_key){78, SL__STREAM_TEST, 2}, number, (uint32_t)i) /
                 sqrt(s->w[i]);
    here->v[i] = s->w[i] * here->p[i];
  }
  s->first_energy = energy(here);
  s->accept = s->leapfrogs = 0;
  s->divergent = false;
  tree whole = {*here, *here, *here, {here->p[0], here->p[1]}, 0, true};
  int depth = 0;
  while (depth < most_depth) {
    const double direction = chance(s) > 0.5 ? 1 : -1;
    const tree added = grow(s, direction > 0 ? &whole.last : &whole.first, depth, direction);
    if (!added.good) break;
    depth++;
    if (log(chance(s)) < added.log_weight - whole.log_weight) whole.chosen = added.chosen;
    const tree *a = direction > 0 ? &whole : &added, *b = direction > 0 ? &added : &whole;
    const bool on = whole_is_apart(a, b);
    tree joined = {a->first, b->last, whole.chosen, {0}, 0, on};
    for (int i = 0; i < DIM; i++) joined.sum[i] = a->sum[i] + b->sum[i];
    joined.log_weight = add_logs(whole.log_weight, added.log_weight);
    whole = joined;
    if (!on) break;
  }
  *here = whole.chosen;
  return depth;
}

/* ---- the machine ---- */

typedef struct machine {
  sl_context *context;
  sl__arena arena;
  sl__metric metric;
  sl__nuts nuts;
  density f;
} machine;

static void open_machine(machine *m, density f, double step, const double *scale) {
  m->context = new_context();
  m->f = f;
  sl__arena_open(&m->arena, m->context);
  if (sl__metric_open(&m->arena, SL__METRIC_DIAGONAL, DIM, 0, &m->metric) != SL_OK) abort();
  for (int i = 0; i < DIM; i++) m->metric.scale[i] = scale[i];
  const sl__random_key key = {5, SL__STREAM_CHAIN, 0};
  if (sl__nuts_open(&m->arena, &m->metric, 10, key, &m->nuts) != SL_OK) abort();
  m->nuts.step_size = step;
  m->nuts.here.q[0] = 0.3;
  m->nuts.here.q[1] = -0.2;
  m->nuts.here.value = f(m->nuts.here.q, m->nuts.here.gradient);
}
static void close_machine(machine *m) {
  sl__arena_close(&m->arena);
  sl_context_free(m->context);
}
static void move(machine *m) {
  double gradient[DIM];
  double value;
  sl__nuts_begin(&m->nuts);
  do value = m->f(m->nuts.wanted, gradient);
  while (!sl__nuts_give(&m->nuts, value, gradient));
}

/* ---- tests ---- */

/* Means of what transitions report, with batch-means standard errors; z: their difference. */
enum { MOVES = 40000, BATCHES = 100, FACTS = 8 };
typedef struct averages {
  double sum[BATCHES][FACTS];
} averages;
static void add_facts(averages *a, int move_number, const double *q, int depth, int leapfrogs,
                      double accept) {
  const double facts[FACTS] = {q[0],        q[1],  q[0] * q[0], q[1] * q[1],
                               q[0] * q[1], depth, leapfrogs,   accept};
  for (int k = 0; k < FACTS; k++)
    a->sum[move_number / (MOVES / BATCHES)][k] += facts[k] / (MOVES / BATCHES);
}
static void mean_of(const averages *a, int k, double *mean, double *se) {
  double squares = 0;
  *mean = 0;
  for (int b = 0; b < BATCHES; b++) *mean += a->sum[b][k] / BATCHES;
  for (int b = 0; b < BATCHES; b++) squares += pow(a->sum[b][k] - *mean, 2);
  *se = sqrt(squares / (BATCHES - 1) / BATCHES);
}

static void compare_with_plain(density f, double step, const double *scale) {
  static averages own, other;
  own = other = (averages){0};
  machine m;
  open_machine(&m, f, step, scale);
  plain s = {.f = f, .step = step, .w = {scale[0] * scale[0], scale[1] * scale[1]}};
  point here = {.q = {0.3, -0.2}};
  here.value = f(here.q, here.g);
  for (int i = 0; i < MOVES; i++) {
    move(&m);
    add_facts(&own, i, m.nuts.here.q, m.nuts.depth, m.nuts.leapfrogs, m.nuts.accept);
    const int depth = transition(&s, &here, (uint64_t)i, 10);
    add_facts(&other, i, here.q, depth, s.leapfrogs, s.accept / s.leapfrogs);
  }
  for (int k = 0; k < FACTS; k++) {
    double a, b, se_a, se_b;
    mean_of(&own, k, &a, &se_a);
    mean_of(&other, k, &b, &se_b);
    if (!CHECK(fabs(a - b) < 4 * hypot(se_a, se_b)))
      printf("  fact %d: %g (%g) against %g (%g)\n", k, a, se_a, b, se_b);
  }
  close_machine(&m);
}

TEST(same_trees_as_a_recursive_sampler) {
  compare_with_plain(correlated, 0.3, (const double[]){1, 1});
  compare_with_plain(correlated, 0.25, (const double[]){0.5, 2});
  compare_with_plain(bounded, 0.7, (const double[]){1, 1});
}

/* mean of a fact against its exact value. */
static void check_fact(const averages *a, int k, double exact) {
  double mean, se;
  mean_of(a, k, &mean, &se);
  if (!CHECK(fabs(mean - exact) < 4 * se)) printf("  fact %d: %g (%g), %g\n", k, mean, se, exact);
}

static averages run_moves(density f, double step, const double *scale, double *below) {
  averages a = {0};
  machine m;
  open_machine(&m, f, step, scale);
  *below = 0;
  for (int i = 0; i < MOVES; i++) {
    move(&m);
    add_facts(&a, i, m.nuts.here.q, m.nuts.depth, m.nuts.leapfrogs, m.nuts.accept);
    *below += (m.nuts.here.q[0] < -0.6744897501960817) / (double)MOVES; /* normal quartile */
    double gradient[DIM];
    if (i % 1000 == 0) {
      CHECK(m.nuts.here.value == f(m.nuts.here.q, gradient));
      CHECK(gradient[0] == m.nuts.here.gradient[0] && gradient[1] == m.nuts.here.gradient[1]);
    }
  }
  close_machine(&m);
  return a;
}

TEST(known_densities_stay) {
  double below;
  averages a = run_moves(correlated, 0.4, (const double[]){1, 1}, &below);
  const double exact[] = {0, 0, 1, 1, 0.9};
  for (int k = 0; k < 5; k++) check_fact(&a, k, exact[k]);
  CHECK(fabs(below - 0.25) < 0.015);
  a = run_moves(funnel, 0.2, (const double[]){1, 1}, &below);
  check_fact(&a, 0, 0);
  check_fact(&a, 2, 1);
  check_fact(&a, 1, 0);
  CHECK(fabs(below - 0.25) < 0.02);
  a = run_moves(bounded, 0.6, (const double[]){1, 1}, &below);
  const double euler = 0.57721566490153286, pi = 3.14159265358979323846;
  check_fact(&a, 0, -euler); /* of the log of an exponential variable */
  check_fact(&a, 2, euler * euler + pi * pi / 6);
}

/* One step's error of the energy falls with the cube of the step: the momenta are the same. */
TEST(leapfrog_is_of_second_order) {
  double errors[2] = {0, 0};
  for (int k = 0; k < 2; k++) {
    machine m;
    double gradient[DIM];
    open_machine(&m, bounded, k == 0 ? 0.02 : 0.01, (const double[]){1, 1});
    for (int i = 0; i < 200; i++) {
      sl__nuts_probe(&m.nuts);
      const double value = bounded(m.nuts.wanted, gradient);
      sl__nuts_give(&m.nuts, value, gradient);
      errors[k] += fabs(m.nuts.first_energy - m.nuts.moving.energy);
    }
    close_machine(&m);
  }
  CHECK(errors[0] / errors[1] > 7.5 && errors[0] / errors[1] < 8.5);
}

/* A probe leaves everything but the moving point alone. */
TEST(probes_change_nothing) {
  machine m;
  open_machine(&m, correlated, 0.1, (const double[]){1, 1});
  double gradient[DIM], before[DIM] = {m.nuts.here.q[0], m.nuts.here.q[1]};
  sl__nuts_probe(&m.nuts);
  const double value = correlated(m.nuts.wanted, gradient);
  CHECK(sl__nuts_give(&m.nuts, value, gradient));
  CHECK(m.nuts.here.q[0] == before[0] && m.nuts.here.q[1] == before[1]);
  CHECK(fabs(m.nuts.first_energy - m.nuts.moving.energy) < 0.1);
  close_machine(&m);
}

static double walled(const double *q, double *gradient) {
  gradient[0] = gradient[1] = 0;
  if (q[0] > 1) return (double)NAN;
  if (q[0] < -1) return -INFINITY;
  if (q[1] > 3) return INFINITY;
  if (q[1] < -3) return -INFINITY;
  return 0;
}
TEST(points_without_density_are_not_taken) {
  machine m;
  open_machine(&m, walled, 0.5, (const double[]){1, 1});
  int divergent = 0;
  for (int i = 0; i < 500; i++) {
    move(&m);
    divergent += m.nuts.divergent;
    CHECK(fabs(m.nuts.here.q[0]) <= 1 && fabs(m.nuts.here.q[1]) <= 3);
  }
  CHECK(divergent > 100);
  close_machine(&m);
}
