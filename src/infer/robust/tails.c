/* Whether the target has mass in tails that q's draws do not come to. Neither do those of the chains
 * and the population then, and log w of draws says nothing about where there are none. So the mass
 * far out is weighed by draws that go there: of q's noise before the layers, whose tails become
 * heavier than those of a Cauchy density, in all coordinates together or in one of them. What q's
 * own draws know of that place is taken off. Of both q's own mass is taken off first, draw by draw:
 * where q fits, as good as nothing is left, and no noise of it. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "infer/diagnose/diagnose.h"
#include "infer/robust/attempt.h"

enum { MOST_ROWS = 4096 }; /* of the base's draws, and of those that go far */
/* The share of the base's draws that are far out by their norm, and by their largest coordinate. */
static const double far_share = 0.01;
/* The chance of more than r falls as r^-power; a Cauchy density's as 1 / r. */
static const double power = 0.5;
static const double log_two_pi = 1.8378770664093455;

/* Draws of noise, and what became of them. */
typedef struct noise {
  double *z;                                 /* [rows][dim] */
  double *log_base, *log_p, *log_det, *mass; /* [rows]; mass: p / Z - q over the draws' density */
} noise;

typedef struct tails {
  const sl__robust *run;
  const sl__model *model;
  int32_t dim;
  int64_t rows;
  double norm, largest; /* beyond one of these z is far out */
  double *sorted;       /* [rows] */
} tails;

static double norm_of(int32_t dim, const double *z) {
  double sum = 0;
  for (int32_t i = 0; i < dim; i++) sum += z[i] * z[i];
  return sqrt(sum);
}

static int32_t largest_of(int32_t dim, const double *z) {
  int32_t largest = 0;
  for (int32_t i = 1; i < dim; i++)
    if (fabs(z[i]) > fabs(z[largest])) largest = i;
  return largest;
}

static bool is_far(const tails *t, const double *z) {
  return norm_of(t->dim, z) > t->norm || fabs(z[largest_of(t->dim, z)]) > t->largest;
}

