/* Distributions: what builders of densities, cumulative distributions and draws share.
 *
 * Most distributions are of scalars, vectorised: one sl__distribution says what their arguments
 * must be, and how density, cumulative distribution and draw of one element are made; the driver
 * (distribution_build.c) does the rest. Formulas and names of arguments are those of the Stan
 * functions reference; in comments y (n: whole numbers) is the variate. */
#ifndef SL_STAN_DISTRIBUTION_H
#define SL_STAN_DISTRIBUTION_H
#include "stan/functions.h"

#define SL__LN2             0.69314718055994530942
#define SL__PI              3.14159265358979323846
#define SL__LOG_PI          1.14472988584940017414
#define SL__HALF_LOG_TWO_PI 0.91893853320467274178

/* What an argument must be. Known arguments are checked in full. Of those that depend on parameters
 * only bounds are checked, as requirements: what is infinite or NaN makes the density -infinity or
 * NaN by itself. */
typedef enum sl__domain {
  SL__ANY_NUMBER, /* not NaN */
  SL__FINITE,
  SL__POSITIVE,
  SL__POSITIVE_FINITE,
  SL__NOT_NEGATIVE,
  SL__PROBABILITY, /* 0 to 1 */
  SL__INSIDE_UNIT, /* between 0 and 1 */
  SL__ZERO_OR_ONE, /* integers */
  SL__AT_LEAST_ONE
} sl__domain;

typedef struct sl__rule {
  const char *what; /* "scale"; NULL: there is no such argument */
  sl__domain domain;
} sl__rule;

enum { SL__MAX_RULES = 6, SL__MAX_TERMS = 12 };

/* The arguments of a distribution of scalars, and the terms of its log density so far. */
typedef struct sl__elements {
  sl__stan_call *call;
  sl__graph *g;
  int32_t n;
  sl_node x[SL__MAX_RULES]; /* [] or [n]; x[0]: the variate */
  sl_node term[SL__MAX_TERMS];
  int terms;
  sl_node possible; /* 0: everywhere; else 1 where the density is not 0 */
} sl__elements;

/* A term of the log density, [] or [n]. Those that share no arguments are best apart: then scalars
 * are computed once, and constants can be left out. */
void sl__density_term(sl__elements *e, sl_node term);
void sl__density_number(sl__elements *e, double term);
/* The density is 0 where condition [] or [n] is 0; terms must be finite even there. */
void sl__density_restrict(sl__elements *e, sl_node condition);

typedef struct sl__distribution {
  sl__rule rule[SL__MAX_RULES]; /* the variate's first */
  void (*density)(sl__elements *e);
  /* Logarithms of P(Y <= y) and P(Y > y). */
  sl_node (*log_cdf)(sl__elements *e);
  sl_node (*log_ccdf)(sl__elements *e);
  /* Or both of known numbers x [rules]. */
  void (*known_cdf)(const double *x, double *log_cdf, double *log_ccdf);
  /* Of whole numbers from 0 on; a cumulative distribution without a formula is a sum of
   * probabilities up to `limit` or the number that argument `limit_argument` is; both 0: without
   * end. */
  bool whole;
  int limit, limit_argument;
  double (*draw)(sl__stan_call *call, const double *parameter);
  /* Rules that join several arguments; NULL: none. */
  sl_status (*check)(sl__stan_call *call);
} sl__distribution;

/* ---- distribution_build.c ---- */
sl_status sl__distribution_build(sl__stan_call *call, const sl__distribution *family);
/* sl__stan_build_NAME of a distribution of scalars. */
#define SL__DISTRIBUTION(name, ...)                                \
  const sl__distribution sl__distribution_##name = {__VA_ARGS__};  \
  sl_status sl__stan_build_##name(sl__stan_call *call) {           \
    return sl__distribution_build(call, &sl__distribution_##name); \
  }
extern const sl__distribution sl__distribution_normal, sl__distribution_bernoulli_logit,
    sl__distribution_binomial_logit, sl__distribution_poisson_log,
    sl__distribution_neg_binomial_2_log;
