/* Where chains wait for each other: those that went astray are moved (regroup.h), acceptance is
 * raised if the warm-up diverges often or shows a neck, and in the end it is decided how many
 * trajectories make a draw (mixing.h), and tried whether chains can move (trial.c). */
#include "infer/chain/walker.h"
#include <math.h>
#include <string.h>

/* Oftener than once in so many transitions since the last meeting is often; and a draw of more than
 * so many trajectories is many. */
enum {
  transitions_per_divergence = 100,
  careful_transitions_per_divergence = 400,
  few_trajectories = 2
};

static void join_other(sl__walker *w, const sl__walker *other) {
  const size_t size = (size_t)w->nuts.dim * sizeof *w->nuts.here.q;
  memcpy(w->nuts.here.q, other->nuts.here.q, size);
  memcpy(w->nuts.here.gradient, other->nuts.here.gradient, size);
  w->nuts.here.value = other->nuts.here.value;
  w->nuts.step_size = other->nuts.step_size;
  sl__warmup_adopt(&w->warmup, &other->warmup);
}

static void raise_acceptance(sl__sampler *s, double delta) {
  s->report->adapt_delta = delta;
  for (int32_t i = 0; i < s->options->chains; i++) s->walkers[i].warmup.step.delta = delta;
}

/* Late in the warm-up a step size would hardly leave what it was averaged from so far. */
static void average_steps_anew(sl__sampler *s) {
  for (int32_t i = 0; i < s->options->chains; i++) {
    sl__step_size *step = &s->walkers[i].warmup.step;
    sl__step_size_restart(step, 0.1 * sl__step_size_final(step));
  }
}

static int32_t wanted_trajectories(const sl__sampler *s) {
  return sl__mixing_trajectories(
      sl__mixing_time(s->options->chains, &s->walkers[0].mixing, sizeof *s->walkers));
}

/* Steps that are learned grow short in a neck of the density and lead out of it: the warm-up hardly
 * diverges there, while the draws, whose step is fixed, may stay in it for long. But where chains
 * mix slowly besides, as they do where one parameter says how wide others are, a single divergence
 * is no chance. */
static bool is_neck(const sl__sampler *s, int64_t divergences) {
  return divergences > 0 && wanted_trajectories(s) > few_trajectories;
}

static void watch_divergences(sl__sampler *s) {
  const sl__sampler_options *options = s->options;
  const int64_t part = sl__warmup_between_meetings(options), made = part * options->chains;
  const int64_t divergences = s->warm_divergences;
  const double delta = s->report->adapt_delta;
  s->warm_divergences = 0;
  if (s->walkers[0].iteration == part) return; /* on the way from the first points */
  if (delta < options->careful_delta) {
    const bool often = divergences * transitions_per_divergence > made;
    if (!often && !is_neck(s, divergences)) return;
    raise_acceptance(s, options->careful_delta);
    if (!often) average_steps_anew(s);
  } else if (delta < options->strict_delta) {
    if (divergences * careful_transitions_per_divergence <= made) return;
    raise_acceptance(s, options->strict_delta);
    average_steps_anew(s);
  }
}

static void regroup(sl__sampler *s) {
  const int32_t chains = s->options->chains;
  for (int32_t i = 0; i < chains; i++) s->log_mass[i] = sl__visit_log_mass(&s->walkers[i].visit);
  sl__regroup(chains, s->target->dim, s->log_mass, s->donor);
  for (int32_t i = 0; i < chains; i++)
    if (s->donor[i] != i) {
      join_other(&s->walkers[i], &s->walkers[s->donor[i]]);
      s->report->regrouped++;
    }
}

/* Who thins has said already how far apart draws are to be; and jumps mix chains that
 * trajectories do not. */
static void choose_trajectories(sl__sampler *s) {
  const sl__sampler_options *options = s->options;
  if (options->trajectories > 0 || options->thin > 1 || options->jumps > 0) return;
  s->report->trajectories = wanted_trajectories(s);
}

/* All chains have come to the same iteration. */
void sl__sampler_hold_meeting(sl__sampler *s) {
  const int64_t iteration = s->walkers[0].iteration;
  if (iteration == s->options->warmup)
    choose_trajectories(s);
  else
    watch_divergences(s);
  if (sl__warmup_is_regrouping(s->options, iteration)) regroup(s);
  /* Jumps lead out of any place. */
  const bool is_trial = iteration == s->options->warmup && s->options->jumps == 0;
  for (int32_t i = 0; i < s->options->chains; i++)
    if (is_trial)
      sl__walker_start_trial(&s->walkers[i]);
    else
      sl__walker_start_transition(&s->walkers[i]);
  s->meeting = 0;
}
