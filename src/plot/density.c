/* A density of one or two quantities: of a flow or target exactly, of samples smoothed; with the rows
 * themselves over it and, in the plane, each axis's own density at the side. */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include "plot/figure.h"

static int32_t dim_of(const sl__plot *plot) {
  if (plot->flow) return sl_flow_dim(plot->flow);
  return plot->target ? plot->target->dim : plot->sets[0].columns;
}

static const char *name_of(const sl__plot *plot, int32_t i) {
  if (plot->flow) return sl_flow_column_name(plot->flow, i);
  return plot->target ? plot->target->names[i] : plot->sets[0].names[i];
}

static bool is_exact(const sl__plot *plot) {
  return plot->flow || plot->target;
}

static sl_status find_ranges(const sl__plot *plot, sl__range *ranges) {
  const int32_t dim = dim_of(plot);
  if (dim > 2 && plot->target && !plot->flow)
    return sl__fail(plot->context, SL_UNSUPPORTED,
                    "a density of %d coordinates cannot be drawn directly; draw from it with "
                    "`sluice nuts` or fit it with `sluice vi`, and plot that",
                    (int)dim);
  if (dim > 2)
    return sl__fail(plot->context, SL_UNSUPPORTED,
                    "a density of %d columns cannot be drawn at once; choose one or two with "
                    "--columns, or --kind corner",
                    (int)dim);
  SL__TRY(plot->target && !plot->flow ? sl__target_ranges(plot, ranges)
                                      : sl__set_ranges(plot, dim, ranges));
  for (int32_t i = 0; i < dim; i++) {
    const sl__plot_end *ends = plot->ends[i];
    if (is_exact(plot) && ends[0].set && ends[1].set) /* known wherever one looks */
      ranges[i] = (sl__range){ends[0].value, ends[1].value};
    else
      SL__TRY(sl__figure_window(plot, i, ranges[i], &ranges[i]));
  }
  return SL_OK;
}

/* ---- one quantity ---- */

/* The exact density, or that of set s, at the nodes of a line. */
static sl_status line_of(const sl__plot *plot, int s, sl__range range, double *density) {
  if (s > 0 || !is_exact(plot)) {
    const sl__numbers x = sl__set_column(&plot->sets[s], 0);
    return sl__smooth_line(plot->context, &x, range, SL__LINE_NODES, density);
  }
  double points[SL__LINE_NODES];
  for (int i = 0; i < SL__LINE_NODES; i++) points[i] = sl__node_at(range, i, SL__LINE_NODES);
  return sl__exact_density(plot, SL__LINE_NODES, points, density);
}

static double most_of(int count, const double *values) {
  double most = 0;
  for (int i = 0; i < count; i++)
    if (isfinite(values[i])) most = fmax(most, values[i]);
  return most;
}

/* Bars of the rows that the curve is held against: the data, or the samples themselves. */
static double plot_bars(const sl__plot *plot, sl__figure *figure, sl__range range) {
  if (plot->set_count == 0 || (plot->flow && !plot->data)) return 0;
  const sl__plot_set *set = plot->data ? plot->data : &plot->sets[0];
  const sl__numbers x = sl__set_column(set, 0);
  double heights[64];
  const int bins = sl__bins_for(set->rows);
  const double half = 0.5 * (range.high - range.low) / bins;
  sl__histogram(&x, range, bins, heights);
  const int block =
      sl__figure_curve(figure, (sl__range){range.low + half, range.high - half}, bins, heights);
  sl__figure_plot(figure, "$b%d with boxes fs solid 0.6 noborder lc rgb '#c9cdd4'", block);
  char name[160];
  snprintf(name, sizeof name, "%.140s, histogram", set->title);
  sl__figure_named(figure, name);
  return most_of(bins, heights);
}

static const char *curve_name(const sl__plot *plot, int s) {
  if (s == 0 && plot->target && !plot->flow) return plot->target->title;
  return s == 0 && plot->flow && plot->data ? "the flow" : plot->sets[s].title;
}

