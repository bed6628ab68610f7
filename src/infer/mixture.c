/* Expectation and maximisation for Gaussian mixtures with full covariances (Dempster, Laird and
 * Rubin 1977; Bishop 2006, section 9.2.2), as two matrix products a step.
 *
 * The log density of a Gaussian is linear in the features (1, y_i, y_i y_j for i <= j) of a row, so
 * the E step is coefficients [components][features] times features [features][rows]; the M step
 * needs the responsibilities' sums of the same features, a product with the features transposed.
 * Expanding the square costs about the square of (distance in units of the smallest standard
 * deviation) in relative precision; on standardised rows with a ridge of 1e-6 that leaves eight
 * digits or more, plenty for a baseline.
 *
 * Rows are cut into 16 shards by their number alone, and shards are added in order, so that threads
 * change no bit. */
#include <math.h>
#include <string.h>
#include "base/pool.h"
#include "infer/baseline.h"

enum { SHARDS = 16, BLOCK = 128 };

/* A component that no row takes part in: low enough to vanish from every sum. */
static const double extinct = -1e30;

static int64_t round_up(int64_t count) {
  return (count + 15) / 16 * 16;
}

/* Views of one worker's block of rows. */
typedef struct block_view {
  double *rows;            /* [dim][BLOCK] */
  double *features;        /* [features][BLOCK] */
  double *scores;          /* [components][BLOCK]: log densities, then responsibilities */
  double *largest, *total; /* [BLOCK] */
} block_view;

typedef struct pass {
  sl__mixture_room *room;
  const sl__mixture *mixture;
  int64_t rows;
  const double *data;    /* [rows][dim] */
  const int32_t *labels; /* [rows] or NULL */
  bool collect;
  double *log_density; /* [rows] or NULL */
} pass;

static block_view view_block(const sl__mixture_room *room, int worker) {
  double *at = room->blocks + worker * room->block_size;
  block_view view;
  view.rows = at, at += (int64_t)room->dim * BLOCK;
  view.features = at, at += room->features * BLOCK;
  view.scores = at, at += (int64_t)room->max_components * BLOCK;
  view.largest = at, at += BLOCK;
  view.total = at;
  return view;
}

static sl__product score_product(const sl__mixture_room *room, const sl__mixture *mixture,
                                 const block_view *view) {
  return (sl__product){
      .m = mixture->components,
      .n = BLOCK,
      .k = room->features,
      .a = mixture->coefficients,
      .a_row = room->lead,
      .a_column = 1,
      .b = view->features,
      .b_row = BLOCK,
      .c = view->scores,
      .c_row = BLOCK,
  };
}

static sl__product collect_product(const sl__mixture_room *room, const sl__mixture *mixture,
                                   const block_view *view, int64_t rows, double *sums) {
  return (sl__product){
      .m = mixture->components,
      .n = room->features,
      .k = rows,
      .a = view->scores,
      .a_row = BLOCK,
      .a_column = 1,
      .b = view->features,
      .b_row = BLOCK,
      .b_transposed = true,
      .c = sums,
      .c_row = room->lead,
      .accumulate = true,
  };
}

sl_status sl__mixture_room_open(sl_context *context, sl__arena *arena, int32_t dim,
                                int32_t max_components, sl__mixture_room *room) {
  const int64_t features = 1 + dim + (int64_t)dim * (dim + 1) / 2;
  *room = (sl__mixture_room){
      .kernels = sl__kernels_for(context->cpu_features, SL_F64),
      .dim = dim,
      .max_components = max_components,
      .features = features,
      .lead = round_up(features),
      .block_size = (dim + features + max_components + 2) * BLOCK,
  };
  const sl__mixture largest = {.components = max_components};
  const block_view view = {0};
  const sl__product score = score_product(room, &largest, &view);
  const sl__product collect = collect_product(room, &largest, &view, BLOCK, NULL);
  const size_t a = room->kernels->product_scratch(&score);
  const size_t b = room->kernels->product_scratch(&collect);
  room->scratch_size = ((a > b ? a : b) + 63) / 64 * 64;
  const size_t workers = (size_t)context->threads;
  room->sums =
      sl__arena_take(arena, (size_t)(SHARDS * max_components), (size_t)room->lead * sizeof(double));
  room->likelihood = sl__arena_take(arena, SHARDS, sizeof(double));
  room->blocks = sl__arena_take(arena, workers, (size_t)room->block_size * sizeof(double));
  room->scratch = sl__arena_take(arena, workers + 1, room->scratch_size + 64);
  room->matrices = sl__arena_take(arena, (size_t)dim * 4, (size_t)dim * sizeof(double));
  if (!room->sums || !room->likelihood || !room->blocks || !room->scratch || !room->matrices)
    return SL_NO_MEMORY;
  return SL_OK;
}