static int ascending(const void *a, const void *b) {
  const double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static double find_limit(const tails *t) {
  qsort(t->sorted, (size_t)t->rows, sizeof *t->sorted, ascending);
  return t->sorted[t->rows - 1 - (int64_t)(far_share * (double)t->rows)];
}

static void find_limits(tails *t, const noise *n) {
  const int32_t dim = t->dim;
  for (int64_t r = 0; r < t->rows; r++) t->sorted[r] = norm_of(dim, n->z + r * dim);
  t->norm = find_limit(t);
  for (int64_t r = 0; r < t->rows; r++)
    t->sorted[r] = fabs(n->z[r * dim + largest_of(dim, n->z + r * dim)]);
  t->largest = find_limit(t);
}

/* ---- draws that go far ---- */

/* Every other one along a ray from the origin, the others along one axis. */
static void draw_far(const tails *t, sl__random_key key, int64_t row, double *z) {
  const uint64_t at = (uint64_t)row;
  const uint32_t dim = (uint32_t)t->dim, next = dim + dim % 2; /* two features share their words */
  const double distance = pow(sl__random_uniform(key, at, next), -1 / power);
  for (uint32_t i = 0; i < dim; i++) z[i] = sl__random_normal(key, at, i);
  if (row % 2 == 0) {
    const double factor = t->norm * distance / norm_of(t->dim, z);
    for (uint32_t i = 0; i < dim; i++) z[i] *= factor;
  } else {
    const uint64_t axis = sl__random_below(key, at, next + 2, dim);
    z[axis] = copysign(t->largest * distance, z[axis]);
  }
}

/* Of the unit sphere: 2 in one dimension, 2 pi in two, 2 pi / (dim - 2) times that of dim - 2. */
static double log_area(int32_t dim) {
  double sum = dim % 2 == 0 ? log_two_pi : log(2);
  for (int32_t d = 4 - dim % 2; d <= dim; d += 2) sum += log_two_pi - log(d - 2);
  return sum;
}

/* Even over the sphere, with a chance of a radius above r of (r / norm)^-power. */
static double log_along_ray(const tails *t, const double *z) {
  const double r = norm_of(t->dim, z);
  if (r <= t->norm) return -INFINITY;
  return log(power / t->norm) - (power + 1) * log(r / t->norm) - log_area(t->dim) -
         (t->dim - 1) * log(r);
}

static double log_normal(double z) {
  return -0.5 * (z * z + log_two_pi);
}

/* The mean over the axes: beyond the limit along one, normal along the others. The largest
 * coordinate stays out of the sum over the others: it would take all digits. */
static double log_along_axis(const tails *t, const double *z) {
  const int32_t largest = largest_of(t->dim, z);
  double others = 0, sum = 0;
  for (int32_t i = 0; i < t->dim; i++)
    if (i != largest) others += log_normal(z[i]);
  for (int32_t i = 0; i < t->dim; i++) {
    if (!(fabs(z[i]) > t->largest)) continue;
    const double far = log(0.5 * power / t->largest) - (power + 1) * log(fabs(z[i]) / t->largest);
    sum += exp(far + others + (i == largest ? 0 : log_normal(z[largest]) - log_normal(z[i])));
  }
  return log(sum / t->dim);
}

static double log_far(const tails *t, const double *z) {
  const double a = log_along_ray(t, z), b = log_along_axis(t, z), most = fmax(a, b);
  return most + log(0.5 * exp(a - most) + 0.5 * exp(b - most));
}

/* ---- through the layers ---- */

static sl_status build(const tails *t, bool given, sl__graph *g, sl__program **out) {
  const sl__flow *flow = t->model->flow;
  const sl__kind *base = flow->base.kind;
  const sl_node z = given ? op_cast(g, op_input(g, SL_F64, sl__shape1(t->dim)), flow->type)
                          : base->draw(&flow->base, g, SL__STREAM_BASE, 0);
  const sl__mapped mapped = sl__chain_sample(&flow->chain, g, z, 0, 0, flow->chain.count);
  const sl_node x = op_rows(g, op_cast(g, mapped.value, SL_F64));
  const sl_node outputs[] = {op_rows(g, z), op_rows(g, base->density(&flow->base, g, z, 0)),
                             op_rows(g, sl__target_log_density(t->run->target, g, x, 0)),
                             op_rows(g, mapped.log_det)};
  return sl__program_new(t->run->context, g, 4, outputs, out);
}

/* given: n->z is; else the base draws it. */
static sl_status pass(const tails *t, bool given, sl__random_key key, noise *n) {
  sl_context *context = t->run->context;
  sl__graph *graph;
  sl__program *program = NULL;
  sl__workspace *workspace = NULL;
  SL__TRY(sl__graph_new(context, &graph));
  sl_status status = build(t, given, graph, &program);
  sl__graph_free(graph);
  if (status == SL_OK) status = sl__workspace_new(context, program, 1024, &workspace);
  if (status == SL_OK) {
    const sl__feed feed = {.data = n->z, .type = SL_F64};
    const sl__sink sinks[] = {{.data = given ? NULL : n->z, .type = SL_F64},
                              {.data = n->log_base, .type = SL_F64},
                              {.data = n->log_p, .type = SL_F64},
                              {.data = n->log_det, .type = SL_F64}};
    const sl__run run = {.rows = t->rows,
                         .parameters = t->model->vector,
                         .feeds = given ? &feed : NULL,
                         .sinks = sinks,
                         .key = key,
                         .most_ode_steps = t->run->exploration->most_ode_steps};
    status = sl__program_run(context, program, workspace, &run);
  }
  sl__workspace_free(workspace);
  sl__program_free(program);
  t->run->report->evaluations += t->rows;
  return status;
}

static bool take(const tails *t, sl__arena *arena, noise *n) {
  const size_t rows = (size_t)t->rows, dim = (size_t)t->dim;
  *n = (noise){.z = sl__arena_take(arena, rows * dim, sizeof *n->z),
               .log_base = sl__arena_take(arena, rows, sizeof *n->log_base),
               .log_p = sl__arena_take(arena, rows, sizeof *n->log_p),
               .log_det = sl__arena_take(arena, rows, sizeof *n->log_det),
               .mass = sl__arena_take(arena, rows, sizeof *n->mass)};
  return n->z && n->log_base && n->log_p && n->log_det && n->mass;
}

/* Of a draw far out; where no number is left of p so far out there is nothing. */
static double mass_of(const noise *n, int64_t row, double log_density, double log_evidence) {
  const double log_mass = n->log_p[row] + n->log_det[row] - log_density - log_evidence;
  return (log_mass < INFINITY ? exp(log_mass) : 0) - exp(n->log_base[row] - log_density);
}

/* The mean of the masses far out, and its squared standard error. */
static double add_up(const tails *t, const noise *n, double log_evidence, bool given,
                     double *square_error) {
  double sum = 0, squares = 0;
  for (int64_t r = 0; r < t->rows; r++) {
    const double *z = n->z + r * t->dim;
    const double log_density = given ? log_far(t, z) : n->log_base[r];
    n->mass[r] = is_far(t, z) ? mass_of(n, r, log_density, log_evidence) : 0;
    sum += n->mass[r];
  }
  const double count = (double)t->rows, mean = sum / count;
  for (int64_t r = 0; r < t->rows; r++) squares += (n->mass[r] - mean) * (n->mass[r] - mean);
  *square_error = squares / (count - 1) / count;
  return mean;
}

sl_status sl__robust_weigh_tails(const sl__robust *run, const sl__model *model, sl__arena *arena,
                                 sl__robust_report *report) {
  const int64_t judge = run->options->judge;
  tails t = {.run = run,
             .model = model,
             .dim = run->exploration->dim,
             .rows = judge < MOST_ROWS ? judge : MOST_ROWS};
  const sl__random_key key = {sl__robust_seed(run, SL__PART_TAILS), SL__STREAM_START, 0};
  const double log_evidence = report->scores.log_evidence;
  noise own, far;
  double own_error, far_error;
  t.sorted = sl__arena_take(arena, (size_t)t.rows, sizeof *t.sorted);
  if (!t.sorted || !take(&t, arena, &own) || !take(&t, arena, &far)) return SL_NO_MEMORY;
  SL__TRY(pass(&t, false, key, &own));
  find_limits(&t, &own);
  for (int64_t r = 0; r < t.rows; r++) draw_far(&t, key, r, far.z + r * t.dim);
  SL__TRY(pass(&t, true, key, &far));
  const double known = add_up(&t, &own, log_evidence, false, &own_error);
  report->tail_missed = add_up(&t, &far, log_evidence, true, &far_error) - known;
  report->tail_missed_se = sqrt(own_error + far_error);
  return SL_OK;
}
