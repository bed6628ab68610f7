/* The robust mode: explore, attempt after attempt, keep the best. */
#include "infer/robust/robust.h"
#include <math.h>
#include "base/os.h"
#include "infer/robust/attempt.h"

void sl__robust_defaults(sl__robust_options *options) {
  *options = (sl__robust_options){.judge = 20000};
}

/* A certified fit is better than one that is not; then the smaller gap counts. Where modes are
 * apart, of gaps that are about as good as the least, the better shares count, which cost hardly
 * any gap. As the least, not as each other: from one to the next the gap would grow. */
bool sl__robust_is_better(const sl__robust_report *a, const sl__robust_report *b,
                          double least_gap) {
  if (a->certified != b->certified) return a->certified;
  const double gap = sl__robust_gap(a), other = sl__robust_gap(b);
  if (a->modes_confirmed && a->dim > SL__FEW &&
      fmax(gap, other) < least_gap + sl__robust_goal(a->dim) && isfinite(a->own_mean_gap) &&
      isfinite(b->own_mean_gap))
    return a->own_mean_gap < b->own_mean_gap;
  return gap < other;
}

/* anew: gaps so far are of worse attempts, or of another exploration. */
static void note_gap(sl__robust *run, const sl__robust_report *now, bool anew) {
  if (anew) run->least_gap = INFINITY;
  if (anew || now->certified == run->report->certified)
    run->least_gap = fmin(run->least_gap, sl__robust_gap(now));
}

/* The attempt's numbers into the whole's, which keeps its counts. */
static void adopt(sl__robust_report *whole, const sl__robust_report *now) {
  sl__robust_report next = *now;
  next.steps = whole->steps;
  next.rolled_back = whole->rolled_back;
  next.gradient_evaluations = whole->gradient_evaluations;
  next.evaluations = whole->evaluations;
  next.attempts = whole->attempts;
  *whole = next;
}

/* By another, better exploration: what was found out by the old one counts no more. */
static sl_status judge_anew(sl__robust *run, const sl__model *model, sl__robust_report *now) {
  sl__robust_note_exploration(run->exploration, run->report);
  sl__robust_note_exploration(run->exploration, now);
  SL__TRY(sl__robust_judge(run, model, now));
  sl__robust_verdict(now);
  return SL_OK;
}

/* One attempt; it becomes *best if it is better, and goes into *last. */
static sl_status attempt(sl__robust *run, const sl__plan_of_attempt *plan, sl__model **last,
                         sl__model **best) {
  sl__model *model;
  SL__TRY(sl__robust_start(run, plan, *last, &model));
  if (*last != *best) sl__model_free(run->context, *last);
  *last = model;
  const sl_status improved = sl__robust_improve(run, plan, model);
  if (improved != SL_OK && improved != SL_STOPPED) return improved;
  sl__robust_report now = *run->report;
  now.history = run->history;
  now.loss_average = run->loss_average;
  SL__TRY(sl__robust_judge(run, model, &now));
  sl__robust_verdict(&now);
  bool adopted;
  SL__TRY(sl__robust_walk(run, model, &now, &adopted));
  if (adopted) SL__TRY(judge_anew(run, model, &now));
  if (run->report->attempts++ == 0) run->first_gap = sl__robust_gap(&now);
  note_gap(run, &now, !*best || adopted || (now.certified && !run->report->certified));
  if (!*best || adopted || sl__robust_is_better(&now, run->report, run->least_gap)) {
    if (*best) sl__model_free(run->context, *best);
    *best = model;
    adopt(run->report, &now);
  }
  return improved;
}

/* In few dimensions a third attempt takes longer than all before it, and gains little; but of a flow
 * that was given it begins anew. */
enum { settling_attempt = 2 };

/* No flow mends the exploration: what stands against that is no reason to try another. */
static bool good_enough(const sl__robust *run) {
  char text[600];
  const int32_t dim = run->exploration->dim;
  const bool chosen = !run->options->formula;
  const bool settles = chosen && dim <= SL__FEW && run->attempt >= settling_attempt;
  const double most = settles ? sl__robust_allowance(dim) : sl__robust_goal(dim);
  return !sl__robust_shares_mendable(run) &&
         !sl__robust_object_to_flow(run->report, text, sizeof text) &&
         sl__robust_gap(run->report) <= most;
}

