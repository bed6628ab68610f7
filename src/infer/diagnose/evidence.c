/* Log evidence, the log of the integral of an unnormalised density p, from draws of a normalised q
 * (importance sampling), or of q and of p (bridge sampling). All sums are of exponentials of
 * differences from the largest term. */
#include <math.h>

#include "infer/diagnose/diagnose.h"
#include "infer/diagnose/series.h"

sl_status sl__evidence_importance(sl_context *context, int64_t count, const double *log_ratios,
                                  sl__evidence *out) {
  *out = (sl__evidence){.value = NAN, .se = NAN};
  double largest = -INFINITY, sum = 0, squares = 0;
  for (int64_t i = 0; i < count; i++) {
    if (isnan(log_ratios[i]) || log_ratios[i] == INFINITY)
      return sl__fail(context, SL_NUMERIC,
                      "log ratio %lld of %lld is %s; leave out draws whose density is not a number",
                      (long long)i + 1, (long long)count,
                      isnan(log_ratios[i]) ? "NaN" : "infinite");
    largest = fmax(largest, log_ratios[i]);
  }
  if (largest == -INFINITY)
    return sl__fail(context, SL_NUMERIC,
                    "all %lld weights are 0; the draws lie where the target has no density",
                    (long long)count);
  for (int64_t i = 0; i < count; i++) sum += exp(log_ratios[i] - largest);
  const double mean = sum / (double)count;
  for (int64_t i = 0; i < count; i++) {
    const double deviation = exp(log_ratios[i] - largest) - mean;
    squares += deviation * deviation;
  }
  out->value = largest + log(mean);
  if (count > 1) out->se = sqrt(squares / ((double)count - 1) / (double)count) / mean;
  out->converged = true;
  return SL_OK;
}

/* ---- the bridge ---- */

enum { MOST_ITERATIONS = 1000 };

typedef struct bridge {
  int64_t count[2];       /* of draws from p, from q */
  const double *ratio[2]; /* log p - log q at these, [count] */
  double *term[2];        /* work, [count] */
  double share[2];        /* of p, of q, in the number of (effective) draws */
} bridge;

/* log(exp(a) + exp(b)) */
static double log_add(double a, double b) {
  const double larger = fmax(a, b);
  return larger == -INFINITY ? larger : larger + log1p(exp(-fabs(a - b)));
}

/* The integrands of the optimal bridge at evidence z, divided by z: with l = p / (z q), at draws
 * from q l / (s_p l + s_q), at draws from p 1 / (s_p l + s_q): both have mean 1 where z is right.
 * None exceeds 1 / s. */
static void evaluate(const bridge *b, double log_z) {
  for (int from = 0; from < 2; from++)
    for (int64_t i = 0; i < b->count[from]; i++) {
      const double l = b->ratio[from][i] - log_z;
      const double below = log_add(log(b->share[0]) + l, log(b->share[1]));
      b->term[from][i] = exp((from == 1 ? l : 0) - below);
    }
}

static double mean_of(int64_t count, const double *values) {
  double sum = 0;
  for (int64_t i = 0; i < count; i++) sum += values[i];
  return sum / (double)count;
}

static double variance_of(int64_t count, const double *values, double mean) {
  double sum = 0;
  for (int64_t i = 0; i < count; i++) sum += (values[i] - mean) * (values[i] - mean);
  return sum / (double)(count - 1);
}

/* Fixed-point iteration z <- z * mean_q / mean_p (Meng and Wong 1996, equation 4.1). */
static void iterate(const bridge *b, sl__evidence *out) {
  for (out->iterations = 1; out->iterations <= MOST_ITERATIONS; out->iterations++) {
    evaluate(b, out->value);
    const double step =
        log(mean_of(b->count[1], b->term[1])) - log(mean_of(b->count[0], b->term[0]));
    if (!isfinite(step)) return;
    out->value += step;
    out->converged = fabs(step) <= 1e-10 * fmax(1, fabs(out->value));
    if (out->converged) return;
  }
}

