/* What is known of a target before a flow is fitted to it. */
#ifndef SL_INFER_ROBUST_EXPLORE_H
#define SL_INFER_ROBUST_EXPLORE_H
#include "base/random.h"
#include "infer/explore/smc.h"

/* The parts of a run that draw at random: each has seeds of its own, by number. */
enum {
  SL__PART_CHAINS, /* number: the exploration's stage */
  SL__PART_TEMPER,
  SL__PART_COPY,
  SL__PART_SEARCH,
  SL__PART_SHUFFLE,
  SL__PART_START, /* from here on, number: the attempt */
  SL__PART_LIKELIHOOD,
  SL__PART_DIVERGENCE,
  SL__PART_KEEP,
  SL__PART_JUDGE,
  SL__PART_REFRESH,
  SL__PART_WALK,
  SL__PART_PROPER,
  SL__PART_STREW, /* number: of the set of points */
  SL__PART_TAILS
};
static inline uint64_t sl__seed_of_part(uint64_t seed, uint32_t part, int number) {
  return sl__random_seed((sl__random_key){seed, SL__STREAM_PART + part, (uint32_t)number});
}

typedef struct sl__draws {
  int64_t rows;
  double *x; /* [rows][dim] */
} sl__draws;

/* Of a chain: its mean log density, and its divergences. */
typedef struct sl__stay {
  double log_density;
  int64_t divergences;
} sl__stay;
enum { SL__MOST_CHAINS = 12 };

typedef struct sl__exploration {
  int32_t dim;
  sl__draws particles;      /* the tempered population at full power; rows 0: none */
  sl__draws wide;           /* of it on its way, about all places that matter; rows 0: none */
  double *wide_log_weights; /* [wide.rows]: how often each is to be looked at */
  sl__draws chains;         /* of the no-U-turn chains, [chain][draw][dim] */
  int64_t chain_count;      /* that reached their end */
  sl__stay stays[SL__MOST_CHAINS]; /* [chain_count]; not of walk.c's */
  sl__smc_report smc;
  bool tempered_complete;
  double rhat;                            /* largest of any coordinate; NaN: no chains */
  double *rhats;                          /* [dim] */
  int64_t divergences, gradients, values; /* evaluations with gradient, without */
  int64_t climbs, led;                    /* ways up, and particles, that looked for modes */
  double most_ode_steps; /* of a solution that a search waits for; 0: as many as it takes */
  bool chains_agree;
  bool modes_confirmed; /* chains stayed apart where the population is apart as well */
  bool chains_mix;      /* they agree well, forget soon and hardly diverge */
  bool walked;          /* the chains are those of walk.c, through a flow */
  bool cut;             /* the time or the gradients were over before the end */
  sl__draws buffer;     /* the better of the two, a population moved on as well, in random order */
  double *mean, *sd;    /* [dim] of the buffer */
  double *factor;       /* [dim][dim] lower, of its correlations; NULL beyond SL__MOST_DENSE */
  double effective;     /* independent draws that the buffer is worth, at least */
  char trouble[512];    /* why one of the two is missing */
} sl__exploration;

enum {
  SL__MOST_DENSE = 128,
  SL__FEW = 3 /* dimensions in which a population, or a few thousand points, are about everywhere */
};
/* Chains agree below the first; the share of their transitions that may diverge. */
#define SL__GOOD_RHAT      1.03
#define SL__MOST_DIVERGENT 0.01

typedef struct sl__explore_options {
  uint64_t seed;
  int64_t most_gradients;                                    /* 0: no bound */
  double end;                                                /* by sl__os_seconds; infinity: none */
  bool (*progress)(void *user, int64_t step, int64_t steps); /* or NULL; false stops */
  void *user;
} sl__explore_options;

/* Memory is the arena's. SL_NUMERIC: nothing was found. SL_STOPPED: progress wanted no more. */
sl_status sl__explore(sl_context *context, const sl__target *target,
                      const sl__explore_options *options, sl__arena *arena, sl__exploration *out);
/* search.c. Summits around which no chain has been, or none that was as high: first [SL__MOST_FOUND][dim], in the order in
 * which they were found: those of the first round, then of the next; in each those that usual
 * climbs came to, then those from points that stood out; of each kind the highest first. If there
 * are more, one that is found later and is higher stands last, instead of the lowest. */
enum { SL__MOST_FOUND = 4 };
typedef struct sl__search_report {
  int found;
  double heights[SL__MOST_FOUND]; /* log densities */
} sl__search_report;
/* Asked now and then whether to go on. */
typedef struct sl__search_watch {
  bool (*may_go_on)(void *user);
  void *user;
} sl__search_watch;
/* watch: NULL: to the end. SL_STOPPED: it said no, and nothing is found. */
sl_status sl__exploration_search(sl_context *context, const sl__target *target, uint64_t seed,
                                 const sl__search_watch *watch, sl__exploration *e, double *first,
                                 sl__search_report *out);
/* settle.c. Of the chains, [chain_count][draws][dim]: rhat, effective, chains_agree. */
sl_status sl__exploration_judge_chains(sl_context *context, sl__arena *arena, sl__exploration *e);
/* Lower, of a [n][n], in its place; false: not definite. */
bool sl__exploration_factorise(int32_t n, double *a);
/* idle.c: where chains disagree, those that stayed where next to no mass is go; how many. */
int sl__exploration_drop_idle(sl__exploration *e);
/* The chains become the buffer. */
sl_status sl__exploration_take_chains(sl__arena *arena, sl__exploration *e);
/* Puts the buffer in random order and measures it: mean, sd, factor. */
sl_status sl__exploration_settle(sl__arena *arena, uint64_t seed, sl__exploration *e);
/* modes.c: whether the population has a valley between the places where the chains stayed. */
sl_status sl__confirm_modes(sl_context *context, const sl__draws *particles,
                            const sl__draws *chains, int32_t dim, int64_t segments, bool *out);
/* Whether every coordinate in which the chains disagree has a valley in its margin: with modes in
 * several coordinates, a line between two places meets many others. */
sl_status sl__confirm_margins(sl_context *context, const sl__exploration *e, double most_rhat,
                              int64_t segments, bool *out);
#endif
