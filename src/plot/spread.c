/* Rounded rows made continuous, as the flow itself is. A row that was rounded stands for its cell; the
 * value drawn for it is one of some that are spread evenly over the cell, taken with a probability in
 * proportion to the flow's density there. Of a flow that gives every cell its right mass, the ranks of
 * such rows are uniform, whatever it is inside the cells: the randomised probability integral
 * transform (Smith 1985, J. Forecasting 4, 283). */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "base/random.h"
#include "api/evaluator.h"
#include "infer/prepare.h"
#include "plot/figure.h"

enum { CANDIDATES = 32 };

static int ascending(const void *a, const void *b) {
  const double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

/* Whether a tenth of the values are tied, as those that were rounded are; a model's own draws are
 * not, but for integers. */
static bool are_rounded(const sl__plot_set *set, int32_t column, double *sorted) {
  int64_t tied = 0;
  for (int64_t r = 0; r < set->rows; r++) sorted[r] = set->values[r * set->columns + column];
  qsort(sorted, (size_t)set->rows, sizeof *sorted, ascending);
  for (int64_t r = 1; r < set->rows; r++) tied += sorted[r] == sorted[r - 1];
  return (double)tied >= 0.1 * (double)set->rows;
}

/* The width of a column's cells: that of its noise in the fit, or its type's; 0: it is continuous. */
static double cell_width(const sl__plot *plot, int32_t column, double *sorted) {
  const sl__model *model = plot->flow->model;
  const sl__column_type *type = &model->map.type[column];
  if (type->support == SL__SUPPORT_SIMPLEX) return 0;
  const double width = model->noise_width[column] > 0 ? model->noise_width[column] : type->width;
  return type->integer || are_rounded(plot->data, column, sorted) ? width : 0;
}

/* x [rows][dim]: one value in the cell of each. */
static void draw_candidate(const sl__plot *plot, const double *widths, uint32_t candidate,
                           double *x) {
  const sl__model *model = plot->flow->model;
  const sl__random_key key = {plot->seed, SL__STREAM_DEQUANTISE, 2 * candidate};
  for (int64_t r = 0; r < plot->data->rows; r++)
    for (int32_t i = 0; i < model->dim; i++) {
      const int64_t at = r * model->dim + i;
      const double u = sl__random_uniform(key, (uint64_t)r, (uint32_t)i);
      x[at] = plot->data->values[at];
      if (widths[i] > 0) x[at] = sl__spread_value(&model->map, i, x[at], widths[i], u);
    }
}

/* The largest of log density and Gumbel noise: each is it with a probability in proportion to its
 * density (Maddison et al. 2014, "A* sampling"). best [rows], chosen [rows][dim] */
static void choose(const sl__plot *plot, uint32_t candidate, const double *x, const double *density,
                   double *best, double *chosen) {
  const int32_t dim = sl_flow_dim(plot->flow);
  const sl__random_key key = {plot->seed, SL__STREAM_DEQUANTISE, 2 * candidate + 1};
  for (int64_t r = 0; r < plot->data->rows; r++) {
    const double score = density[r] - log(-log(sl__random_uniform(key, (uint64_t)r, 0)));
    if (candidate > 0 && !(score > best[r])) continue;
    best[r] = isnan(score) ? -INFINITY : score;
    memcpy(chosen + r * dim, x + r * dim, (size_t)dim * sizeof *x);
  }
}

/* The flow's log density at points, where sl_flow_log_prob gives integers' cells. */
static sl_status make_density(const sl__plot *plot, sl__ready *ready) {
  const sl__model *model = plot->flow->model;
  sl__graph *graph;
  SL__TRY(sl__graph_new(plot->context, &graph));
  const sl_node x = op_input(graph, model->flow->type, sl__shape1(model->dim));
  const int32_t context_dim = model->flow->context_dim;
  const sl_node given =
      context_dim > 0 ? op_input(graph, model->flow->type, sl__shape1(context_dim)) : 0;
  const sl_node density = op_rows(graph, sl__model_log_prob(model, graph, x, given));
  const sl_status status = sl__ready_make(plot->context, graph, 1, &density, SL__ANY_ROWS, ready);
  sl__graph_free(graph);
  return status;
}

/* x, chosen [rows][dim]; density, best [rows] */
static sl_status draw_values(const sl__plot *plot, const double *widths, double *x, double *density,
                             double *best, double *chosen) {
  const int64_t rows = plot->data->rows;
  const sl_array_in points = sl_in_f64(x, rows, sl_flow_dim(plot->flow));
  const sl_array_out to = sl_out_f64(density, rows, 1);
  sl__ready ready = {0};
  const sl__feed feeds[] = {sl__feed_of(&points), sl__feed_of(&plot->data_condition)};
  const sl__sink sinks[] = {sl__sink_of(&to)};
  const sl__run run = {
      .rows = rows, .parameters = plot->flow->model->vector, .feeds = feeds, .sinks = sinks};
  sl_status status = make_density(plot, &ready);
  for (uint32_t k = 0; k < CANDIDATES && status == SL_OK; k++) {
    draw_candidate(plot, widths, k, x);
    status = sl__program_run(plot->context, ready.program, ready.workspace, &run);
    if (status == SL_OK) choose(plot, k, x, density, best, chosen);
  }
  sl__ready_free(&ready);
  return status;
}

sl_status sl__plot_spread(const sl__plot *plot, sl__arena *arena, const double **out) {
  const int64_t rows = plot->data->rows;
  const int32_t dim = sl_flow_dim(plot->flow);
  double *widths = sl__arena_take(arena, (size_t)dim, sizeof *widths);
  double *x = sl__arena_take(arena, (size_t)rows, (size_t)dim * sizeof *x);
  double *chosen = sl__arena_take(arena, (size_t)rows, (size_t)dim * sizeof *chosen);
  double *density = sl__arena_take(arena, (size_t)rows, sizeof *density);
  double *best = sl__arena_take(arena, (size_t)rows, sizeof *best);
  bool some = false;
  if (!widths || !x || !chosen || !density || !best) return SL_NO_MEMORY;
  for (int32_t i = 0; i < dim; i++) {
    widths[i] = cell_width(plot, i, density);
    some |= widths[i] > 0;
  }
  *out = some ? chosen : plot->data->values;
  return some ? draw_values(plot, widths, x, density, best, chosen) : SL_OK;
}
