/* What parameters are worth to a run: the loss of its own terms, over draws that no step has seen. */
#include <math.h>
#include "infer/vi/engine.h"

enum {
  DRAWS = 1000,
  FEWEST_LOSSES = 10,
  STREAMS = 64 << 22 /* behind those of terms and of the judge */
};

/* The loss of one step's draws, moving nothing. */
static sl_status loss_of(sl__vi *vi, double *loss) {
  *loss = 0;
  for (int t = 0; t < vi->work_count; t++) {
    sl__vi_work *work = &vi->work[t];
    if (work->term.weight == 0) continue;
    work->stream += STREAMS;
    const sl_status status = sl__vi_work_run(vi, work);
    work->stream -= STREAMS;
    SL__TRY(status);
    *loss += work->term.weight * work->loss;
    if (!isfinite(*loss)) return SL_OK;
  }
  return SL_OK;
}

/* So many that the term of fewest draws has DRAWS of them. */
static int64_t losses_wanted(const sl__vi *vi) {
  int64_t fewest = DRAWS / FEWEST_LOSSES;
  for (int t = 0; t < vi->work_count; t++)
    if (vi->work[t].term.weight != 0 && vi->work[t].term.samples < fewest)
      fewest = vi->work[t].term.samples;
  return (DRAWS + fewest - 1) / fewest;
}

sl_status sl__vi_score_of(sl__vi *vi, const char *parameters, sl__vi_score *score) {
  char *const weights = vi->weights;
  const int64_t step = vi->step, count = losses_wanted(vi);
  sl_status status = SL_OK;
  double sum = 0;
  *score = (sl__vi_score){0};
  vi->weights = (char *)(uintptr_t)parameters; /* is only read */
  for (vi->step = 0; vi->step < count && status == SL_OK; vi->step++) {
    double loss = 0;
    status = loss_of(vi, &loss);
    if (isfinite(loss))
      sum += loss;
    else
      score->lost++;
  }
  vi->weights = weights;
  vi->step = step;
  score->mean = sum / (double)(count - score->lost);
  return status;
}
