/* The best parameters of a stage, for when its loss blows up. The losses themselves cannot be
 * compared, since the terms' weights change on the way; so now and then the parameters are scored
 * by Jeffreys' divergence, E_p[log w] - E_q[log w], in which log Z cancels: it grows with what q
 * has too much of as with what it lacks. */
#include <math.h>
#include <string.h>
#include "infer/robust/rules.h"

enum { MOST_ROWS = 1000 };

static size_t bytes_of(const sl__flow *flow) {
  return (size_t)flow->size * (flow->type == SL_F32 ? sizeof(float) : sizeof(double));
}

sl_status sl__keeping_open(const sl__robust *run, const sl__flow *flow, sl__keeping *keeping) {
  *keeping = (sl__keeping){.run = run, .flow = flow, .best = INFINITY};
  const int64_t known = run->exploration->buffer.rows;
  keeping->rows = known < MOST_ROWS ? known : MOST_ROWS;
  keeping->log_weights =
      sl__allocate(run->context, (size_t)keeping->rows, sizeof *keeping->log_weights);
  keeping->vector = sl__allocate(run->context, bytes_of(flow), 1);
  if (keeping->log_weights && keeping->vector) return SL_OK;
  sl__keeping_close(keeping);
  return SL_NO_MEMORY;
}

void sl__keeping_close(sl__keeping *keeping) {
  sl__free(&keeping->run->context->allocator, keeping->log_weights);
  sl__free(&keeping->run->context->allocator, keeping->vector);
}

/* Infinite where either mean is not a number. */
static sl_status score(const sl__keeping *keeping, const void *vector, double *value, double *se) {
  const sl__robust *run = keeping->run;
  const int64_t rows = keeping->rows;
  sl__vi_scores scores;
  *value = INFINITY;
  *se = 0;
  const sl_status status =
      sl__vi_evaluate(run->context, keeping->flow, vector, run->target, rows,
                      sl__robust_seed(run, SL__PART_KEEP), NULL, NULL, &scores);
  run->report->evaluations += 2 * rows; /* by draws of both */
  if (status == SL_NUMERIC) return SL_OK;
  if (status != SL_OK) return status;
  SL__TRY(sl__vi_log_weights(run->context, keeping->flow, vector, run->target, rows,
                             run->exploration->buffer.x, keeping->log_weights));
  double sum = 0, squares = 0;
  for (int64_t r = 0; r < rows; r++) sum += keeping->log_weights[r];
  const double n = (double)rows, mean = sum / n;
  for (int64_t r = 0; r < rows; r++) {
    const double off = keeping->log_weights[r] - mean;
    squares += off * off;
  }
  const double variance = squares / n / n + scores.elbo_se * scores.elbo_se;
  if (scores.lost > 0 || !isfinite(mean - scores.elbo) || !isfinite(variance)) return SL_OK;
  *value = mean - scores.elbo;
  *se = sqrt(variance);
  return SL_OK;
}

sl_status sl__keeping_look(sl__keeping *keeping, const void *vector) {
  double value, se;
  SL__TRY(score(keeping, vector, &value, &se));
  if (!(value < keeping->best)) return SL_OK;
  keeping->best = value;
  keeping->best_se = se;
  memcpy(keeping->vector, vector, bytes_of(keeping->flow));
  return SL_OK;
}

sl_status sl__keeping_settle(const sl__keeping *keeping, void *vector, bool *rolled_back) {
  double value, se;
  *rolled_back = false;
  SL__TRY(score(keeping, vector, &value, &se));
  const double noise = SL__ERRORS * sqrt(se * se + keeping->best_se * keeping->best_se);
  const double worse = value - keeping->best;
  if (keeping->best == INFINITY || worse <= sl__robust_goal(keeping->run->target->dim) + noise)
    return SL_OK;
  memcpy(vector, keeping->vector, bytes_of(keeping->flow));
  *rolled_back = true;
  return SL_OK;
}
