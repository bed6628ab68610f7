/* Pathfinder: Gaussians along the way of an optimiser.
 *
 * L-BFGS climbs from a random point; at every point of its way the inverse Hessian that it has
 * learned makes a Gaussian, and the one with the best ELBO is drawn from. Several such ways are put
 * together by importance weights, Pareto smoothed (Zhang, Carpenter, Gelman and Vehtari 2022, JMLR
 * 23:306, algorithms 1 to 6). All ways climb in the lanes of one run. */
#ifndef SL_INFER_CHAIN_PATHFINDER_H
#define SL_INFER_CHAIN_PATHFINDER_H
#include "target/target.h"

typedef struct sl__pathfinder_options {
  int32_t paths;      /* L-BFGS runs */
  int32_t history;    /* pairs that L-BFGS keeps */
  int32_t most_steps; /* of a way */
  int32_t elbo_draws; /* for each ELBO */
  int32_t path_draws; /* of each way's best Gaussian, which the weights choose from */
  double init_radius; /* first points are uniform within this of 0 in every coordinate */
  double tolerance;   /* relative gain of the log density below which a way ends */
  bool weigh;         /* choose among the draws by PSIS; else take equally many of each way */
  uint64_t seed;
  bool (*may_go_on)(void *user); /* asked between evaluations, or NULL */
  void *user;
} sl__pathfinder_options;
void sl__pathfinder_defaults(sl__pathfinder_options *options);

typedef struct sl__pathfinder_report {
  int64_t gradients, values;        /* evaluations of the density */
  int32_t paths;                    /* that came to something */
  double elbo;                      /* the best */
  double khat, khat_threshold, ess; /* of the weights */
  double log_evidence, log_evidence_se;
} sl__pathfinder_report;

/* q [draws][dim]; log_density [draws], or NULL. Where the weights have a few draws only, they are
 * repeated. SL_NUMERIC: no way led anywhere. SL_STOPPED: may_go_on said no, and there are none. */
sl_status sl__pathfinder_run(sl_context *context, const sl__target *target,
                             const sl__pathfinder_options *options, int64_t draws, double *q,
                             double *log_density, sl__pathfinder_report *report);
#endif
