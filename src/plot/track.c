/* What `sluice vi --track` recorded: each parameter beside its gradient, by step. */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include "plot/chains.h"

enum { MOST_POINTS = 1000, MOST_COLUMNS = 4096 };
static const char prefix[] = "gradient:";

static bool is_gradient(const char *name) {
  return strncmp(name, prefix, sizeof prefix - 1) == 0;
}

/* The column of a quantity's gradient, -1: it was not recorded. */
static int64_t gradient_of(const sl__table *table, const char *name) {
  for (int64_t c = 1; c < table->columns; c++)
    if (is_gradient(table->names[c]) && strcmp(table->names[c] + sizeof prefix - 1, name) == 0)
      return c;
  return -1;
}

static double number_at(const sl__table *table, int64_t row, int64_t column) {
  return sl__number_at(table->type, table->data, row * table->columns + column);
}

/* One column against the step. */
static sl_status draw_column(const sl__plot *plot, sl__figure *figure, sl__box box, int64_t column,
                             bool last) {
  const sl__table *table = plot->table;
  const int64_t points = table->rows < MOST_POINTS ? table->rows : MOST_POINTS;
  double pairs[MOST_POINTS][2];
  for (int64_t p = 0; p < points; p++) {
    const int64_t row = p * table->rows / points;
    pairs[p][0] = number_at(table, row, 0);
    pairs[p][1] = number_at(table, row, column);
  }
  const sl__numbers steps = {points, &pairs[0][0], 2}, values = {points, &pairs[0][1], 2};
  static const double all[] = {0, 1};
  double ends[2];
  sl__range range;
  SL__TRY(sl__quantiles(plot->context, &steps, 2, all, ends));
  SL__TRY(sl__central_range(plot->context, &values, &range));
  if (!(ends[1] > ends[0])) ends[1] = ends[0] + 1;
  sl__figure_panel(figure, box);
  sl__figure_axis(figure, "y", range, 5);
  if (last) {
    sl__figure_axis(figure, "x", (sl__range){ends[0], ends[1]}, 5);
    sl__figure_label(figure, "xlabel", table->names[0]);
  } else {
    sl__figure_axis_unnamed(figure, "x", (sl__range){ends[0], ends[1]}, 5);
  }
  sl__figure_add(figure, "set title offset 0,-0.8 font '%s'\n",
                 sl__figure_font(figure, SL__FONT_LESS));
  sl__figure_label(figure, "title", table->names[column]);
  const int block = sl__figure_block(figure, points, 2, &pairs[0][0]);
  sl__figure_plot(figure, "$b%d with lines lc rgb '%s' lw 1.2", block,
                  sl__series_colour(is_gradient(table->names[column])));
  return SL_OK;
}

static sl_status draw(const sl__plot *plot, sl__figure *figure) {
  const sl__table *table = plot->table;
  int64_t left[SL__MOST_TRACES], right[SL__MOST_TRACES];
  int32_t rows = 0, last_gradient = -1;
  if (!table->names || table->columns < 2)
    return sl__fail(plot->context, SL_BAD_ARGUMENT,
                    "a record has a header, steps in its first column and numbers beside them; "
                    "give the file that `sluice vi --track` wrote");
  for (int64_t c = 1; c < table->columns && rows < SL__MOST_TRACES; c++) {
    if (is_gradient(table->names[c])) continue;
    left[rows] = c;
    right[rows] = gradient_of(table, table->names[c]);
    if (right[rows] >= 0) last_gradient = rows;
    rows++;
  }
  if (rows == 0)
    return sl__fail(plot->context, SL_BAD_ARGUMENT,
                    "only gradients were recorded; track the parameters too");
  const double end = last_gradient >= 0 ? 0.5 * figure->width : figure->width;
  for (int32_t i = 0; i < rows; i++) {
    const bool last = i == rows - 1;
    SL__TRY(draw_column(plot, figure, sl__row_box(figure, rows, i, 70, end - 16), left[i], last));
    if (right[i] < 0) continue;
    const sl__box box = sl__row_box(figure, rows, i, end + 60, figure->width - 20.0);
    SL__TRY(draw_column(plot, figure, box, right[i], i == last_gradient));
  }
  return SL_OK;
}

static int64_t left_out(const sl__plot *plot) {
  int64_t parameters = 0;
  for (int64_t c = 1; c < plot->table->columns; c++)
    parameters += !is_gradient(plot->table->names[c]);
  return parameters > SL__MOST_TRACES ? parameters - SL__MOST_TRACES : 0;
}

const sl__plot_kind sl__plot_kind_track = {
    .name = "track",
    .wants = SL__PLOT_WANTS_TABLE,
    .width = 800,
    .height = 800,
    .draw = draw,
    .left_out = left_out,
};
