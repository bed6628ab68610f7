/* Rows of integers, scored over their cells: the rows of a portion at the first point of each cell,
 * then at the second, and so on, with running sums. A gradient is the mean of those at the points,
 * weighted by their densities; that by an integer column is of the cell as it slides along. */
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
};

static sl_status take_memory(sl__cells *cells) {
  sl__arena *arena = &cells->arena;
  const size_t dim = (size_t)cells->model->dim;
  const size_t all = dim + (size_t)cells->model->flow->context_dim;
  SL__TRY(sl__cell_new(arena, &cells->model->map, &cells->cell));
  cells->x = sl__arena_take(arena, PORTION, dim * sizeof(double));
  cells->log_density = sl__arena_take(arena, PORTION, sizeof(double));
  cells->slopes = sl__arena_take(arena, PORTION, all * sizeof(double));
  cells->sums = sl__arena_take(arena, PORTION, all * sizeof(double));
  cells->means = sl__arena_take(arena, PORTION, sizeof *cells->means);
  if (!cells->x || !cells->log_density || !cells->slopes || !cells->sums || !cells->means)
    return SL_NO_MEMORY;
  return SL_OK;
}

sl_status sl__cells_new(sl_context *context, const sl__model *model, sl__cells **out) {
  *out = NULL;
  if (!model->map.integers) return SL_OK;
  sl__cells *cells = sl__allocate(context, 1, sizeof *cells);
  if (!cells) return SL_NO_MEMORY;
  cells->allocator = context->allocator;
  cells->model = model;
  sl__arena_open(&cells->arena, context);
  sl_status status = take_memory(cells);
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

static sl_status run_point(sl_context *context, sl__cells *cells, const sl__program *program,
                           sl__workspace *workspace, const portion *p, int32_t point) {
  const int64_t dim = cells->model->dim, all = dim + cells->model->flow->context_dim;
  sl__feed feeds[2] = {{.data = cells->x, .type = SL_F64}};
  if (p->condition && p->condition->data) {
    const size_t size = p->condition->dtype == SL_F32 ? sizeof(float) : sizeof(double);
    feeds[1] = sl__feed_of(p->condition);
    feeds[1].data =
        (const char *)p->condition->data + p->first * p->condition->row_stride * (int64_t)size;
  }
  const sl__sink sinks[] = {
      {.data = cells->log_density, .type = SL_F64, .row_stride = 1, .column_stride = 1},
      {.data = cells->slopes, .type = SL_F64, .row_stride = all, .column_stride = 1},
      {.data = cells->slopes + dim, .type = SL_F64, .row_stride = all, .column_stride = 1}};
  place_rows(cells, p, point);
  const sl__run run = {
      .rows = p->rows, .parameters = cells->model->vector, .feeds = feeds, .sinks = sinks};
  return sl__program_run(context, program, workspace, &run);
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

sl_status sl__cells_score(sl_context *context, sl__cells *cells, const sl__program *program,
                          sl__workspace *workspace, const sl_array_in *x,
                          const sl_array_in *condition, const sl_array_out *log_prob,
                          const sl_array_out *by_x, const sl_array_out *by_condition) {
  const int64_t all = cells->model->dim + cells->model->flow->context_dim;
  for (int64_t first = 0; first < x->rows; first += PORTION) {
    const int64_t left = x->rows - first;
    const portion p = {.first = first,
                       .rows = left < PORTION ? left : PORTION,
                       .x = x,
                       .condition = condition,
                       .slopes = by_x || by_condition};
    for (int64_t i = 0; i < p.rows * all; i++) cells->sums[i] = 0;
    for (int64_t r = 0; r < p.rows; r++) cells->means[r] = sl__log_mean_of_none;
    for (int32_t point = 0; point < cells->cell.points; point++) {
      SL__TRY(run_point(context, cells, program, workspace, &p, point));
      add_point(cells, &p);
    }
    finish_rows(cells, &p, log_prob, by_x, by_condition);
  }
  return SL_OK;
}
