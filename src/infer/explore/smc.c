/* The population: from the first density, power by power, to the target. */
#include "infer/explore/smc.h"
#include <math.h>
#include <string.h>
#include "infer/explore/population.h"

/* Above this a full covariance is not estimated from a population, only variances. */
enum { most_dense = 64, most_powers = 1000, probe_rows = 1024 };
/* Of the broad part, when it was probed; in it what is known shall not be far out. */
static const double room = 1.5, known_room = 2;
static const double most_wide_power = 0.5;

void sl__smc_defaults(sl__smc_options *options, int32_t dim) {
  *options = (sl__smc_options){.particles = 4096,
                               .share = 0.7,
                               .accept = 0.8,
                               .sweeps = dim <= 3 ? 6 : 3,
                               .most_sweeps = dim <= 3 ? 24 : 18,
                               .last_sweeps = dim <= 3 ? 12 : 6,
                               .most_leapfrogs = 8};
}

sl__random_key sl__population_key(sl__population *p) {
  return (sl__random_key){p->options->seed, SL__STREAM_EXPLORE, p->draws_of_chance++};
}

static bool may_evaluate_on(void *user) {
  const sl__population *p = user;
  return p->options->progress(p->options->user, p->power, p->report->gradients);
}

sl_status sl__population_evaluate(sl__population *p, int64_t rows, const sl__particles *at) {
  const sl__points points = {.rows = rows,
                             .q = at->q,
                             .value = at->value,
                             .gradient = at->gradient,
                             .row_stride = p->dim,
                             .column_stride = 1};
  p->report->gradients += rows;
  if (p->power < 1)
    for (int64_t r = 0; r < rows; r++)
      at->first_value[r] =
          sl__first_density_at(&p->first, at->q + r * p->dim, at->first_gradient + r * p->dim);
  return sl__density_run_asking(p->context, p->density, &points,
                                p->options->progress ? may_evaluate_on : NULL, p);
}

void sl__population_copy(const sl__population *p, const sl__particles *source, int64_t from,
                         const sl__particles *target, int64_t to) {
  const size_t row = (size_t)p->dim * sizeof(double);
  memcpy(target->q + to * p->dim, source->q + from * p->dim, row);
  memcpy(target->gradient + to * p->dim, source->gradient + from * p->dim, row);
  memcpy(target->first_gradient + to * p->dim, source->first_gradient + from * p->dim, row);
  target->value[to] = source->value[from];
  target->first_value[to] = source->first_value[from];
}

/* ---- the first density ---- */

/* The scale whose importance estimate of the evidence is largest, less thrice its standard error:
 * a first density that is too narrow misses mass, one that is too wide hardly meets it. 0: the
 * density is zero at all of the points. */
static sl_status probe(sl__population *p, double *out) {
  const int64_t rows = p->rows < probe_rows ? p->rows : probe_rows;
  sl__first_density broad = p->first;
  double best = -(double)INFINITY;
  broad.groups = 0;
  *out = 0;
  for (double scale = 0.25; scale <= 64; scale *= 2) {
    for (int32_t i = 0; i < p->dim; i++) broad.spread[i] = scale;
    sl__first_density_settle(&broad);
    sl__first_density_draw(&broad, sl__population_key(p), rows, p->next.q);
    SL__TRY(sl__population_evaluate(p, rows, &p->next));
    for (int64_t r = 0; r < rows; r++)
      p->log_weight[r] =
          p->next.value[r] - sl__first_density_at(&broad, p->next.q + r * p->dim, NULL);
    const double evidence = sl__population_log_mean(rows, p->log_weight);
    if (evidence == (double)INFINITY)
      return sl__fail(p->context, SL_NUMERIC, "the log density is +infinity at a random point");
    if (evidence == -(double)INFINITY) continue;
    const double count = sl__population_effective_share(rows, p->log_weight, 1) * (double)rows;
    if (evidence - 3 / sqrt(count) > best) {
      best = evidence - 3 / sqrt(count);
      *out = scale;
    }
  }
  return SL_OK;
}

