/* What `sluice help TOPIC` explains beside the commands. What a registry knows is read from it. */
#include <string.h>

#include "cli/cli.h"
#include "flow/flow.h"
#include "flow/schema.h"
#include "target/standard.h"

/* Names separated by blanks, in lines that begin with two blanks. */
typedef struct list {
  sl__text *text;
  size_t column;
} list;
enum { LINE_WIDTH = 78, SUMMARY_COLUMN = 34 };

static void add_name(list *l, const char *name) {
  const size_t length = strlen(name);
  if (l->column > 0 && l->column + 1 + length > LINE_WIDTH) {
    sl__text_add(l->text, "\n");
    l->column = 0;
  }
  sl__text_add(l->text, l->column == 0 ? "  %s" : " %s", name);
  l->column += length + (l->column == 0 ? 2 : 1);
}

static void add_kinds(sl__text *text, bool bases) {
  int count;
  const sl__kind *const *kinds = sl__kinds(&count);
  list names = {.text = text};
  for (int i = 0; i < count; i++)
    if (sl__kind_is_base(kinds[i]) == bases) add_name(&names, kinds[i]->name);
  sl__text_add(text, "\n");
}

static void write_formulas(sl__text *text) {
  sl__text_add(
      text,
      "A formula says what a flow is made of, from the base noise to the data:\n\n"
      "  scale-loc                          two layers\n"
      "  planar*8                           eight of one kind\n"
      "  (lu-coupling(rqs,bins=8))*6        a group, six times; arguments by name or place\n"
      "  student(df=3)-maf(affine)*4        a base density first; without one it is the normal\n"
      "  inverse(iaf(rqs)*2)-loc            any chain turned round\n\n"
      "Blanks and line ends may stand between words; put it in quotes for the shell. Sampling\n"
      "runs from left to right, the log density from right to left; both are exact for all.\n"
      "`sluice flows` says how each direction is computed, `sluice flows NAME` its arguments.\n\n"
      "Layers:\n");
  add_kinds(text, false);
  sl__text_add(text, "Base densities:\n");
  add_kinds(text, true);
  sl__text_add(text,
               "\n--context makes every one of them conditional. Without --flow, sluice looks at "
               "the\ndata (fit) or the density (vi) and chooses.\n");
}

static void write_columns(sl__text *text) {
  sl__text_add(
      text,
      "--columns says what the columns of a table are for and what values they can hold:\n\n"
      "  --columns 'age: positive, p: interval(0,1), s1..s3: simplex, n: count, w: weight'\n\n"
      "A column is a name from the header, its number from 1, or a range a..b of either; names\n"
      "with blanks or signs stand in double quotes.\n\n"
      "Parts: data (what the density is of), context (what it is conditional on), weight (how\n"
      "often a row counts), skip. With --columns, columns that are not mentioned are data;\n"
      "--context a,b names conditions alone.\n\n"
      "Types, with examples:\n");
  const sl__column_kind *kinds = sl__column_kinds();
  for (int i = 0; i < SL__SUPPORTS; i++) {
    sl__text_add(text, "  %-9s ", kinds[i].name);
    for (int k = 0; k < 3 && kinds[i].examples[k]; k++)
      sl__text_add(text, "%s%s", k ? ", " : " ", kinds[i].examples[k]);
    sl__text_add(text, "\n");
  }
  sl__text_add(
      text,
      "\nNo density lies outside of a type's values; scores are in the data's own units. Integers\n"
      "and rounded values (`width(0.1)`) are spread by noise while fitting, and are integers\n"
      "again in samples; an integer's score is the logarithm of its probability.\n");
}

