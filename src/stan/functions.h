/* What builders of functions share: drivers for elementwise functions, rearrangements, sizes; and
 * mathematical functions of one number and of nodes, which densities use too. */
#ifndef SL_STAN_FUNCTIONS_H
#define SL_STAN_FUNCTIONS_H
#include <math.h>
#include "kernels/special.h"
#include "stan/builders.h"

/* ---- arguments and results: functions_call.c ---- */
static inline bool sl__call_is_integers(const sl__stan_value *value) {
  return value->form == SL__STAN_INTEGERS;
}
static inline bool sl__call_is_matrix(const sl__stan_value *value) {
  return sl__stan_is(value->type, SL__STAN_MATRIX_TYPE);
}
/* Whether all of a call's arguments are known. */
bool sl__call_all_known(const sl__stan_call *call);
/* Known integer argument i, a scalar; SL__TRY'd, since what depends on a parameter is refused. */
sl_status sl__call_integer(sl__stan_call *call, int i, int64_t *out);
/* The same, from `least` to what a size can be: "size is -1, but must be at least 0". */
sl_status sl__call_size(sl__stan_call *call, int i, const char *what, int32_t least, int32_t *out);
/* The same, an index from 1 to `most`, made to count from 0. */
sl_status sl__call_position(sl__stan_call *call, int i, const char *what, int32_t most,
                            int32_t *out);
/* Refuses a call whose result would be too large to hold. */
sl_status sl__call_check_count(sl__stan_call *call, int32_t dims, const int32_t *size,
                               int64_t *count);
/* a + b, as a size. */
sl_status sl__call_add_sizes(sl__stan_call *call, int32_t a, int32_t b, int32_t *sum);
/* Gives numbers, or a node, with the type the checker found (call->type). */
sl_status sl__call_give_node(sl__stan_call *call, int32_t dims, const int32_t *size, sl_node node);
sl_status sl__call_give_doubles(sl__stan_call *call, int32_t dims, const int32_t *size,
                                const double *numbers);
sl_status sl__call_give_real(sl__stan_call *call, double number);
sl_status sl__call_give_integer(sl__stan_call *call, int64_t integer);
/* A result without elements. */
sl_status sl__call_give_empty(sl__stan_call *call, int32_t dims, const int32_t *size);
/* A result of equal numbers. */
sl_status sl__call_give_filled(sl__stan_call *call, int32_t dims, const int32_t *size,
                               double number);
/* Rows and columns of a matrix, of a vector (a column) or a row vector (a row). */
void sl__call_rows_columns(const sl__stan_value *value, int32_t *rows, int32_t *columns);

/* The call's result [dims; size] is made of elements of arguments first..last, strung together:
 * element k is number index[k]. Integers stay integers, what is known stays known, pieces stay
 * pieces. */
sl_status sl__call_rearrange(sl__stan_call *call, int first, int last, int32_t dims,
                             const int32_t *size, const int32_t *index);
/* The same with the elements in their order: begin, begin + 1, ... */
sl_status sl__call_cut(sl__stan_call *call, int first, int last, int32_t dims, const int32_t *size,
                       int32_t begin);

/* The work of sorting so many numbers: each is compared log2(count) times. */
static inline double sl__call_sorting_work(int64_t count) {
  return 32 * (double)count * log2((double)count + 1);
}

/* ---- elementwise: functions_call.c ----
 * number: of known numbers; node: of what depends on parameters, or NULL where there is none (the
 * call is then refused). Scalars are repeated beside containers. */
typedef double sl__call_number1(double a);
typedef double sl__call_number2(double a, double b);
typedef double sl__call_number3(double a, double b, double c);
typedef sl_node sl__call_node1(sl__graph *g, sl_node a);
typedef sl_node sl__call_node2(sl__graph *g, sl_node a, sl_node b);
typedef sl_node sl__call_node3(sl__graph *g, sl_node a, sl_node b, sl_node c);
sl_status sl__call_unary(sl__stan_call *call, sl__call_number1 *number, sl__call_node1 *node);
/* The function of a known number that a builtin is elementwise, or NULL: then no graph is needed.
 * */
sl__call_number1 *sl__call_number_of(const sl__stan_builtin *builtin);
sl_status sl__call_binary(sl__stan_call *call, sl__call_number2 *number, sl__call_node2 *node);
sl_status sl__call_ternary(sl__stan_call *call, sl__call_number3 *number, sl__call_node3 *node);
/* Which argument has the result's shape: the first container, else 0. Refuses sizes that differ. */
sl_status sl__call_widest(sl__stan_call *call, int *widest);

/* ---- functions of numbers: functions_numbers.c ---- */
double sl__number_log1m_exp(double x);
double sl__number_log1p_exp(double x);
double sl__number_lmultiply(double a, double b); /* a log(b); 0 where both are 0 */
double sl__number_log_sum_exp(double a, double b);
double sl__number_inv_logit(double x);
/* The quantile of the standard normal distribution at exp(log_p); log_q = log(1 - exp(log_p)). */
double sl__number_normal_quantile(double log_p, double log_q);
double sl__number_inv_phi(double p);
double sl__number_phi(double x);
double sl__number_lbeta(double a, double b);
double sl__number_lchoose(double n, double k);
double sl__number_gamma_p(double a, double x); /* regularised incomplete gamma */
double sl__number_gamma_q(double a, double x);
double sl__number_lambert_w0(double x);
double sl__number_lambert_wm1(double x);
double sl__number_log_bessel_i(double v, double x);

/* ---- functions of nodes: functions_nodes.c ---- */
/* A value with the derivative that another formula gives: both in graph form; slope = dvalue/dx,
 * finite wherever value is. */
sl_node sl__maths_with_slope(sl__graph *g, sl_node value, sl_node x, sl_node slope);
sl_node sl__maths_real(sl__graph *g, double number);
sl_node sl__maths_inv_logit(sl__graph *g, sl_node a);
sl_node sl__maths_log_inv_logit(sl__graph *g, sl_node a);
sl_node sl__maths_log1m_inv_logit(sl__graph *g, sl_node a);
sl_node sl__maths_log1m(sl__graph *g, sl_node a);
sl_node sl__maths_log1m_exp(sl__graph *g, sl_node a);
sl_node sl__maths_erfc(sl__graph *g, sl_node a);
sl_node sl__maths_phi(sl__graph *g, sl_node a);
sl_node sl__maths_log_phi(sl__graph *g, sl_node a);
sl_node sl__maths_inv_phi(sl__graph *g, sl_node p);
sl_node sl__maths_log_quantile(sl__graph *g, sl_node log_p); /* std_normal_log_qf */
sl_node sl__maths_log_sum_exp(sl__graph *g, sl_node a, sl_node b);
sl_node sl__maths_log_diff_exp(sl__graph *g, sl_node a, sl_node b);
sl_node sl__maths_log_mix(sl__graph *g, sl_node theta, sl_node a, sl_node b);
sl_node sl__maths_lmultiply(sl__graph *g, sl_node a, sl_node b);
sl_node sl__maths_lbeta(sl__graph *g, sl_node a, sl_node b);
sl_node sl__maths_lchoose(sl__graph *g, sl_node n, sl_node k);
sl_node sl__maths_trunc(sl__graph *g, sl_node a);
/* sqrt(a), with derivative 0 instead of infinity at a = 0: distances and standard deviations. */
sl_node sl__maths_root(sl__graph *g, sl_node a);
/* a^b, with derivatives 0 at a = 0. */
sl_node sl__maths_pow(sl__graph *g, sl_node a, sl_node b);
#endif
