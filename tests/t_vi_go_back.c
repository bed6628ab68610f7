/* A run that was thrown off goes back to where it had been good, optimiser's memory and all, and
 * one that only wavers does not; nor does it go back to a place that was bad already, or to the
 * same one for ever. Without the rule the run is Adam as PyMC3 has it, step by step. */
#include <math.h>
#include "infer/vi/engine.h"
#include "vi_fixture.h"

static double around; /* momentum around the optimiser */

typedef struct run {
  sl_context *context;
  sl__target *target;
  vi_flow f;
  sl__vi_term term;
  sl__vi *vi;
} run;

/* A flow that has arrived, as far as its rate lets it. */
static bool open(run *r, bool go_back) {
  sl__vi_options options;
  bool finished;
  r->context = vi_context(1);
  r->target = vi_target(r->context, 1, vi_standard_normal);
  r->f = vi_make_flow(r->context, "scale-loc", 1);
  sl__vi_defaults(&options, &r->term);
  options.steps = 1000000;
  options.rate = 0.01;
  options.apply_momentum = around;
  options.go_back = go_back;
  return CHECK_OK(r->context,
                  sl__vi_new(r->context, r->f.flow, r->f.vector, r->target, &options, &r->vi)) &&
         CHECK_OK(r->context, sl__vi_run(r->vi, 1000, &finished));
}

static void close_all(run *r) {
  sl__vi_free(r->vi);
  vi_free_flow(r->context, &r->f);
  sl__target_free(r->target);
  sl_context_free(r->context);
}

/* Moves every parameter by so much, and runs to the next look at the mean loss. */
static void throw_off(run *r, double by) {
  bool finished;
  double *weights = (double *)r->vi->weights;
  for (int64_t i = 0; i < r->f.flow->size; i++) weights[i] += by;
  CHECK_OK(r->context, sl__vi_run(r->vi, SL__VI_SNAPSHOT_STEPS, &finished));
}

static void goes_back(void) {
  run r;
  if (!open(&r, true)) return;
  const double least = r.vi->snapshots.least;
  CHECK_INTEGER(r.vi->restored, 0);
  throw_off(&r, 20);
  CHECK_INTEGER(r.vi->restored, 1);
  CHECK_CLOSE(r.vi->rate_factor, 0.5, 1e-3);
  CHECK_CLOSE(r.vi->snapshots.least, least, 0);
  CHECK_INTEGER(r.vi->updates, r.vi->snapshots.best.updates);
  CHECK(r.vi->updates <= 1000 - SL__VI_SNAPSHOT_STEPS);
  CHECK(memcmp(r.vi->weights, r.vi->snapshots.best.weights,
               (size_t)r.f.flow->size * sizeof(double)) == 0);
  for (int k = 0; k < r.vi->state_count; k++)
    CHECK(memcmp(r.vi->states[k], r.vi->snapshots.best.states[k],
                 (size_t)r.f.flow->size * sizeof(double)) == 0);
  bool finished;
  CHECK_OK(r.context, sl__vi_run(r.vi, 2 * SL__VI_SNAPSHOT_STEPS, &finished));
  CHECK_INTEGER(r.vi->restored, 1);
  CHECK_CLOSE(r.vi->loss, least, 0.3);
  close_all(&r);
}

TEST(a_run_thrown_off_goes_back) {
  goes_back();
}

/* The velocity is memory too. */
TEST(a_run_with_momentum_around_it_goes_back) {
  around = 0.5;
  goes_back();
  around = 0;
}

TEST(a_run_that_wavers_goes_on) {
  run r;
  if (!open(&r, true)) return;
  throw_off(&r, 0.01);
  CHECK_INTEGER(r.vi->restored, 0);
  CHECK_CLOSE(r.vi->rate_factor, 1, 0);
  close_all(&r);
}

