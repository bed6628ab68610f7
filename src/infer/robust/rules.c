/* What stands against a certificate: the first of the rules that objects, and what to try. Each rule
 * is a function of the report alone, and each refuses by itself. */
#include "infer/robust/rules.h"
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include "infer/diagnose/diagnose.h"

/* Of q against what its weights make of it: sds, and the logarithm of a ratio of these. */
static const double most_own_mean = 0.15, most_own_sd = 0.14;
/* Where q needs no exploration to compare its moments with; and how far these may still differ, in
 * sd, and by a factor of 1.5. */
static const double sure_khat = 0.5, sure_share = 0.95, sure_missed = 0.001;
static const double most_excused_mean = 0.5, most_excused_sd = 0.405465;
static const double most_gap = 0.1, least_forward = 0.1;
/* How well a population knows the evidence that suffices alone, in few dimensions. */
static const double few_tempered_se = 0.1;

bool sl__robust_say(sl__sentence out, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(out.text, out.size, format, arguments);
  va_end(arguments);
  return true;
}

/* Chains that go on and on, and weights without a mean, are what no integral looks like. */
static const char *suspect(const sl__robust_report *r) {
  if (r->chains_agree || !(r->scores.khat > 1)) return "";
  return "; k-hat is above 1 too, so the density's integral may be infinite: look for parameters "
         "that neither data nor priors bound";
}

static bool exploration_unfinished(const sl__robust_report *r, sl__sentence out) {
  if (r->exploration_cut)
    return sl__robust_say(
        out, "the exploration was cut short; allow more time or more gradient evaluations");
  if (r->tempered_complete || r->chains_agree) return false;
  return sl__robust_say(
      out,
      "the exploration did not end: no population was led to the target, and chains from "
      "different points disagree (R-hat %.2f); reparameterise the model or tighten its "
      "priors%s",
      r->rhat, suspect(r));
}

const char *sl__robust_flow_to_try(const sl__robust_report *r, const char *usual) {
  if (!r->base_given) return usual;
  return r->flow_given ? "a larger flow or another base" : "it without a base of your own";
}

static bool draws_lost(const sl__robust_report *r, sl__sentence out) {
  if (r->scores.lost == 0) return false;
  return sl__robust_say(
      out,
      "%lld draws have no finite weight; look for a density that is infinite or not a "
      "number somewhere, or try another flow",
      (long long)r->scores.lost);
}

/* The ELBO is of draws of the flow, some of which are there. */
static bool bound_undeclared(const sl__robust_report *r, sl__sentence out) {
  if (r->scores.elbo != -INFINITY) return false;
  return sl__robust_say(
      out, "the flow has draws where the density is 0; where it ends at a bound, declare that, as "
           "real<lower=0> x; in a Stan program");
}

static bool not_a_number(const sl__robust_report *r, sl__sentence out) {
  if (bound_undeclared(r, out)) return true;
  const sl__vi_scores *s = &r->scores;
  const struct {
    const char *name;
    double value;
  } numbers[] = {
      {"the ELBO", s->elbo},
      {"the ELBO's standard error", s->elbo_se},
      {"the log evidence by importance", s->log_evidence},
      {"its standard error", s->log_evidence_se},
      {"the effective size of the flow's draws", s->ess},
      {"the largest weight", s->largest_weight},
      {"the upper bound", r->upper_bound},
      {"the upper bound's standard error", r->upper_bound_se},
      {"the forward effective share", r->ess_forward},
      {"the log evidence by bridge sampling", r->bridge},
      {"bridge sampling's standard error", r->bridge_se},
      {"the share that is missed", r->missed},
      {"the share that is missed in tails", r->tail_missed},
      {"its standard error", r->tail_missed_se},
      {"the difference of means", r->mean_gap},
      {"the difference of sds", r->sd_gap},
      {"what strays add to a mean", r->stray_mean_gap},
      {"what strays add to an sd", r->stray_sd_gap},
      {"what strays add to a spread", r->stray_spread_gap},
      {"the difference of means by the weights", r->own_mean_gap},
      {"the difference of sds by the weights", r->own_sd_gap},
      {"the difference of parameters' means by the weights", r->parameter_mean_gap},
      {"the difference of parameters' sds by the weights", r->parameter_sd_gap},
      {"R-hat of the exploring chains", r->rhat},
      {"the effective size of the exploration", r->effective},
      {"the log evidence by tempering", r->tempered_complete ? r->tempered : 0},
      {"tempering's standard error", r->tempered_complete ? r->tempered_se : 0},
  };
  for (size_t k = 0; k < sizeof numbers / sizeof *numbers; k++)
    if (!isfinite(numbers[k].value))
      return sl__robust_say(
          out,
          "%s is not a finite number, so it could not be checked; try another seed, and "
          "look for places where the model's density is infinite or not a number",
          numbers[k].name);
  return false;
}