static sl_status draw_line(const sl__plot *plot, sl__figure *figure, sl__range range) {
  const int curves = plot->flow || plot->set_count == 0 ? 1 : plot->set_count;
  double density[SL__LINE_NODES], most;
  sl__figure_panel(figure, sl__figure_whole(figure));
  sl__figure_axis(figure, "x", range, 8);
  sl__figure_label(figure, "xlabel", name_of(plot, 0));
  const bool shape = plot->target && !plot->flow && isnan(plot->target->log_evidence);
  sl__figure_label(figure, "ylabel", shape ? "density, the largest being 1" : "density");
  sl__figure_key_aside(figure);
  sl__figure_add(figure, "set boxwidth 1 relative\n");
  most = plot_bars(plot, figure, range);
  for (int s = 0; s < curves; s++) {
    SL__TRY(line_of(plot, s, range, density));
    most = fmax(most, most_of(SL__LINE_NODES, density));
    const int block = sl__figure_curve(figure, range, SL__LINE_NODES, density);
    sl__figure_plot(figure, "$b%d with lines", block);
    sl__figure_line(figure, s, 2);
    if (curves > 1 || plot->data) sl__figure_named(figure, curve_name(plot, s));
  }
  sl__range heights = {0, most > 0 ? 1.08 * most : 1};
  SL__TRY(sl__figure_window(plot, 1, heights, &heights));
  sl__figure_axis(figure, "y", heights, 6);
  return SL_OK;
}

/* ---- two ---- */

/* Where the parts of the figure stand. */
typedef struct places {
  sl__box middle, above, beside, key;
} places;

static places lay_out(const sl__figure *figure, double head) {
  const double side = 80, key = 76, gap = 6, left = 80, bottom = 62;
  const double right = figure->width - key - side - gap, top = figure->height - head - side - gap;
  return (places){
      .middle = {left, bottom, right, top},
      .above = {left, top + gap, right, top + gap + side},
      .beside = {right + gap, bottom, right + gap + side, top},
      .key = {right + gap + side + 16, bottom, right + gap + side + 32, top - 10},
  };
}

static sl_status plane_of(const sl__plot *plot, sl__arena *arena, int s, const sl__range *ranges,
                          sl__plane *out) {
  if (s == 0 && is_exact(plot)) return sl__exact_plane(plot, arena, ranges, out);
  return sl__sample_plane(plot, arena, &plot->sets[s], 0, 1, ranges, SL__PLANE_NODES, out);
}

/* The integral of a plane over the other axis: along x (axis 0) or y. line [nodes] */
static void integrate(const sl__plane *plane, int axis, double *line) {
  const int nodes = plane->nodes;
  const sl__range over = axis == 0 ? plane->y : plane->x;
  const double step = (over.high - over.low) / (nodes - 1);
  for (int i = 0; i < nodes; i++) {
    line[i] = 0;
    for (int j = 0; j < nodes; j++)
      line[i] += step * plane->density[axis == 0 ? j * nodes + i : i * nodes + j];
  }
}

/* Dots that are seen on dark and light. */
static void plot_dots(const sl__plot *plot, sl__figure *figure) {
  const sl__plot_set *set = plot->data ? plot->data : &plot->sets[0];
  const sl__numbers x = sl__set_column(set, 0), y = sl__set_column(set, 1);
  const int block = sl__figure_dots(figure, &x, &y);
  if (sl__figure_is_text(figure)) {
    sl__figure_plot(figure, "$b%d with dots lt 2", block);
    return;
  }
  sl__figure_plot(figure, "$b%d with points pt 7 ps 0.42 lc rgb '#50000000'", block);
  sl__figure_plot(figure, "$b%d with points pt 7 ps 0.26 lc rgb '#ffffff'", block);
}

/* Sets that are drawn as outlines over the bands of the first. */
static int others_of(const sl__plot *plot) {
  return plot->flow || plot->set_count < 2 ? 0 : plot->set_count - 1;
}

/* In the key stand the outlines, or else the dots. */
static int names_of(const sl__plot *plot) {
  const int others = others_of(plot);
  return others > 0 ? others : plot->set_count > 0;
}

