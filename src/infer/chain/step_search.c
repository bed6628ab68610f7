/* The step size to begin with: doubled or halved until acceptance crosses 0.8 (Hoffman and Gelman
 * 2014, algorithm 4). */
#include "infer/chain/walker.h"
#include <math.h>

void sl__walker_start_step_search(sl__walker *w) {
  w->phase = SL__WALKER_STEP_SEARCH;
  w->direction = 0;
  sl__nuts_probe(&w->nuts);
}

sl_status sl__walker_take_probe(sl__sampler *s, sl__walker *w, double value,
                                const double *gradient) {
  sl__nuts_give(&w->nuts, value, gradient);
  s->report->gradients++;
  const bool accepted = w->nuts.first_energy - w->nuts.moving.energy > log(0.8);
  if (w->direction == 0) {
    w->direction = accepted ? 1 : -1;
  } else if (accepted != (w->direction > 0)) {
    sl__step_size_restart(&w->warmup.step, w->nuts.step_size);
    sl__walker_start_transition(w);
    return SL_OK;
  }
  w->nuts.step_size *= w->direction > 0 ? 2 : 0.5;
  if (w->nuts.step_size > 1e7)
    return sl__fail(s->context, SL_NUMERIC,
                    "chain %d: steps of 1e7 and more are all accepted: the density does not fall "
                    "off, it has no finite integral; give every parameter a proper prior",
                    w->number + 1);
  if (w->nuts.step_size < 1e-300)
    return sl__fail(s->context, SL_NUMERIC,
                    "chain %d: no step is small enough: the density or its gradient is not "
                    "continuous at its first point",
                    w->number + 1);
  sl__nuts_probe(&w->nuts);
  return SL_OK;
}
