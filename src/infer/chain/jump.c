/* Independent standard normal proposals, by Metropolis and Hastings. */
#include "infer/chain/walker.h"
#include <math.h>
#include <string.h>

void sl__walker_start_jump(const sl__sampler *s, sl__walker *w) {
  const sl__random_key key = {s->options->seed, SL__STREAM_MIX, (uint32_t)w->number};
  const uint64_t row = (uint64_t)w->iteration * (uint64_t)s->options->jumps + (uint64_t)w->jumps;
  for (int32_t i = 0; i < w->nuts.dim; i++)
    w->candidate[i] = sl__random_normal(key, row, (uint32_t)i);
  w->phase = SL__WALKER_JUMP;
  w->nuts.wanted = w->candidate;
}

sl_status sl__walker_take_jump(sl__sampler *s, sl__walker *w, double value,
                               const double *gradient) {
  sl__nuts_point *here = &w->nuts.here;
  const int32_t dim = w->nuts.dim;
  double log_ratio = value - here->value; /* of target over proposal, there against here */
  for (int32_t i = 0; i < dim; i++)
    log_ratio += 0.5 * (w->candidate[i] * w->candidate[i] - here->q[i] * here->q[i]);
  const bool usable = isfinite(value) && sl__find_bad(dim, gradient) < 0;
  const bool taken = log(sl__nuts_chance(&w->nuts)) < log_ratio && usable;
  const bool counts = w->iteration >= s->options->warmup;
  s->report->gradients++;
  s->report->jumps += counts;
  s->report->jumps_taken += counts && taken;
  if (taken) {
    /* the energy that is reported is of the transition before it, moved by the same amount */
    here->energy += here->value - value;
    here->value = value;
    memcpy(here->q, w->candidate, (size_t)dim * sizeof *here->q);
    memcpy(here->gradient, gradient, (size_t)dim * sizeof *here->gradient);
  }
  if (++w->jumps < s->options->jumps) {
    sl__walker_start_jump(s, w);
    return SL_OK;
  }
  return sl__walker_end_transition(s, w);
}
