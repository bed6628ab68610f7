/* Rows of integers, scored over their cells: the rows of a portion at the first point of each cell,
 * then at the second, and so on, with running sums. A gradient is the mean of those at the points,
 * weighted by their densities; that by an integer column is of the cell as it slides along. That by
 * the parameters is summed over rows by its program, which therefore takes the weights as an input:
 * all points are gone through twice, first for the means and then with the weights. */
#include "api/cells.h"
#include <math.h>

enum { PORTION = 1024 };

struct sl__cells {
  sl__allocator allocator;
  const sl__model *model; /* borrowed */
  sl__arena arena;
  sl__cell cell;
  double *x, *log_density; /* [PORTION][dim], [PORTION] at one point */
  double *slopes, *sums;   /* [PORTION][dim + context_dim]: there, and summed over points */
  sl__log_mean *means;     /* [PORTION] */
  double *by_parameters;   /* [2][flow->size]: of one run, and summed; NULL: not wanted */
  int64_t most_rows;       /* in a run of the program of the parameters' gradient */
};

static sl_status take_memory(sl__cells *cells, bool parameters) {
  sl__arena *arena = &cells->arena;
  const size_t size = parameters ? (size_t)cells->model->flow->size : 0;
  const size_t dim = (size_t)cells->model->dim;
  const size_t all = dim + (size_t)cells->model->flow->context_dim;
  SL__TRY(sl__cell_new(arena, &cells->model->map, &cells->cell));
  cells->x = sl__arena_take(arena, PORTION, dim * sizeof(double));
  cells->log_density = sl__arena_take(arena, PORTION, sizeof(double));
  cells->slopes = sl__arena_take(arena, PORTION, all * sizeof(double));
  cells->sums = sl__arena_take(arena, PORTION, all * sizeof(double));
  cells->means = sl__arena_take(arena, PORTION, sizeof *cells->means);
  cells->by_parameters = sl__arena_take(arena, size, 2 * sizeof(double));
  if (!cells->x || !cells->log_density || !cells->slopes || !cells->sums || !cells->means ||
      !cells->by_parameters)
    return SL_NO_MEMORY;
  return SL_OK;
}

sl_status sl__cells_new(sl_context *context, const sl__model *model, int64_t parameter_rows,
                        sl__cells **out) {
  *out = NULL;
  if (!model->map.integers) return SL_OK;
  sl__cells *cells = sl__allocate(context, 1, sizeof *cells);
  if (!cells) return SL_NO_MEMORY;
  cells->allocator = context->allocator;
  cells->model = model;
  cells->most_rows = parameter_rows < PORTION ? parameter_rows : PORTION;
  sl__arena_open(&cells->arena, context);
  sl_status status = take_memory(cells, parameter_rows > 0);
  if (status == SL_OK)
    *out = cells;
  else
    sl__cells_free(cells);
  return status;
}

void sl__cells_free(sl__cells *cells) {
  if (!cells) return;
  sl__allocator allocator = cells->allocator;
  sl__arena_close(&cells->arena);
  sl__free(&allocator, cells);
}

/* ---- strided arrays ---- */

static double element(const sl_array_in *array, int64_t row, int64_t column) {
  const int64_t i = row * array->row_stride + column * array->column_stride;
  return array->dtype == SL_F32 ? (double)((const float *)array->data)[i]
                                : ((const double *)array->data)[i];
}

static void put(const sl_array_out *array, int64_t row, int64_t column, double value) {
  if (!array || !array->data) return;
  const int64_t i = row * array->row_stride + column * array->column_stride;
  if (array->dtype == SL_F32)
    ((float *)array->data)[i] = (float)value;
  else
    ((double *)array->data)[i] = value;
}

/* ---- one portion ---- */

typedef struct portion {
  int64_t first, rows;
  const sl_array_in *x, *condition;
  bool slopes;
} portion;

