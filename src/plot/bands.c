/* A density in the plane as filled bands: the smallest regions that hold 99, 95, 90, .. 10 % of its
 * mass, the densest the lightest. So a peaked density shows its tails as well as its peak, and the
 * colours say how much lies inside. */
#include <math.h>
#include "plot/figure.h"

/* From the outside in. */
static const double shares[SL__BANDS] = {0.99, 0.95, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1};

static uint32_t band_colour(int band) { /* -1: outside all */
  return sl__palette((double)(band + 1) / SL__BANDS);
}

static int add_loops(sl__figure *figure, const sl__loops *loops) {
  sl__figure_add(figure, "$b%d << EOD\n", ++figure->blocks);
  for (int64_t l = 0; l < loops->count; l++) {
    const sl__loop *loop = &loops->loop[l];
    for (int64_t p = 0; p <= loop->points; p++) {
      const double *xy = loops->xy + 2 * (loop->first + p % loop->points);
      sl__figure_real(figure, xy[0]);
      sl__figure_add(figure, " ");
      sl__figure_real(figure, xy[1]);
      sl__figure_add(figure, "\n");
    }
    sl__figure_add(figure, "\n\n");
  }
  sl__figure_add(figure, "EOD\n");
  return figure->blocks;
}

/* block: of their points, a loop after another. */
static sl_status find_loops(sl_context *context, sl__figure *figure, const sl__plane *plane,
                            int count, const double *wanted, sl__loops *loops, int *block) {
  double levels[SL__BANDS];
  *loops = (sl__loops){0};
  SL__TRY(sl__mass_levels(context, (int64_t)plane->nodes * plane->nodes, plane->density, count,
                          wanted, levels));
  for (int k = 0; k < count; k++) levels[k] = fmax(levels[k], 1e-300);
  SL__TRY(sl__contours(context, plane->nodes, plane->density, plane->x, plane->y, count, levels,
                       loops));
  *block = add_loops(figure, loops);
  return SL_OK;
}

/* Characters cannot be filled: there the curves themselves are drawn, of fewer bands. */
static void plot_curves(sl__figure *figure, const sl__loops *loops, int block) {
  for (int64_t l = 0; l < loops->count; l++)
    if (loops->loop[l].level % 4 == 2)
      sl__figure_plot(figure, "$b%d index %d with lines lt 1", block, (int)l);
}

static void plot_filled(sl__figure *figure, const sl__loops *loops, int block) {
  sl__figure_add(figure,
                 "set object rectangle from graph 0,0 to graph 1,1 behind fs solid noborder "
                 "fc rgb '#%06x'\n",
                 band_colour(-1));
  for (int64_t l = 0; l < loops->count; l++) {
    const sl__loop *loop = &loops->loop[l];
    sl__figure_plot(figure,
                    "$b%d index %d with filledcurves closed fs solid noborder fc rgb '#%06x'",
                    block, (int)l, band_colour(loop->area > 0 ? loop->level : loop->level - 1));
  }
}

sl_status sl__figure_bands(sl_context *context, sl__figure *figure, const sl__plane *plane) {
  sl__loops loops;
  int block;
  const sl_status status = find_loops(context, figure, plane, SL__BANDS, shares, &loops, &block);
  if (status == SL_OK && sl__figure_is_text(figure)) plot_curves(figure, &loops, block);
  if (status == SL_OK && !sl__figure_is_text(figure)) plot_filled(figure, &loops, block);
  sl__loops_close(&loops);
  return status;
}

sl_status sl__figure_regions(sl_context *context, sl__figure *figure, const sl__plane *plane,
                             int count, const double *wanted) {
  static const uint32_t outside = 0xffffff, tints[] = {0xdfe6f0, 0xa9bad4};
  enum { TINTS = sizeof tints / sizeof *tints };
  sl__loops loops;
  int block;
  const sl_status status = find_loops(context, figure, plane, count, wanted, &loops, &block);
  for (int64_t l = 0; status == SL_OK && l < loops.count; l++) {
    const int level = loops.loop[l].area > 0 ? loops.loop[l].level : loops.loop[l].level - 1;
    const uint32_t colour = level < 0 ? outside : tints[level < TINTS ? level : TINTS - 1];
    sl__figure_plot(figure,
                    "$b%d index %d with filledcurves closed fs solid noborder fc rgb '#%06x'",
                    block, (int)l, colour);
  }
  sl__loops_close(&loops);
  return status;
}

sl_status sl__figure_outlines(sl_context *context, sl__figure *figure, const sl__plane *plane,
                              int count, const double *wanted, int i) {
  sl__loops loops;
  int block;
  const sl_status status = find_loops(context, figure, plane, count, wanted, &loops, &block);
  for (int64_t l = 0; status == SL_OK && l < loops.count; l++) {
    sl__figure_plot(figure, "$b%d index %d with lines", block, (int)l);
    sl__figure_line(figure, i, loops.loop[l].level > 0 ? 1.8 : 1.2);
  }
  sl__loops_close(&loops);
  return status;
}

sl_status sl__figure_outlines_over(sl_context *context, sl__figure *figure, const sl__plane *plane,
                                   int count, const double *wanted, int i) {
  sl__loops loops;
  int block;
  const sl_status status = find_loops(context, figure, plane, count, wanted, &loops, &block);
  for (int rim = 1; rim >= 0; rim--)
    for (int64_t l = 0; status == SL_OK && l < loops.count; l++) {
      sl__figure_plot(figure, "$b%d index %d with lines", block, (int)l);
      if (rim && !sl__figure_is_text(figure))
        sl__text_add(&figure->clauses, " lc rgb '#ffffff' lw 3.4");
      else
        sl__figure_black_line(figure, i, 1.6);
    }
  sl__loops_close(&loops);
  return status;
}

void sl__figure_band_key(sl__figure *figure, sl__box box) {
  enum { LETTERS = 14 }; /* pixels that a number needs upwards */
  if (sl__figure_is_text(figure)) return;
  const int every = 1 + (int)(LETTERS * (SL__BANDS + 1) / fmax(box.top - box.bottom, 1));
  sl__figure_panel(figure, box);
  sl__figure_add(figure,
                 "unset border\nset xrange [0:1]\nset yrange [-1:%d]\nunset xtics\n"
                 "unset ytics\n",
                 SL__BANDS);
  for (int band = -1; band < SL__BANDS; band++) {
    sl__figure_add(figure,
                   "set object rectangle from 0,%d to 1,%d fs solid noborder fc rgb '#%06x'\n",
                   band, band + 1, band_colour(band));
    if (band >= 0 && band % every == 0)
      sl__figure_add(figure, "set label '%d%%' at 1.3,%d left font '%s'\n",
                     (int)(100 * shares[band] + 0.5), band,
                     sl__figure_font(figure, SL__FONT_SMALL));
  }
  sl__figure_add(figure, "set label 'mass inside' at 0.5,%d center offset 0,0.8 font '%s'\n",
                 SL__BANDS, sl__figure_font(figure, SL__FONT_SMALL));
}