/* The last move of a window throws the run off: all the window's losses are good. */
TEST(the_end_of_a_good_window_may_be_bad) {
  run r;
  bool finished;
  if (!open(&r, true)) return;
  r.vi->snapshots.least = 1e3; /* this window will be the best */
  CHECK_OK(r.context, sl__vi_run(r.vi, SL__VI_SNAPSHOT_STEPS - 1, &finished));
  sl__vi_set_rate(r.vi, 1e4);
  CHECK_OK(r.context, sl__vi_step(r.vi));
  sl__vi_set_rate(r.vi, 0.01);
  const double least = r.vi->snapshots.least;
  CHECK(least < 1e3);
  CHECK_OK(r.context, sl__vi_run(r.vi, 1, &finished));
  CHECK(r.vi->loss > least + 100);
  CHECK_OK(r.context, sl__vi_run(r.vi, 3 * SL__VI_SNAPSHOT_STEPS, &finished));
  CHECK_INTEGER(r.vi->restored, 1);
  CHECK_CLOSE(r.vi->loss, least, 0.3);
  close_all(&r);
}

/* A mean loss that is never seen again. Returns after 1, 3, 7, 15, 31 and 63 windows. */
TEST(it_goes_back_to_one_place_more_and_more_seldom) {
  run r;
  bool finished;
  if (!open(&r, true)) return;
  r.vi->snapshots.least = -1e6;
  CHECK_OK(r.context, sl__vi_run(r.vi, 62 * SL__VI_SNAPSHOT_STEPS, &finished));
  CHECK_INTEGER(r.vi->restored, 5);
  CHECK_OK(r.context, sl__vi_run(r.vi, 2 * SL__VI_SNAPSHOT_STEPS, &finished));
  CHECK_INTEGER(r.vi->restored, 6);
  CHECK(r.vi->rate_factor > 1.0 / 64);
  close_all(&r);
}

/* ---- what is kept of a run that is thrown off shortly before its end ---- */

typedef struct thrower {
  int64_t at;
  double by;
} thrower;

static bool throw_at(void *user, const sl__vi_progress *now) {
  const thrower *own = user;
  double *weights = (double *)(uintptr_t)now->parameters;
  for (int64_t i = 0; now->step == own->at && i < now->flow->size; i++) weights[i] += own->by;
  return true;
}

/* The ELBO of what is kept after 1,050 steps; 0 would be the best. */
static double kept_elbo(bool go_back, thrower own, int64_t *restored) {
  sl_context *context = vi_context(1);
  sl__target *target = vi_target(context, 1, vi_standard_normal);
  vi_flow f = vi_make_flow(context, "scale-loc", 1);
  sl__vi_term term;
  sl__vi_options options;
  sl__vi_report report;
  sl__vi_scores scores;
  sl__vi_defaults(&options, &term);
  options.steps = 1050;
  options.rate = 0.01;
  options.go_back = go_back;
  options.progress = throw_at;
  options.user = &own;
  CHECK_OK(context, sl__vi_fit(context, f.flow, f.vector, target, &options, &report));
  CHECK_OK(context,
           sl__vi_evaluate(context, f.flow, f.vector, target, 1000, 1, NULL, NULL, &scores));
  *restored = report.restored;
  vi_free_flow(context, &f);
  sl__target_free(target);
  sl_context_free(context);
  return scores.elbo - 0.5 * log(2 * 3.14159265358979323846);
}

TEST(what_is_kept_is_not_thrown_off) {
  int64_t restored;
  CHECK(kept_elbo(false, (thrower){1040, 20}, &restored) < -100);
  CHECK_INTEGER(restored, 0);
  CHECK_CLOSE(kept_elbo(true, (thrower){1040, 20}, &restored), 0, 0.05);
  CHECK_INTEGER(restored, 1);
  CHECK_CLOSE(kept_elbo(true, (thrower){1040, 0}, &restored), 0, 0.05);
  CHECK_INTEGER(restored, 0);
}

/* ---- what a place is worth, and what is kept at the end ---- */