static void place_rows(sl__cells *cells, const portion *p, int32_t point) {
  const sl__cell *cell = &cells->cell;
  const int32_t dim = cells->model->dim;
  for (int64_t r = 0; r < p->rows; r++) {
    double *row = cells->x + r * dim;
    for (int32_t i = 0; i < dim; i++) row[i] = element(p->x, p->first + r, i);
    for (int32_t i = 0; i < cell->count; i++) /* the middles of equal parts of the cell */
      row[cell->columns[i].column] +=
          sl__cell_place(cell, cell->points, point, i) + 0.5 / cell->points - 0.5;
  }
}

static void add_point(sl__cells *cells, const portion *p) {
  const int64_t all = p->slopes ? cells->model->dim + cells->model->flow->context_dim : 0;
  for (int64_t r = 0; r < p->rows; r++) {
    double kept, added;
    sl__log_mean_add(&cells->means[r], cells->log_density[r], &kept, &added);
    for (int64_t i = r * all; i < (r + 1) * all; i++)
      cells->sums[i] = kept * cells->sums[i] + (added == 0 ? 0 : added * cells->slopes[i]);
  }
}

/* The inputs of every program: rows at a point, conditions. */
static void feed_rows(const sl__cells *cells, const portion *p, sl__feed feeds[2]) {
  feeds[0] = (sl__feed){.data = cells->x, .type = SL_F64};
  feeds[1] = (sl__feed){0};
  if (!p->condition || !p->condition->data) return;
  const size_t size = p->condition->dtype == SL_F32 ? sizeof(float) : sizeof(double);
  feeds[1] = sl__feed_of(p->condition);
  feeds[1].data =
      (const char *)p->condition->data + p->first * p->condition->row_stride * (int64_t)size;
}

static sl_status run_point(sl_context *context, sl__cells *cells, const sl__ready *ready,
                           const portion *p, int32_t point) {
  const int64_t dim = cells->model->dim, all = dim + cells->model->flow->context_dim;
  sl__feed feeds[2];
  feed_rows(cells, p, feeds);
  const sl__sink sinks[] = {
      {.data = cells->log_density, .type = SL_F64, .row_stride = 1, .column_stride = 1},
      {.data = cells->slopes, .type = SL_F64, .row_stride = all, .column_stride = 1},
      {.data = cells->slopes + dim, .type = SL_F64, .row_stride = all, .column_stride = 1}};
  place_rows(cells, p, point);
  const sl__run run = {
      .rows = p->rows, .parameters = cells->model->vector, .feeds = feeds, .sinks = sinks};
  return sl__program_run(context, ready->program, ready->workspace, &run);
}

static bool has_fractions(const sl__cells *cells, const portion *p, int64_t r) {
  bool some = false;
  for (int32_t i = 0; i < cells->cell.count; i++) {
    const double value = element(p->x, p->first + r, cells->cell.columns[i].column);
    some |= value > floor(value); /* false of a NaN, which the density has seen */
  }
  return some;
}

static void finish_rows(const sl__cells *cells, const portion *p, const sl_array_out *log_prob,
                        const sl_array_out *by_x, const sl_array_out *by_condition) {
  const int32_t dim = cells->model->dim, context_dim = cells->model->flow->context_dim;
  for (int64_t r = 0; r < p->rows; r++) {
    const bool outside = has_fractions(cells, p, r);
    const double sum = outside ? 0 : cells->means[r].sum;
    const double *slopes = cells->sums + r * (dim + context_dim);
    put(log_prob, p->first + r, 0,
        outside ? -INFINITY : sl__log_mean_end(&cells->means[r], cells->cell.points));
    for (int32_t i = 0; i < dim; i++) put(by_x, p->first + r, i, sum == 0 ? 0 : slopes[i] / sum);
    for (int32_t i = 0; i < context_dim; i++)
      put(by_condition, p->first + r, i, sum == 0 ? 0 : slopes[dim + i] / sum);
  }
}