static void fill_features(const sl__mixture_room *room, const block_view *view) {
  const sl__kernels *kernels = room->kernels;
  double *at = view->features;
  for (int64_t r = 0; r < BLOCK; r++) at[r] = 1;
  at += BLOCK;
  memcpy(at, view->rows, (size_t)room->dim * BLOCK * sizeof *at);
  at += (int64_t)room->dim * BLOCK;
  for (int64_t i = 0; i < room->dim; i++)
    for (int64_t j = i; j < room->dim; j++, at += BLOCK)
      kernels->elementwise[SL__EW_multiply](BLOCK, at, view->rows + i * BLOCK,
                                            view->rows + j * BLOCK, NULL, 0, 0);
}

/* Turns the scores into responsibilities; afterwards view->largest holds each row's log density. */
static void normalise_scores(const sl__kernels *kernels, int64_t components,
                             const block_view *view) {
  kernels->max_axis(1, components, BLOCK, view->largest, view->scores);
  for (int64_t k = 0; k < components; k++)
    kernels->elementwise[SL__EW_subtract](BLOCK, view->scores + k * BLOCK, view->scores + k * BLOCK,
                                          view->largest, NULL, 0, 0);
  kernels->elementwise[SL__EW_exp](components * BLOCK, view->scores, view->scores, NULL, NULL, 0,
                                   0);
  kernels->sum_axis(1, components, BLOCK, view->total, view->scores);
  for (int64_t k = 0; k < components; k++)
    kernels->elementwise[SL__EW_divide](BLOCK, view->scores + k * BLOCK, view->scores + k * BLOCK,
                                        view->total, NULL, 0, 0);
  kernels->elementwise[SL__EW_log](BLOCK, view->total, view->total, NULL, NULL, 0, 0);
  kernels->elementwise[SL__EW_add](BLOCK, view->largest, view->largest, view->total, NULL, 0, 0);
}

static void run_product(const sl__mixture_room *room, const sl__product *product, int worker) {
  const sl__kernels *kernels = room->kernels;
  kernels->product_run(product, 0, kernels->product_units(product),
                       room->scratch + (size_t)worker * (room->scratch_size + 64));
}

static void pass_shard(void *user, int64_t shard, int worker) {
  const pass *task = user;
  const sl__mixture_room *room = task->room;
  const int64_t components = task->mixture->components;
  const block_view view = view_block(room, worker);
  double *sums = room->sums + shard * room->max_components * room->lead;
  if (task->collect) memset(sums, 0, (size_t)(components * room->lead) * sizeof *sums);
  double likelihood = 0;
  const int64_t end = task->rows * (shard + 1) / SHARDS;
  for (int64_t first = task->rows * shard / SHARDS; first < end; first += BLOCK) {
    const int64_t rows = end - first < BLOCK ? end - first : BLOCK;
    room->kernels->load_rows(room->dim, rows, BLOCK, view.rows, task->data + first * room->dim,
                             SL_F64, room->dim, 1, NULL);
    for (int64_t i = 0; i < room->dim; i++) /* pad lanes must hold finite numbers below */
      for (int64_t r = rows; r < BLOCK; r++)
        view.rows[i * BLOCK + r] = view.rows[i * BLOCK + rows - 1];
    fill_features(room, &view);
    if (task->labels) {
      for (int64_t k = 0; k < components; k++)
        for (int64_t r = 0; r < rows; r++)
          view.scores[k * BLOCK + r] = task->labels[first + r] == k;
    } else {
      const sl__product product = score_product(room, task->mixture, &view);
      run_product(room, &product, worker);
      normalise_scores(room->kernels, components, &view);
      for (int64_t r = 0; r < rows; r++) likelihood += view.largest[r];
      if (task->log_density)
        memcpy(task->log_density + first, view.largest, (size_t)rows * sizeof(double));
    }
    if (task->collect) {
      const sl__product product = collect_product(room, task->mixture, &view, rows, sums);
      run_product(room, &product, worker);
    }
  }
  room->likelihood[shard] = likelihood;
}