/* A fit that starts `far` from the target, with its losses. */
static bool open_far(run *r, double far, double rate, double *losses) {
  sl__vi_options options;
  r->context = vi_context(1);
  r->target = vi_target(r->context, 1, vi_standard_normal);
  r->f = vi_make_flow(r->context, "loc", 1);
  r->f.vector[0] = far;
  sl__vi_defaults(&options, &r->term);
  options.rate = rate;
  options.go_back = true;
  options.losses = losses;
  return CHECK_OK(r->context,
                  sl__vi_new(r->context, r->f.flow, r->f.vector, r->target, &options, &r->vi));
}

static double mean_of(const double *losses) {
  double sum = 0;
  for (int i = 0; i < SL__VI_SNAPSHOT_STEPS; i++) sum += losses[i];
  return sum / SL__VI_SNAPSHOT_STEPS;
}

/* Downhill all the time: no place at first, and then one of what led to it. */
TEST(a_steep_window_does_not_speak_for_its_start) {
  static double losses[10000];
  run r;
  bool finished;
  if (!open_far(&r, 1000, 1, losses)) return;
  const sl__vi_snapshots *s = &r.vi->snapshots;
  CHECK_OK(r.context, sl__vi_run(r.vi, SL__VI_SNAPSHOT_STEPS, &finished));
  CHECK(s->least == INFINITY);
  CHECK_OK(r.context, sl__vi_run(r.vi, SL__VI_SNAPSHOT_STEPS, &finished));
  CHECK_CLOSE(s->least, mean_of(losses), 1e-6);
  CHECK(losses[SL__VI_SNAPSHOT_STEPS] <= s->least);
  CHECK_CLOSE(((const double *)s->best.weights)[0], 1000 - SL__VI_SNAPSHOT_STEPS, 1);
  /* on the ground a place is worth what begins there */
  CHECK_OK(r.context, sl__vi_run(r.vi, 9800, &finished));
  double least = INFINITY;
  for (int i = 2; i < 100; i++) least = fmin(least, mean_of(losses + i * SL__VI_SNAPSHOT_STEPS));
  CHECK_CLOSE(s->least, least, 1e-9);
  CHECK_INTEGER(r.vi->restored, 0);
  close_all(&r);
}

/* The start is 800 above what a short run ends at, however much its last losses rise. */
TEST(a_poor_end_is_better_than_the_start) {
  run r;
  bool finished;
  if (!open_far(&r, 40, 1, NULL)) return;
  CHECK_OK(r.context, sl__vi_run(r.vi, SL__VI_SNAPSHOT_STEPS, &finished));
  ((double *)r.vi->weights)[0] = 39.5;
  sl__vi_set_rate(r.vi, 1e-9);
  CHECK_OK(r.context, sl__vi_run(r.vi, SL__VI_SNAPSHOT_STEPS / 2, &finished));
  CHECK(r.vi->loss > 700);
  const double end = ((const double *)r.vi->weights)[0];
  CHECK_OK(r.context, sl__vi_settle(r.vi));
  CHECK_INTEGER(r.vi->restored, 0);
  CHECK_CLOSE(((const double *)r.vi->weights)[0], end, 0);
  CHECK(isnan(r.vi->loss_kept));
  close_all(&r);
}

/* Means mislead here in both ways; E of (x + m)^2/2 - entropy is (m^2 - log 2 pi)/2. */
TEST(fresh_draws_decide_at_the_end) {
  run r;
  bool finished;
  if (!open_far(&r, 0, 1e-9, NULL)) return;
  CHECK_OK(r.context, sl__vi_run(r.vi, 200, &finished));
  sl__vi_snapshots *s = &r.vi->snapshots;
  double *best = (double *)s->best.weights, *end = (double *)r.vi->weights;
  const int64_t step = r.vi->step;
  s->least = -100; /* of a place that is worse than it is said to be */
  best[0] = 2;
  end[0] = 1;
  CHECK_OK(r.context, sl__vi_settle(r.vi));
  CHECK_INTEGER(r.vi->restored, 0);
  CHECK_CLOSE(end[0], 1, 0);
  best[0] = 0.9; /* so little that other draws for each would hide it now and then */
  CHECK_OK(r.context, sl__vi_settle(r.vi));
  CHECK_INTEGER(r.vi->restored, 1);
  CHECK_INTEGER(r.vi->step, step);
  CHECK_CLOSE(end[0], 0.9, 0);
  CHECK_CLOSE(r.vi->loss_kept, 0.5 * (0.81 - log(2 * 3.14159265358979323846)), 0.1);
  sl__vi_report report;
  sl__vi_report_of(r.vi, &report);
  CHECK_CLOSE(report.loss_kept, r.vi->loss_kept, 0);
  CHECK_CLOSE(report.loss_average, -0.5 * log(2 * 3.14159265358979323846), 0.1);
  close_all(&r);
}

