/* Whether a chain can leave the place where its warm-up ended.
 *
 * While steps are learned they vary, and a short one may take a chain into a neck of the density in
 * which every trajectory of the final, averaged step is refused: it would stand there in all its
 * draws. So before the first draw the final step is tried there, until one trajectory moves the
 * chain or many did not; then shorter steps take it elsewhere, and the final one is tried again. A
 * trial has random numbers of its own and is taken back: the draws of a chain that can move are the
 * same as without one, and of the others only the first point is changed. */
#include "infer/chain/walker.h"
#include <math.h>

/* A chain that is refused half the time passes but for one case in a thousand. */
enum { most_refusals = 10, trajectories_of_escape = 20, most_escapes = 8 };

void sl__walker_start_trial(sl__walker *w) {
  w->trial = (sl__trial){.step_size = w->nuts.step_size,
                         .key = w->nuts.key,
                         .draws_of_chance = w->nuts.draws_of_chance};
  w->nuts.key.step = UINT32_MAX - w->nuts.key.step; /* no chain has such a number */
  w->nuts.draws_of_chance = 0;
  w->phase = SL__WALKER_TRIAL;
  sl__nuts_begin(&w->nuts);
}

static void end_trial(sl__walker *w) {
  w->nuts.key = w->trial.key;
  w->nuts.draws_of_chance = w->trial.draws_of_chance;
  sl__walker_start_transition(w);
}

/* The transition left the point from which it came in the proposal of the whole. */
static void take_back(sl__nuts *nuts) {
  const sl__nuts_point there = nuts->here;
  nuts->here = nuts->whole.proposal;
  nuts->whole.proposal = there;
}

sl_status sl__walker_take_trial(sl__sampler *s, sl__walker *w, double value,
                                const double *gradient) {
  sl__trial *trial = &w->trial;
  s->report->gradients++;
  if (!sl__nuts_give(&w->nuts, value, gradient)) return SL_OK;
  trial->trajectories++;
  if (trial->is_escape) {
    if (trial->trajectories == trajectories_of_escape) {
      w->nuts.step_size = trial->step_size;
      trial->is_escape = false;
      trial->trajectories = 0;
    }
  } else if (w->nuts.moved) {
    take_back(&w->nuts);
    end_trial(w);
    return SL_OK;
  } else if (trial->trajectories == most_refusals) {
    if (trial->escapes++ == most_escapes) {
      end_trial(w); /* the verdict will name a chain that stands still */
      return SL_OK;
    }
    w->nuts.step_size = ldexp(trial->step_size, -trial->escapes);
    trial->is_escape = true;
    trial->trajectories = 0;
  }
  sl__nuts_begin(&w->nuts);
  return SL_OK;
}
