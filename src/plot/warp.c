/* A square net on the base space, as a flow of two columns bends it. */
#include <math.h>
#include "plot/figure.h"

enum { LINES = 17, POINTS = 241 };
static const double reach = 3; /* of the net, in the base's own units */

/* Both families of lines, one after the other: [2][LINES][POINTS][2]. */
static void fill_net(double *z) {
  for (int family = 0; family < 2; family++)
    for (int l = 0; l < LINES; l++)
      for (int p = 0; p < POINTS; p++, z += 2) {
        z[family] = -reach + 2 * reach * l / (LINES - 1);
        z[1 - family] = -reach + 2 * reach * p / (POINTS - 1);
      }
}

static sl_status bend(const sl__plot *plot, sl__arena *arena, double **out) {
  const int64_t rows = 2 * LINES * POINTS;
  double *z = sl__arena_take(arena, (size_t)rows, 2 * sizeof *z);
  *out = sl__arena_take(arena, (size_t)rows, 2 * sizeof *z);
  if (!z || !*out) return SL_NO_MEMORY;
  fill_net(z);
  const sl_array_in from = sl_in_f64(z, rows, 2);
  const sl_array_out to = sl_out_f64(*out, rows, 2);
  sl_array_in condition = plot->condition;
  condition.rows = rows;
  condition.row_stride = 0;
  return sl_flow_map(plot->context, plot->flow, SL_TO_DATA, -1, &from,
                     sl_flow_context_dim(plot->flow) > 0 ? &condition : NULL, &to, NULL);
}

static void add_line(sl__figure *figure, const double *points, int family, bool middle) {
  const int block = sl__figure_block(figure, POINTS, 2, points);
  sl__figure_plot(figure, "$b%d with lines lc rgb '%s' lw %s", block, sl__series_colour(family),
                  middle ? "2.2" : "0.9");
}

static sl_status draw_net(const sl__plot *plot, sl__figure *figure, const double *x) {
  static const double shrink = 0.04;
  const sl__numbers first = {2 * LINES * POINTS, x, 2}, second = {2 * LINES * POINTS, x + 1, 2};
  sl__range ranges[2];
  SL__TRY(sl__central_range(plot->context, &first, &ranges[0]));
  SL__TRY(sl__central_range(plot->context, &second, &ranges[1]));
  for (int i = 0; i < 2; i++) { /* less air than points need */
    const double by = shrink * (ranges[i].high - ranges[i].low);
    const sl__range own = {ranges[i].low + by, ranges[i].high - by};
    SL__TRY(sl__figure_window(plot, i, own, &ranges[i]));
  }
  sl__figure_panel(figure, sl__figure_whole(figure));
  sl__figure_axis(figure, "x", ranges[0], 7);
  sl__figure_axis(figure, "y", ranges[1], 7);
  sl__figure_label(figure, "xlabel", sl_flow_column_name(plot->flow, 0));
  sl__figure_label(figure, "ylabel", sl_flow_column_name(plot->flow, 1));
  sl__figure_key_aside(figure);
  for (int family = 0; family < 2; family++)
    for (int l = 0; l < LINES; l++)
      add_line(figure, x + 2 * (family * LINES + l) * POINTS, family, l == LINES / 2);
  for (int family = 0; family < 2; family++) {
    sl__figure_plot(figure, "NaN with lines lc rgb '%s' lw 2", sl__series_colour(family));
    sl__figure_named(figure,
                     family == 0 ? "lines of equal z 1, -3 .. 3, thick: 0" : "of equal z 2");
  }
  return SL_OK;
}

static sl_status draw(const sl__plot *plot, sl__figure *figure) {
  double *x;
  sl__arena arena;
  sl__arena_open(&arena, plot->context);
  sl_status status = bend(plot, &arena, &x);
  if (status == SL_OK) status = draw_net(plot, figure, x);
  sl__arena_close(&arena);
  return status;
}

const sl__plot_kind sl__plot_kind_warp = {
    .name = "warp",
    .wants = SL__PLOT_WANTS_FLOW | SL__PLOT_WANTS_PLANE | SL__PLOT_ONE_PANEL,
    .width = 800,
    .height = 700,
    .draw = draw,
};