static void write_targets(sl__text *text) {
  sl__text_add(
      text,
      "vi, nuts, mix, pathfinder and log-density take a target, a density known up to a\n"
      "constant:\n\n"
      "  model.stan --data d.json           a Stan program and its data, no compiler needed\n"
      "  --density '-(x^2-y)^2 - 0.5*y^2' --dim x,y\n"
      "                                     a log density in Stan's grammar; --dim 'x[10],tau'\n"
      "  --target NAME                      one of those below\n"
      "  model.so --allow-native            a library with BridgeStan's functions: runs its "
      "code\n\n"
      "Standard targets (dimension, log of the integral where it is known):\n");
  int count;
  const sl__standard_target *const *targets = sl__standard_targets(&count);
  for (int i = 0; i < count; i++) {
    char evidence[64] = "";
    if (targets[i]->log_evidence == targets[i]->log_evidence)
      sl__format_fixed(evidence, targets[i]->log_evidence, 4);
    sl__text_add(text, "  %-17s %2d %9s  ", targets[i]->name, targets[i]->dim, evidence);
    sl__cli_wrap(text, SUMMARY_COLUMN, targets[i]->summary);
  }
}

static void write_verdicts(sl__text *text) {
  sl__text_add(
      text,
      "Every result ends with a verdict; exit code 1 says that it is not to be trusted.\n\n"
      "fit: the log density of rows that the flow has never seen, beside that of a Gaussian and a\n"
      "  mixture of Gaussians fitted to the same rows; with conditions, a Gaussian that sees "
      "them.\n"
      "  Good                  better than these by more than the error\n"
      "  Good, but overfitted  the same, but far below the rows that it was fitted to\n"
      "  Fair                  as good as one of them: there may be no more to find\n"
      "  Poor                  the mixture is better; try more --steps or another --flow\n"
      "  Bad                   below the one Gaussian: of no use, exit code 1\n"
      "  Not to be trusted     some rows have density 0, or none, and why: exit code 1\n"
      "  With no rows held out, or --baselines=false, it says so and claims nothing.\n\n"
      "vi: how far the fit q is from the target p.\n"
      "  ELBO            mean of log p - log q over draws of q; no more than log Z\n"
      "  log evidence    log Z by importance weights, with its error\n"
      "  upper bound     mean of log p - log q over draws of p; no less than log Z\n"
      "  k-hat           Pareto index of the weights' tail: below 0.5 very good, below 0.7 "
      "usable,\n"
      "                  above it the weighted means do not converge (Vehtari et al. 2024)\n"
      "  ESS             share of q's draws that remains after weighting (reverse), and the same\n"
      "                  over the exploration's draws (forward); under --json `ess` is a count\n"
      "                  of draws, of `judged_by`, and `ess_forward` a share\n"
      "  certified: the evidence by importance, by bridge sampling and by tempering agree, k-hat "
      "is\n"
      "  good, and q covers every place that an exploration of its own found. Else: not to be\n"
      "  trusted, with the first reason against it and what to try. Plain mode, which explores\n"
      "  nothing, says no more than: usable where the flow has mass.\n\n"
      "pathfinder: usable, or not to be trusted as draws, by the k-hat of their weights.\n\n"
      "nuts, mix, summary: Good, the chains found the same density; or Not to be trusted, and "
      "why.\n"
      "  R-hat           rank-normalised and split: 1.01 or less is wanted (Vehtari et al. 2021)\n"
      "  bulk, tail ESS  independent draws that the chains are worth: 100 a chain are wanted\n"
      "  divergences     places too narrow for the step size; any may bias the result\n"
      "  E-BFMI          below 0.3 the momentum does not explore the energies\n"
      "  MCSE            standard error of a mean, an sd or a quantile\n\n"
      "compare: Different, No difference found, or Cannot be compared (exit code 1); with\n"
      "  differences of means in their combined errors and in sds, the ratio of sds, the distance\n"
      "  (Wasserstein) of each margin, and the p-value of a two-sample test.\n\n"
      "evidence: good, good by bridge sampling alone, or not to be trusted, and why.\n");
}

const sl__topic *sl__topics(int *count) {
  static const sl__topic topics[] = {
      {"formulas", "how flows are written, with the names of all layers", write_formulas},
      {"columns", "what the columns of a table hold, --columns", write_columns},
      {"targets", "densities to infer: Stan programs, expressions, standard ones", write_targets},
      {"verdicts", "what the numbers at the end mean, and when not to trust them", write_verdicts},
  };
  *count = sizeof topics / sizeof *topics;
  return topics;
}