/* In few dimensions a population that came from everywhere, past what the chains saw, knows more
 * than chains that crawl along a ridge; where it is what the flow is judged by, they need not
 * agree. */
static bool population_suffices(const sl__robust_report *r) {
  return !r->chains_agree && r->dim <= SL__FEW && r->tempered_complete &&
         r->tempered_accept >= SL__LEAST_ACCEPT && r->tempered_se <= few_tempered_se;
}

static bool chains_disagree(const sl__robust_report *r, sl__sentence out) {
  if (r->rhat <= SL__MOST_RHAT || r->modes_confirmed || population_suffices(r)) return false;
  return sl__robust_say(
      out,
      "the exploring chains disagree (R-hat %.2f, %.2f or less is wanted) and no separate "
      "modes explain it; reparameterise the model or tighten its priors%s",
      r->rhat, SL__MOST_RHAT, suspect(r));
}

static bool chains_diverge(const sl__robust_report *r, sl__sentence out) {
  if ((double)r->divergences <= SL__MOST_DIVERGENT * (double)r->chain_draws) return false;
  return sl__robust_say(
      out,
      "%lld of the exploring chains' %lld transitions diverged, so there may be a narrow "
      "place that they cannot enter; reparameterise the model, as by a non-centred form",
      (long long)r->divergences, (long long)r->chain_draws);
}

static bool exploration_small(const sl__robust_report *r, sl__sentence out) {
  if (r->effective >= SL__LEAST_EFFECTIVE) return false;
  return sl__robust_say(out,
                        "the exploration is worth %.0f independent draws, %.0f or more are wanted; "
                        "reparameterise the model so that its chains mix",
                        r->effective, SL__LEAST_EFFECTIVE);
}

static bool tail_heavy(const sl__robust_report *r, sl__sentence out) {
  const sl__vi_scores *s = &r->scores;
  if (s->khat < s->khat_threshold) return false; /* not a number refuses */
  return sl__robust_say(
      out, "Pareto k-hat of the weights is %.2f, less than %.2f is wanted; try %s", s->khat,
      s->khat_threshold, sl__robust_flow_to_try(r, "a larger flow or a base with heavier tails"));
}

static bool one_draw_heavy(const sl__robust_report *r, sl__sentence out) {
  const double largest = r->scores.largest_weight, most = sl__vi_most_weight(&r->scores);
  if (largest <= most) return false;
  return sl__robust_say(
      out,
      "one draw of the flow carries %.1f %% of all weight, %.1f %% or less is wanted: the "
      "flow is far too low around it; try %s",
      100 * largest, 100 * most, sl__robust_flow_to_try(r, "a larger flow or a mixture for base"));
}

static bool mass_missed(const sl__robust_report *r, sl__sentence out) {
  if (r->missed <= SL__MOST_MISSED) return false;
  return sl__robust_say(
      out,
      "the flow hardly reaches %.1f %% of what the exploration found: a mode or a tail is "
      "missing; try %s",
      100 * r->missed, sl__robust_flow_to_try(r, "a larger flow or a mixture for base"));
}

static bool forward_share_low(const sl__robust_report *r, sl__sentence out) {
  if (r->ess_forward >= least_forward) return false;
  return sl__robust_say(
      out,
      "the weights leave a share of %.3f of the draws as the exploration sees it, %.2f or "
      "more is wanted: the flow is far too low somewhere; try %s",
      r->ess_forward, least_forward,
      sl__robust_flow_to_try(r, "a larger flow or a base with heavier tails"));
}

/* With what the exploration's own numbers can be wrong by. */
static double most_moment_gap(const sl__robust_report *r) {
  return most_gap + SL__ERRORS / sqrt(r->effective);
}

/* Where nearly all of q's draws count alike, and nearly nothing that was explored lies beyond q. */
static bool weights_even(const sl__robust_report *r) {
  return r->scores.ess >= sure_share * (double)r->scores.rows && r->missed <= sure_missed;
}

bool sl__robust_strays_excused(const sl__robust_report *r) {
  return r->stray_sd_gap > most_moment_gap(r) && weights_even(r) &&
         r->stray_spread_gap <= most_moment_gap(r);
}

/* Of strays in tails that are heavy as q has them, an sd proves nothing; a rare part that is missing
 * moves mean deviations too, or lies where q has no such tails. */
