/* The course of a loss through a fit, for a figure: bounded however long the fit is. */
#ifndef SL_INFER_LOSS_HISTORY_H
#define SL_INFER_LOSS_HISTORY_H
#include "base/text.h"

enum { SL__LOSS_POINTS = 512 };

/* Each point stands for the same number of values, which doubles whenever the points run out. All
 * zero is an empty history. */
typedef struct sl__loss_history {
  int64_t count;                 /* points */
  int64_t merges;                /* a point stands for 2 to the power of this many values */
  int64_t waiting;               /* values since the last point */
  double waiting_sum;            /* of their losses */
  double step[SL__LOSS_POINTS];  /* at which a point's last value came */
  double loss[SL__LOSS_POINTS];  /* mean over its values */
  double valid[SL__LOSS_POINTS]; /* of held-out rows, at the last of them; NaN: there are none */
} sl__loss_history;

void sl__loss_history_add(sl__loss_history *history, int64_t step, double loss, double valid);
/* The object "history": arrays step, loss and, where there are held-out rows, valid. */
void sl__loss_history_write(const sl__loss_history *history, sl__json *json);
#endif
