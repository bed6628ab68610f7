/* How good is it? Mean log densities of training, held-out and unseen rows with their standard
 * errors, the same for a Gaussian and a Gaussian mixture, and one sentence that draws the
 * conclusion.
 *
 * Rows of dequantised columns are scored with one fixed draw of the noise, the same for the flow
 * and for the baselines: a density of rounded values means nothing else (Theis et al. 2016, "A
 * note on the evaluation of generative models", section 3.1). */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "infer/recipe.h"

/* The step number of the noise that scoring adds; training counts steps from 0 and never comes
 * here. */
enum { JUDGING = 0x7fffffff };

/* Rows are scored so many at a time: a copy of them all, in double, could be the most memory that a
 * fit takes. */
enum { PORTION = 1 << 14 };

/* The sets share no noise: each has its own range of rows. */
typedef enum set { TRAIN, VALID, TEST } set;

static double element(sl_dtype type, const void *x, int64_t i) {
  return type == SL_F32 ? (double)((const float *)x)[i] : ((const double *)x)[i];
}

/* noisy [rows][dim] = rows first .. first + rows - 1 of x plus noise, in double. */
static void add_noise(const sl__prepared *prepared, set which, uint64_t seed, int64_t first,
                      int64_t rows, const void *x, double *noisy) {
  int32_t dim = prepared->dim;
  double *const begin = noisy;
  sl__random_key key = {seed, SL__STREAM_DEQUANTISE, JUDGING - (uint32_t)which};
  for (int64_t row = first; row < first + rows; row++)
    for (int32_t column = 0; column < dim; column++, noisy++) {
      *noisy = element(prepared->type, x, row * dim + column);
      double width = prepared->noise_width ? prepared->noise_width[column] : 0;
      if (width > 0)
        *noisy += width * (sl__random_uniform(key, (uint64_t)row, (uint32_t)column) - 0.5);
    }
  const sl__spread *spread = &prepared->spread;
  const double *const values[] = {spread->train, spread->valid, spread->test};
  if (spread->count > 0)
    sl__spread_rows(spread, key, values[which], NULL, first, rows, SL_F64, begin);
}

/* What the data's units add to a log density of standardised features [rows][dim]. */
static void measure_units(const sl__prepared *prepared, int64_t rows, const double *features,
                          double *units, double *row /* [dim] */) {
  const int32_t dim = prepared->dim;
  for (int64_t r = 0; r < rows; r++) {
    for (int32_t k = 0; k < dim; k++)
      row[k] = prepared->mean[k] + prepared->sd[k] * features[r * dim + k];
    units[r] = -prepared->log_scale - sl__columns_log_det(prepared->map, row);
  }
}

/* Weighted mean of values [rows], plus more [rows] where given, and its standard error; weight
 * [rows] of type, or NULL. */
static double weighted_mean(int64_t rows, const double *values, const double *more, sl_dtype type,
                            const void *weight, double *se) {
  double total = 0, sum = 0, squares = 0;
  for (int64_t row = 0; row < rows; row++) {
    double w = weight ? element(type, weight, row) : 1;
    if (w == 0) continue; /* whatever its density: 0 times -inf would be NaN */
    total += w;
    sum += w * (values[row] + (more ? more[row] : 0));
  }
  double mean = sum / total;
  for (int64_t row = 0; row < rows; row++) {
    double w = weight ? element(type, weight, row) : 1;
    double d = values[row] + (more ? more[row] : 0) - mean;
    if (w != 0) squares += w * w * d * d;
  }
  *se = sqrt(squares) / total;
  return mean;
}

static const sl_score nothing = {NAN, NAN, NAN, 0};

typedef struct scorer {
  sl_context *context;
  const sl__prepared *prepared;
  const sl__program *program;
  sl__workspace *workspace;
  const void *vector;
  uint64_t seed;
  double se[3]; /* of each set's standardised mean: comparisons are free of the data's units */
} scorer;

/* The conditions [rows][context_dim] from row `first` on; NULL if there are none. */
static const void *rows_from(const sl__prepared *prepared, const void *condition, int64_t first) {
  const int64_t size = prepared->type == SL_F32 ? 4 : 8;
  return condition ? (const char *)condition + first * prepared->context_dim * size : NULL;
}

