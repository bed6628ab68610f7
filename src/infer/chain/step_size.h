/* Dual averaging of the step size: Hoffman and Gelman 2014 (JMLR 15:1593), section 3.2, with Stan's
 * constants. */
#ifndef SL_INFER_CHAIN_STEP_SIZE_H
#define SL_INFER_CHAIN_STEP_SIZE_H

typedef struct sl__step_size {
  double delta;             /* the acceptance probability that is aimed at */
  double gamma, kappa, t0;  /* how fast it learns */
  double count, mean_error; /* H-bar of the paper */
  double centre;            /* mu: log of a step size that is tried first */
  double mean_log;          /* the average that is used in the end */
} sl__step_size;

void sl__step_size_open(sl__step_size *adaptation, double delta);
/* Starts anew around ten times this step size. */
void sl__step_size_restart(sl__step_size *adaptation, double step_size);
/* The next step size, after a transition with this acceptance. */
double sl__step_size_learn(sl__step_size *adaptation, double accept);
double sl__step_size_final(const sl__step_size *adaptation);
#endif
