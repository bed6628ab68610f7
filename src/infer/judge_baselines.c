/* Baselines on the rows that the flow is scored on: a Gaussian and a mixture of Gaussians of the
 * standardised features, at the same points of each row's cell and with the same noise.
 *
 * Weighted rows are fitted by resampling: as many rows as the weights are worth, the square of
 * their sum over the sum of their squares (Kish, "Survey sampling", 1965), at equal distances along
 * the cumulated weights (systematic resampling). Of a conditional flow the Gaussian is of features
 * and conditions together, less that of the conditions: a linear regression. A mixture so
 * conditioned would be two fits that need not agree, and one that does not see the conditions is no
 * measure; there is none. */
#include <math.h>

#include "infer/judge.h"

enum { MOST_ROWS = 200000, FEWEST_ROWS = 20 };

/* Which training rows [*count], a multiple of its weight times each. */
static sl_status choose_rows(const sl__judging *j, sl__arena *arena, int64_t **index,
                             int64_t *count) {
  const sl__prepared *p = j->prepared;
  double total = 0, squares = 0;
  for (int64_t i = 0; p->train_weight && i < p->train_rows; i++) {
    const double weight = sl__prepared_element(p->type, p->train_weight, i);
    total += weight;
    squares += weight * weight;
  }
  const double worth = total > 0 ? ceil(total * total / squares * (1 - 1e-12)) : INFINITY;
  *count = p->train_rows < MOST_ROWS ? p->train_rows : MOST_ROWS;
  if (worth < (double)*count) *count = worth > FEWEST_ROWS ? (int64_t)worth : FEWEST_ROWS;
  *index = sl__arena_take(arena, (size_t)*count, sizeof **index);
  if (!*index) return SL_NO_MEMORY;
  double sum = 0;
  int64_t row = -1;
  for (int64_t i = 0; i < *count; i++) {
    const double place = ((double)i + 0.5) / (double)*count * total;
    while (total > 0 && sum <= place && row + 1 < p->train_rows)
      sum += sl__prepared_element(p->type, p->train_weight, ++row);
    (*index)[i] = total > 0 ? row : i;
  }
  return SL_OK;
}

/* The rows that baselines see: [rows][dim], test rows at one point after the other. */
typedef struct sample {
  int64_t *index; /* [train_rows]: which of the training rows */
  int64_t train_rows, test_rows;
  double *train, *test;
  double *log_density; /* [test_rows] */
} sample;

static sl_status take_sample(const sl__judging *j, sl__arena *arena, sample *out) {
  const sl__prepared *p = j->prepared;
  const size_t row_size = (size_t)p->dim * sizeof(double);
  SL__TRY(choose_rows(j, arena, &out->index, &out->train_rows));
  out->test_rows = p->test_rows * j->points;
  out->train = sl__arena_take(arena, (size_t)out->train_rows, row_size);
  out->test = sl__arena_take(arena, (size_t)out->test_rows, row_size);
  out->log_density = sl__arena_take(arena, (size_t)out->test_rows, sizeof(double));
  if (!out->train || !out->test || !out->log_density) return SL_NO_MEMORY;
  for (int64_t i = 0; i < out->train_rows; i++)
    sl__judging_rows(j, SL__SET_TRAIN, 0, out->index[i], 1, p->train_x, out->train + i * p->dim);
  for (int32_t point = 0; point < j->points; point++)
    sl__judging_rows(j, SL__SET_TEST, point, 0, p->test_rows, p->test_x,
                     out->test + point * p->test_rows * p->dim);
  return SL_OK;
}

static sl_status score_sample(const sl__judging *j, sl__arena *arena, const sample *s,
                              sl_score *score) {
  const sl__prepared *p = j->prepared;
  sl__tally tally;
  SL__TRY(sl__tally_open(arena, p->test_rows, &tally));
  for (int32_t point = 0; point < j->points; point++)
    sl__tally_add(j, &tally, 0, p->test_rows, s->test + point * p->test_rows * p->dim,
                  s->log_density + point * p->test_rows);
  double ignored;
  sl__tally_end(j, &tally, p->test_weight, score, &ignored);
  return SL_OK;
}

/* ---- with conditions ---- */

/* to [rows][width + context_dim], the first `width` numbers of each row from x [rows][dim]; row r
 * has condition index[r], or r modulo `period`. */
static void join_rows(const sl__prepared *p, int32_t width, int64_t rows, const double *x,
                      const void *condition, const int64_t *index, int64_t period, double *to) {
  for (int64_t r = 0; r < rows; r++) {
    const int64_t from = (index ? index[r] : r % period) * p->context_dim;
    for (int32_t i = 0; i < width; i++) *to++ = x[r * p->dim + i];
    for (int32_t i = 0; i < p->context_dim; i++)
      *to++ = sl__prepared_element(p->type, condition, from + i);
  }
}

/* The log densities of a Gaussian of the first `width` features and the conditions. */
static sl_status joint_gaussian(const sl__judging *j, sl__arena *arena, const sample *s,
                                int32_t width, double *log_density) {
  const sl__prepared *p = j->prepared;
  const int32_t all = width + p->context_dim;
  const size_t row_size = (size_t)all * sizeof(double);
  double *train = sl__arena_take(arena, (size_t)s->train_rows, row_size);
  double *test = sl__arena_take(arena, (size_t)s->test_rows, row_size);
  if (!train || !test) return SL_NO_MEMORY;
  join_rows(p, width, s->train_rows, s->train, p->train_condition, s->index, 0, train);
  join_rows(p, width, s->test_rows, s->test, p->test_condition, NULL, p->test_rows, test);
  return sl__baseline_gaussian(j->context, s->train_rows, s->test_rows, all, train, test,
                               log_density);
}

static sl_status conditional_gaussian(const sl__judging *j, sl__arena *arena, sample *s) {
  double *seen = sl__arena_take(arena, (size_t)s->test_rows, sizeof *seen);
  if (!seen) return SL_NO_MEMORY;
  SL__TRY(joint_gaussian(j, arena, s, j->prepared->dim, s->log_density));
  SL__TRY(joint_gaussian(j, arena, s, 0, seen));
  for (int64_t r = 0; r < s->test_rows; r++) s->log_density[r] -= seen[r];
  return SL_OK;
}

static sl_status score_both(const sl__judging *j, sl__arena *arena, sl_fit_report *report) {
  const sl__prepared *p = j->prepared;
  sample s;
  SL__TRY(take_sample(j, arena, &s));
  if (p->context_dim > 0) {
    SL__TRY(conditional_gaussian(j, arena, &s));
    return score_sample(j, arena, &s, &report->gaussian);
  }
  SL__TRY(sl__baseline_gaussian(j->context, s.train_rows, s.test_rows, p->dim, s.train, s.test,
                                s.log_density));
  SL__TRY(score_sample(j, arena, &s, &report->gaussian));
  SL__TRY(sl__baseline_mixture(j->context, s.train_rows, s.test_rows, p->dim, s.train, s.test,
                               j->seed, s.log_density, &report->mixture_components));
  return score_sample(j, arena, &s, &report->gaussian_mixture);
}

sl_status sl__judge_baselines(sl__judging *j, sl_fit_report *report) {
  if (j->prepared->test_rows == 0) return SL_OK;
  sl__arena arena;
  sl__arena_open(&arena, j->context);
  sl_status status = score_both(j, &arena, report);
  sl__arena_close(&arena);
  return status;
}
