/* The population: tempering, resampling, moves. */
#include "infer/explore/smc.h"
#include <math.h>
#include <string.h>
#include "infer/chain/metric.h"

/* Above this a full covariance is not estimated from a population, only variances. */
enum { most_dense = 64, most_powers = 1000, probe_rows = 1024 };

typedef struct population {
  sl_context *context;
  const sl__target *target;
  const sl__smc_options *options;
  sl__smc_report *report;
  sl__density *density;
  int64_t rows;
  int32_t dim;
  const double *centre;
  double *spread;               /* [dim] */
  double *q, *value, *gradient; /* [rows][dim], [rows], [rows][dim] of the target */
  double *next, *next_value, *next_gradient;
  double *momentum, *first_energy; /* [rows][dim], [rows] */
  double *log_weight;              /* [rows] */
  double *velocity, *work;         /* [dim], [dim][dim] */
  int64_t *chosen;                 /* [rows] */
  sl__metric metric;
  double power, step_size;
  uint32_t draws_of_chance;
} population;

void sl__smc_defaults(sl__smc_options *options, int32_t dim) {
  *options = (sl__smc_options){.particles = 4096,
                               .share = 0.7,
                               .accept = 0.8,
                               .sweeps = dim <= 3 ? 6 : 3,
                               .last_sweeps = dim <= 3 ? 12 : 6,
                               .most_leapfrogs = 8};
}

static sl__random_key next_key(population *p) {
  return (sl__random_key){p->options->seed, SL__STREAM_EXPLORE, p->draws_of_chance++};
}

static sl_status evaluate(population *p, int64_t rows, const double *q, double *value,
                          double *gradient) {
  const sl__points points = {.rows = rows,
                             .q = q,
                             .value = value,
                             .gradient = gradient,
                             .row_stride = p->dim,
                             .column_stride = 1};
  p->report->gradients += rows;
  return sl__density_run(p->context, p->density, &points);
}

/* ---- the first density ---- */

/* Its log density at q [dim], without 2 pi. */
static double first_density(const population *p, const double *q) {
  double sum = 0;
  for (int32_t i = 0; i < p->dim; i++) {
    const double x = (q[i] - p->centre[i]) / p->spread[i];
    sum -= 0.5 * x * x + log(p->spread[i]);
  }
  return sum - p->dim * 0.5 * log(2 * M_PI);
}

static void draw_first(population *p, int64_t rows, double *q) {
  const sl__random_key key = next_key(p);
  for (int64_t r = 0; r < rows; r++)
    for (int32_t i = 0; i < p->dim; i++)
      q[r * p->dim + i] =
          p->centre[i] + p->spread[i] * sl__random_normal(key, (uint64_t)r, (uint32_t)i);
}

static double log_mean(int64_t n, const double *x) {
  double most = -(double)INFINITY, sum = 0;
  for (int64_t r = 0; r < n; r++) most = fmax(most, x[r]);
  if (!isfinite(most)) return most;
  for (int64_t r = 0; r < n; r++) sum += exp(x[r] - most);
  return most + log(sum / (double)n);
}

/* Effective share of the population under weights exp(step * log_weight). */
static double effective_share(int64_t n, const double *log_weight, double step) {
  double most = -(double)INFINITY, sum = 0, squares = 0;
  for (int64_t r = 0; r < n; r++) most = fmax(most, log_weight[r]);
  if (!isfinite(most)) return 0;
  for (int64_t r = 0; r < n; r++) {
    const double w = exp(step * (log_weight[r] - most));
    sum += w;
    squares += w * w;
  }
  return sum * sum / squares / (double)n;
}

/* The scale whose importance estimate of the evidence is largest, less thrice its standard error:
 * a first density that is too narrow misses mass, one that is too wide hardly meets it. */
