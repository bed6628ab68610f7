/* Ways, their Gaussians, and the choice among draws. */
#include "infer/chain/pathfinder.h"
#include <math.h>
#include <string.h>
#include "infer/chain/path_gaussian.h"
#include "infer/diagnose/diagnose.h"

enum { most_tries = 100 };

typedef struct way {
  sl__climb climb;
  int tries;    /* of first points */
  bool found;   /* a Gaussian */
  int32_t best; /* point of the way whose Gaussian it is */
  double elbo;
} way;

typedef struct finder {
  sl_context *context;
  const sl__target *target;
  const sl__pathfinder_options *options;
  sl__pathfinder_report *report;
  sl__arena *arena;
  sl__density *density;
  way *ways; /* [paths] */
  sl__path_gaussian gaussian;
  sl__pairs pairs;              /* replayed */
  double *q, *value, *gradient; /* [rows][dim], [rows], [paths][dim] */
  double *log_q;                /* [rows] */
  double *normal;               /* [dim] */
  int64_t rows;
} finder;

void sl__pathfinder_defaults(sl__pathfinder_options *options) {
  *options = (sl__pathfinder_options){.paths = 4,
                                      .history = 5,
                                      .most_steps = 1000,
                                      .elbo_draws = 25,
                                      .path_draws = 1000,
                                      .init_radius = 2,
                                      .tolerance = 1e-8,
                                      .weigh = true};
}

static sl_status evaluate(finder *f, const sl__points *points) {
  const sl__pathfinder_options *o = f->options;
  if (o->may_go_on && !o->may_go_on(o->user))
    return sl__fail(f->context, SL_STOPPED, "stopped before a draw was chosen");
  return sl__density_run_asking(f->context, f->density, points, o->may_go_on, o->user);
}

/* ---- climbing, all ways side by side ---- */

static void draw_first(const finder *f, int32_t number) {
  way *w = &f->ways[number];
  const sl__random_key key = {f->options->seed, SL__STREAM_START, (uint32_t)number};
  for (int32_t i = 0; i < f->target->dim; i++)
    w->climb.trial[i] = f->options->init_radius *
                        (2 * sl__random_uniform(key, (uint64_t)w->tries, (uint32_t)i) - 1);
  w->tries++;
}

/* Hands each way its value; true while one of them still climbs. */
static bool give_all(finder *f) {
  bool on = false;
  for (int32_t p = 0; p < f->options->paths; p++) {
    way *w = &f->ways[p];
    if (w->climb.done) continue;
    f->report->gradients++;
    sl__climb_give(&w->climb, f->value[p], f->gradient + (size_t)p * (size_t)f->target->dim);
    if (!w->climb.begun) {
      if (w->tries == most_tries)
        w->climb.done = true;
      else
        draw_first(f, p);
    }
    on |= !w->climb.done;
  }
  return on;
}

static sl_status climb_all(finder *f) {
  const int32_t paths = f->options->paths, dim = f->target->dim;
  const sl__points points = {.rows = paths,
                             .q = f->q,
                             .value = f->value,
                             .gradient = f->gradient,
                             .row_stride = dim,
                             .column_stride = 1};
  for (int32_t p = 0; p < paths; p++) draw_first(f, p);
  do {
    for (int32_t p = 0; p < paths; p++)
      memcpy(f->q + (size_t)p * (size_t)dim, f->ways[p].climb.trial, (size_t)dim * sizeof *f->q);
    SL__TRY(evaluate(f, &points));
  } while (give_all(f));
  return SL_OK;
}

/* ---- Gaussians along a way ---- */

/* Draws of the Gaussian into rows from..from + count - 1, a function of way, point and number. */
static void draw_rows(finder *f, int32_t number, int32_t point, int64_t count, int64_t first_draw,
                      int64_t from) {
  const int32_t dim = f->target->dim;
  const sl__random_key key = {f->options->seed, SL__STREAM_PATHFINDER + (uint32_t)number,
                              (uint32_t)point};
  for (int64_t r = 0; r < count; r++) {
    for (int32_t i = 0; i < dim; i++)
      f->normal[i] = sl__random_normal(key, (uint64_t)(first_draw + r), (uint32_t)i);
    f->log_q[from + r] =
        sl__path_gaussian_draw(&f->gaussian, f->normal, f->q + (size_t)(from + r) * (size_t)dim);
  }
}

static sl_status value_rows(finder *f, int64_t count) {
  const sl__points points = {.rows = count,
                             .q = f->q,
                             .value = f->value,
                             .row_stride = f->target->dim,
                             .column_stride = 1};
  f->report->values += count;
  return evaluate(f, &points);
}