static void key_name(const sl__plot *plot, int i, char name[160]) {
  const sl__plot_set *set = plot->data ? plot->data : &plot->sets[0];
  const long long rows = (long long)set->rows;
  if (others_of(plot) > 0)
    snprintf(name, 160, "%.120s, 50 %% and 90 %% of it", plot->sets[i + 1].title);
  else if (rows > SL__PLOT_DOTS)
    snprintf(name, 160, "%.100s, %d of %lld rows", set->title, SL__PLOT_DOTS, rows);
  else
    snprintf(name, 160, "%.100s, %lld rows", set->title, rows);
}

static double head_of(const sl__plot *plot, const sl__figure *figure) {
  const int names = names_of(plot);
  size_t longest = 0;
  for (int i = 0; i < names; i++) {
    char name[160];
    key_name(plot, i, name);
    if (strlen(name) > longest) longest = strlen(name);
  }
  return sl__figure_head(figure, names, (int)longest);
}

static void add_key(const sl__plot *plot, sl__figure *figure) {
  sl__figure_key_above(figure);
  for (int i = 0; i < names_of(plot); i++) {
    char name[160];
    key_name(plot, i, name);
    if (others_of(plot) > 0) {
      sl__figure_plot(figure, "NaN with lines");
      sl__figure_black_line(figure, i + 1, 1.6);
    } else {
      sl__figure_plot(figure, "NaN with points pt 6 ps 0.5 lc rgb '#000000'");
    }
    sl__figure_named(figure, name);
  }
}

static sl_status draw_middle(const sl__plot *plot, sl__figure *figure, const sl__plane *plane,
                             const sl__range *ranges) {
  static const double shares[] = {0.9, 0.5};
  sl__arena arena;
  sl_status status = sl__figure_bands(plot->context, figure, plane);
  sl__arena_open(&arena, plot->context);
  const int others = others_of(plot);
  for (int s = 1; s <= others && status == SL_OK; s++) {
    sl__plane other;
    status = sl__sample_plane(plot, &arena, &plot->sets[s], 0, 1, ranges, SL__PLANE_NODES, &other);
    if (status == SL_OK)
      status = sl__figure_outlines_over(plot->context, figure, &other, 2, shares, s);
  }
  sl__arena_close(&arena);
  if (status == SL_OK && plot->set_count > 0 && others == 0) plot_dots(plot, figure);
  if (!sl__figure_is_text(figure)) add_key(plot, figure);
  return status;
}

/* Values of one axis; NaN where that of the other axis is outside the plane, which the curve at the
 * side leaves out too. */
static sl_status column_within(const sl__plot_set *set, sl__arena *arena, int axis,
                               const sl__plane *plane, sl__numbers *out) {
  const sl__range other = axis == 0 ? plane->y : plane->x;
  double *values = sl__arena_take(arena, (size_t)set->rows, sizeof *values);
  if (!values) return SL_NO_MEMORY;
  for (int64_t r = 0; r < set->rows; r++) {
    const double *row = set->values + r * set->columns, at = row[1 - axis];
    values[r] = at >= other.low && at <= other.high ? row[axis] : (double)NAN;
  }
  *out = (sl__numbers){set->rows, values, 1};
  return SL_OK;
}

/* A side's panel: the plane's own curve, and a histogram of the rows. */
static sl_status draw_side(const sl__plot *plot, sl__figure *figure, sl__arena *arena, sl__box box,
                           int axis, const sl__plane *plane) {
  const sl__range range = axis == 0 ? plane->x : plane->y;
  double line[SL__PLANE_NODES], heights[64], most;
  int bars = 0;
  integrate(plane, axis, line);
  most = most_of(plane->nodes, line);
  sl__figure_panel(figure, box);
  sl__figure_add(figure, "unset border\n");
  if (plot->set_count > 0) {
    const sl__plot_set *set = plot->data ? plot->data : &plot->sets[0];
    sl__numbers x;
    SL__TRY(column_within(set, arena, axis, plane, &x));
    const int bins = sl__bins_for(set->rows);
    const double half = 0.5 * (range.high - range.low) / bins;
    sl__histogram(&x, range, bins, heights);
    most = fmax(most, most_of(bins, heights));
    bars =
        sl__figure_curve(figure, (sl__range){range.low + half, range.high - half}, bins, heights);
    sl__figure_add(figure, "half = ");
    sl__figure_real(figure, half);
    sl__figure_add(figure, "\n");
  }
  sl__figure_axis(figure, "x", axis == 0 ? range : (sl__range){0, 1.05 * most}, 0);
  sl__figure_axis(figure, "y", axis == 0 ? (sl__range){0, 1.05 * most} : range, 0);
  const char *how = axis == 0 ? "1:($2/2):(half):($2/2)" : "($2/2):1:($2/2):(half)";
  if (bars)
    sl__figure_plot(figure, "$b%d using %s with boxxyerror fs solid 0.6 noborder lc rgb '#c9cdd4'",
                    bars, how);
  const int block = sl__figure_curve(figure, range, plane->nodes, line);
  sl__figure_plot(figure, "$b%d using %s with lines", block, axis == 0 ? "1:2" : "2:1");
  sl__figure_line(figure, 0, 1.6);
  return SL_OK;
}