static bool strays_matter(const sl__robust_report *r, sl__sentence out) {
  const double most = most_moment_gap(r);
  if (r->stray_mean_gap <= most && (r->stray_sd_gap <= most || sl__robust_strays_excused(r)))
    return false;
  return sl__robust_say(
      out,
      "%lld of the exploration's draws lie where the flow has nothing, so far away that they "
      "move a mean by %.2f sd and an sd by %.0f %%: a rare part is missing; try %s",
      (long long)r->strays, r->stray_mean_gap, 100 * expm1(r->stray_sd_gap),
      sl__robust_flow_to_try(r, "a larger flow or a mixture for base"));
}

/* There q knows the target's far tails better than an exploration that may have too few draws of
 * these. */
static bool weights_suffice(const sl__robust_report *r) {
  return r->scores.khat <= sure_khat && weights_even(r) && r->mean_gap <= most_excused_mean &&
         r->sd_gap <= most_excused_sd;
}

bool sl__robust_moments_agree(const sl__robust_report *r) {
  const double most = most_moment_gap(r);
  return r->mean_gap <= most && r->sd_gap <= most;
}

static bool moments_differ(const sl__robust_report *r, sl__sentence out) {
  if (sl__robust_moments_agree(r) || weights_suffice(r)) return false;
  return sl__robust_say(
      out,
      "the flow differs from the exploration by up to %.2f sd in a %s and %.0f %% in %s; "
      "try %s",
      r->mean_gap, sl__robust_middle(r), 100 * expm1(r->sd_gap), sl__robust_width(r),
      sl__robust_flow_to_try(r, "a larger flow"));
}

static bool weights_differ(const sl__robust_report *r, sl__sentence out) {
  if (r->own_mean_gap <= most_own_mean && r->own_sd_gap <= most_own_sd) return false;
  return sl__robust_say(
      out,
      "the flow's weights move it by %.2f sd in a %s and %.0f %% in %s, so it has the "
      "shares of its parts wrong; try a larger flow and another seed",
      r->own_mean_gap, sl__robust_middle(r), 100 * expm1(r->own_sd_gap), sl__robust_width(r));
}

static bool parameters_differ(const sl__robust_report *r, sl__sentence out) {
  if (r->parameter_mean_gap <= most_own_mean && r->parameter_sd_gap <= most_own_sd) return false;
  return sl__robust_say(
      out,
      "on the scale of the parameters the flow's weights move it by %.2f sd in a mean and %.0f %% "
      "in an sd, so it has a tail wrong; try a larger flow and another seed",
      r->parameter_mean_gap, 100 * expm1(r->parameter_sd_gap));
}

static bool gap_wide(const sl__robust_report *r, sl__sentence out) {
  const double gap = sl__robust_gap(r), most = sl__robust_allowance(r->dim);
  if (gap <= most) return false;
  return sl__robust_say(
      out, "the ELBO is %.3f nats below the log evidence, %.3f or less is wanted; try %s", gap,
      most, sl__robust_flow_to_try(r, "a larger flow"));
}

/* Numbers first: the rules after it may take them for such. */
static sl__rule *const rules_of_flow[] = {draws_lost,
                                          not_a_number,
                                          tail_heavy,
                                          one_draw_heavy,
                                          mass_missed,
                                          forward_share_low,
                                          strays_matter,
                                          sl__rule_bounds_crossed,
                                          sl__rule_bridge_disagrees,
                                          sl__rule_tails_missed,
                                          sl__rule_tempering_disagrees,
                                          moments_differ,
                                          weights_differ,
                                          parameters_differ,
                                          gap_wide};
static sl__rule *const rules_of_exploration[] = {
    exploration_unfinished,  draws_lost,     not_a_number,
    chains_disagree,         chains_diverge, exploration_small,
    sl__rule_tempering_vague};

static bool any_objects(size_t count, sl__rule *const rules[], const sl__robust_report *report,
                        sl__sentence out) {
  for (size_t k = 0; k < count; k++)
    if (rules[k](report, out)) return true;
  return false;
}

bool sl__robust_object_to_flow(const sl__robust_report *report, char *text, size_t size) {
  return any_objects(sizeof rules_of_flow / sizeof *rules_of_flow, rules_of_flow, report,
                     (sl__sentence){text, size});
}

bool sl__robust_object(const sl__robust_report *report, char *text, size_t size) {
  return any_objects(sizeof rules_of_exploration / sizeof *rules_of_exploration,
                     rules_of_exploration, report, (sl__sentence){text, size}) ||
         sl__robust_object_to_flow(report, text, size);
}
