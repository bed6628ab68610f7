/* What the figures of chains share. src/plot only. */
#ifndef SL_PLOT_CHAINS_H
#define SL_PLOT_CHAINS_H
#include "plot/figure.h"

enum { SL__MOST_TRACES = 6 };

/* Parameter c of one chain. */
static inline sl__numbers sl__chain_column(const sl__plot_set *set, int64_t chain, int32_t c) {
  const int64_t draws = set->rows / set->chains;
  return (sl__numbers){draws, set->values + chain * draws * set->columns + c, set->columns};
}
/* Parameters that a figure with a row for each has room for. */
static inline int32_t sl__shown_parameters(const sl__plot_set *set) {
  return set->columns < SL__MOST_TRACES ? set->columns : SL__MOST_TRACES;
}
static inline int64_t sl__traces_left_out(const sl__plot *plot) {
  return plot->sets[0].columns - sl__shown_parameters(&plot->sets[0]);
}
/* Row i of so many, between left and right. */
static inline sl__box sl__row_box(const sl__figure *figure, int32_t rows, int32_t i, double left,
                                  double right) {
  const double height = (figure->height - 40.0 - 40.0) / rows;
  const double bottom = 40 + (rows - 1 - i) * height;
  return (sl__box){left, bottom + 24, right, bottom + height - 12};
}
#endif
