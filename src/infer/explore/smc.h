/* Tempered sequential Monte Carlo: finds where a target's mass is, without being told, and about
 * how much there is (Del Moral, Doucet and Jasra 2006, doi:10.1111/j.1467-9868.2006.00553.x).
 *
 * A population starts from a broad normal density and is led to the target through powers of it:
 * each next power is as large as the weights allow, the population is resampled by them and moved
 * by a few Hamiltonian steps, all particles in the lanes of one run. Since the start is broad and
 * mass is moved, not climbed to, separate modes keep their shares, which chains from random points
 * do not. */
#ifndef SL_INFER_EXPLORE_SMC_H
#define SL_INFER_EXPLORE_SMC_H
#include "target/target.h"

typedef struct sl__smc_options {
  int64_t particles;
  double share;  /* of the effective sample size that a next power keeps */
  double accept; /* the acceptance that steps are tuned to */
  /* Moves at each power, at least and at most: within these until the particles have forgotten
   * where they were; and at least at the end. */
  int sweeps, most_sweeps, last_sweeps;
  int most_leapfrogs;     /* of one move: 1 .. this */
  int64_t most_gradients; /* when so many have been used it ends, complete or not; 0: no bound */
  uint64_t seed;
  const double *centre, *spread; /* [dim] of the first density; NULL: 0, and by probing */
  /* Draws that tell where mass is, found in another way: known [known_groups][known_rows][dim]. Half
   * of the particles then start about these groups, from normal densities with their moments, made
   * wider; of the other half's freedom to find more nothing is taken away. */
  const double *known;
  int64_t known_rows;
  int known_groups;
  double most_ode_steps; /* sl__density_set_patience; 0: no limit */
  /* [particles][dim], or NULL: the population as it was when the power was last at most a half,
   * wider than the target and wherever that is. */
  double *wide;
  /* After every step of a move, and within one that takes long, or NULL; false ends the run with
   * SL_STOPPED, and q is the population at the power that it had reached; before the first, with no
   * `powers`, it is nothing. */
  bool (*progress)(void *user, double power, int64_t gradients);
  void *user;
} sl__smc_options;
void sl__smc_defaults(sl__smc_options *options, int32_t dim);

typedef struct sl__smc_report {
  double log_evidence, log_evidence_se; /* se: by the weights and by the ancestors that are left */
  double spread;                        /* of the first density, when it was probed */
  double power;                         /* 1: complete */
  double accept, step_size;             /* of the last moves */
  int powers;
  int64_t gradients;
} sl__smc_report;

/* q [particles][dim], log_density [particles]: draws from the target, equally weighted.
 * SL_NUMERIC: the density is nowhere finite. */
sl_status sl__smc_run(sl_context *context, const sl__target *target, const sl__smc_options *options,
                      double *q, double *log_density, sl__smc_report *report);
/* Moves points q [rows][dim] by `sweeps` more at the full target, with the population's covariance
 * as metric; log_density [rows] out. */
sl_status sl__smc_refresh(sl_context *context, const sl__target *target,
                          const sl__smc_options *options, int sweeps, int64_t rows, double *q,
                          double *log_density, sl__smc_report *report);
#endif