/* The sums and means of a portion over all points of its cells. */
static sl_status run_points(sl_context *context, sl__cells *cells, const sl__ready *ready,
                            const portion *p) {
  const int64_t all = cells->model->dim + cells->model->flow->context_dim;
  for (int64_t i = 0; i < p->rows * all; i++) cells->sums[i] = 0;
  for (int64_t r = 0; r < p->rows; r++) cells->means[r] = sl__log_mean_of_none;
  for (int32_t point = 0; point < cells->cell.points; point++) {
    SL__TRY(run_point(context, cells, ready, p, point));
    add_point(cells, p);
  }
  return SL_OK;
}

sl_status sl__cells_score(sl_context *context, sl__cells *cells, const sl__ready *ready,
                          const sl_array_in *x, const sl_array_in *condition,
                          const sl_array_out *log_prob, const sl_array_out *by_x,
                          const sl_array_out *by_condition) {
  for (int64_t first = 0; first < x->rows; first += PORTION) {
    const int64_t left = x->rows - first;
    const portion p = {.first = first,
                       .rows = left < PORTION ? left : PORTION,
                       .x = x,
                       .condition = condition,
                       .slopes = by_x || by_condition};
    SL__TRY(run_points(context, cells, ready, &p));
    finish_rows(cells, &p, log_prob, by_x, by_condition);
  }
  return SL_OK;
}

/* ---- by the parameters ---- */

/* The densities at a point become its share of each row's mean. */
static void weigh_point(sl__cells *cells, const portion *p) {
  for (int64_t r = 0; r < p->rows; r++) {
    const double mean = sl__log_mean_end(&cells->means[r], cells->cell.points);
    const bool none = mean == -INFINITY || has_fractions(cells, p, r);
    cells->log_density[r] =
        none ? 0 : exp(cells->log_density[r] - mean) / (double)cells->cell.points;
  }
}

static sl_status add_gradients(sl_context *context, sl__cells *cells, const sl__ready *density,
                               const sl__ready *gradient, const portion *p, sl__sink *sinks) {
  const sl__flow *flow = cells->model->flow;
  double *sum = cells->by_parameters + flow->size;
  sl__feed feeds[3];
  for (int32_t point = 0; point < cells->cell.points; point++) {
    SL__TRY(run_point(context, cells, density, p, point));
    weigh_point(cells, p);
    feed_rows(cells, p, feeds);
    feeds[flow->context_dim > 0 ? 2 : 1] = (sl__feed){.data = cells->log_density, .type = SL_F64};
    sinks[0] = (sl__sink){0};
    for (int i = 0; i < flow->parameter_count; i++)
      sinks[1 + i] =
          (sl__sink){.data = cells->by_parameters + flow->parameters[i].offset, .type = SL_F64};
    const sl__run run = {
        .rows = p->rows, .parameters = cells->model->vector, .feeds = feeds, .sinks = sinks};
    SL__TRY(sl__program_run(context, gradient->program, gradient->workspace, &run));
    for (int64_t i = 0; i < flow->size; i++) sum[i] += cells->by_parameters[i];
  }
  return SL_OK;
}

sl_status sl__cells_parameters(sl_context *context, sl__cells *cells, const sl__ready *density,
                               const sl__ready *gradient, const sl_array_in *x,
                               const sl_array_in *condition, const sl_array_out *log_prob,
                               sl__sink *sinks, const sl_array_out *by_parameters) {
  const int64_t size = cells->model->flow->size;
  double *sum = cells->by_parameters + size;
  for (int64_t i = 0; i < size; i++) sum[i] = 0;
  for (int64_t first = 0; first < x->rows; first += cells->most_rows) {
    const int64_t left = x->rows - first;
    const portion p = {.first = first,
                       .rows = left < cells->most_rows ? left : cells->most_rows,
                       .x = x,
                       .condition = condition};
    SL__TRY(run_points(context, cells, density, &p));
    finish_rows(cells, &p, log_prob, NULL, NULL);
    SL__TRY(add_gradients(context, cells, density, gradient, &p, sinks));
  }
  for (int64_t i = 0; i < size; i++) put(by_parameters, 0, i, sum[i]);
  return SL_OK;
}
