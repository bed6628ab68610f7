/* Each parameter's draws, chain by chain: their densities, and their course. Chains that agree lie
 * over each other. */
#include <math.h>
#include "plot/chains.h"

enum { MOST_POINTS = 1000 };

static sl_status draw_densities(const sl__plot *plot, sl__figure *figure, sl__box box, int32_t c,
                                sl__range range) {
  const sl__plot_set *set = &plot->sets[0];
  double density[SL__LINE_NODES], most = 0;
  sl__figure_panel(figure, box);
  for (int64_t chain = 0; chain < set->chains; chain++) {
    const sl__numbers x = sl__chain_column(set, chain, c);
    SL__TRY(sl__smooth_line(plot->context, &x, range, SL__LINE_NODES, density));
    for (int i = 0; i < SL__LINE_NODES; i++) most = fmax(most, density[i]);
    sl__figure_plot(figure, "$b%d with lines",
                    sl__figure_curve(figure, range, SL__LINE_NODES, density));
    sl__figure_line(figure, (int)(chain % SL__SERIES_COLOURS), 1.3);
  }
  sl__figure_axis(figure, "x", range, 5);
  sl__figure_axis(figure, "y", (sl__range){0, most > 0 ? 1.08 * most : 1}, 0);
  sl__figure_label(figure, "ylabel", set->names[c]);
  return SL_OK;
}

/* What is furthest off is what a course is looked at for. */
static sl_status course_range(const sl__plot *plot, const sl__numbers *x, sl__range *out) {
  static const double all[] = {0, 1};
  double ends[2];
  SL__TRY(sl__quantiles(plot->context, x, 2, all, ends));
  const double air = 0.03 * (ends[1] - ends[0]);
  if (isfinite(air)) *out = sl__join_ranges(*out, (sl__range){ends[0] - air, ends[1] + air});
  return SL_OK;
}

static void draw_course(const sl__plot *plot, sl__figure *figure, sl__box box, int32_t c,
                        sl__range range, bool last) {
  const sl__plot_set *set = &plot->sets[0];
  const int64_t draws = set->rows / set->chains;
  const int64_t points = draws < MOST_POINTS ? draws : MOST_POINTS;
  sl__figure_panel(figure, box);
  sl__figure_axis(figure, "x", (sl__range){0, (double)draws}, 6);
  sl__figure_axis(figure, "y", range, 4);
  if (last) sl__figure_label(figure, "xlabel", "draw");
  for (int64_t chain = 0; chain < set->chains; chain++) {
    const sl__numbers x = sl__chain_column(set, chain, c);
    sl__figure_add(figure, "$b%d << EOD\n", ++figure->blocks);
    for (int64_t p = 0; p < points; p++) {
      const int64_t at = p * draws / points;
      sl__figure_add(figure, "%lld ", (long long)at + 1);
      sl__figure_real(figure, x.values[at * x.stride]);
      sl__figure_add(figure, "\n");
    }
    sl__figure_add(figure, "EOD\n");
    sl__figure_plot(figure, "$b%d with lines lw 0.5 lc rgb '%s'", figure->blocks,
                    sl__series_colour((int)(chain % SL__SERIES_COLOURS)));
  }
}

static sl_status draw(const sl__plot *plot, sl__figure *figure) {
  const sl__plot_set *set = &plot->sets[0];
  const int32_t rows = sl__shown_parameters(set);
  const double middle = 0.36 * figure->width;
  for (int32_t c = 0; c < rows; c++) {
    const sl__numbers x = sl__set_column(set, c);
    sl__range range;
    SL__TRY(sl__central_range(plot->context, &x, &range));
    SL__TRY(draw_densities(plot, figure, sl__row_box(figure, rows, c, 44, middle - 20), c, range));
    SL__TRY(course_range(plot, &x, &range));
    draw_course(plot, figure, sl__row_box(figure, rows, c, middle + 34, figure->width - 20.0), c,
                range, c == rows - 1);
  }
  return SL_OK;
}

const sl__plot_kind sl__plot_kind_trace = {
    .name = "trace",
    .wants = SL__PLOT_WANTS_CHAINS | SL__PLOT_OF_COLUMNS,
    .width = 800,
    .height = 800,
    .draw = draw,
    .left_out = sl__traces_left_out,
};