static sl_status climb(sl__robust *run, sl__model **best) {
  sl__model *last = NULL;
  sl_status status = SL_OK;
  sl__plan_of_attempt plan;
  while (status == SL_OK && sl__robust_plan(run, run->attempt, &plan)) {
    run->attempt++;
    status = attempt(run, &plan, &last, best);
    if (status == SL_OK && run->stopped)
      status = sl__fail(run->context, SL_STOPPED, "stopped after attempt %d", run->attempt);
    if (status == SL_OK && (good_enough(run) || sl__robust_is_spent(run))) break;
  }
  if (last != *best) sl__model_free(run->context, last);
  return status;
}

void sl__robust_note_exploration(const sl__exploration *e, sl__robust_report *report) {
  report->tempered = e->tempered_complete ? e->smc.log_evidence : (double)NAN;
  report->tempered_se = e->tempered_complete ? e->smc.log_evidence_se : (double)NAN;
  report->rhat = e->rhat;
  report->divergences = e->divergences;
  report->tempered_complete = e->tempered_complete;
  report->chains_agree = e->chains_agree;
  report->modes_confirmed = e->modes_confirmed;
  report->exploration_cut = e->cut;
  report->dim = e->dim;
  report->effective = e->effective;
  report->tempered_accept = e->smc.accept;
  report->chain_draws = e->chains.rows;
  report->climbs = e->climbs;
  report->particles = e->led;
  report->chains = e->chain_count;
}

static bool show_exploring(void *user, int64_t step, int64_t steps) {
  return sl__robust_tell(user, SL__ROBUST_EXPLORE, step, steps, (double)NAN);
}

static sl_status explore(sl__robust *run, sl__arena *arena) {
  const sl__robust_options *options = run->options;
  const bool timed = options->max_seconds > 0;
  const sl__explore_options how = {
      .seed = options->seed,
      .most_gradients = options->most_gradients > 0 ? options->most_gradients / 2 + 1 : 0,
      .end = timed ? run->started + options->max_seconds / 2 : INFINITY,
      .progress = show_exploring,
      .user = run};
  const sl_status status = sl__explore(run->context, run->target, &how, arena, run->exploration);
  if (status == SL_STOPPED)
    return sl__fail(run->context, SL_STOPPED, "stopped while exploring, before any fit");
  if (status != SL_OK) return status;
  sl__robust_note_exploration(run->exploration, run->report);
  run->report->gradient_evaluations += run->exploration->gradients;
  run->type = sl__robust_type(run->exploration);
  SL__TRY(sl__robust_widen(run->context, run->target, arena, run->exploration));
  run->report->evaluations += run->exploration->values;
  SL__TRY(sl__robust_find_drivers(run));
  SL__TRY(sl__robust_find_heavy(run));
  return sl__robust_fastest_wave(run->context, run->exploration, &run->fastest);
}

/* A formula that cannot be is refused before minutes are spent on exploring. */
static sl_status check_formula(sl_context *context, const sl__target *target,
                               const sl__robust_options *options) {
  sl__model *model;
  if (!options->formula) return SL_OK;
  SL__TRY(sl__model_new(context, options->formula, options->base, target->dim, 0, SL_F32,
                        options->seed, &model));
  sl__model_free(context, model);
  return SL_OK;
}

sl_status sl__robust_fit(sl_context *context, const sl__target *target,
                         const sl__robust_options *options, sl__model **out,
                         sl__robust_report *report) {
  sl__arena arena;
  sl__exploration exploration;
  *out = NULL;
  *report = (sl__robust_report){.loss_average = (double)NAN,
                                .flow_given = options->formula != NULL,
                                .base_given = options->base != NULL};
  sl__robust run = {.context = context,
                    .target = target,
                    .options = options,
                    .exploration = &exploration,
                    .arena = &arena,
                    .report = report,
                    .started = sl__os_seconds()};
  SL__TRY(sl__vi_check_target(context, target));
  SL__TRY(check_formula(context, target, options));
  sl__arena_open(&arena, context);
  sl_status status = sl__robust_check_proper(&run);
  if (status == SL_OK) status = explore(&run, &arena);
  if (status == SL_OK) status = climb(&run, out);
  sl__vi_say_skipped(context, run.not_finite);
  if (*out) {
    report->chosen = (*out)->flow->formula;
    sl_status named = sl__model_name_columns(*out, target->names, NULL);
    if (named == SL_OK) named = sl__model_set_target(*out, target->origin);
    if (named == SL_OK) named = sl__robust_record(&run, report, *out);
    if (status == SL_OK) status = named;
  }
  report->seconds = sl__os_seconds() - run.started;
  sl__arena_close(&arena);
  return status;
}
