/* How good is it? Mean log densities of training, held-out and unseen rows with their standard
 * errors, and the same for baselines.
 *
 * Rows of dequantised columns are scored with one fixed draw of the noise, the same for the flow
 * and for the baselines: a density of rounded values means nothing else (Theis et al. 2016, "A
 * note on the evaluation of generative models", section 3.1). Rows of integers have a probability:
 * the mean density over their cells, here at the points of a lattice (flow/cell.h) moved by that
 * draw. */
#include <math.h>
#include <stdio.h>

#include "infer/judge.h"

/* The step number of the noise that scoring adds; training counts steps from 0 and never comes
 * here. */
enum { JUDGING = 0x7fffffff };

/* Rows are scored so many at a time: a copy of them all, in double, could be the most memory that a
 * fit takes. */
enum { PORTION = 1 << 14 };

/* Of many rows fewer points of each are scored. */
enum { MOST_POINTS = 1 << 18 };

double sl__prepared_element(sl_dtype type, const void *x, int64_t i) {
  return type == SL_F32 ? (double)((const float *)x)[i] : ((const double *)x)[i];
}

/* ---- rows ---- */

void sl__judging_rows(const sl__judging *j, sl__set which, int32_t point, int64_t first,
                      int64_t rows, const void *x, double *noisy) {
  const sl__prepared *p = j->prepared;
  const sl__random_key key = {j->seed, SL__STREAM_DEQUANTISE, JUDGING - (uint32_t)which};
  double *const begin = noisy;
  for (int32_t i = 0; i < j->cell.count; i++)
    j->place[p->map->feature[j->cell.columns[i].column]] =
        sl__cell_place(&j->cell, j->points, point, i);
  for (int64_t row = first; row < first + rows; row++)
    for (int32_t k = 0; k < p->dim; k++, noisy++) {
      *noisy = sl__prepared_element(p->type, x, row * p->dim + k);
      const double width = p->noise_width ? p->noise_width[k] : 0;
      if (!(width > 0)) continue;
      const double u = sl__random_uniform(key, (uint64_t)row, (uint32_t)k) + j->place[k];
      *noisy += width * (u - floor(u) - 0.5);
    }
  const sl__spread *spread = &p->spread;
  const double *const values[] = {spread->train, spread->valid, spread->test};
  if (spread->count > 0)
    sl__spread_rows(spread, key, j->place, values[which], NULL, first, rows, SL_F64, begin);
}

/* Weighted mean of values [rows] and its standard error, which a single row does not have. */
static double weighted_mean(int64_t rows, const double *values, sl_dtype type, const void *weight,
                            double *se) {
  double total = 0, sum = 0, squares = 0;
  int64_t counting = 0;
  for (int64_t row = 0; row < rows; row++) {
    const double w = weight ? sl__prepared_element(type, weight, row) : 1;
    if (w == 0) continue; /* whatever its density: 0 times -inf would be NaN */
    counting++;
    total += w;
    sum += w * values[row];
  }
  const double mean = sum / total;
  for (int64_t row = 0; row < rows; row++) {
    const double w = weight ? sl__prepared_element(type, weight, row) : 1;
    const double d = values[row] - mean;
    if (w != 0) squares += w * w * d * d;
  }
  *se = counting > 1 ? sqrt(squares) / total : (double)NAN;
  return mean;
}

sl_status sl__tally_open(sl__arena *arena, int64_t rows, sl__tally *out) {
  *out = (sl__tally){.rows = rows,
                     .means = sl__arena_take(arena, (size_t)rows, sizeof *out->means),
                     .units = sl__arena_take(arena, (size_t)rows, sizeof(double)),
                     .log_prob = sl__arena_take(arena, (size_t)rows, sizeof(double)),
                     .standardized = sl__arena_take(arena, (size_t)rows, sizeof(double))};
  if (!out->means || !out->units || !out->log_prob || !out->standardized) return SL_NO_MEMORY;
  for (int64_t row = 0; row < rows; row++) out->means[row] = sl__log_mean_of_none;
  return SL_OK;
}

void sl__tally_add(const sl__judging *j, sl__tally *tally, int64_t first, int64_t rows,
                   const double *features, const double *log_density) {
  const sl__prepared *p = j->prepared;
  for (int64_t r = 0; r < rows; r++) {
    for (int32_t k = 0; k < p->dim; k++)
      j->row[k] = p->mean[k] + p->sd[k] * features[r * p->dim + k];
    const double units = -p->log_scale - sl__columns_log_det(p->map, j->row);
    double kept, added;
    sl__log_mean_add(&tally->means[first + r], log_density[r] + units, &kept, &added);
    tally->units[first + r] += units;
  }
}

void sl__tally_end(const sl__judging *j, sl__tally *tally, const void *weight, sl_score *score,
                   double *se) {
  const sl_dtype type = j->prepared->type;
  for (int64_t row = 0; row < tally->rows; row++) {
    tally->log_prob[row] = sl__log_mean_end(&tally->means[row], j->points);
    tally->standardized[row] = tally->log_prob[row] - tally->units[row] / j->points;
    if (weight && sl__prepared_element(type, weight, row) == 0) continue;
    tally->zeros += tally->log_prob[row] == -INFINITY;
    tally->lost += isnan(tally->log_prob[row]);
  }
  score->rows = tally->rows;
  score->log_prob = weighted_mean(tally->rows, tally->log_prob, type, weight, &score->se);
  score->log_prob_standardized = weighted_mean(tally->rows, tally->standardized, type, weight, se);
}

/* ---- the flow ---- */

static const sl_score nothing = {NAN, NAN, NAN, 0};

