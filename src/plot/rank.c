/* Ranks of each chain's draws among the draws of all: level, if the chains agree (Vehtari et al. 2021,
 * arXiv:1903.08008, section 5.2). */
#include <math.h>
#include <stdlib.h>
#include "plot/chains.h"

enum { BINS = 20 };

typedef struct ranked {
  double value;
  int64_t row;
} ranked;

static int ascending(const void *a, const void *b) {
  const ranked *x = a, *y = b;
  if (x->value != y->value) return x->value < y->value ? -1 : 1;
  return (x->row > y->row) - (x->row < y->row);
}

/* heights [chains][BINS]: 1 is what each would be if chains agreed. */
static sl_status count_ranks(const sl__plot *plot, sl__arena *arena, int32_t c, double *heights) {
  const sl__plot_set *set = &plot->sets[0];
  const int64_t draws = set->rows / set->chains;
  ranked *order = sl__arena_take(arena, (size_t)set->rows, sizeof *order);
  if (!order) return SL_NO_MEMORY;
  for (int64_t r = 0; r < set->rows; r++) order[r] = (ranked){set->values[r * set->columns + c], r};
  qsort(order, (size_t)set->rows, sizeof *order, ascending);
  for (int64_t k = 0; k < set->chains * BINS; k++) heights[k] = 0;
  for (int64_t r = 0; r < set->rows; r++)
    heights[order[r].row / draws * BINS + r * BINS / set->rows] += (double)BINS / (double)draws;
  return SL_OK;
}

static void draw_parameter(const sl__plot *plot, sl__figure *figure, sl__box box, int32_t c,
                           bool last, const double *heights) {
  const sl__plot_set *set = &plot->sets[0];
  const double off = 1.96 * sqrt((BINS - 1) / (double)(set->rows / set->chains));
  const double band[] = {0, 1 - off, 1 + off, 1, 1 - off, 1 + off};
  double most = 1.5;
  for (int64_t k = 0; k < set->chains * BINS; k++) most = fmax(most, heights[k]);
  sl__figure_panel(figure, box);
  sl__figure_axis(figure, "x", (sl__range){0, 1}, 10);
  sl__figure_axis(figure, "y", (sl__range){0, 1.1 * most}, 3);
  sl__figure_label(figure, "ylabel", set->names[c]);
  if (last)
    sl__figure_label(figure, "xlabel",
                     "rank among all draws, as a share (grey: where 95 % of level bars end)");
  if (!sl__figure_is_text(figure))
    sl__figure_plot(figure,
                    "$b%d using 1:2:3 with filledcurves fs solid 0.3 noborder lc rgb '#b0b4bb'",
                    sl__figure_block(figure, 2, 3, band));
  for (int64_t chain = 0; chain < set->chains; chain++) {
    double steps[BINS + 1]; /* from each bin's left end, and the last to its right one */
    for (int b = 0; b <= BINS; b++) steps[b] = heights[chain * BINS + (b < BINS ? b : BINS - 1)];
    sl__figure_plot(figure, "$b%d with steps",
                    sl__figure_curve(figure, (sl__range){0, 1}, BINS + 1, steps));
    sl__figure_line(figure, (int)(chain % SL__SERIES_COLOURS), 1.4);
  }
}

static sl_status draw(const sl__plot *plot, sl__figure *figure) {
  const sl__plot_set *set = &plot->sets[0];
  const int32_t rows = sl__shown_parameters(set);
  if (set->rows / set->chains < BINS)
    return sl__fail(plot->context, SL_BAD_ARGUMENT,
                    "%lld draws of a chain do not fill %d bars of ranks; give %d or more",
                    (long long)(set->rows / set->chains), BINS, BINS);
  sl__arena arena;
  sl__arena_open(&arena, plot->context);
  double *heights = sl__arena_take(&arena, (size_t)set->chains, BINS * sizeof *heights);
  sl_status status = heights ? SL_OK : SL_NO_MEMORY;
  for (int32_t c = 0; c < rows && status == SL_OK; c++) {
    status = count_ranks(plot, &arena, c, heights);
    if (status == SL_OK)
      draw_parameter(plot, figure, sl__row_box(figure, rows, c, 70, figure->width - 20.0), c,
                     c == rows - 1, heights);
  }
  sl__arena_close(&arena);
  return status;
}

const sl__plot_kind sl__plot_kind_rank = {
    .name = "rank",
    .wants = SL__PLOT_WANTS_CHAINS | SL__PLOT_OF_COLUMNS,
    .width = 800,
    .height = 800,
    .draw = draw,
    .left_out = sl__traces_left_out,
};