/* The variance of all that is known, in one coordinate. */
static double known_variance(const sl__population *p, int32_t i) {
  const int64_t rows = p->options->known_rows * p->options->known_groups;
  double mean = 0, sum = 0;
  for (int64_t r = 0; r < rows; r++) mean += p->options->known[r * p->dim + i] / (double)rows;
  for (int64_t r = 0; r < rows; r++) {
    const double off = p->options->known[r * p->dim + i] - mean;
    sum += off * off / (double)rows;
  }
  return sum;
}

static sl_status choose_spread(sl__population *p) {
  double scale, *spread = p->first.spread;
  if (p->options->spread) {
    memcpy(spread, p->options->spread, (size_t)p->dim * sizeof(double));
    return SL_OK;
  }
  SL__TRY(probe(p, &scale));
  if (scale == 0 && p->first.groups == 0)
    return sl__fail(p->context, SL_NUMERIC,
                    "the density is zero, or not a number, at all of %lld random points around 0; "
                    "check the model, or say where to start",
                    (long long)probe_rows * 9);
  for (int32_t i = 0; i < p->dim; i++) {
    const double known = p->first.groups > 0 ? sqrt(known_variance(p, i)) : 0;
    spread[i] = fmax(room * scale, known_room * known);
    if (!(spread[i] > 0)) spread[i] = 1;
  }
  p->report->spread = room * scale;
  return SL_OK;
}

/* ---- the whole ---- */

static sl_status open_particles(sl__arena *arena, size_t rows, size_t dim, sl__particles *out) {
  out->q = sl__arena_take(arena, rows * dim, sizeof(double));
  out->gradient = sl__arena_take(arena, rows * dim, sizeof(double));
  out->first_gradient = sl__arena_take(arena, rows * dim, sizeof(double));
  out->value = sl__arena_take(arena, rows, sizeof(double));
  out->first_value = sl__arena_take(arena, rows, sizeof(double));
  const bool all = out->q && out->gradient && out->first_gradient && out->value && out->first_value;
  return all ? SL_OK : SL_NO_MEMORY;
}

static sl_status open_population(sl__population *p, sl__arena *arena) {
  const size_t rows = (size_t)p->rows, dim = (size_t)p->dim;
  const bool dense = p->dim <= most_dense;
  SL__TRY(open_particles(arena, rows, dim, &p->now));
  SL__TRY(open_particles(arena, rows, dim, &p->next));
  p->begun = sl__arena_take(arena, rows * dim, sizeof(double));
  p->momentum = sl__arena_take(arena, rows * dim, sizeof(double));
  p->first_energy = sl__arena_take(arena, rows, sizeof(double));
  p->log_weight = sl__arena_take(arena, rows, sizeof(double));
  p->chosen = sl__arena_take(arena, rows, sizeof *p->chosen);
  p->ancestor = sl__arena_take(arena, rows, sizeof *p->ancestor);
  p->velocity = sl__arena_take(arena, dim, sizeof(double));
  p->work = sl__arena_take(arena, dense ? dim * dim : dim, sizeof(double));
  if (!p->begun || !p->momentum || !p->first_energy || !p->log_weight || !p->chosen ||
      !p->ancestor || !p->velocity || !p->work)
    return SL_NO_MEMORY;
  for (int64_t r = 0; r < p->rows; r++) p->ancestor[r] = r;
  p->step_size = 1.0 / sqrt(sqrt((double)p->dim));
  SL__TRY(sl__first_density_open(arena, p->dim, p->options, &p->first));
  SL__TRY(sl__metric_open(arena, dense ? SL__METRIC_DENSE : SL__METRIC_DIAGONAL, p->dim, 0,
                          &p->metric));
  SL__TRY(sl__density_new(p->context, p->target, 0, true, &p->density));
  sl__density_set_patience(p->density, p->options->most_ode_steps);
  return SL_OK;
}