TEST(unless_asked_it_does_not) {
  run r;
  if (!open(&r, false)) return;
  throw_off(&r, 20);
  CHECK_INTEGER(r.vi->restored, 0);
  CHECK(r.vi->snapshots.best.states[0] == NULL);
  close_all(&r);
}

/* ---- Adam in plain C, moved by the gradients that the run shows ---- */

enum { MOST_PARAMETERS = 4 };
typedef struct adam {
  int64_t size, steps;
  double at[MOST_PARAMETERS], first[MOST_PARAMETERS], second[MOST_PARAMETERS];
  double rate, worst; /* worst: largest difference from the run's own parameters so far */
} adam;

static bool follow(void *user, const sl__vi_progress *now) {
  adam *own = user;
  const double *gradient = now->gradient, *parameters = now->parameters;
  const double beta1 = 0.9, beta2 = 0.999, t = (double)++own->steps;
  const double step = own->rate * sqrt(1 - pow(beta2, t)) / (1 - pow(beta1, t));
  for (int64_t i = 0; i < own->size; i++) {
    own->first[i] = beta1 * own->first[i] + (1 - beta1) * gradient[i];
    own->second[i] = beta2 * own->second[i] + (1 - beta2) * gradient[i] * gradient[i];
    own->at[i] -= step * own->first[i] / (sqrt(own->second[i]) + 1e-8);
    own->worst = fmax(own->worst, fabs(own->at[i] - parameters[i]));
  }
  return true;
}

/* The difference between the run and Adam after 600 steps, in the midst of which both are thrown
 * far off. */
static double differs_from_adam(bool go_back, int64_t *restored) {
  sl_context *context = vi_context(1);
  sl__target *target = vi_target(context, 1, vi_standard_normal);
  vi_flow f = vi_make_flow(context, "scale-loc", 1);
  adam own = {.size = f.flow->size, .rate = 0.01};
  sl__vi_term term;
  sl__vi_options options;
  sl__vi *vi;
  bool finished;
  sl__vi_defaults(&options, &term);
  options.rate = own.rate;
  options.go_back = go_back;
  options.progress = follow;
  options.user = &own;
  CHECK(own.size <= MOST_PARAMETERS);
  memcpy(own.at, f.vector, (size_t)own.size * sizeof *own.at);
  if (!CHECK_OK(context, sl__vi_new(context, f.flow, f.vector, target, &options, &vi)))
    return INFINITY;
  CHECK_OK(context, sl__vi_run(vi, 300, &finished));
  for (int64_t i = 0; i < own.size; i++) {
    own.at[i] += 20;
    ((double *)vi->weights)[i] += 20;
  }
  CHECK_OK(context, sl__vi_run(vi, 300, &finished));
  *restored = vi->restored;
  sl__vi_free(vi);
  vi_free_flow(context, &f);
  sl__target_free(target);
  sl_context_free(context);
  return own.worst;
}

TEST(off_it_is_adam) {
  int64_t restored;
  CHECK_CLOSE(differs_from_adam(false, &restored), 0, 1e-10);
  CHECK_INTEGER(restored, 0);
  CHECK(differs_from_adam(true, &restored) > 1);
  CHECK(restored > 0);
}
