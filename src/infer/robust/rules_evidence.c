/* The rules about log Z: importance, a bridge, and the tempered population estimate it in ways that
 * go wrong differently, so where they disagree something is missing. */
#include <math.h>
#include "infer/robust/rules.h"

/* Of all mass, in tails that q does not have. */
static const double most_tail = 0.03;

/* Whether two estimates differ by more than their errors, and a little, explain. */
static bool differ(double a, double a_se, double b, double b_se, double little) {
  return !(fabs(a - b) <= little + SL__ERRORS * sqrt(a_se * a_se + b_se * b_se));
}

/* Over draws of the target the mean of log w is no less than log Z. */
bool sl__rule_bounds_crossed(const sl__robust_report *r, sl__sentence out) {
  const sl__vi_scores *s = &r->scores;
  const double se =
      sqrt(s->log_evidence_se * s->log_evidence_se + r->upper_bound_se * r->upper_bound_se);
  if (s->log_evidence <= r->upper_bound + 0.03 + SL__ERRORS * se) return false;
  return sl__robust_say(
      out,
      "the log evidence by importance, %.3f, is above its upper bound, %.3f: the exploration's "
      "draws are not the target's, by their places or by the shares of these; reparameterise the "
      "model, or try another seed",
      s->log_evidence, r->upper_bound);
}

bool sl__rule_bridge_disagrees(const sl__robust_report *r, sl__sentence out) {
  const sl__vi_scores *s = &r->scores;
  if (!differ(s->log_evidence, s->log_evidence_se, r->bridge, r->bridge_se, 0.03)) return false;
  return sl__robust_say(
      out,
      "two estimates of the log evidence disagree: %.3f by importance, %.3f by bridge "
      "sampling; try a larger flow or more draws to judge by",
      s->log_evidence, r->bridge);
}

bool sl__rule_tails_missed(const sl__robust_report *r, sl__sentence out) {
  if (r->tail_missed <= most_tail + SL__ERRORS * r->tail_missed_se) return false;
  return sl__robust_say(out,
                        "draws that go far out find %.1f %% of mass in tails that the flow does "
                        "not have, %.1f %% or less is wanted; try %s",
                        100 * r->tail_missed, 100 * most_tail,
                        sl__robust_flow_to_try(r, "a base with heavy tails"));
}

/* Whether the population has a say: where chains agree, only if its moves are good. */
static bool asks_tempering(const sl__robust_report *r) {
  const bool moves_well =
      r->dim <= SL__MOST_TEMPERING_ASKED && r->tempered_accept >= SL__LEAST_ACCEPT;
  return r->tempered_complete && (moves_well || !r->chains_agree);
}

bool sl__rule_tempering_vague(const sl__robust_report *r, sl__sentence out) {
  if (!asks_tempering(r) || r->tempered_se <= SL__MOST_TEMPERED_SE) return false;
  return sl__robust_say(
      out,
      "the tempered population knows the log evidence to %.2f only, %.2f is wanted, so it "
      "cannot say whether a part is missing; try another seed, or reparameterise the model",
      r->tempered_se, SL__MOST_TEMPERED_SE);
}

/* Where chains are what the flow is judged by, a population that found no more places has the mass
 * of those wrong. */
static bool places_known(const sl__robust_report *r) {
  return r->chains_agree && r->population_within;
}

static bool evidences_differ(const sl__robust_report *r) {
  const sl__vi_scores *s = &r->scores;
  return differ(s->log_evidence, s->log_evidence_se, r->tempered, r->tempered_se, 0.05);
}

bool sl__robust_population_excused(const sl__robust_report *r) {
  return asks_tempering(r) && places_known(r) && r->tempered > r->scores.log_evidence &&
         evidences_differ(r);
}

bool sl__rule_tempering_disagrees(const sl__robust_report *r, sl__sentence out) {
  if (!asks_tempering(r) || places_known(r)) return false;
  /* one that found less missed it itself */
  if (r->chains_agree && r->tempered < r->scores.log_evidence) return false;
  if (!evidences_differ(r)) return false;
  return sl__robust_say(
      out,
      "two estimates of the log evidence disagree: %.3f by importance, %.3f by tempering; "
      "one of them misses a part, so try a larger flow and another seed",
      r->scores.log_evidence, r->tempered);
}
