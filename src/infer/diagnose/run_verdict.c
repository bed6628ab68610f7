/* The verdict on a run of chains: what is wrong, how much, and what mends it. The bounds are those
 * of Vehtari et al. 2021 (arXiv:1903.08008), section 4 (R-hat 1.01, 100 effective draws a chain),
 * and of Stan for E-BFMI (0.3). */
#include <math.h>
#include <stdio.h>

#include "base/text.h"
#include "infer/diagnose/diagnose.h"

static const double worst_rhat_allowed = 1.01, least_ess_per_chain = 100;

typedef struct writer {
  char *text;
  size_t size, length;
  bool trusted;
} writer;

/* Cuts at the end of the room. */
#define ADD(out, ...)                                                                             \
  do {                                                                                            \
    int added_ = snprintf((out)->text + (out)->length, (out)->size - (out)->length, __VA_ARGS__); \
    if (added_ > 0) (out)->length += (size_t)added_;                                              \
    if ((out)->length >= (out)->size) (out)->length = (out)->size - 1;                            \
  } while (0)

static const char *fixed(char buffer[64], double value, int decimals) {
  sl__format_fixed(buffer, value, decimals);
  return buffer;
}

/* "Not to be trusted: " before the first of the faults. */
static void begin_fault(writer *out) {
  ADD(out, "%s", out->trusted ? "Not to be trusted: " : " Also ");
  out->trusted = false;
}

/* How many chains stand still, and the first of them. */
static int64_t count_still(const sl__run_facts *facts, int64_t *first) {
  int64_t count = 0;
  for (int64_t c = 0; facts->still && c < facts->chains; c++)
    if (facts->still[c] && count++ == 0) *first = c;
  return count;
}

/* The larger acceptances that there are still to aim at. */
static const char *larger_deltas(const sl__run_facts *facts) {
  if (facts->adapt_delta >= 0.99) return "";
  return facts->adapt_delta >= 0.95 ? "raise --adapt-delta (0.99), "
                                    : "raise --adapt-delta (0.95, 0.99), ";
}

static void judge_movement(const sl__run_facts *facts, writer *out) {
  int64_t first = 0;
  const int64_t count = count_still(facts, &first);
  if (count == 0) return;
  begin_fault(out);
  if (count == 1)
    ADD(out, "chain %lld did not move in its", (long long)first + 1);
  else
    ADD(out, "%lld of %lld chains, the first of them chain %lld, did not move in their",
        (long long)count, (long long)facts->chains, (long long)first + 1);
  ADD(out,
      " %lld draws: every step from there is too long; %stake a longer --warmup or another "
      "--seed, or write the narrow part of the model another way.",
      (long long)facts->draws, larger_deltas(facts));
}

static void judge_values(const sl__run_facts *facts, writer *out) {
  int64_t count = 0, first = -1;
  for (int64_t p = 0; p < facts->parameters; p++)
    if (facts->rows[p].non_finite > 0 && count++ == 0) first = p;
  if (count == 0) return;
  begin_fault(out);
  ADD(out,
      "%lld of %lld parameters hold values that are not finite (%lld in %.60s); look for an "
      "overflow or a division by 0 where they are computed.",
      (long long)count, (long long)facts->parameters, (long long)facts->rows[first].non_finite,
      facts->names[first]);
}

/* Points outside of a bound that the declarations do not tell of. Of a steep density steps may lead
 * to them too, so a few among many say nothing. */
static void add_refusals(const sl__run_facts *facts, writer *out) {
  if (10 * facts->refused < facts->divergences || !facts->refusal || !facts->refusal[0]) return;
  ADD(out,
      " In %lld of the %lld divergences the log density was -inf, first as the program refuses "
      "the point (%s); declare the bounds of what is not allowed everywhere, as by <lower=0>.",
      (long long)facts->refused, (long long)facts->divergences, facts->refusal);
}

static void judge_divergences(const sl__run_facts *facts, writer *out) {
  if (facts->divergences <= 0) return;
  const double all = (double)facts->chains * (double)facts->draws;
  const char *larger = larger_deltas(facts);
  /* Where the density is 0 or not a number no step is short enough. */
  const bool halves = facts->halves || 2 * (facts->undefined + facts->refused) > facts->divergences;
  char share[64], counted[96] = "";
  begin_fault(out);
  /* Beside a sampler of one trajectory to a draw these are up to so many times as many. */
  if (facts->trajectories > 1)
    snprintf(counted, sizeof counted, "; a draw counts if any of its %lld trajectories did",
             (long long)facts->trajectories);
  ADD(out,
      "%lld of %.0f draws diverged (%s %%%s), so part of the posterior may be missing; %s%s%s"
      "%swrite the narrow part of the model another way.",
      (long long)facts->divergences, all, fixed(share, 100 * (double)facts->divergences / all, 2),
      counted, larger, halves ? "" : "halve steps there (--halvings 8), ",
      facts->preconditioned ? "" : "sample in a fitted flow's space (--precondition auto), ",
      facts->preconditioned && halves && !larger[0] ? "" : "or ");
  if (facts->undefined > 0)
    ADD(out,
        " In %lld of the %lld divergences the log density or its gradient was not a number; look "
        "for a root or logarithm of a negative number, or an overflow, in the model.",
        (long long)facts->undefined, (long long)facts->divergences);
  if (facts->refused > 0) add_refusals(facts, out);
}

