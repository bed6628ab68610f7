/* What the baselines share: the Gaussian mixture as a linear map of quadratic features (mixture.c
 * says why), and its start. */
#ifndef SL_INFER_BASELINE_H
#define SL_INFER_BASELINE_H
#include "infer/infer.h"

static const double sl__log_two_pi = 1.83787706640934548356;

/* Memory and shapes for mixtures of up to max_components over rows of dim numbers. */
typedef struct sl__mixture_room {
  const sl__kernels *kernels;
  int32_t dim, max_components;
  int64_t features;   /* 1 + dim + dim (dim + 1) / 2 */
  int64_t lead;       /* features rounded up to whole vectors */
  double *sums;       /* [shards][max_components][lead] */
  double *likelihood; /* [shards] */
  double *blocks;     /* [workers][block_size] */
  int64_t block_size;
  char *scratch; /* [workers][scratch_size] */
  size_t scratch_size;
  double *matrices; /* [4][dim][dim]: work of the M step */
} sl__mixture_room;
sl_status sl__mixture_room_open(sl_context *context, sl__arena *arena, int32_t dim,
                                int32_t max_components, sl__mixture_room *room);

/* log (weight_k density_k(y)) = sum_f coefficients[k][f] feature_f(y) */
typedef struct sl__mixture {
  int32_t components;
  double *coefficients; /* [components][lead] */
} sl__mixture;

/* One pass over data [rows][dim]: the mean log density of a row; with log_density [rows], each
 * row's; with `collect`, the responsibilities' sums of features into room->sums for the M step.
 * labels [rows]: take these components instead of the mixture's own responsibilities; or NULL. */
double sl__mixture_pass(sl_context *context, sl__mixture_room *room, const sl__mixture *mixture,
                        int64_t rows, const double *data, const int32_t *labels, bool collect,
                        double *log_density);
/* The M step from the sums of the last pass; ridge is added to every variance. */
sl_status sl__mixture_maximise(sl_context *context, sl__mixture_room *room, sl__mixture *mixture,
                               int64_t rows, double ridge);
/* labels [rows]: the nearest of `components` centres from k-means++ and a few of Lloyd's steps.
 * centres [components][dim] and distances [rows] are work space. */
void sl__mixture_start(sl__random_key key, int32_t components, int64_t rows, int32_t dim,
                       const double *data, int32_t *labels, double *centres, double *distances);
#endif