/* Puts the pairs of the way's first points together, up to this one, and their Gaussian. */
static bool set_gaussian(finder *f, const way *w, int32_t point) {
  const size_t dim = (size_t)f->target->dim;
  const double *q = w->climb.q, *gradient = w->climb.gradient;
  sl__pairs_clear(&f->pairs);
  for (int32_t k = 0; k < point; k++)
    sl__pairs_add(&f->pairs, q + (size_t)k * dim, gradient + (size_t)k * dim,
                  q + ((size_t)k + 1) * dim, gradient + ((size_t)k + 1) * dim);
  return sl__path_gaussian_set(&f->gaussian, &f->pairs, q + (size_t)point * dim,
                               gradient + (size_t)point * dim);
}

static void judge_point(finder *f, way *w, int32_t point, int64_t from) {
  double sum = 0;
  const int32_t count = f->options->elbo_draws;
  for (int32_t r = 0; r < count; r++) sum += f->value[from + r] - f->log_q[from + r];
  const double elbo = sum / count;
  if (!isfinite(elbo) || (w->found && elbo <= w->elbo)) return;
  w->found = true;
  w->elbo = elbo;
  w->best = point;
}

/* As many points of the way at once as there is room for. */
static sl_status judge_way(finder *f, int32_t number) {
  way *w = &f->ways[number];
  const int32_t count = f->options->elbo_draws;
  const int64_t room = f->rows / count;
  const size_t dim = (size_t)f->target->dim;
  int32_t *point = sl__arena_take(f->arena, (size_t)room, sizeof *point);
  if (!point) return SL_NO_MEMORY;
  sl__pairs_clear(&f->pairs);
  for (int32_t k = 1; w->climb.begun && k <= w->climb.steps;) {
    int64_t set = 0;
    for (; k <= w->climb.steps && set < room; k++) {
      const double *q = w->climb.q + (size_t)k * dim, *g = w->climb.gradient + (size_t)k * dim;
      sl__pairs_add(&f->pairs, q - dim, g - dim, q, g);
      if (!sl__path_gaussian_set(&f->gaussian, &f->pairs, q, g)) continue;
      draw_rows(f, number, k, count, 0, set * count);
      point[set++] = k;
    }
    SL__TRY(value_rows(f, set * count));
    for (int64_t i = 0; i < set; i++) judge_point(f, w, point[i], i * count);
  }
  return SL_OK;
}

/* ---- draws of all ways, and the choice ---- */

typedef struct draw_pool {
  int64_t count;
  double *q, *value, *log_ratio; /* [count][dim], [count] */
} draw_pool;

static sl_status fill_pool(finder *f, draw_pool *pool) {
  const int32_t draws = f->options->path_draws;
  const size_t dim = (size_t)f->target->dim, most = (size_t)draws * (size_t)f->options->paths;
  pool->q = sl__arena_take(f->arena, most * dim, sizeof(double));
  pool->value = sl__arena_take(f->arena, most, sizeof(double));
  pool->log_ratio = sl__arena_take(f->arena, most, sizeof(double));
  if (!pool->q || !pool->value || !pool->log_ratio) return SL_NO_MEMORY;
  f->report->elbo = -INFINITY;
  for (int32_t p = 0; p < f->options->paths; p++) {
    way *w = &f->ways[p];
    if (!w->found || !set_gaussian(f, w, w->best)) continue;
    f->report->paths++;
    f->report->elbo = fmax(f->report->elbo, w->elbo);
    for (int32_t from = 0; from < draws;) {
      const int64_t count = draws - from < f->rows ? draws - from : f->rows;
      draw_rows(f, p, w->best, count, f->options->elbo_draws + from, 0);
      SL__TRY(value_rows(f, count));
      memcpy(pool->q + (size_t)pool->count * dim, f->q, (size_t)count * dim * sizeof(double));
      for (int64_t r = 0; r < count; r++) {
        pool->value[pool->count] = f->value[r];
        pool->log_ratio[pool->count++] = f->value[r] - f->log_q[r];
      }
      from += (int32_t)count;
    }
  }
  if (pool->count > 0) return SL_OK;
  return sl__fail(f->context, SL_NUMERIC,
                  "none of %d ways from random points within %g of 0 led to a Gaussian with a "
                  "finite ELBO; give a smaller radius, or check that the density is smooth",
                  f->options->paths, f->options->init_radius);
}