double sl__mixture_pass(sl_context *context, sl__mixture_room *room, const sl__mixture *mixture,
                        int64_t rows, const double *data, const int32_t *labels, bool collect,
                        double *log_density) {
  pass task = {room, mixture, rows, data, labels, collect, log_density};
  sl__parallel(context, SHARDS, pass_shard, &task);
  double likelihood = 0;
  for (int64_t shard = 0; shard < SHARDS; shard++) likelihood += room->likelihood[shard];
  if (collect) {
    const int64_t shard_size = room->max_components * room->lead;
    for (int64_t shard = 1; shard < SHARDS; shard++)
      for (int64_t i = 0; i < mixture->components * room->lead; i++)
        room->sums[i] += room->sums[shard * shard_size + i];
  }
  return likelihood / (double)rows;
}

/* precision = (covariance + ridge)^-1; returns log det of the covariance, or NaN. */
static double invert_covariance(const sl__mixture_room *room, const double *covariance,
                                double ridge, double *precision) {
  const int64_t dim = room->dim;
  double *work = room->matrices + 2 * dim * dim, *factor = room->matrices + 3 * dim * dim;
  double log_det = NAN;
  for (int tries = 0; tries < 12 && !isfinite(log_det); tries++, ridge *= 10) {
    memcpy(work, covariance, (size_t)(dim * dim) * sizeof *work);
    for (int64_t i = 0; i < dim; i++) work[i * dim + i] += ridge;
    room->kernels->cholesky(dim, 1, factor, work);
    log_det = 0;
    for (int64_t i = 0; i < dim; i++) log_det += 2 * log(factor[i * dim + i]);
  }
  memset(precision, 0, (size_t)(dim * dim) * sizeof *precision);
  for (int64_t i = 0; i < dim; i++) precision[i * dim + i] = 1;
  for (int transposed = 0; transposed <= 1; transposed++)
    room->kernels->triangular_solve(dim, dim, 1, 1, precision, factor, precision, false,
                                    transposed == 1, false);
  return log_det;
}

/* coefficients [lead] of one component from its sums of features [lead]. */
static bool maximise_component(sl__mixture_room *room, const double *sums, double weight,
                               double ridge, double *coefficients) {
  const int64_t dim = room->dim;
  const double *mean_sums = sums + 1, *product_sums = sums + 1 + dim;
  double *covariance = room->matrices, *precision = room->matrices + dim * dim;
  const double taken = sums[0];
  for (int64_t i = 0, f = 0; i < dim; i++)
    for (int64_t j = i; j < dim; j++, f++) {
      const double value = product_sums[f] / taken - mean_sums[i] / taken * (mean_sums[j] / taken);
      covariance[i * dim + j] = covariance[j * dim + i] = i == j ? fmax(value, 0) : value;
    }
  const double log_det = invert_covariance(room, covariance, ridge, precision);
  if (!isfinite(log_det)) return false;
  double square = 0;
  double *linear = coefficients + 1, *quadratic = coefficients + 1 + dim;
  for (int64_t i = 0; i < dim; i++) {
    linear[i] = 0;
    for (int64_t j = 0; j < dim; j++) linear[i] += precision[i * dim + j] * mean_sums[j] / taken;
    square += linear[i] * mean_sums[i] / taken;
  }
  for (int64_t i = 0, f = 0; i < dim; i++)
    for (int64_t j = i; j < dim; j++, f++)
      quadratic[f] = i == j ? -0.5 * precision[i * dim + i]
                            : -0.5 * (precision[i * dim + j] + precision[j * dim + i]);
  coefficients[0] = log(weight) - 0.5 * ((double)dim * sl__log_two_pi + log_det + square);
  return true;
}

sl_status sl__mixture_maximise(sl_context *context, sl__mixture_room *room, sl__mixture *mixture,
                               int64_t rows, double ridge) {
  for (int64_t k = 0; k < mixture->components; k++) {
    const double *sums = room->sums + k * room->lead;
    double *coefficients = mixture->coefficients + k * room->lead;
    /* Less than a hundredth of a row gives no mean worth the name. */
    if (sums[0] < 0.01) {
      memset(coefficients, 0, (size_t)room->lead * sizeof *coefficients);
      coefficients[0] = extinct;
    } else if (!maximise_component(room, sums, sums[0] / (double)rows, ridge, coefficients)) {
      return sl__fail(context, SL_NUMERIC,
                      "a component of the Gaussian mixture has no finite covariance");
    }
  }
  return SL_OK;
}
