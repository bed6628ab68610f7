/* Every pair of columns in the plane, and each alone on the diagonal; several sets over each other.
 * Regions hold 50 and 90 % of the mass. */
#include <math.h>
#include <string.h>
#include "plot/figure.h"

enum { MOST_COLUMNS = 8, NODES = 96, CORNER_HEAD = 40 };
static const double shares[] = {0.9, 0.5};

static sl__box cell(const sl__figure *figure, double head, int32_t columns, int32_t row,
                    int32_t column) {
  const double left = 78, bottom = 62, gap = 7;
  const double width = (figure->width - left - 20) / columns;
  const double height = (figure->height - bottom - head) / columns;
  const double low = bottom + (columns - 1 - row) * height;
  return (sl__box){left + column * width, low, left + (column + 1) * width - gap,
                   low + height - gap};
}

static void mark_axis(sl__figure *figure, const char *axis, sl__range range, int marks,
                      const char *name) {
  if (!name) {
    sl__figure_axis_unnamed(figure, axis, range, marks);
    return;
  }
  sl__figure_axis(figure, axis, range, marks);
  sl__figure_inner_marks(figure, axis, range, marks);
  sl__figure_label(figure, *axis == 'x' ? "xlabel" : "ylabel", name);
}

/* Names of marks and axes only at the left and at the bottom of the whole. */
static void mark_cell(sl__figure *figure, const sl__plot_set *set, int32_t columns, int32_t row,
                      int32_t column, const sl__range *ranges) {
  const int marks = columns > 4 ? 4 : columns > 2 ? 5 : 7;
  if (columns > 2)
    sl__figure_add(figure, "set tics font '%s'\n", sl__figure_font(figure, SL__FONT_SMALL));
  mark_axis(figure, "x", ranges[column], marks, row == columns - 1 ? set->names[column] : NULL);
  if (row != column)
    mark_axis(figure, "y", ranges[row], marks, column == 0 ? set->names[row] : NULL);
}

static sl_status draw_alone(const sl__plot *plot, sl__figure *figure, int32_t column,
                            sl__range range) {
  double density[SL__LINE_NODES], most = 0;
  for (int s = 0; s < plot->set_count; s++) {
    const sl__numbers x = sl__set_column(&plot->sets[s], column);
    SL__TRY(sl__smooth_line(plot->context, &x, range, SL__LINE_NODES, density));
    for (int i = 0; i < SL__LINE_NODES; i++) most = fmax(most, density[i]);
    const int block = sl__figure_curve(figure, range, SL__LINE_NODES, density);
    sl__figure_plot(figure, "$b%d with lines", block);
    sl__figure_line(figure, s, 1.6);
  }
  sl__figure_axis(figure, "y", (sl__range){0, most > 0 ? 1.08 * most : 1}, 0);
  return SL_OK;
}

static sl_status draw_pair(const sl__plot *plot, sl__figure *figure, sl__arena *arena, int32_t row,
                           int32_t column, const sl__range *ranges) {
  const sl__range both[] = {ranges[column], ranges[row]};
  for (int s = 0; s < plot->set_count; s++) {
    sl__plane plane;
    SL__TRY(sl__sample_plane(plot, arena, &plot->sets[s], column, row, both, NODES, &plane));
    if (s == 0 && !sl__figure_is_text(figure))
      SL__TRY(sl__figure_regions(plot->context, figure, &plane, 2, shares));
    SL__TRY(sl__figure_outlines(plot->context, figure, &plane, 2, shares, s));
  }
  return SL_OK;
}

static const char regions[] = "regions hold 50 % and 90 %";

/* The room above the panels: none for a key that fits into the empty corner, or where there is no
 * pair. */
static double head_of(const sl__plot *plot, const sl__figure *figure) {
  size_t longest = strlen(regions);
  for (int s = 0; s < plot->set_count; s++)
    if (strlen(plot->sets[s].title) > longest) longest = strlen(plot->sets[s].title);
  const bool fits = (int)longest <= sl__figure_key_letters(0.5 * figure->width - 20);
  if (plot->sets[0].columns == 1 || fits) return CORNER_HEAD;
  return sl__figure_head(figure, plot->set_count + 1, (int)longest);
}

/* Which set is which. */
static void add_key(const sl__plot *plot, sl__figure *figure, double head) {
  sl__figure_panel(figure, (sl__box){figure->width * 0.6, figure->height * 0.62,
                                     figure->width - 20.0, figure->height - 44.0});
  sl__figure_add(figure, "unset border\nunset tics\nset xrange [0:1]\nset yrange [0:1]\n");
  if (head > CORNER_HEAD)
    sl__figure_key_above(figure);
  else
    sl__figure_key(figure, "top right");
  for (int s = 0; s < plot->set_count; s++) {
    sl__figure_plot(figure, "NaN with lines");
    sl__figure_line(figure, s, 2);
    sl__figure_named(figure, plot->sets[s].title);
  }
  sl__figure_plot(figure, "NaN with lines lc rgb '#ffffff'");
  sl__figure_named(figure, regions);
}

static sl_status draw(const sl__plot *plot, sl__figure *figure) {
  const int32_t columns = plot->sets[0].columns;
  sl__range ranges[MOST_COLUMNS];
  if (columns > MOST_COLUMNS)
    return sl__fail(plot->context, SL_BAD_ARGUMENT,
                    "a corner figure of %d columns would not be legible; choose at most %d with "
                    "--columns",
                    (int)columns, MOST_COLUMNS);
  SL__TRY(sl__set_ranges(plot, columns, ranges));
  const double head = head_of(plot, figure);
  sl__arena arena;
  sl_status status = SL_OK;
  sl__arena_open(&arena, plot->context);
  for (int32_t row = 0; row < columns && status == SL_OK; row++)
    for (int32_t column = 0; column <= row && status == SL_OK; column++) {
      sl__figure_panel(figure, cell(figure, head, columns, row, column));
      mark_cell(figure, &plot->sets[0], columns, row, column, ranges);
      status = row == column ? draw_alone(plot, figure, column, ranges[column])
                             : draw_pair(plot, figure, &arena, row, column, ranges);
    }
  if (columns > 1 && status == SL_OK) add_key(plot, figure, head);
  sl__arena_close(&arena);
  return status;
}

const sl__plot_kind sl__plot_kind_corner = {
    .name = "corner",
    .wants = SL__PLOT_WANTS_SETS | SL__PLOT_OF_COLUMNS,
    .width = 800,
    .height = 800,
    .draw = draw,
};