static sl_status probe(population *p) {
  const int64_t rows = p->rows < probe_rows ? p->rows : probe_rows;
  double best = -(double)INFINITY, spread = 0;
  for (double scale = 0.25; scale <= 64; scale *= 2) {
    for (int32_t i = 0; i < p->dim; i++) p->spread[i] = scale;
    draw_first(p, rows, p->next);
    SL__TRY(evaluate(p, rows, p->next, p->next_value, p->next_gradient));
    for (int64_t r = 0; r < rows; r++)
      p->log_weight[r] = p->next_value[r] - first_density(p, p->next + r * p->dim);
    const double evidence = log_mean(rows, p->log_weight);
    if (evidence == (double)INFINITY)
      return sl__fail(p->context, SL_NUMERIC, "the log density is +infinity at a random point");
    if (evidence == -(double)INFINITY) continue;
    const double count = effective_share(rows, p->log_weight, 1) * (double)rows;
    if (evidence - 3 / sqrt(count) > best) {
      best = evidence - 3 / sqrt(count);
      spread = scale;
    }
  }
  if (spread == 0)
    return sl__fail(p->context, SL_NUMERIC,
                    "the density is zero, or not a number, at all of %lld random points around 0; "
                    "check the model, or say where to start",
                    (long long)rows * 9);
  for (int32_t i = 0; i < p->dim; i++) p->spread[i] = 1.5 * spread;
  p->report->spread = 1.5 * spread;
  return SL_OK;
}

/* ---- powers ---- */

/* The largest step whose weights keep the share. */
static double choose_step(const population *p) {
  double low = 0, high = 1 - p->power;
  if (effective_share(p->rows, p->log_weight, high) >= p->options->share) return high;
  for (int i = 0; i < 50; i++) {
    const double middle = 0.5 * (low + high);
    if (effective_share(p->rows, p->log_weight, middle) >= p->options->share)
      low = middle;
    else
      high = middle;
  }
  /* Where some rows have no density at all, no step keeps the share: those rows go. */
  return low > 0 ? low : fmin(1e-6, 1 - p->power);
}

/* Systematic resampling by p->log_weight, which are weights now. */
static void resample(population *p) {
  double most = -(double)INFINITY, sum = 0;
  for (int64_t r = 0; r < p->rows; r++) most = fmax(most, p->log_weight[r]);
  for (int64_t r = 0; r < p->rows; r++) sum += exp(p->log_weight[r] - most);
  const double step = sum / (double)p->rows;
  double reached = 0, wanted = step * sl__random_uniform(next_key(p), 0, 0);
  int64_t from = -1;
  for (int64_t r = 0; r < p->rows; r++, wanted += step) {
    while (reached <= wanted && from + 1 < p->rows) reached += exp(p->log_weight[++from] - most);
    p->chosen[r] = from;
  }
  const size_t row = (size_t)p->dim * sizeof(double);
  for (int64_t r = 0; r < p->rows; r++) {
    memcpy(p->next + r * p->dim, p->q + p->chosen[r] * p->dim, row);
    memcpy(p->next_gradient + r * p->dim, p->gradient + p->chosen[r] * p->dim, row);
    p->next_value[r] = p->value[p->chosen[r]];
  }
  memcpy(p->q, p->next, (size_t)p->rows * row);
  memcpy(p->gradient, p->next_gradient, (size_t)p->rows * row);
  memcpy(p->value, p->next_value, (size_t)p->rows * sizeof(double));
}

/* ---- moves ---- */

