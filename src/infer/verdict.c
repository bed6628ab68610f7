/* The conclusion from the scores, in one sentence: is the flow better than what is simple? */
#include <math.h>
#include <stdio.h>

#include "base/text.h"
#include "infer/judge.h"
#include "infer/mle.h"

/* printf's %.3f minds the locale. */
static const char *number(char *buffer, double value) {
  sl__format_fixed(buffer, fabs(value), 3);
  return buffer;
}

/* The Gaussian of a conditional flow sees the conditions; of the mixture there is none. */
static void write_conditional(double over_gaussian, double error, sl_fit_report *report) {
  char a[64];
  if (over_gaussian < error)
    snprintf(report->verdict, sizeof report->verdict,
             "Fair: as good as a Gaussian that sees the conditions, on %lld unseen rows; there may "
             "be no more to find.",
             (long long)report->test.rows);
  else
    snprintf(
        report->verdict, sizeof report->verdict,
        "Good: %s nats per row above a Gaussian that sees the conditions, on %lld unseen rows.",
        number(a, over_gaussian), (long long)report->test.rows);
}

/* Rows that have no finite log density, in whichever set: what they lack, and what may mend it. */
static bool write_distrust(const sl__judging *j, sl_fit_report *report) {
  static const char *const names[SL__SETS] = {"training", "held-out", "unseen"};
  const int64_t rows[SL__SETS] = {report->train.rows, report->valid.rows, report->test.rows};
  int set = SL__SETS - 1;
  while (set >= 0 && j->zeros[set] + j->lost[set] == 0) set--;
  if (set < 0) return false;
  const bool zeros = j->lost[set] == 0;
  const char *mend =
      !zeros ? "a number on the way is too large; try a lower --lr or --precision f64"
      : sl__mle_reaches_part(j->flow)
          ? "a layer such as exp or sigmoid, or a uniform base, reaches only part of the line; "
            "declare the column's type (positive, interval) instead"
          : "they lie too far out for it; try --precision f64, heavier tails (--base student) or "
            "a type (positive)";
  snprintf(report->verdict, sizeof report->verdict,
           "Not to be trusted: the flow gives %lld of %lld %s rows %s: %s.",
           (long long)(zeros ? j->zeros[set] : j->lost[set]), (long long)rows[set], names[set],
           zeros ? "density 0" : "no density", mend);
  return true;
}

void sl__write_verdict(const sl__judging *j, sl_fit_report *report) {
  char a[64], b[64];
  char *text = report->verdict;
  size_t size = sizeof report->verdict;
  const sl_score *test = report->test.rows > 0 ? &report->test : &report->valid;
  const double error = j->se[report->test.rows > 0 ? SL__SET_TEST : SL__SET_VALID];
  double score = test->log_prob_standardized;
  double over_gaussian = score - report->gaussian.log_prob_standardized;
  double over_mixture = score - report->gaussian_mixture.log_prob_standardized;
  double overfit = report->train.log_prob_standardized - score;
  const char *rows = report->test.rows > 0 ? "unseen" : "held-out";

  if (write_distrust(j, report)) return;
  if (test->rows == 0)
    snprintf(text, size, "No rows were held out, so nothing is known about rows not seen.");
  else if (isnan(error) && isfinite(test->log_prob))
    snprintf(text, size,
             "Only one %s row counts, which does not tell how good the flow is; hold out more.",
             rows);
  else if (report->gaussian.rows == 0)
    snprintf(text, size, "%lld %s rows score %s%s nats per row, within %s; no baseline was fitted.",
             (long long)test->rows, rows, test->log_prob < 0 ? "-" : "", number(a, test->log_prob),
             number(b, 2 * test->se));
  else if (over_gaussian < -2 * error)
    snprintf(text, size,
             "Bad: %s nats per row below a Gaussian on unseen rows; try more --steps, "
             "a lower --lr or a smaller --flow.",
             number(a, over_gaussian));
  else if (j->prepared->context_dim > 0)
    write_conditional(over_gaussian, error, report);
  else if (over_mixture < -error)
    snprintf(text, size,
             "Poor: a mixture of %d Gaussians is %s nats per row better on unseen "
             "rows; try more --steps or another --flow.",
             report->mixture_components, number(a, over_mixture));
  else if (over_gaussian < error)
    snprintf(text, size,
             "Fair: as good as a Gaussian on %lld unseen rows; there may be no more to "
             "find.",
             (long long)test->rows);
  else if (over_mixture < error)
    snprintf(text, size,
             "Fair: as good as a mixture of %d Gaussians on %lld unseen rows; there "
             "may be no more to find.",
             report->mixture_components, (long long)test->rows);
  else if (overfit > 0.1 && overfit > 5 * (error + j->se[SL__SET_TRAIN]))
    snprintf(text, size,
             "Good, but overfitted: %s nats per row above a mixture of %d Gaussians on "
             "unseen rows, yet %s below the training rows; more rows or a smaller --flow may help.",
             number(a, over_mixture), report->mixture_components, number(b, overfit));
  else
    snprintf(text, size,
             "Good: %s nats per row above a Gaussian and %s above a mixture of %d "
             "Gaussians, on %lld unseen rows.",
             number(a, over_gaussian), number(b, over_mixture), report->mixture_components,
             (long long)test->rows);
}
