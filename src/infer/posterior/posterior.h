/* What one does with a variational fit: comes back from the flow's coordinates to the model's own
 * scale, corrects its draws by their weights, estimates the evidence with it. */
#ifndef SL_INFER_POSTERIOR_POSTERIOR_H
#define SL_INFER_POSTERIOR_POSTERIOR_H
#include "flow/model.h"
#include "infer/diagnose/diagnose.h"
#include "target/target.h"

/* Refuses a model that is no density of the target's coordinates, each by its name. */
sl_status sl__posterior_check(sl_context *context, const sl__target *target,
                              const sl__model *model);

/* out [rows] = log |det| of the map from q [rows][dim] to parameters on their own scale: a density
 * of coordinates less this is the density of parameters (with respect to those that Stan's
 * Jacobians are of: all of a vector, the free ones of a simplex or a correlation matrix). */
sl_status sl__posterior_log_jacobian(sl_context *context, const sl__target *target, int64_t rows,
                                     const double *q, double *out);

/* ---- draws corrected by their weights ---- */

typedef struct sl__weighing {
  sl__psis psis;
  int64_t proposals, lost; /* lost: of no finite weight; they are left out */
} sl__weighing;
/* Of proposals q [count][dim] with log densities log_q [count], which ones to take: index [wanted],
 * each by its Pareto-smoothed weight; distinct: none twice (then `wanted` must be fewer). */
sl_status sl__posterior_resample(sl_context *context, const sl__target *target, int64_t count,
                                 const double *q, const double *log_q, bool distinct, uint64_t seed,
                                 int64_t wanted, int64_t *index, sl__weighing *out);

/* ---- evidence ---- */

/* Draws of the target on the unconstrained scale, [chains][draws][dim]; none: chains 0. */
typedef struct sl__posterior_draws {
  int64_t chains, draws;
  const double *q;
} sl__posterior_draws;

typedef struct sl__evidence_options {
  int64_t judge;         /* draws of the flow */
  int32_t chains, moves; /* without draws: chains that make some, draws of each */
  uint64_t seed;
} sl__evidence_options;
void sl__evidence_defaults(sl__evidence_options *options);

typedef struct sl__evidence_report {
  double importance, importance_se; /* NaN where no draw has a weight */
  sl__psis psis;
  int64_t judged_by, lost;
  sl__evidence bridge;
  int64_t posterior_draws;
  double rhat; /* of the draws' log weights: largest, over chains */
  double ess;  /* effective number of these */
  int64_t gradient_evaluations;
  double value, se; /* of bridge sampling if it may be trusted, else of importance sampling */
  bool importance_trusted, bridge_trusted, trusted;
  char verdict[512];
} sl__evidence_report;

/* From a fit; draws that are not given are made by chains in the flow's base space, which begin at
 * draws of the flow taken by weight. Draws must not be those that the flow was fitted to. */
sl_status sl__posterior_evidence(sl_context *context, const sl__target *target,
                                 const sl__model *model, const sl__posterior_draws *draws,
                                 const sl__evidence_options *options, sl__evidence_report *out);
/* From draws alone: a flow (formula NULL: chosen by their number) is fitted to the first half of
 * each chain, and bridges with the second. *model: that flow, to be freed. */
sl_status sl__posterior_evidence_of_draws(sl_context *context, const sl__target *target,
                                          const char *formula, const sl__posterior_draws *draws,
                                          const sl__evidence_options *options,
                                          sl__evidence_report *out, sl__model **model);
#endif