/* The metric: the population's covariance. */
static void learn_metric(population *p) {
  const int32_t dim = p->dim;
  const double n = (double)p->rows;
  double *mean = p->velocity, *covariance = p->work;
  memset(mean, 0, (size_t)dim * sizeof *mean);
  for (int64_t r = 0; r < p->rows; r++)
    for (int32_t i = 0; i < dim; i++) mean[i] += p->q[r * dim + i] / n;
  const bool dense = p->metric.form == SL__METRIC_DENSE;
  const size_t count = dense ? (size_t)dim * (size_t)dim : (size_t)dim;
  memset(covariance, 0, count * sizeof *covariance);
  for (int64_t r = 0; r < p->rows; r++)
    for (int32_t i = 0; i < dim; i++) {
      const double x = (p->q[r * dim + i] - mean[i]) / n;
      for (int32_t j = dense ? 0 : i; j <= i; j++)
        covariance[dense ? i * dim + j : i] += x * (p->q[r * dim + j] - mean[j]);
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

/* The tempered log density of a point. */
static double tempered(const population *p, const double *q, double value) {
  const double first = p->power < 1 ? (1 - p->power) * first_density(p, q) : 0;
  return first + p->power * value;
}

/* momentum += step * gradient of the tempered log density. */
static void push(const population *p, double step, const double *q, const double *gradient,
                 double *momentum) {
  for (int32_t i = 0; i < p->dim; i++) {
    const double s = p->spread[i];
    const double pull = p->power < 1 ? (1 - p->power) * (q[i] - p->centre[i]) / (s * s) : 0;
    momentum[i] += step * (p->power * gradient[i] - pull);
  }
}

static double kinetic(population *p, const double *momentum) {
  double sum = 0;
  sl__metric_velocity(&p->metric, momentum, p->velocity);
  for (int32_t i = 0; i < p->dim; i++) sum += momentum[i] * p->velocity[i];
  return 0.5 * sum;
}

/* Each particle has steps of its own, 0.4 to 1 of the common size: densities with narrow and wide
 * places are moved in both. */
static double own_step(const population *p, sl__random_key key, int64_t row) {
  return p->step_size * (0.4 + 0.6 * sl__random_uniform(key, (uint64_t)row, (uint32_t)p->dim + 2));
}

static sl_status leapfrogs(population *p, sl__random_key key, int count) {
  for (int step = 0; step < count; step++) {
    for (int64_t r = 0; r < p->rows; r++) {
      double *q = p->next + r * p->dim, *momentum = p->momentum + r * p->dim;
      const double size = own_step(p, key, r);
      push(p, (step == 0 ? 0.5 : 1) * size, q, p->next_gradient + r * p->dim, momentum);
      sl__metric_velocity(&p->metric, momentum, p->velocity);
      for (int32_t i = 0; i < p->dim; i++) q[i] += size * p->velocity[i];
    }
    SL__TRY(evaluate(p, p->rows, p->next, p->next_value, p->next_gradient));
    if (p->options->progress &&
        !p->options->progress(p->options->user, p->power, p->report->gradients))
      return sl__fail(p->context, SL_STOPPED, "stopped at power %g of the target", p->power);
  }
  for (int64_t r = 0; r < p->rows; r++)
    push(p, 0.5 * own_step(p, key, r), p->next + r * p->dim, p->next_gradient + r * p->dim,
         p->momentum + r * p->dim);
  return SL_OK;
}

/* One Hamiltonian move of every particle. */
static sl_status move(population *p) {
  const sl__random_key key = next_key(p);
  const size_t row = (size_t)p->dim * sizeof(double);
  const int count =
      1 + (int)sl__random_below(key, 0, (uint32_t)p->dim + 4, (uint64_t)p->options->most_leapfrogs);
  memcpy(p->next, p->q, (size_t)p->rows * row);
  memcpy(p->next_gradient, p->gradient, (size_t)p->rows * row);
  for (int64_t r = 0; r < p->rows; r++) {
    double *momentum = p->momentum + r * p->dim;
    for (int32_t i = 0; i < p->dim; i++)
      momentum[i] = sl__random_normal(key, (uint64_t)r, (uint32_t)i);
    sl__metric_momentum(&p->metric, momentum, momentum);
    p->first_energy[r] = kinetic(p, momentum) - tempered(p, p->q + r * p->dim, p->value[r]);
  }
  SL__TRY(leapfrogs(p, key, count));
  double accepted = 0;
  for (int64_t r = 0; r < p->rows; r++) {
    const double energy =
        kinetic(p, p->momentum + r * p->dim) - tempered(p, p->next + r * p->dim, p->next_value[r]);
    const double gain = p->first_energy[r] - energy;
    double chance = gain >= 0 ? 1 : exp(gain);
    if (!(chance >= 0)) chance = 0; /* not a number: the way led out of the support */
    accepted += chance / (double)p->rows;
    if (sl__random_uniform(key, (uint64_t)r, (uint32_t)p->dim + 6) >= chance) continue;
    memcpy(p->q + r * p->dim, p->next + r * p->dim, row);
    memcpy(p->gradient + r * p->dim, p->next_gradient + r * p->dim, row);
    p->value[r] = p->next_value[r];
  }
  p->report->accept = accepted;
  p->step_size *= exp(accepted - p->options->accept);
  p->step_size = fmin(fmax(p->step_size, 1e-6), 2);
  return SL_OK;
}

static sl_status moves(population *p, int count) {
  learn_metric(p);
  for (int i = 0; i < count; i++) SL__TRY(move(p));
  return SL_OK;
}

/* ---- the whole ---- */

static sl_status open_population(population *p, sl__arena *arena) {
  const size_t rows = (size_t)p->rows, dim = (size_t)p->dim;
  double **wide[] = {&p->gradient, &p->next, &p->next_gradient, &p->momentum};
  double **tall[] = {&p->next_value, &p->first_energy, &p->log_weight};
  for (size_t i = 0; i < sizeof wide / sizeof *wide; i++)
    if (!(*wide[i] = sl__arena_take(arena, rows * dim, sizeof(double)))) return SL_NO_MEMORY;
  for (size_t i = 0; i < sizeof tall / sizeof *tall; i++)
    if (!(*tall[i] = sl__arena_take(arena, rows, sizeof(double)))) return SL_NO_MEMORY;
  const bool dense = p->dim <= most_dense;
  p->chosen = sl__arena_take(arena, rows, sizeof *p->chosen);
  p->velocity = sl__arena_take(arena, dim, sizeof(double));
  p->work = sl__arena_take(arena, dense ? dim * dim : dim, sizeof(double));
  p->spread = sl__arena_take(arena, dim, sizeof(double));
  double *zero = sl__arena_take(arena, dim, sizeof(double));
  if (!p->chosen || !p->velocity || !p->work || !p->spread || !zero) return SL_NO_MEMORY;
  p->centre = p->options->centre ? p->options->centre : zero;
  p->step_size = 1.0 / sqrt(sqrt((double)p->dim));
  SL__TRY(sl__metric_open(arena, dense ? SL__METRIC_DENSE : SL__METRIC_DIAGONAL, p->dim, 0,
                          &p->metric));
  return sl__density_new(p->context, p->target, 0, true, &p->density);
}

/* One power further. */
static sl_status climb(population *p) {
  for (int64_t r = 0; r < p->rows; r++)
    p->log_weight[r] = p->value[r] - first_density(p, p->q + r * p->dim);
  const double step = choose_step(p);
  for (int64_t r = 0; r < p->rows; r++) p->log_weight[r] *= step;
  const double gain = log_mean(p->rows, p->log_weight);
  if (!isfinite(gain))
    return sl__fail(p->context, SL_NUMERIC,
                    "the density is zero or infinite at every one of %lld points; check the model",
                    (long long)p->rows);
  p->report->log_evidence += gain;
  const double share = effective_share(p->rows, p->log_weight, 1);
  p->report->log_evidence_se += (1 / share - 1) / (double)p->rows; /* a variance until the end */
  resample(p);
  p->power = step == 1 - p->power ? 1 : p->power + step;
  p->report->powers++;
  return moves(p, p->power < 1 ? p->options->sweeps : p->options->last_sweeps);
}

static bool may_go_on(const population *p) {
  const int64_t most = p->options->most_gradients;
  return p->power < 1 && p->report->powers < most_powers &&
         (most == 0 || p->report->gradients < most);
}

static sl_status run(population *p) {
  if (p->options->spread)
    memcpy(p->spread, p->options->spread, (size_t)p->dim * sizeof(double));
  else
    SL__TRY(probe(p));
  draw_first(p, p->rows, p->q);
  SL__TRY(evaluate(p, p->rows, p->q, p->value, p->gradient));
  sl_status status = SL_OK;
  while (status == SL_OK && may_go_on(p)) status = climb(p);
  p->report->log_evidence_se = sqrt(p->report->log_evidence_se);
  return status;
}

static sl_status with_population(sl_context *context, const sl__target *target,
                                 const sl__smc_options *options, int refresh, int64_t rows,
                                 double *q, double *log_density, sl__smc_report *report) {
  population p = {.context = context,
                  .target = target,
                  .options = options,
                  .report = report,
                  .rows = rows,
                  .dim = target->dim,
                  .q = q,
                  .value = log_density,
                  .power = refresh > 0 ? 1 : 0};
  sl__arena arena;
  sl__arena_open(&arena, context);
  sl_status status = open_population(&p, &arena);
  if (status == SL_OK && refresh > 0) {
    p.draws_of_chance = (uint32_t)1 << 30;
    if (report->step_size > 0) p.step_size = report->step_size;
    status = evaluate(&p, rows, q, p.value, p.gradient);
    if (status == SL_OK) status = moves(&p, refresh);
  } else if (status == SL_OK) {
    status = run(&p);
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