static void judge_agreement(const sl__run_facts *facts, writer *out) {
  int64_t count = 0, worst = -1;
  for (int64_t p = 0; p < facts->parameters; p++) {
    const double rhat = facts->rows[p].rhat;
    if (!(rhat > worst_rhat_allowed)) continue;
    count++;
    if (worst < 0 || rhat > facts->rows[worst].rhat) worst = p;
  }
  if (count == 0) return;
  char rhat[64];
  int64_t still;
  begin_fault(out);
  ADD(out, "%s disagree on %lld of %lld parameters (R-hat up to %s, in %.60s)",
      facts->chains > 1 ? "chains" : "the halves of the one chain", (long long)count,
      (long long)facts->parameters, fixed(rhat, facts->rows[worst].rhat, 2), facts->names[worst]);
  if (count_still(facts, &still) > 0)
    ADD(out, ", as they do where %s stands still.", facts->chains > 1 ? "one" : "it");
  else if (facts->chains == 1)
    ADD(out,
        "; it has not settled: run longer (--warmup, --draws), and several chains (--chains 4).");
  else if (facts->rows[worst].rhat > 1.2)
    ADD(out,
        "; they are in different places: look at them (several modes?), and try %sother starting "
        "points.",
        facts->jumped ? "a flow that covers all modes, or "
                      : "`sluice mix`, whose chains jump between modes by a fitted flow, or ");
  else
    ADD(out, "; run longer (--warmup, --draws), or see whether parameters trade off.");
}

static void judge_number(const sl__run_facts *facts, writer *out) {
  const double wanted = least_ess_per_chain * (double)facts->chains;
  int64_t count = 0, worst = -1;
  double least = INFINITY;
  for (int64_t p = 0; p < facts->parameters; p++) {
    const double ess = fmin(facts->rows[p].ess_bulk, facts->rows[p].ess_tail);
    if (!(ess < wanted)) continue;
    count++;
    if (ess < least) {
      least = ess;
      worst = p;
    }
  }
  int64_t still;
  if (count == 0 || count_still(facts, &still) > 0)
    return; /* more of the same would not mend that */
  char have[64], want[64], times[64];
  begin_fault(out);
  ADD(out,
      "%lld of %lld parameters have too few effective draws (%s of the %s wanted, in %.60s); take "
      "about %s times as many --draws.",
      (long long)count, (long long)facts->parameters, fixed(have, least, 0), fixed(want, wanted, 0),
      facts->names[worst], fixed(times, ceil(wanted / fmax(least, 1)), 0));
}

static void judge_energy(const sl__run_facts *facts, writer *out) {
  int64_t count = 0;
  double least = INFINITY;
  for (int64_t c = 0; facts->ebfmi && c < facts->chains; c++) {
    if (!(facts->ebfmi[c] < SL__LEAST_EBFMI)) continue;
    count++;
    least = fmin(least, facts->ebfmi[c]);
  }
  if (count == 0) return;
  char lowest[64];
  begin_fault(out);
  ADD(out,
      "E-BFMI is below 0.3 in %lld of %lld chains (%s): energy changes too slowly for heavy tails; "
      "run a longer --warmup or reparameterise.",
      (long long)count, (long long)facts->chains, fixed(lowest, least, 2));
}

/* Only slow, not wrong. */
static void add_hits(const sl__run_facts *facts, writer *out) {
  if (facts->treedepth_hits <= 0) return;
  const double all = (double)facts->chains * (double)facts->draws;
  char share[64];
  ADD(out,
      " %lld draws (%s %%) ended at the largest tree depth, %lld: slow rather than wrong; raise "
      "--max-treedepth%s.",
      (long long)facts->treedepth_hits, fixed(share, 100 * (double)facts->treedepth_hits / all, 2),
      (long long)facts->max_treedepth, facts->preconditioned ? "" : ", or try --metric dense_e");
}

static void praise(const sl__run_facts *facts, writer *out) {
  double rhat = -INFINITY, ess = INFINITY;
  for (int64_t p = 0; p < facts->parameters; p++) {
    rhat = fmax(rhat, facts->rows[p].rhat); /* NaN, of constants, drops out */
    ess = fmin(ess, fmin(facts->rows[p].ess_bulk, facts->rows[p].ess_tail));
  }
  char worst[64], least[64];
  ADD(out,
      "Good: %s (R-hat at most %s), and every parameter has at least %s effective "
      "draws%s.",
      facts->chains > 1 ? "chains agree" : "the halves of the one chain agree",
      fixed(worst, rhat, 3), fixed(least, ess, 0),
      facts->divergences == 0 ? "; none diverged" : "");
}

bool sl__run_verdict(const sl__run_facts *facts, char *text, size_t size) {
  writer out = {.text = text, .size = size, .trusted = true};
  bool any = false;
  text[0] = '\0';
  for (int64_t p = 0; p < facts->parameters; p++) any |= !isnan(facts->rows[p].rhat);
  if (any) judge_movement(facts, &out);
  judge_values(facts, &out);
  judge_divergences(facts, &out);
  if (facts->draws < 4) {
    begin_fault(&out);
    ADD(&out, "%lld draw%s a chain %s too few to say anything; take more --draws.",
        (long long)facts->draws, facts->draws == 1 ? "" : "s", facts->draws == 1 ? "is" : "are");
  } else if (!any && out.trusted) {
    begin_fault(&out);
    ADD(&out, "no parameter ever moves; were the draws written by a run that was stuck?");
  }
  judge_agreement(facts, &out);
  judge_number(facts, &out);
  judge_energy(facts, &out);
  if (out.trusted) praise(facts, &out);
  add_hits(facts, &out);
  return out.trusted;
}
