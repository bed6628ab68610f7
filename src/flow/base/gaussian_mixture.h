/* What gaussian_mixture.c and its start from data (gaussian_mixture_start.c) share. */
#ifndef SL_FLOW_BASE_GAUSSIAN_MIXTURE_H
#define SL_FLOW_BASE_GAUSSIAN_MIXTURE_H
#include "flow/base/parts.h"

typedef struct sl__gaussian_mixture {
  int32_t count;
  int logits;           /* parameter [count]: of the weights */
  int means;            /* [count, dim] */
  int log_diagonals;    /* [count, dim] */
  int started;          /* [1], not trained: whether look has been here */
  int below;            /* [count, dim (dim - 1) / 2], or -1: diagonal covariances */
  const int32_t *index; /* of sl__factor */
} sl__gaussian_mixture;

/* sl__kind.look: writes weights, means and scales that rows of z suggest. */
sl_status sl__gaussian_mixture_look(sl_context *context, const sl__layer *layer, void *vector,
                                    int64_t rows, const double *values, bool first);
#endif
