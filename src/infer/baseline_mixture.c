/* The mixture baseline: how many components, and what the mixture gives the test rows.
 *
 * Every tenth training row is held out while 1, 2, 5, 10, 20, 50 components are tried (with few
 * rows, five tenths in turn, since one would be too noisy a judge, and with a larger ridge too); a
 * try ends when the held-out
 * score stalls, and the trying ends when more components do worse. The winner then goes on over all
 * rows. Work is bounded: choosing sees at most 45,000 + 5,000 rows, the last fit 200,000 (spread
 * evenly over the table, one at a random place of each equal part). Columns are standardised
 * inside, so that the ridge means the same in every unit. */
#include <math.h>
#include <string.h>
#include "infer/baseline.h"

static const int32_t candidates[] = {1, 2, 5, 10, 20, 50};
enum { CANDIDATES = sizeof candidates / sizeof candidates[0] };
enum { MOST_ROWS = 200000, MOST_FIT_ROWS = 45000, MOST_HELD_ROWS = 5000 };
enum { FEW_ROWS = 2000, FOLDS = 5 };
enum { MOST_DIM = 126 }; /* beyond it a full covariance has over 8,000 numbers */
enum { CHECK_EVERY = 5, MOST_CHECKS = 20 };
/* Added to every variance. The larger one is tried with few rows, where components collapse. */
static const double small_ridge = 1e-6, large_ridge = 3e-2;
static const double least_gain = 1e-4; /* nats a row */
static const double most_work = 4e10;  /* multiplications and additions in one try */
static const double clearly_worse = 0.05;

typedef struct search {
  sl__random_key key;
  int32_t dim;
  int folds;
  double ridge, best_ridge;
  int64_t rows, fit_rows, held_rows;
  double *all, *fit, *held; /* [rows], [fit_rows], [held_rows] x [dim], standardised */
  double *mean, *sd;        /* [dim] */
  int32_t *labels;          /* [fit_rows] */
  double *centres, *distances;
  sl__mixture_room room;
  sl__mixture trial, best;
  double best_score;
  int best_steps; /* EM steps to the best held-out score, mean over the folds */
} search;

/* Row number `part` of `parts` evenly spread over rows, at a random place of its part. */
static int64_t spread(sl__random_key key, int64_t part, int64_t parts, int64_t rows) {
  if (parts == rows) return part;
  const double place = (double)part + sl__random_uniform(key, (uint64_t)part, 1);
  const int64_t row = (int64_t)(place * (double)rows / (double)parts);
  return row < rows ? row : rows - 1;
}

static void measure_columns(search *s, int64_t rows, const double *train) {
  for (int32_t i = 0; i < s->dim; i++) {
    double sum = 0, squares = 0;
    for (int64_t r = 0; r < rows; r++) sum += train[r * s->dim + i];
    s->mean[i] = sum / (double)rows;
    for (int64_t r = 0; r < rows; r++) {
      const double deviation = train[r * s->dim + i] - s->mean[i];
      squares += deviation * deviation;
    }
    s->sd[i] = squares > 0 ? sqrt(squares / (double)rows) : 1;
  }
}

static void standardise_row(const search *s, const double *from, double *to) {
  for (int32_t i = 0; i < s->dim; i++) to[i] = (from[i] - s->mean[i]) / s->sd[i];
}

static void gather_rows(search *s, int64_t rows, const double *train) {
  for (int64_t r = 0; r < s->rows; r++)
    standardise_row(s, train + spread(s->key, r, s->rows, rows) * s->dim, s->all + r * s->dim);
}

/* Fills held with the rows whose number ends in `fold`, and fit with the others. */
static void hold_out(search *s, int fold) {
  const size_t row_size = (size_t)s->dim * sizeof(double);
  const int64_t tenths = s->rows / 10, others = s->rows - tenths;
  for (int64_t r = 0; r < s->held_rows; r++) {
    const int64_t row = 10 * spread(s->key, r, s->held_rows, tenths) + fold;
    memcpy(s->held + r * s->dim, s->all + row * s->dim, row_size);
  }
  for (int64_t r = 0; r < s->fit_rows; r++) {
    const int64_t other = spread(s->key, r, s->fit_rows, others);
    const int64_t in_ten = other % 9 + (other % 9 >= fold ? 1 : 0);
    const int64_t row = other >= 9 * tenths ? other + tenths : other / 9 * 10 + in_ten;
    memcpy(s->fit + r * s->dim, s->all + row * s->dim, row_size);
  }
}

static void keep_trial(search *s) {
  s->best.components = s->trial.components;
  memcpy(s->best.coefficients, s->trial.coefficients,
         (size_t)(s->trial.components * s->room.lead) * sizeof(double));
}

