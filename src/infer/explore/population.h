/* A tempered population and what it is moved by. src/infer/explore only.
 *
 * The density that it stands at is first^(1 - power) target^power, whose values and gradients are
 * kept with the particles, the two factors apart. */
#ifndef SL_INFER_EXPLORE_POPULATION_H
#define SL_INFER_EXPLORE_POPULATION_H
#include "infer/chain/metric.h"
#include "infer/explore/smc.h"

/* first.c: the density that particles come from. Half of it is a broad normal density; the other
 * half are normal densities about the groups of draws that were known beforehand, if any were. */
typedef struct sl__first_density {
  int32_t dim;
  int groups;
  double *centre, *spread; /* [dim] of the broad one */
  double *means;           /* [groups][dim] */
  sl__metric *shapes;      /* [groups]: their covariances */
  double *log_shares;      /* [1 + groups]: less the log of the normalising constant */
  double *work;            /* [1 + groups][dim] and [1 + groups] */
} sl__first_density;
sl_status sl__first_density_open(sl__arena *arena, int32_t dim, const sl__smc_options *options,
                                 sl__first_density *first);
/* Once centre and spread are as they shall be. */
void sl__first_density_settle(sl__first_density *first);
/* Log density at q [dim]; its gradient [dim], or NULL. */
double sl__first_density_at(const sl__first_density *first, const double *q, double *gradient);
/* Row r of q [rows][dim] is a function of (key, r). */
void sl__first_density_draw(const sl__first_density *first, sl__random_key key, int64_t rows,
                            double *q);

/* Particles, and what is known at them. */
typedef struct sl__particles {
  double *q, *gradient, *first_gradient; /* [rows][dim] */
  double *value, *first_value;           /* [rows] */
} sl__particles;

typedef struct sl__population {
  sl_context *context;
  const sl__target *target;
  const sl__smc_options *options;
  sl__smc_report *report;
  sl__density *density;
  int64_t rows;
  int32_t dim;
  sl__first_density first;
  sl__particles now, next;
  double *begun, *momentum;          /* [rows][dim]; begun: where the moves of a power began */
  double *first_energy, *log_weight; /* [rows] */
  double *velocity, *work;           /* [dim], [dim][dim] */
  int64_t *chosen, *ancestor;        /* [rows]; ancestor: among the particles drawn first */
  sl__metric metric;
  double power, step_size;
  uint32_t draws_of_chance;
} sl__population;

sl__random_key sl__population_key(sl__population *p);
/* Both densities and their gradients at the first `rows` of `at`. SL_STOPPED: progress said so. */
sl_status sl__population_evaluate(sl__population *p, int64_t rows, const sl__particles *at);
/* particle `from` of one becomes particle `to` of the other. */
void sl__population_copy(const sl__population *p, const sl__particles *source, int64_t from,
                         const sl__particles *target, int64_t to);
/* weights.c. The logarithm of the mean of exp(x), x [n]. */
double sl__population_log_mean(int64_t n, const double *x);
/* Effective share of the population under weights exp(step * log_weight). */
double sl__population_effective_share(int64_t n, const double *log_weight, double step);
/* The largest step of the power whose weights keep the share. */
double sl__population_choose_step(const sl__population *p);
/* Systematic resampling by p->log_weight, which are weights now. */
void sl__population_resample(sl__population *p);
/* Of the log evidence, by ancestors; counts [rows] is overwritten. */
double sl__population_ancestral_variance(const sl__population *p, double *counts);
/* move.c: at least `least` Hamiltonian moves of every particle, and more, up to `most`, until they
 * have forgotten where they were. */
sl_status sl__population_move(sl__population *p, int least, int most);
#endif