/* One power further. */
static sl_status climb(sl__population *p) {
  const sl__smc_options *o = p->options;
  for (int64_t r = 0; r < p->rows; r++) p->log_weight[r] = p->now.value[r] - p->now.first_value[r];
  const double step = sl__population_choose_step(p);
  for (int64_t r = 0; r < p->rows; r++) p->log_weight[r] *= step;
  const double gain = sl__population_log_mean(p->rows, p->log_weight);
  if (!isfinite(gain))
    return sl__fail(p->context, SL_NUMERIC,
                    "the density is zero or infinite at every one of %lld points; check the model",
                    (long long)p->rows);
  p->report->log_evidence += gain;
  const double share = sl__population_effective_share(p->rows, p->log_weight, 1);
  p->report->log_evidence_se += (1 / share - 1) / (double)p->rows; /* a variance until the end */
  sl__population_resample(p);
  p->power = step == 1 - p->power ? 1 : p->power + step;
  p->report->powers++;
  return sl__population_move(p, p->power < 1 ? o->sweeps : o->last_sweeps, o->most_sweeps);
}

static bool may_go_on(const sl__population *p) {
  const int64_t most = p->options->most_gradients;
  return p->power < 1 && p->report->powers < most_powers &&
         (most == 0 || p->report->gradients < most);
}

static void keep_wide(const sl__population *p) {
  if (p->options->wide && p->power <= most_wide_power)
    memcpy(p->options->wide, p->now.q, (size_t)p->rows * (size_t)p->dim * sizeof(double));
}

static sl_status run(sl__population *p) {
  SL__TRY(choose_spread(p));
  sl__first_density_settle(&p->first);
  sl__first_density_draw(&p->first, sl__population_key(p), p->rows, p->now.q);
  SL__TRY(sl__population_evaluate(p, p->rows, &p->now));
  sl_status status = SL_OK;
  while (status == SL_OK && may_go_on(p)) {
    keep_wide(p);
    status = climb(p);
  }
  p->report->log_evidence_se =
      sqrt(fmax(p->report->log_evidence_se, sl__population_ancestral_variance(p, p->log_weight)));
  return status;
}

static sl_status with_population(sl_context *context, const sl__target *target,
                                 const sl__smc_options *options, int refresh, int64_t rows,
                                 double *q, double *log_density, sl__smc_report *report) {
  const size_t bytes = (size_t)rows * (size_t)target->dim * sizeof *q;
  sl__population p = {.context = context,
                      .target = target,
                      .options = options,
                      .report = report,
                      .rows = rows,
                      .dim = target->dim,
                      .power = refresh > 0 ? 1 : 0};
  sl__arena arena;
  sl__arena_open(&arena, context);
  sl_status status = open_population(&p, &arena);
  if (status == SL_OK && refresh > 0) {
    p.draws_of_chance = (uint32_t)1 << 30;
    if (report->step_size > 0) p.step_size = report->step_size;
    memcpy(p.now.q, q, bytes);
    status = sl__population_evaluate(&p, rows, &p.now);
    if (status == SL_OK) status = sl__population_move(&p, refresh, refresh);
  } else if (status == SL_OK) {
    status = run(&p);
  }
  if (status == SL_OK || status == SL_STOPPED) {
    memcpy(q, p.now.q, bytes);
    memcpy(log_density, p.now.value, (size_t)rows * sizeof *log_density);
  }
  report->power = p.power;
  report->step_size = p.step_size;
  sl__density_free(p.density);
  sl__arena_close(&arena);
  return status;
}

sl_status sl__smc_run(sl_context *context, const sl__target *target, const sl__smc_options *options,
                      double *q, double *log_density, sl__smc_report *report) {
  *report = (sl__smc_report){0};
  return with_population(context, target, options, 0, options->particles, q, log_density, report);
}

sl_status sl__smc_refresh(sl_context *context, const sl__target *target,
                          const sl__smc_options *options, int sweeps, int64_t rows, double *q,
                          double *log_density, sl__smc_report *report) {
  return with_population(context, target, options, sweeps, rows, q, log_density, report);
}
