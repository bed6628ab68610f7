/* The robust mode of variational inference: from a target alone to a flow that is certified, or to
 * a plain sentence why it is not.
 *
 * A flow that is fitted by its own draws cannot see what it misses. So the target is explored
 * first, by means that do not know the flow (a tempered population, Markov chains); the flow
 * starts from what they found, by likelihood, is refined by its own draws, and is judged by both:
 * its draws say whether q is where p is not, theirs whether p is where q is not. */
#ifndef SL_INFER_ROBUST_ROBUST_H
#define SL_INFER_ROBUST_ROBUST_H
#include "infer/vi/vi.h"

struct sl__model;

enum {
  SL__ROBUST_EXPLORE,
  SL__ROBUST_LIKELIHOOD,
  SL__ROBUST_DIVERGENCE,
  SL__ROBUST_JUDGE,
  SL__ROBUST_STAGES
};
typedef struct sl__robust_progress {
  int stage;           /* SL__ROBUST_EXPLORE .. */
  int attempt;         /* 1 ..; 0: exploring */
  int64_t step, steps; /* of the stage */
  double loss;         /* of the step; NaN: there is none */
  double seconds;      /* since the start */
} sl__robust_progress;

typedef struct sl__robust_options {
  const char *formula,
      *base; /* NULL: chosen; else the only flow that is tried, longer and longer */
  uint64_t seed;
  int64_t judge;      /* draws that an attempt is judged by */
  int most_attempts;  /* 0: by dimension */
  double max_seconds; /* 0: none. The only option by which time can change a result */
  /* Evaluations of the density with its gradient, without those that judge; 0: no bound. Of both
   * limits, exploring may use half. */
  int64_t most_gradients;
  bool (*progress)(void *user, const sl__robust_progress *now); /* false stops */
  void *user;
} sl__robust_options;
void sl__robust_defaults(sl__robust_options *options);

/* Everything in nats. A number that could not be had is NaN. */
typedef struct sl__robust_report {
  sl__vi_scores scores;               /* by q's own draws */
  double upper_bound, upper_bound_se; /* mean log w over the exploration's draws: >= log Z */
  double ess_forward;       /* of the exploration's draws, but for the few heaviest, as a */
                            /* share of them */
  double bridge, bridge_se; /* log Z from both sets of draws */
  /* What q's draws miss of the mass in tails, as a share of Z as they have it. */
  double tail_missed, tail_missed_se;
  double tempered, tempered_se; /* log Z from the tempered population */
  double missed;                /* share of the exploration's draws that q hardly reaches */
  /* Of these, draws that the forward share leaves out; and how far they would move q, in sd, and
   * by the logarithm of an sd. */
  int64_t strays;
  double stray_mean_gap, stray_sd_gap;
  /* As stray_sd_gap, but of a mean deviation in coordinates where q itself has tails so heavy that
   * draws do not know an sd; unless q is so low at a stray that it has no tail there. */
  double stray_spread_gap;
  /* Alike, q against its own draws as their weights have them; no more where k-hat is bad. */
  double own_mean_gap, own_sd_gap, own_log_sd_ratio;
  double parameter_mean_gap, parameter_sd_gap; /* the same of parameters on their own scale */
  double mean_gap, sd_gap; /* largest of any coordinate, q against the exploration, in */
                           /* sd, and |log ratio| of sds, or of mean */
                           /* deviations where tails are heavy */
  bool by_quartiles; /* heavy tails in one dimension: these four gaps, without log ratios of sds, */
                     /* are of medians and of the spread between quartiles */
  double log_sd_ratio;              /* the largest |log ratio| of sds, whatever the tails are */
  double rhat;                      /* largest, of the chains */
  int64_t divergences, chain_draws; /* of the chains */
  /* What the exploration is worth. */
  int32_t dim;
  double effective;       /* independent draws, at least */
  double tempered_accept; /* of the population's last moves */
  bool tempered_complete, chains_agree;
  bool population_within; /* nearly all of the tempered population lies where q does */
  bool modes_confirmed;   /* chains disagree, and the population says that modes are apart */
  bool exploration_cut;   /* by a limit */
  bool flow_given, base_given; /* by the options */
  int attempts;
  int64_t steps, gradient_evaluations, evaluations; /* of the density; evaluations: without */
  int64_t climbs, particles, chains;                /* that looked for modes */
  int rolled_back; /* stages that ended worse than they had been, and were set back */
  double seconds;
  double loss_average;      /* of the attempt that is kept */
  sl__loss_history history; /* of the attempt that is kept, while it was fitted by its own draws */
  const char *chosen;       /* the flow's formula; lives as long as the model */
  bool certified;
  char verdict[768];
} sl__robust_report;

/* *out and report are there after SL_STOPPED too, if an attempt had ended. */
sl_status sl__robust_fit(sl_context *context, const sl__target *target,
                         const sl__robust_options *options, struct sl__model **out,
                         sl__robust_report *report);

/* Of the log evidence by importance: mass in tails that none of q's draws come to is no less of an
 * error of it than chance. */
double sl__robust_evidence_se(const sl__robust_report *report);
#endif
