/* How far an exploration is, and whether it may go on. */
#include "infer/robust/limits.h"
#include <math.h>
#include "base/os.h"

enum { STEPS = 1000 }; /* that progress counts for a stage */

bool sl__limits_allow(sl__limits *l, double share, int64_t gradients) {
  const sl__explore_options *o = l->options;
  const int64_t step = l->stage * STEPS + (int64_t)(share * STEPS);
  if (o->progress && !o->progress(o->user, step, SL__EXPLORE_STAGES * STEPS)) return false;
  const bool spent = o->most_gradients > 0 && l->before + gradients >= o->most_gradients;
  if (!spent && !(o->end < INFINITY && sl__os_seconds() >= o->end)) return true;
  l->exploration->cut = true;
  return false;
}
