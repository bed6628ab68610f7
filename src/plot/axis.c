/* Axes: the part of a figure that is drawn, and its marks. gnuplot writes marks with six digits, which
 * are all the same for seconds since 1970 or Julian dates: such marks are named by their distances from
 * a round number. */
#include <math.h>
#include <stdio.h>
#include "base/text.h"
#include "plot/figure.h"

enum {
  X_LABEL = 101,
  Y_LABEL = 102
}; /* gnuplot's tags, so that each number stands once; of y, two */

sl_status sl__figure_window(const sl__plot *plot, int axis, sl__range own, sl__range *out) {
  const sl__plot_end *ends = plot->ends[axis];
  char asked[2][32] = {"", ""}, low[32], high[32];
  *out = (sl__range){ends[0].set ? ends[0].value : own.low, ends[1].set ? ends[1].value : own.high};
  if (!ends[0].set && !ends[1].set) return SL_OK;
  if (out->low < out->high && out->low < own.high && out->high > own.low) return SL_OK;
  for (int k = 0; k < 2; k++)
    if (ends[k].set) sl__format_real(asked[k], ends[k].value, SL_F64);
  sl__format_real(low, own.low, SL_F64);
  sl__format_real(high, own.high, SL_F64);
  return sl__fail(plot->context, SL_BAD_ARGUMENT,
                  "no %s lies within --%crange %s:%s; the data are from %s to %s",
                  axis == 0 ? "row" : "part of the figure", "xy"[axis], asked[0], asked[1], low,
                  high);
}

/* ---- marks ---- */

/* The round number in a range so far from 0 that six digits, or marks of a usual width, do not tell
 * its marks apart; 0: there is none. */
static double far_number(sl__range range, double step) {
  const double size = fmax(fabs(range.low), fabs(range.high)), width = range.high - range.low;
  const double digits = floor(log10(size)) - floor(log10(step)) + 1;
  if (!(digits > 6 || (digits > 4 && size >= 1e6))) return 0;
  const double power = ceil(log10(width)), by = pow(10, fabs(power));
  const double middle = 0.5 * range.low + 0.5 * range.high;
  return power < 0 ? round(middle * by) / by : round(middle / by) * by;
}

/* Marks up to `last`, named by their distances from the number, and the number itself. */
static void name_far_marks(sl__figure *figure, const char *axis, double number, double low,
                           double last, double step) {
  char text[32];
  const bool x = *axis == 'x';
  const double first = ceil((low - number) / step - 1e-9);
  sl__figure_add(figure, "set %stics nomirror out scale 0.6 (", axis);
  for (double k = first; number + k * step <= last + 1e-9 * step; k++) {
    const double off = k == 0 ? 0 : k * step; /* no -0 */
    sl__format_real(text, off, SL_F32);
    sl__figure_add(figure, "%s'%s%s' ", k > first ? "," : "", off > 0 ? "+" : "", text);
    sl__figure_real(figure, number + off);
  }
  sl__format_real(text, number, SL_F64);
  const char *font = sl__figure_font(figure, SL__FONT_SMALL);
  if (x)
    sl__figure_add(figure,
                   ")\nset label %d 'from %s' at graph 1,graph 0 right offset 0,-2.1 font '%s'\n",
                   X_LABEL, text, font);
  else
    sl__figure_add(figure,
                   ")\nset label %d 'from' at graph 0,graph 1 right offset -1,0.4 font '%s'\n"
                   "set label %d '%s' at graph 0,graph 1 right offset -1,-0.4 font '%s'\n",
                   Y_LABEL, font, Y_LABEL + 1, text, font);
}

static void set_range(sl__figure *figure, const char *axis, sl__range range) {
  if (!(range.low < range.high && isfinite(range.high - range.low))) {
    figure->unbounded = true;
    figure->bad = range;
  }
  sl__figure_add(figure, "set %srange [", axis);
  sl__figure_real(figure, range.low);
  sl__figure_add(figure, ":");
  sl__figure_real(figure, range.high);
  sl__figure_add(figure, "]\n");
}

void sl__figure_axis(sl__figure *figure, const char *axis, sl__range range, int most) {
  set_range(figure, axis, range);
  if (figure->unbounded) return;
  if (most == 0) {
    sl__figure_add(figure, "unset %stics\n", axis);
    return;
  }
  const double step = sl__mark_step(range, most), number = far_number(range, step);
  if (number != 0) {
    name_far_marks(figure, axis, number, range.low, range.high, step);
    return;
  }
  sl__figure_add(figure, "set %stics nomirror out scale 0.6 autofreq ", axis);
  sl__figure_real(figure, step);
  sl__figure_add(figure, "\n");
}

void sl__figure_axis_unnamed(sl__figure *figure, const char *axis, sl__range range, int most) {
  set_range(figure, axis, range);
  if (figure->unbounded) return;
  sl__figure_add(figure, "set %stics nomirror out scale 0.6 autofreq ", axis);
  sl__figure_real(figure, sl__mark_step(range, most));
  sl__figure_add(figure, "\nset format %s ''\n", axis);
}

void sl__figure_inner_marks(sl__figure *figure, const char *axis, sl__range range, int most) {
  static const double air = 0.1; /* of the range: half a mark's width */
  const double step = sl__mark_step(range, most), number = far_number(range, step);
  const double first = ceil(range.low / step) * step,
               end = range.high - air * (range.high - range.low);
  const double last = floor(end / step) * step;
  if (last < first) return;
  if (number != 0) {
    name_far_marks(figure, axis, number, range.low, end, step);
    return;
  }
  sl__figure_add(figure, "set %stics ", axis);
  const double numbers[] = {first, step, last + 0.01 * step};
  for (int k = 0; k < 3; k++) {
    sl__figure_add(figure, k > 0 ? "," : "");
    sl__figure_real(figure, numbers[k]);
  }
  sl__figure_add(figure, " nomirror out scale 0.6\n");
}
