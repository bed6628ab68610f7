/* The densities that figures are of: exact ones of flows and targets on a grid, smoothed ones of
 * samples; and the ranges that show them. */
#include <math.h>
#include "plot/figure.h"

/* ---- exact ---- */

static sl_status flow_density(const sl__plot *plot, int64_t rows, const double *points,
                              double *density) {
  const sl_array_in x = sl_in_f64(points, rows, sl_flow_dim(plot->flow));
  const sl_array_out out = sl_out_f64(density, rows, 1);
  sl_array_in condition = plot->condition;
  condition.rows = rows; /* the one row, again and again */
  condition.row_stride = 0;
  SL__TRY(sl_flow_log_prob(plot->context, plot->flow, &x,
                           sl_flow_context_dim(plot->flow) > 0 ? &condition : NULL, &out));
  for (int64_t r = 0; r < rows; r++) density[r] = isnan(density[r]) ? 0 : exp(density[r]);
  return SL_OK;
}

static sl_status target_values(const sl__plot *plot, int64_t rows, const double *points,
                               double *values) {
  sl__density *density;
  SL__TRY(sl__density_new(plot->context, plot->target, SL__DENSITY_VALUE_ONLY, false, &density));
  const sl__points q = {.rows = rows,
                        .q = points,
                        .value = values,
                        .row_stride = plot->target->dim,
                        .column_stride = 1};
  const sl_status status = sl__density_run(plot->context, density, &q);
  sl__density_free(density);
  return status;
}

static double largest(int64_t count, const double *values) {
  double most = -INFINITY;
  for (int64_t r = 0; r < count; r++)
    if (isfinite(values[r])) most = fmax(most, values[r]);
  return most;
}

sl_status sl__exact_density(const sl__plot *plot, int64_t rows, const double *points,
                            double *density) {
  if (plot->flow) return flow_density(plot, rows, points, density);
  SL__TRY(target_values(plot, rows, points, density));
  const double known = plot->target->log_evidence;
  const double by = isnan(known) ? largest(rows, density) : known;
  for (int64_t r = 0; r < rows; r++) density[r] = exp(density[r] - by);
  return SL_OK;
}

static double *grid_of(sl__arena *arena, const sl__range *ranges, int nodes) {
  double *points = sl__arena_take(arena, (size_t)nodes * (size_t)nodes, 2 * sizeof *points);
  for (int64_t n = 0; points && n < (int64_t)nodes * nodes; n++) {
    points[2 * n] = sl__node_at(ranges[0], n % nodes, nodes);
    points[2 * n + 1] = sl__node_at(ranges[1], n / nodes, nodes);
  }
  return points;
}

sl_status sl__exact_plane(const sl__plot *plot, sl__arena *arena, const sl__range *ranges,
                          sl__plane *out) {
  const int nodes = SL__PLANE_NODES;
  const double *points = grid_of(arena, ranges, nodes);
  *out = (sl__plane){.x = ranges[0], .y = ranges[1], .nodes = nodes};
  out->density = sl__arena_take(arena, (size_t)nodes * (size_t)nodes, sizeof(double));
  if (!points || !out->density) return SL_NO_MEMORY;
  return sl__exact_density(plot, (int64_t)nodes * nodes, points, out->density);
}

/* ---- of samples ---- */

sl_status sl__sample_plane(const sl__plot *plot, sl__arena *arena, const sl__plot_set *set,
                           int32_t first, int32_t second, const sl__range *ranges, int nodes,
                           sl__plane *out) {
  const sl__numbers x = sl__set_column(set, first), y = sl__set_column(set, second);
  *out = (sl__plane){.x = ranges[0], .y = ranges[1], .nodes = nodes};
  out->density = sl__arena_take(arena, (size_t)nodes * (size_t)nodes, sizeof(double));
  if (!out->density) return SL_NO_MEMORY;
  return sl__smooth_plane(plot->context, &x, &y, ranges[0], ranges[1], nodes, out->density);
}

/* ---- ranges ---- */

sl_status sl__set_ranges(const sl__plot *plot, int32_t columns, sl__range *ranges) {
  for (int s = 0; s < plot->set_count; s++)
    for (int32_t c = 0; c < columns; c++) {
      const sl__numbers x = sl__set_column(&plot->sets[s], c);
      sl__range own;
      SL__TRY(sl__central_range(plot->context, &x, &own));
      ranges[c] = s == 0 ? own : sl__join_ranges(ranges[c], own);
    }
  return SL_OK;
}

/* The part of a grid whose value is within `depth` of the largest, and a node more on each side. */
static void shrink(int32_t dim, int nodes, const double *values, double depth, sl__range *ranges) {
  const int64_t count = dim == 2 ? (int64_t)nodes * nodes : nodes;
  const double least = largest(count, values) - depth;
  int64_t low[2] = {nodes, nodes}, high[2] = {-1, -1};
  for (int64_t n = 0; n < count; n++) {
    if (!(values[n] >= least)) continue;
    const int64_t at[2] = {n % nodes, n / nodes};
    for (int32_t d = 0; d < dim; d++) {
      if (at[d] < low[d]) low[d] = at[d];
      if (at[d] > high[d]) high[d] = at[d];
    }
  }
  for (int32_t d = 0; d < dim; d++) {
    const sl__range old = ranges[d];
    if (high[d] < 0) continue;
    ranges[d].low = sl__node_at(old, low[d] > 0 ? low[d] - 1 : 0, nodes);
    ranges[d].high = sl__node_at(old, high[d] + 1 < nodes ? high[d] + 1 : nodes - 1, nodes);
  }
}

/* From the wide to the narrow: what is far from the peak is cut off, and the rest looked at anew. */
sl_status sl__target_ranges(const sl__plot *plot, sl__range *ranges) {
  enum { ROUNDS = 5, NODES = 161 };
  static const double widest = 100, depth = 8; /* of log density: e^-8 of the peak */
  const int32_t dim = plot->target->dim;
  const size_t count = dim == 2 ? NODES * NODES : NODES;
  sl__arena arena;
  sl_status status = SL_OK;
  for (int32_t d = 0; d < dim; d++) ranges[d] = (sl__range){-widest, widest};
  sl__arena_open(&arena, plot->context);
  double *values = sl__arena_take(&arena, count, sizeof *values);
  double *line = sl__arena_take(&arena, NODES, sizeof *line);
  if (!values || !line) status = SL_NO_MEMORY;
  for (int round = 0; round < ROUNDS && status == SL_OK; round++) {
    const double *points = line;
    if (dim == 2)
      points = grid_of(&arena, ranges, NODES);
    else
      for (int i = 0; i < NODES; i++) line[i] = sl__node_at(ranges[0], i, NODES);
    status = points ? target_values(plot, (int64_t)count, points, values) : SL_NO_MEMORY;
    if (status == SL_OK) shrink(dim, NODES, values, round == 0 ? 30 : depth, ranges);
  }
  sl__arena_close(&arena);
  return status;
}
