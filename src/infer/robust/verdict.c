/* What the numbers mean, in a sentence: certified, and what speaks for it, or what stands against it
 * (rules.c). */
#include <math.h>
#include <stdio.h>
#include "infer/robust/attempt.h"
#include "infer/robust/search.h"

double sl__robust_goal(int32_t dim) {
  return dim <= SL__FEW ? 0.008 : 0.01 * dim;
}
double sl__robust_allowance(int32_t dim) {
  return dim <= SL__FEW ? 0.04 : 0.05 * dim;
}

/* Of the mass in tails: less is within what log Z is known to. Of tails so heavy that q lacks more,
 * the draws that look for it find a part only, about half where each of two coordinates has
 * Student's t with half a degree of freedom: it counts twice. */
static const double least_tail = 0.005, found_of_tail = 0.5;

static double log_with_tails(const sl__robust_report *r) {
  const bool lacks = r->tail_missed > fmax(least_tail, 3 * r->tail_missed_se);
  return lacks ? log1p(r->tail_missed / found_of_tail) : 0;
}

double sl__robust_evidence_se(const sl__robust_report *report) {
  const double se = report->scores.log_evidence_se, missed = report->tail_missed;
  return isfinite(missed) ? hypot(se, hypot(missed, report->tail_missed_se)) : se;
}

double sl__robust_gap(const sl__robust_report *report) {
  const sl__vi_scores *scores = &report->scores;
  if (!isfinite(scores->elbo) || !isfinite(scores->log_evidence)) return INFINITY;
  const double gap = scores->log_evidence + log_with_tails(report) - scores->elbo;
  return isfinite(report->bridge) ? fmax(gap, report->bridge - scores->elbo) : gap;
}

const char *sl__robust_middle(const sl__robust_report *report) {
  return report->by_quartiles ? "median" : "mean";
}
const char *sl__robust_width(const sl__robust_report *report) {
  return report->by_quartiles ? "the spread between quartiles" : "an sd";
}

static const char *plural(int64_t count) {
  return count == 1 ? "" : "s";
}

/* No search finds every mode, and a certificate says how far this one went. */
static void describe_search(const sl__robust_report *r, char *text, size_t size) {
  char led[48] = "", strewn[64] = "";
  if (r->particles > 0)
    snprintf(led, sizeof led, ", %lld particle%s", (long long)r->particles, plural(r->particles));
  if (r->dim > SL__MOST_STREWN_DIM)
    snprintf(strewn, sizeof strewn, "; in more than %d dimensions no points are strewn",
             SL__MOST_STREWN_DIM);
  snprintf(
      text, size,
      "%lld climb%s%s and %lld chain%s looked for modes, but a narrow or rare one within or far "
      "from what they saw may stay unseen%s",
      (long long)r->climbs, plural(r->climbs), led, (long long)r->chains, plural(r->chains),
      strewn);
}

/* What else speaks for it, and what was excused. */
static void describe_support(const sl__robust_report *r, char *text, size_t size) {
  char strays[96] = "", claim[96] = "";
  if (sl__robust_strays_excused(r))
    snprintf(strays, sizeof strays, ", but for %lld draw%s in heavy tails, worth %.0f %% of an sd",
             (long long)r->strays, plural(r->strays), 100 * expm1(r->stray_sd_gap));
  if (sl__robust_population_excused(r))
    snprintf(claim, sizeof claim, "; tempering claims %.2f nats more, but nowhere else",
             r->tempered - r->scores.log_evidence);
  if (sl__robust_moments_agree(r))
    snprintf(text, size, "and %s%s%s",
             r->chains_agree ? "independent chains agree with it"
                             : "the tempered population lies within it",
             strays, claim);
  else
    snprintf(text, size,
             "by its own weights; the exploration's moments differ by %.2f sd in a %s and %.0f "
             "%% in %s%s%s",
             r->mean_gap, sl__robust_middle(r), 100 * expm1(r->sd_gap), sl__robust_width(r), strays,
             claim);
}

void sl__robust_verdict(sl__robust_report *report) {
  char against[600], searched[240], support[360];
  report->certified = !sl__robust_object(report, against, sizeof against);
  if (!report->certified) {
    snprintf(report->verdict, sizeof report->verdict, "not to be trusted: %s", against);
    return;
  }
  describe_search(report, searched, sizeof searched);
  describe_support(report, support, sizeof support);
  snprintf(report->verdict, sizeof report->verdict,
           "certified: %.4f nats from the log evidence (known to %.4f), Pareto k-hat %.2f, "
           "%s; %s",
           sl__robust_gap(report), sl__robust_evidence_se(report), report->scores.khat, support,
           searched);
}