static sl_status expect_and_maximise(sl_context *context, search *s, const int32_t *labels) {
  sl__mixture_pass(context, &s->room, &s->trial, s->fit_rows, s->fit, labels, true, NULL);
  return sl__mixture_maximise(context, &s->room, &s->trial, s->fit_rows, s->ridge);
}

static sl_status start_trial(sl_context *context, search *s, int32_t components) {
  s->trial.components = components;
  sl__random_key key = s->key;
  key.step = (uint32_t)components;
  sl__mixture_start(key, components, s->fit_rows, s->dim, s->fit, s->labels, s->centres,
                    s->distances);
  return expect_and_maximise(context, s, s->labels);
}

/* EM on the fit rows until the held-out score stalls; *score is its best, *steps how many it took.
 * */
static sl_status try_components(sl_context *context, search *s, int32_t components, double *score,
                                int *steps) {
  SL__TRY(start_trial(context, s, components));
  const double work =
      4.0 * (double)components * (double)s->room.features * (double)s->fit_rows * CHECK_EVERY;
  *score = -INFINITY;
  *steps = 0;
  for (int check = 0; check < MOST_CHECKS && (check == 0 || check * work < most_work); check++) {
    const double now =
        sl__mixture_pass(context, &s->room, &s->trial, s->held_rows, s->held, NULL, false, NULL);
    const bool stalled = !(now > *score + least_gain);
    if (now > *score) {
      *score = now;
      *steps = check * CHECK_EVERY;
      if (s->folds == 1 && now > s->best_score) {
        s->best_score = now;
        keep_trial(s);
      }
    }
    if (stalled || components == 1) break;
    for (int step = 0; step < CHECK_EVERY; step++) SL__TRY(expect_and_maximise(context, s, NULL));
  }
  return SL_OK;
}

/* The mean score of the folds. */
static sl_status try_folds(sl_context *context, search *s, int32_t components, double *score) {
  if (s->folds == 1) {
    int steps;
    return try_components(context, s, components, score, &steps);
  }
  double sum = 0;
  int all_steps = 0;
  for (int fold = 0; fold < s->folds; fold++) {
    int steps;
    double now;
    hold_out(s, 2 * fold + 1);
    SL__TRY(try_components(context, s, components, &now, &steps));
    sum += now;
    all_steps += steps;
  }
  *score = sum / s->folds;
  if (*score > s->best_score) {
    s->best_score = *score;
    s->best.components = components;
    s->best_steps = all_steps / s->folds;
    s->best_ridge = s->ridge;
  }
  return SL_OK;
}

static sl_status try_all(sl_context *context, search *s, int count) {
  double most = -INFINITY;
  for (int c = 0; c < count; c++) {
    double score;
    SL__TRY(try_folds(context, s, candidates[c], &score));
    if (score < most - clearly_worse) break;
    most = fmax(most, score);
  }
  return SL_OK;
}

/* How many components; with one fold, also the mixture to go on with. */
static sl_status choose(sl_context *context, search *s, int count) {
  s->best_score = -INFINITY;
  s->ridge = small_ridge;
  if (s->folds == 1) hold_out(s, 9);
  SL__TRY(try_all(context, s, count));
  if (s->folds > 1) {
    s->ridge = large_ridge;
    SL__TRY(try_all(context, s, count));
    s->ridge = s->best_ridge;
  }
  if (s->best.components == 0)
    return sl__fail(context, SL_NUMERIC, "no Gaussian mixture has a finite held-out score");
  return SL_OK;
}

/* With few rows: as many steps over all of them as were best over nine tenths. */
static sl_status finish_few(sl_context *context, search *s) {
  s->fit_rows = s->rows;
  memcpy(s->fit, s->all, (size_t)(s->rows * s->dim) * sizeof(double));
  SL__TRY(start_trial(context, s, s->best.components));
  for (int step = 0; step < s->best_steps; step++) SL__TRY(expect_and_maximise(context, s, NULL));
  keep_trial(s);
  return SL_OK;
}

/* The winner over all rows, where most were not among those it was chosen on; only briefly where
 * they were, since nothing watches for overfitting any more. */
static sl_status finish(sl_context *context, search *s) {
  if (s->folds > 1) return finish_few(context, s);
  const int steps = s->best.components == 1 ? 1 : s->rows > 2 * s->fit_rows ? 25 : 3;
  double last = -INFINITY;
  for (int step = 0; step < steps; step++) {
    const double now =
        sl__mixture_pass(context, &s->room, &s->best, s->rows, s->all, NULL, true, NULL);
    SL__TRY(sl__mixture_maximise(context, &s->room, &s->best, s->rows, s->ridge));
    if (now < last + least_gain) break;
    last = now;
  }
  return SL_OK;
}