/* The rows of one set in portions; log_prob and units [rows]. */
static sl_status score_rows(const scorer *s, set which, int64_t rows, const void *x,
                            const void *condition, sl__arena *arena, double *log_prob,
                            double *units) {
  const sl__prepared *prepared = s->prepared;
  const int64_t most = rows < PORTION ? rows : PORTION;
  double *noisy = sl__arena_take(arena, (size_t)most * (size_t)prepared->dim, sizeof *noisy);
  double *row = sl__arena_take(arena, (size_t)prepared->dim, sizeof *row);
  if (!noisy || !row) return SL_NO_MEMORY;
  for (int64_t first = 0; first < rows; first += PORTION) {
    const int64_t count = rows - first < PORTION ? rows - first : PORTION;
    add_noise(prepared, which, s->seed, first, count, x, noisy);
    measure_units(prepared, count, noisy, units + first, row);
    sl__feed feeds[] = {{.data = noisy, .type = SL_F64},
                        {.data = rows_from(prepared, condition, first), .type = prepared->type}};
    sl__sink sink = {.data = log_prob + first, .type = SL_F64};
    sl__run run = {.rows = count, .parameters = s->vector, .feeds = feeds, .sinks = &sink};
    SL__TRY(sl__program_run(s->context, s->program, s->workspace, &run));
  }
  return SL_OK;
}

static sl_status score_set(scorer *s, set which, int64_t rows, const void *x,
                           const void *condition, const void *weight, sl_score *score) {
  const sl_dtype type = s->prepared->type;
  *score = nothing;
  if (rows == 0) return SL_OK;
  sl__arena arena;
  sl__arena_open(&arena, s->context);
  double *log_prob = sl__arena_take(&arena, (size_t)rows, sizeof *log_prob);
  double *units = sl__arena_take(&arena, (size_t)rows, sizeof *units);
  sl_status status = log_prob && units ? SL_OK : SL_NO_MEMORY;
  if (status == SL_OK)
    status = score_rows(s, which, rows, x, condition, &arena, log_prob, units);
  if (status == SL_OK) {
    score->rows = rows;
    score->log_prob = weighted_mean(rows, log_prob, units, type, weight, &score->se);
    score->log_prob_standardized =
        weighted_mean(rows, log_prob, NULL, type, weight, &s->se[which]);
  }
  sl__arena_close(&arena);
  return status;
}

static sl_status score_sets(scorer *s, const sl__flow *flow, sl_fit_report *report) {
  const sl__prepared *p = s->prepared;
  sl__graph *graph = NULL;
  sl__program *program = NULL;
  SL__TRY(sl__graph_new(s->context, &graph));
  sl_node x = op_input(graph, flow->type, sl__shape1(flow->dim));
  sl_node condition = 0;
  if (flow->context_dim > 0) condition = op_input(graph, flow->type, sl__shape1(flow->context_dim));
  sl_node log_prob = sl__flow_log_prob(flow, graph, x, condition);
  sl_status status = sl__program_new(s->context, graph, 1, &log_prob, &program);
  sl__graph_free(graph);
  if (status == SL_OK) status = sl__workspace_new(s->context, program, PORTION, &s->workspace);
  s->program = program;
  if (status == SL_OK)
    status = score_set(s, TRAIN, p->train_rows, p->train_x, p->train_condition, p->train_weight,
                       &report->train);
  if (status == SL_OK)
    status = score_set(s, VALID, p->valid_rows, p->valid_x, p->valid_condition, p->valid_weight,
                       &report->valid);
  if (status == SL_OK)
    status = score_set(s, TEST, p->test_rows, p->test_x, p->test_condition, p->test_weight,
                       &report->test);
  sl__workspace_free(s->workspace);
  sl__program_free(program);
  return status;
}

/* The mean of what the data's units add on the test rows, as in the test score itself. */
static sl_status mean_units(const sl__prepared *p, sl__arena *arena, const double *test,
                            double *mean) {
  double *units = sl__arena_take(arena, (size_t)p->test_rows, sizeof *units), ignored;
  double *row = sl__arena_take(arena, (size_t)p->dim, sizeof *row);
  if (!units || !row) return SL_NO_MEMORY;
  measure_units(p, p->test_rows, test, units, row);
  *mean = weighted_mean(p->test_rows, units, NULL, p->type, p->test_weight, &ignored);
  return SL_OK;
}