/* How many independent draws those from p are worth, by the mean of their (bounded) integrand. */
static sl_status effective_draws(sl_context *context, const sl__series *shape, const bridge *b,
                                 double *out) {
  sl__series terms = {shape->chains, shape->draws, b->term[0], shape->draws, 1};
  SL__TRY(sl__ess_mean(context, &terms, out));
  if (!(*out > 0)) *out = (double)b->count[0];
  *out = fmin(*out, (double)b->count[0]);
  return SL_OK;
}

static sl_status bridge_with(sl_context *context, const sl__series *shape, bridge *b,
                             sl__evidence *out) {
  /* The geometric bridge, which needs no start, gives the start: sums of square roots of ratios. */
  double sum[2] = {-INFINITY, -INFINITY};
  for (int from = 0; from < 2; from++)
    for (int64_t i = 0; i < b->count[from]; i++)
      sum[from] = log_add(sum[from], (from == 1 ? 0.5 : -0.5) * b->ratio[from][i]);
  out->value = sum[1] - log((double)b->count[1]) - sum[0] + log((double)b->count[0]);
  if (!isfinite(out->value))
    return sl__fail(context, SL_NUMERIC,
                    "draws of the two densities do not overlap; fit the proposal better");
  double effective = (double)b->count[0];
  for (int pass = 0; pass < 2; pass++) {
    const double all = effective + (double)b->count[1];
    b->share[0] = effective / all;
    b->share[1] = (double)b->count[1] / all;
    iterate(b, out);
    if (!out->converged) return SL_OK;
    evaluate(b, out->value);
    SL__TRY(effective_draws(context, shape, b, &effective));
  }
  double square = 0; /* of the relative error: Fruehwirth-Schnatter 2004, equation 11 */
  for (int from = 0; from < 2; from++) {
    const double mean = mean_of(b->count[from], b->term[from]);
    square += variance_of(b->count[from], b->term[from], mean) / (mean * mean) /
              (from == 0 ? effective : (double)b->count[1]);
  }
  out->se = sqrt(square);
  return SL_OK;
}

sl_status sl__evidence_bridge(sl_context *context, const sl__series *at_posterior, int64_t count,
                              const double *at_proposal, sl__evidence *out) {
  *out = (sl__evidence){.value = NAN, .se = NAN};
  sl__arena arena;
  sl__arena_open(&arena, context);
  sl__series_work work;
  bridge b = {.count = {0, count}, .ratio = {NULL, at_proposal}};
  sl_status status = sl__series_work_take(&arena, at_posterior->chains, at_posterior->draws, &work);
  if (status == SL_OK && (work.count < 2 || count < 2))
    status = sl__fail(context, SL_BAD_ARGUMENT, "fewer than two draws; bridge sampling wants many");
  if (status == SL_OK) {
    sl__series_load(&work, at_posterior);
    b.count[0] = work.count;
    b.ratio[0] = work.values;
    for (int from = 0; from < 2 && status == SL_OK; from++) {
      b.term[from] = sl__arena_take(&arena, (size_t)b.count[from], sizeof(double));
      if (!b.term[from]) status = SL_NO_MEMORY;
      for (int64_t i = 0; i < b.count[from] && status == SL_OK; i++)
        if (isnan(b.ratio[from][i]) || b.ratio[from][i] == INFINITY ||
            (from == 0 && b.ratio[0][i] == -INFINITY))
          status = sl__fail(context, SL_NUMERIC,
                            "the log ratio of %s draw %lld is not finite; leave out draws whose "
                            "density is not a number",
                            from == 0 ? "posterior" : "proposal", (long long)i + 1);
    }
  }
  if (status == SL_OK) status = bridge_with(context, at_posterior, &b, out);
  sl__arena_close(&arena);
  return status;
}