static sl_status make_room(sl_context *context, sl__arena *arena, search *s, int32_t largest) {
  const size_t row_size = (size_t)s->dim * sizeof(double);
  const int64_t fit_rows = s->folds > 1 ? s->rows : s->fit_rows; /* finish_few needs them all */
  s->mean = sl__arena_take(arena, 1, row_size);
  s->sd = sl__arena_take(arena, 1, row_size);
  s->all = sl__arena_take(arena, (size_t)s->rows, row_size);
  s->fit = sl__arena_take(arena, (size_t)fit_rows, row_size);
  s->held = sl__arena_take(arena, (size_t)s->held_rows, row_size);
  s->labels = sl__arena_take(arena, (size_t)fit_rows, sizeof *s->labels);
  s->distances = sl__arena_take(arena, (size_t)fit_rows, sizeof(double));
  s->centres = sl__arena_take(arena, (size_t)largest, row_size);
  if (!s->mean || !s->sd || !s->all || !s->fit || !s->held || !s->labels || !s->distances ||
      !s->centres)
    return SL_NO_MEMORY;
  SL__TRY(sl__mixture_room_open(context, arena, s->dim, largest, &s->room));
  const size_t coefficients = (size_t)s->room.lead * sizeof(double);
  s->trial.coefficients = sl__arena_take(arena, (size_t)largest, coefficients);
  s->best.coefficients = sl__arena_take(arena, (size_t)largest, coefficients);
  return s->trial.coefficients && s->best.coefficients ? SL_OK : SL_NO_MEMORY;
}

static sl_status score_test(sl_context *context, sl__arena *arena, search *s, int64_t test_rows,
                            const double *test, double *log_density) {
  double *rows = sl__arena_take(arena, (size_t)test_rows, (size_t)s->dim * sizeof *rows);
  double log_scale = 0;
  if (!rows) return SL_NO_MEMORY;
  for (int64_t r = 0; r < test_rows; r++) standardise_row(s, test + r * s->dim, rows + r * s->dim);
  sl__mixture_pass(context, &s->room, &s->best, test_rows, rows, NULL, false, log_density);
  for (int32_t i = 0; i < s->dim; i++) log_scale += log(s->sd[i]);
  for (int64_t r = 0; r < test_rows; r++) log_density[r] -= log_scale;
  return SL_OK;
}

static int64_t at_most(int64_t value, int64_t limit) {
  return value < limit ? value : limit;
}

sl_status sl__baseline_mixture(sl_context *context, int64_t rows, int64_t test_rows, int32_t dim,
                               const double *train, const double *test, uint64_t seed,
                               double *log_density, int32_t *components) {
  if (rows < 1 || test_rows < 1 || dim < 1)
    return sl__fail(context, SL_BAD_ARGUMENT, "a mixture needs training rows and test rows");
  if (dim > MOST_DIM || rows < 20) {
    *components = 1;
    return sl__baseline_gaussian(context, rows, test_rows, dim, train, test, log_density);
  }
  search s = {.key = {seed, SL__STREAM_MIXTURE, 0}, .dim = dim, .rows = at_most(rows, MOST_ROWS)};
  s.folds = s.rows <= FEW_ROWS ? FOLDS : 1;
  s.held_rows = at_most(s.rows / 10, MOST_HELD_ROWS);
  s.fit_rows = at_most(s.rows - s.rows / 10, MOST_FIT_ROWS);
  int count = 1;
  while (count < CANDIDATES && candidates[count] * 2 <= s.fit_rows) count++;
  sl__arena arena;
  sl__arena_open(&arena, context);
  sl_status status = make_room(context, &arena, &s, candidates[count - 1]);
  if (status == SL_OK) {
    measure_columns(&s, rows, train);
    gather_rows(&s, rows, train);
    status = choose(context, &s, count);
  }
  if (status == SL_OK) status = finish(context, &s);
  if (status == SL_OK)
    status = score_test(context, &arena, &s, test_rows, test, log_density);
  if (status == SL_OK) {
    *components = s.best.components;
    if (context->log) {
      sl__text line;
      sl__text_open(&line, context);
      sl__text_add(&line,
                   "mixture baseline: %d components, chosen on %lld rows, fitted to %lld of %lld",
                   (int)*components, (long long)(s.fit_rows + s.held_rows), (long long)s.rows,
                   (long long)rows);
      if (!line.failed) context->log(context->log_user, 1, line.data);
      sl__text_close(&line);
    }
  }
  sl__arena_close(&arena);
  return status;
}