/* The baselines know nothing of conditions or weights; they are of the rows' features as such. */
static sl_status score_baselines(sl_context *context, const sl__prepared *p, uint64_t seed,
                                 sl_fit_report *report) {
  enum { MOST_ROWS = 200000 };
  if (p->test_rows == 0) return SL_OK;
  int64_t rows = p->train_rows < MOST_ROWS ? p->train_rows : MOST_ROWS;
  double units = 0;
  sl__arena arena;
  sl__arena_open(&arena, context);
  double *train = sl__arena_take(&arena, (size_t)rows * (size_t)p->dim, sizeof *train);
  double *test = sl__arena_take(&arena, (size_t)p->test_rows * (size_t)p->dim, sizeof *test);
  sl_status status = train && test ? SL_OK : SL_NO_MEMORY;
  if (status == SL_OK) {
    add_noise(p, TRAIN, seed, 0, rows, p->train_x, train);
    add_noise(p, TEST, seed, 0, p->test_rows, p->test_x, test);
    status = mean_units(p, &arena, test, &units);
  }
  if (status == SL_OK) {
    sl_score *score = &report->gaussian;
    score->rows = p->test_rows;
    status = sl__baseline_gaussian(context, rows, p->test_rows, p->dim, train, test,
                                   &score->log_prob_standardized, &score->se);
    score->log_prob = score->log_prob_standardized + units;
  }
  if (status == SL_OK) {
    sl_score *score = &report->gaussian_mixture;
    score->rows = p->test_rows;
    status = sl__baseline_mixture(context, rows, p->test_rows, p->dim, train, test, seed,
                                  &score->log_prob_standardized, &score->se,
                                  &report->mixture_components);
    score->log_prob = score->log_prob_standardized + units;
  }
  sl__arena_close(&arena);
  return status;
}

/* printf's %.3f minds the locale. */
static const char *number(char *buffer, double value) {
  sl__format_fixed(buffer, fabs(value), 3);
  return buffer;
}

/* se: of the standardised means of the three sets. */
static void write_verdict(const double se[3], sl_fit_report *report) {
  char a[64], b[64];
  char *text = report->verdict;
  size_t size = sizeof report->verdict;
  const sl_score *test = report->test.rows > 0 ? &report->test : &report->valid;
  const double error = se[report->test.rows > 0 ? TEST : VALID];
  double score = test->log_prob_standardized;
  double over_gaussian = score - report->gaussian.log_prob_standardized;
  double over_mixture = score - report->gaussian_mixture.log_prob_standardized;
  double overfit = report->train.log_prob_standardized - score;
  const char *rows = report->test.rows > 0 ? "unseen" : "held-out";

  if (test->rows == 0)
    snprintf(text, size, "No rows were held out, so nothing is known about rows not seen.");
  else if (!isfinite(test->log_prob))
    snprintf(text, size, "Not to be trusted: %s rows have no finite log density; try a lower --lr "
             "or --precision f64.", rows);
  else if (report->gaussian.rows == 0)
    snprintf(text, size, "%lld %s rows score %s%s nats per row, within %s; no baseline was fitted.",
             (long long)test->rows, rows, test->log_prob < 0 ? "-" : "", number(a, test->log_prob),
             number(b, 2 * test->se));
  else if (over_gaussian < -2 * error)
    snprintf(text, size, "Bad: %s nats per row below a Gaussian on unseen rows; try more --steps, "
             "a lower --lr or a smaller --flow.", number(a, over_gaussian));
  else if (over_mixture < -error)
    snprintf(text, size, "Poor: a mixture of %d Gaussians is %s nats per row better on unseen "
             "rows; try more --steps or another --flow.", report->mixture_components,
             number(a, over_mixture));
  else if (over_gaussian < error)
    snprintf(text, size, "Fair: as good as a Gaussian on %lld unseen rows; there may be no more to "
             "find.", (long long)test->rows);
  else if (over_mixture < error)
    snprintf(text, size, "Fair: as good as a mixture of %d Gaussians on %lld unseen rows; there "
             "may be no more to find.", report->mixture_components, (long long)test->rows);
  else if (overfit > 0.1 && overfit > 5 * (error + se[TRAIN]))
    snprintf(text, size, "Good, but overfitted: %s nats per row above a mixture of %d Gaussians on "
             "unseen rows, yet %s below the training rows; more rows or a smaller --flow may help.",
             number(a, over_mixture), report->mixture_components, number(b, overfit));
  else
    snprintf(text, size, "Good: %s nats per row above a Gaussian and %s above a mixture of %d "
             "Gaussians, on %lld unseen rows.", number(a, over_gaussian), number(b, over_mixture),
             report->mixture_components, (long long)test->rows);
}

sl_status sl__judge(sl_context *context, const sl__prepared *prepared, const sl__flow *flow,
                    const void *vector, uint64_t seed, bool baselines, sl_fit_report *report) {
  scorer s = {.context = context, .prepared = prepared, .vector = vector, .seed = seed};
  report->gaussian = report->gaussian_mixture = nothing;
  SL__TRY(score_sets(&s, flow, report));
  if (baselines) SL__TRY(score_baselines(context, prepared, seed, report));
  write_verdict(s.se, report);
  return SL_OK;
}