typedef struct scorer {
  sl__judging *judging;
  const sl__program *program;
  sl__workspace *workspace;
  const void *vector;
} scorer;

/* One of the sets, as it was prepared. */
typedef struct rows {
  sl__set which;
  int64_t count;
  const void *x, *condition, *weight;
} rows;

/* The conditions [rows][context_dim] from row `first` on; NULL if there are none. */
static const void *rows_from(const sl__prepared *prepared, const void *condition, int64_t first) {
  const int64_t size = prepared->type == SL_F32 ? 4 : 8;
  return condition ? (const char *)condition + first * prepared->context_dim * size : NULL;
}

/* The rows of one set in portions. */
static sl_status tally_rows(const scorer *s, const rows *set, sl__arena *arena, sl__tally *tally) {
  const sl__judging *j = s->judging;
  const sl__prepared *p = j->prepared;
  const int64_t most = set->count < PORTION ? set->count : PORTION;
  double *noisy = sl__arena_take(arena, (size_t)most * (size_t)p->dim, sizeof *noisy);
  double *log_density = sl__arena_take(arena, (size_t)most, sizeof *log_density);
  if (!noisy || !log_density) return SL_NO_MEMORY;
  for (int64_t first = 0; first < set->count; first += PORTION) {
    const int64_t count = set->count - first < PORTION ? set->count - first : PORTION;
    const sl__feed feeds[] = {{.data = noisy, .type = SL_F64},
                              {.data = rows_from(p, set->condition, first), .type = p->type}};
    const sl__sink sink = {.data = log_density, .type = SL_F64};
    const sl__run run = {.rows = count, .parameters = s->vector, .feeds = feeds, .sinks = &sink};
    for (int32_t point = 0; point < j->points; point++) {
      sl__judging_rows(j, set->which, point, first, count, set->x, noisy);
      SL__TRY(sl__program_run(j->context, s->program, s->workspace, &run));
      sl__tally_add(j, tally, first, count, noisy, log_density);
    }
  }
  return SL_OK;
}

static sl_status score_set(const scorer *s, const rows *set, sl_score *score) {
  *score = nothing;
  if (set->count == 0) return SL_OK;
  sl__arena arena;
  sl__tally tally;
  sl__arena_open(&arena, s->judging->context);
  sl_status status = sl__tally_open(&arena, set->count, &tally);
  if (status == SL_OK) status = tally_rows(s, set, &arena, &tally);
  if (status == SL_OK) {
    sl__tally_end(s->judging, &tally, set->weight, score, &s->judging->se[set->which]);
    s->judging->zeros[set->which] = tally.zeros;
    s->judging->lost[set->which] = tally.lost;
  }
  sl__arena_close(&arena);
  return status;
}

static sl_status score_sets(scorer *s, const sl__flow *flow, sl_fit_report *report) {
  sl_context *context = s->judging->context;
  const sl__prepared *p = s->judging->prepared;
  const rows sets[SL__SETS] = {
      {SL__SET_TRAIN, p->train_rows, p->train_x, p->train_condition, p->train_weight},
      {SL__SET_VALID, p->valid_rows, p->valid_x, p->valid_condition, p->valid_weight},
      {SL__SET_TEST, p->test_rows, p->test_x, p->test_condition, p->test_weight},
  };
  sl_score *const scores[SL__SETS] = {&report->train, &report->valid, &report->test};
  sl__graph *graph = NULL;
  sl__program *program = NULL;
  SL__TRY(sl__graph_new(context, &graph));
  sl_node x = op_input(graph, flow->type, sl__shape1(flow->dim));
  sl_node condition = 0;
  if (flow->context_dim > 0) condition = op_input(graph, flow->type, sl__shape1(flow->context_dim));
  sl_node log_prob = sl__flow_log_prob(flow, graph, x, condition);
  sl_status status = sl__program_new(context, graph, 1, &log_prob, &program);
  sl__graph_free(graph);
  if (status == SL_OK) status = sl__workspace_new(context, program, PORTION, &s->workspace);
  s->program = program;
  for (int k = 0; k < SL__SETS && status == SL_OK; k++) status = score_set(s, &sets[k], scores[k]);
  sl__workspace_free(s->workspace);
  sl__program_free(program);
  return status;
}

/* ---- the whole ---- */

static sl_status open_judging(sl__arena *arena, sl__judging *j) {
  const sl__prepared *p = j->prepared;
  const int64_t all = p->train_rows + p->valid_rows + p->test_rows;
  SL__TRY(sl__cell_new(arena, p->map, &j->cell));
  j->points = j->cell.points;
  while (j->points > 1 && all > MOST_POINTS / j->points) j->points /= 2;
  j->place = sl__arena_take(arena, (size_t)p->dim, sizeof *j->place);
  j->row = sl__arena_take(arena, (size_t)p->dim, sizeof *j->row);
  return j->place && j->row ? SL_OK : SL_NO_MEMORY;
}

sl_status sl__judge(sl_context *context, const sl__prepared *prepared, const sl__flow *flow,
                    const void *vector, uint64_t seed, bool baselines, sl_fit_report *report) {
  sl__judging j = {.context = context, .prepared = prepared, .seed = seed, .flow = flow};
  scorer s = {.judging = &j, .vector = vector};
  sl__arena arena;
  report->gaussian = report->gaussian_mixture = nothing;
  sl__arena_open(&arena, context);
  sl_status status = open_judging(&arena, &j);
  if (status == SL_OK) status = score_sets(&s, flow, report);
  if (status == SL_OK && baselines) status = sl__judge_baselines(&j, report);
  if (status == SL_OK) sl__write_verdict(&j, report);
  sl__arena_close(&arena);
  return status;
}