static sl_status draw_plane(const sl__plot *plot, sl__figure *figure, const sl__range *ranges) {
  const places p = lay_out(figure, head_of(plot, figure));
  sl__arena arena;
  sl__plane plane;
  sl__arena_open(&arena, plot->context);
  sl_status status = plane_of(plot, &arena, 0, ranges, &plane);
  if (status == SL_OK) {
    sl__figure_panel(figure, p.middle);
    sl__figure_axis(figure, "x", ranges[0], 7);
    sl__figure_axis(figure, "y", ranges[1], 7);
    sl__figure_label(figure, "xlabel", name_of(plot, 0));
    sl__figure_label(figure, "ylabel", name_of(plot, 1));
    status = draw_middle(plot, figure, &plane, ranges);
  }
  if (status == SL_OK) status = draw_side(plot, figure, &arena, p.above, 0, &plane);
  if (status == SL_OK) status = draw_side(plot, figure, &arena, p.beside, 1, &plane);
  if (status == SL_OK) sl__figure_band_key(figure, p.key);
  sl__arena_close(&arena);
  return status;
}

static sl_status draw(const sl__plot *plot, sl__figure *figure) {
  sl__range ranges[2];
  SL__TRY(find_ranges(plot, ranges));
  return dim_of(plot) == 1 ? draw_line(plot, figure, ranges[0]) : draw_plane(plot, figure, ranges);
}

/* ---- the grid as numbers ---- */

static sl_status numbers(const sl__plot *plot, sl__arena *arena, sl__plot_set *out) {
  sl__range ranges[2];
  SL__TRY(find_ranges(plot, ranges));
  const int32_t dim = dim_of(plot);
  const int nodes = dim == 1 ? SL__LINE_NODES : SL__PLANE_NODES;
  const int64_t rows = dim == 1 ? nodes : (int64_t)nodes * nodes;
  double line[SL__LINE_NODES];
  const double *density = line;
  if (dim == 1) {
    SL__TRY(line_of(plot, 0, ranges[0], line));
  } else {
    sl__plane plane;
    SL__TRY(plane_of(plot, arena, 0, ranges, &plane));
    density = plane.density;
  }
  double *values = sl__arena_take(arena, (size_t)rows, (size_t)(dim + 1) * sizeof *values);
  const char **names = sl__arena_take(arena, 3, sizeof *names);
  if (!values || !names) return SL_NO_MEMORY;
  for (int64_t r = 0; r < rows; r++) {
    double *row = values + r * (dim + 1);
    row[0] = sl__node_at(ranges[0], r % nodes, nodes);
    if (dim == 2) row[1] = sl__node_at(ranges[1], r / nodes, nodes);
    row[dim] = density[r];
  }
  for (int32_t i = 0; i < dim; i++) names[i] = name_of(plot, i);
  names[dim] = "density";
  *out = (sl__plot_set){.rows = rows, .columns = dim + 1, .values = values, .names = names};
  return SL_OK;
}

const sl__plot_kind sl__plot_kind_density = {
    .name = "density",
    .wants = SL__PLOT_ONE_PANEL | SL__PLOT_OF_COLUMNS,
    .width = 800,
    .height = 700,
    .draw = draw,
    .numbers = numbers,
};
