/* Calibration: rows that the flow has not seen, mapped to the base, must be distributed there as the
 * base is. Each base coordinate of each row becomes its rank among draws of the base, which is uniform
 * if so (the probability integral transform: Dawid 1984, J. R. Stat. Soc. A 147, 278). A hump says
 * that the flow is too wide, a bowl that it is too narrow, a slope that it is shifted. Integers and
 * rounded values are spread first (spread.c): their own ranks are lumps even where the flow is right. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "plot/figure.h"

enum { NOISE = 50000, MOST_FEATURES = 9, BINS = 20 };

static int ascending(const void *a, const void *b) {
  const double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

/* The share of sorted [NOISE] below value. */
static double rank_of(const double *sorted, double value) {
  int64_t low = 0, high = NOISE;
  while (low < high) {
    const int64_t middle = (low + high) / 2;
    if (sorted[middle] < value)
      low = middle + 1;
    else
      high = middle;
  }
  return ((double)low + 0.5) / (NOISE + 1);
}

/* u [rows][features] */
static sl_status find_ranks(const sl__plot *plot, sl__arena *arena, double **out) {
  const int32_t features = sl_flow_features(plot->flow);
  const int64_t rows = plot->data->rows;
  double *z = sl__arena_take(arena, (size_t)rows, (size_t)features * sizeof *z);
  double *noise = sl__arena_take(arena, NOISE, (size_t)features * sizeof *noise);
  double *sorted = sl__arena_take(arena, NOISE, sizeof *sorted);
  *out = z;
  if (!z || !noise || !sorted) return SL_NO_MEMORY;
  const double *values;
  SL__TRY(sl__plot_spread(plot, arena, &values));
  const sl_array_in x = sl_in_f64(values, rows, plot->data->columns);
  const sl_array_out to = sl_out_f64(z, rows, features);
  const sl_array_out draws = sl_out_f64(noise, NOISE, features);
  SL__TRY(sl_flow_map(plot->context, plot->flow, SL_TO_BASE, -1, &x,
                      plot->data_condition.rows > 0 ? &plot->data_condition : NULL, &to, NULL));
  SL__TRY(sl_flow_noise(plot->context, plot->flow, plot->seed, &draws));
  for (int32_t f = 0; f < features; f++) {
    for (int64_t r = 0; r < NOISE; r++) sorted[r] = noise[r * features + f];
    qsort(sorted, NOISE, sizeof *sorted, ascending);
    for (int64_t r = 0; r < rows; r++) z[r * features + f] = rank_of(sorted, z[r * features + f]);
  }
  return SL_OK;
}

static const char band_name[] = "95 % of level bars end between";

/* Between which 95 % of the bars of a uniform would end: binomial counts, nearly normal. */
static void plot_band(sl__figure *figure, int64_t rows) {
  const double off = 1.96 * sqrt((BINS - 1) / (double)rows);
  const double band[] = {0, 1 - off, 1 + off, 1, 1 - off, 1 + off};
  const int block = sl__figure_block(figure, 2, 3, band);
  for (int column = 2; column <= 3; column++) {
    sl__figure_plot(figure, "$b%d using 1:%d with lines", block, column);
    sl__figure_line(figure, 1, 1.6);
    if (column == 2) sl__figure_named(figure, band_name);
  }
}

static void draw_feature(const sl__plot *plot, sl__figure *figure, const double *u, int32_t f,
                         sl__box box, bool first) {
  const int32_t features = sl_flow_features(plot->flow);
  const sl__numbers ranks = {plot->data->rows, u + f, features};
  double heights[BINS], most = 1.5;
  char name[40];
  snprintf(name, sizeof name, "base coordinate %d", (int)f + 1);
  sl__histogram(&ranks, (sl__range){0, 1}, BINS, heights);
  for (int b = 0; b < BINS; b++) most = fmax(most, heights[b]);
  sl__figure_panel(figure, box);
  sl__figure_axis(figure, "x", (sl__range){0, 1}, 5);
  sl__figure_axis(figure, "y", (sl__range){0, 1.25 * most}, 5);
  sl__figure_label(figure, "xlabel", name);
  if (first) {
    sl__figure_label(figure, "ylabel", "density of ranks");
    sl__figure_key_above(figure);
  }
  const int block =
      sl__figure_curve(figure, (sl__range){0.5 / BINS, 1 - 0.5 / BINS}, BINS, heights);
  sl__figure_add(figure, "set boxwidth 1 relative\n");
  sl__figure_plot(figure, "$b%d with boxes fs solid 1 border rgb '#7a8fb3' fc rgb '#cfd8e8'",
                  block);
  if (first) sl__figure_named(figure, plot->data->title);
  plot_band(figure, plot->data->rows);
  sl__figure_plot(figure, "1 with lines lc rgb '#333333' lw 1 dt 2");
}

static void draw_all(const sl__plot *plot, sl__figure *figure, const double *u) {
  const int32_t features = sl_flow_features(plot->flow);
  const int32_t panels = features < MOST_FEATURES ? features : MOST_FEATURES;
  const int32_t across = panels > 4 ? 3 : panels > 1 ? 2 : 1, down = (panels + across - 1) / across;
  const size_t title = strlen(plot->data->title), band = strlen(band_name);
  const double head = sl__figure_head(figure, 2, (int)(title > band ? title : band)) - 12;
  const double width = (figure->width - 20.0) / across, height = (figure->height - head) / down;
  for (int32_t f = 0; f < panels; f++) {
    const double left = 10 + (f % across) * width, bottom = (down - 1 - f / across) * height;
    const sl__box box = {left + 62, bottom + 66, left + width - 12, bottom + height - 12};
    draw_feature(plot, figure, u, f, box, f == 0);
  }
}

static sl_status draw(const sl__plot *plot, sl__figure *figure) {
  double *u;
  sl__arena arena;
  sl__arena_open(&arena, plot->context);
  const sl_status status = find_ranks(plot, &arena, &u);
  if (status == SL_OK) draw_all(plot, figure, u);
  sl__arena_close(&arena);
  return status;
}

static int64_t left_out(const sl__plot *plot) {
  const int32_t features = sl_flow_features(plot->flow);
  return features > MOST_FEATURES ? features - MOST_FEATURES : 0;
}

const sl__plot_kind sl__plot_kind_pit = {
    .name = "pit",
    .wants = SL__PLOT_WANTS_FLOW | SL__PLOT_WANTS_DATA,
    .width = 800,
    .height = 480,
    .draw = draw,
    .left_out = left_out,
};