/* Checks argument i against the rule: refuses known numbers, requires of others. */
sl_status sl__distribution_check(sl__stan_call *call, int i, const sl__rule *rule);
/* The sum of the terms of e, as the call's result. */
sl_status sl__density_give(sl__elements *e);
/* A call of _cdf, _lcdf or _lccdf, _rng that the distribution has no formula for. */
sl_status sl__distribution_refuse(sl__stan_call *call);
/* Whether the called name ends so: "_lccdf". */
bool sl__distribution_ends_in(const sl__stan_call *call, const char *suffix);
/* The call's arguments as nodes. */
sl__elements sl__elements_of(sl__stan_call *call, int32_t n);
double sl__element_of(const sl__stan_call *call, int i, int32_t k); /* a known number */
/* log_sum: the sum over elements of the logarithm that was asked for. */
sl_status sl__distribution_give_cumulative(sl__stan_call *call, sl_node log_sum);

/* ---- distribution_sum.c ---- */
/* The cumulative distribution of whole numbers. */
sl_status sl__distribution_sum(sl__stan_call *call, const sl__distribution *family, int32_t n);

/* ---- distribution_nodes.c ---- */
sl_node sl__density_standardise(sl__graph *g, sl_node y, sl_node location, sl_node scale);
/* a log(x) and a log(1 - x), 0 where a is 0. */
sl_node sl__density_times_log(sl__graph *g, sl_node a, sl_node x);
sl_node sl__density_times_log1m(sl__graph *g, sl_node a, sl_node x);
/* lgamma(x + k) - lgamma(x), x > 0, k >= 0, without cancellation. */
sl_node sl__density_log_rising(sl__graph *g, sl_node x, sl_node k);
/* log I_0(x), x >= 0: the modified Bessel function. */
sl_node sl__density_log_bessel_i0(sl__graph *g, sl_node x);
/* log of the multivariate gamma function of dimension k at x []. */
sl_node sl__density_log_multigamma(sl__graph *g, int32_t k, sl_node x);

/* ---- distribution_draw.c: exact draws of known numbers ---- */
double sl__draw_exponential(sl__stan_call *call);
double sl__draw_gamma(sl__stan_call *call, double shape);
/* The logarithm of a gamma draw: small shapes underflow otherwise. */
double sl__draw_log_gamma(sl__stan_call *call, double shape);
double sl__draw_beta(sl__stan_call *call, double a, double b);
double sl__draw_binomial(sl__stan_call *call, double trials, double probability);
double sl__draw_poisson(sl__stan_call *call, double rate);
/* An index below count, with probabilities proportional to weight [count]. */
int32_t sl__draw_index(sl__stan_call *call, int32_t count, const double *weight);

/* ---- vectors and matrices: distribution_vectors.c ---- */

/* Vectors of k elements each, or one vector: argument i of `vectors` type. */
typedef struct sl__vectors {
  int32_t rows, k; /* rows: 1 of one vector */
  bool is_array;
} sl__vectors;
sl__vectors sl__vectors_of(const sl__stan_value *value);
/* Refuses other sizes. what: "covariance". */
sl_status sl__vectors_square(sl__stan_call *call, int i, const char *what, int32_t *k);
sl_status sl__vectors_length(sl__stan_call *call, int i, const char *what, int32_t k);
/* The lower Cholesky factor of argument i [k,k], which must be positive definite and, where known,
 * symmetric. */
sl_status sl__vectors_factor(sl__stan_call *call, int i, const char *what, sl_node *factor);
/* A lower triangular argument with a positive diagonal. */
sl_status sl__vectors_lower(sl__stan_call *call, int i, const char *what, sl_node *factor);
sl_node sl__vectors_log_diagonal(sl__graph *g, sl_node factor); /* [k]: log of the diagonal */
/* Known numbers: the lower factor of a [k,k] into l [k,k]; false: not positive definite. */
bool sl__vectors_factorise(int32_t k, const double *a, double *l);
#endif
