/* Where chains are compared: those that went astray are moved (regroup.h), and acceptance is raised if
 * the warm-up diverges often. */
#include "infer/chain/walker.h"
#include <math.h>
#include <string.h>

enum { transitions_per_divergence = 100 };

static void join_other(sl__walker *w, const sl__walker *other) {
  const size_t size = (size_t)w->nuts.dim * sizeof *w->nuts.here.q;
  memcpy(w->nuts.here.q, other->nuts.here.q, size);
  memcpy(w->nuts.here.gradient, other->nuts.here.gradient, size);
  w->nuts.here.value = other->nuts.here.value;
  w->nuts.step_size = other->nuts.step_size;
  sl__warmup_adopt(&w->warmup, &other->warmup);
}

/* Often: more than once in so many transitions since the last meeting. */
static void watch_divergences(sl__sampler *s) {
  const sl__sampler_options *options = s->options;
  const int64_t part = sl__warmup_between_meetings(options);
  const bool often = s->warm_divergences * transitions_per_divergence > part * options->chains;
  s->warm_divergences = 0;
  if (!often || s->walkers[0].iteration == part) return;
  s->report->adapt_delta = fmax(options->adapt_delta, options->careful_delta);
  for (int32_t i = 0; i < options->chains; i++)
    s->walkers[i].warmup.step.delta = s->report->adapt_delta;
}

/* All chains have come to the same iteration. */
void sl__sampler_hold_meeting(sl__sampler *s) {
  const int32_t chains = s->options->chains;
  watch_divergences(s);
  for (int32_t i = 0; i < chains; i++) s->log_mass[i] = sl__visit_log_mass(&s->walkers[i].visit);
  sl__regroup(chains, s->target->dim, s->log_mass, s->donor);
  for (int32_t i = 0; i < chains; i++) {
    if (s->donor[i] != i) {
      join_other(&s->walkers[i], &s->walkers[s->donor[i]]);
      s->report->regrouped++;
    }
    sl__walker_start_transition(&s->walkers[i]);
  }
  s->meeting = 0;
}
