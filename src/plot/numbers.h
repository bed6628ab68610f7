/* The numbers behind figures: ranges, histograms, densities of samples, levels that hold a given
 * mass, contours. src/plot only. A grid over a range of n nodes has its first node at `low` and its
 * last at `high`; a plane's value at (column i, row j) stands at [j * n + i]. */
#ifndef SL_PLOT_NUMBERS_H
#define SL_PLOT_NUMBERS_H
#include "base/context.h"

typedef struct sl__range {
  double low, high;
} sl__range;

/* One quantity of many rows: row r at values[r * stride]. */
typedef struct sl__numbers {
  int64_t count;
  const double *values;
  int64_t stride;
} sl__numbers;

static inline double sl__node_at(sl__range range, int64_t i, int64_t nodes) {
  return range.low + (range.high - range.low) * (double)i / (double)(nodes - 1);
}

/* range.c: quantiles of what is finite, linear between order statistics; [wanted] probabilities. */
sl_status sl__quantiles(sl_context *context, const sl__numbers *x, int wanted,
                        const double *probabilities, double *out);
/* What holds all but the furthest hundredth, and some air, within the support; never empty. */
sl_status sl__central_range(sl_context *context, const sl__numbers *x, sl__range *out);
/* Between which values can lie at all, as far as they tell it: not below 0 where none is, and then
 * not above 1 where none is; infinite: no end is known. */
sl__range sl__bounds_of(const sl__numbers *x);
sl__range sl__join_ranges(sl__range a, sl__range b);
/* The distance of round marks, 1, 2 or 5 times a power of ten, of which at most `most` fit. */
double sl__mark_step(sl__range range, int most);

/* histogram.c: density [bins], whose sum times the width of a bin is the share of x in range. */
void sl__histogram(const sl__numbers *x, sl__range range, int bins, double *density);
/* How many bins show this many values without showing their noise. */
int sl__bins_for(int64_t count);

/* smooth.c: densities of samples by Gaussian kernels, none of them beyond the support. */
/* density [nodes] */
sl_status sl__smooth_line(sl_context *context, const sl__numbers *x, sl__range range, int nodes,
                          double *density);
/* density [nodes][nodes] */
sl_status sl__smooth_plane(sl_context *context, const sl__numbers *x, const sl__numbers *y,
                           sl__range range_x, sl__range range_y, int nodes, double *density);

/* mass.c: levels [count]: where density is above levels[k] lies the share shares[k] of all that
 * density [nodes] sums to. */
sl_status sl__mass_levels(sl_context *context, int64_t nodes, const double *density, int count,
                          const double *shares, double *levels);

/* contour.c: closed curves, the larger before those inside it. */
typedef struct sl__loop {
  int64_t first, points; /* in the arrays of sl__loops */
  double area;           /* positive where the inside is above the level */
  int level;             /* index */
} sl__loop;
typedef struct sl__loops {
  int64_t count, points;
  sl__loop *loop;
  double *xy; /* [points][2] */
  sl__arena arena;
} sl__loops;
/* Of density [nodes][nodes] at levels [count] above 0. What is above a level at the rim is closed
 * along it. Close the result in any case. */
sl_status sl__contours(sl_context *context, int nodes, const double *density, sl__range x,
                       sl__range y, int count, const double *levels, sl__loops *out);
void sl__loops_close(sl__loops *loops);
#endif