static sl_status weigh_pool(finder *f, const draw_pool *pool, double *log_weights) {
  sl__psis psis;
  sl__evidence evidence;
  sl__pathfinder_report *report = f->report;
  SL__TRY(sl__psis_smooth(f->context, pool->count, pool->log_ratio, 1, log_weights, &psis));
  SL__TRY(sl__evidence_importance(f->context, pool->count, pool->log_ratio, &evidence));
  report->khat = psis.khat;
  report->khat_threshold = psis.threshold;
  report->ess = psis.ess;
  report->log_evidence = psis.log_mean;
  report->log_evidence_se = evidence.se;
  return SL_OK;
}

static sl_status choose(finder *f, const draw_pool *pool, int64_t draws, double *q,
                        double *log_density) {
  const size_t dim = (size_t)f->target->dim;
  double *log_weights = sl__arena_take(f->arena, (size_t)pool->count, sizeof *log_weights);
  int64_t *index = sl__arena_take(f->arena, (size_t)draws, sizeof *index);
  if (!log_weights || !index) return SL_NO_MEMORY;
  SL__TRY(weigh_pool(f, pool, log_weights));
  const sl__random_key key = {f->options->seed, SL__STREAM_RESAMPLE, 0};
  if (f->options->weigh)
    SL__TRY(sl__resample(f->context, SL__RESAMPLE_STRATIFIED, key, pool->count, log_weights, draws,
                         index));
  /* Without weights: rows evenly spread over the ways. */
  for (int64_t r = 0; r < draws; r++) {
    const int64_t from =
        f->options->weigh ? index[r] : (int64_t)((double)r / (double)draws * (double)pool->count);
    memcpy(q + (size_t)r * dim, pool->q + (size_t)from * dim, dim * sizeof *q);
    if (log_density) log_density[r] = pool->value[from];
  }
  return SL_OK;
}

/* ---- the whole ---- */

static sl_status open_finder(finder *f) {
  const sl__pathfinder_options *o = f->options;
  const int32_t dim = f->target->dim;
  const size_t size = (size_t)dim;
  if (o->paths < 1 || o->history < 1 || o->most_steps < 1 || o->elbo_draws < 1 ||
      o->path_draws < 1 || !(o->init_radius >= 0) || !(o->tolerance >= 0))
    return sl__fail(f->context, SL_BAD_ARGUMENT,
                    "Pathfinder needs at least one path, pair, step and draw, and a radius and "
                    "tolerance of at least 0");
  f->rows = o->elbo_draws > 1024 ? o->elbo_draws : 1024;
  if (f->rows < o->paths) f->rows = o->paths;
  f->ways = sl__arena_take(f->arena, (size_t)o->paths, sizeof *f->ways);
  f->q = sl__arena_take(f->arena, (size_t)f->rows * size, sizeof(double));
  f->value = sl__arena_take(f->arena, (size_t)f->rows, sizeof(double));
  f->log_q = sl__arena_take(f->arena, (size_t)f->rows, sizeof(double));
  f->gradient = sl__arena_take(f->arena, (size_t)o->paths * size, sizeof(double));
  f->normal = sl__arena_take(f->arena, size, sizeof(double));
  if (!f->ways || !f->q || !f->value || !f->log_q || !f->gradient || !f->normal)
    return SL_NO_MEMORY;
  SL__TRY(sl__pairs_open(f->arena, dim, o->history, &f->pairs));
  SL__TRY(sl__path_gaussian_open(f->arena, dim, o->history, &f->gaussian));
  for (int32_t p = 0; p < o->paths; p++)
    SL__TRY(
        sl__climb_open(f->arena, dim, o->most_steps, o->history, o->tolerance, &f->ways[p].climb));
  return sl__density_new(f->context, f->target, 0, true, &f->density);
}

sl_status sl__pathfinder_run(sl_context *context, const sl__target *target,
                             const sl__pathfinder_options *options, int64_t draws, double *q,
                             double *log_density, sl__pathfinder_report *report) {
  sl__arena arena;
  sl__arena_open(&arena, context);
  finder f = {
      .context = context, .target = target, .options = options, .report = report, .arena = &arena};
  draw_pool pool = {0};
  *report = (sl__pathfinder_report){0};
  sl_status status = open_finder(&f);
  if (status == SL_OK) status = climb_all(&f);
  for (int32_t p = 0; status == SL_OK && p < options->paths; p++) status = judge_way(&f, p);
  if (status == SL_OK) status = fill_pool(&f, &pool);
  if (status == SL_OK) status = choose(&f, &pool, draws, q, log_density);
  sl__density_free(f.density);
  sl__arena_close(&arena);
  return status;
}
