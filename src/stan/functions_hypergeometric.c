/* Hypergeometric series and the quantile of Student's t, of known numbers. */
#include "stan/functions.h"

#include <math.h>

enum { MOST_WORK = 64000000 };

/* pFq(a; b; z): the sum of z^k / k! times rising factorials of a over those of b. NaN where it
 * diverges, or has more terms than are summed. *work grows by what it takes. */
static double series(const double *a, int64_t p, const double *b, int64_t q, double z,
                     double *work) {
  const double term_work = 16 * (double)(p + q) + 32;
  double term = 1, sum = 1, lost = 0;
  if (p > q + 1 || (p == q + 1 && fabs(z) > 1)) return NAN;
  for (int k = 0; *work < MOST_WORK; k++, *work += term_work) {
    for (int64_t i = 0; i < p; i++) term *= a[i] + k;
    for (int64_t i = 0; i < q; i++) term /= b[i] + k;
    term *= z / (k + 1);
    const double next = sum + (term + lost); /* Kahan's summation: many terms near |z| = 1 */
    lost = (term + lost) - (next - sum);
    sum = next;
    if (fabs(term) <= 1e-17 * fabs(sum)) return sum;
    if (!isfinite(sum)) return sum;
  }
  return NAN;
}

/* For z < 0 by Pfaff's transformation (DLMF 15.8.1), which brings it between 0 and 1. */
static double gauss(double a, double b, double c, double z, double *work) {
  if (z < 0) return pow(1 - z, -a) * series((double[]){a, c - b}, 2, &c, 1, z / (z - 1), work);
  if (z == 1) {
    if (!(c - a - b > 0)) return NAN;
    return tgamma(c) * tgamma(c - a - b) / (tgamma(c - a) * tgamma(c - b));
  }
  return series((double[]){a, b}, 2, &c, 1, z, work);
}

static sl_status refuse_parameters(sl__stan_call *call) {
  return sl__stan_refuse(call, "an argument depends on a parameter; this function is evaluated "
                               "for data only");
}

sl_status sl__stan_build_hypergeometric_2F1(sl__stan_call *call) {
  double x[4], work = 0;
  if (!sl__call_all_known(call)) return refuse_parameters(call);
  for (int i = 0; i < 4; i++) {
    const double *number = sl__stan_numbers(call, i);
    if (!number) return SL_NO_MEMORY;
    x[i] = *number;
  }
  const double sum = gauss(x[0], x[1], x[2], x[3], &work);
  SL__TRY(sl__stan_work(call, work));
  return sl__call_give_real(call, sum);
}

sl_status sl__stan_build_hypergeometric_pFq(sl__stan_call *call) {
  if (!sl__call_all_known(call)) return refuse_parameters(call);
  const double *a = sl__stan_numbers(call, 0), *b = sl__stan_numbers(call, 1);
  const double *z = sl__stan_numbers(call, 2);
  if (!a || !b || !z) return SL_NO_MEMORY;
  double work = 0;
  const double sum = series(a, call->argument[0].count, b, call->argument[1].count, *z, &work);
  SL__TRY(sl__stan_work(call, work));
  return sl__call_give_real(call, sum);
}

sl_status sl__stan_build_hypergeometric_3F2(sl__stan_call *call) {
  if (call->argument[0].count != 3 || call->argument[1].count != 2)
    return sl__stan_refuse(call, "3 and 2 numbers are needed, not %lld and %lld",
                           (long long)call->argument[0].count, (long long)call->argument[1].count);
  return sl__stan_build_hypergeometric_pFq(call);
}

/* P(|T| > t) = I_x(nu / 2, 1 / 2), x = nu / (nu + t^2); near the middle by its complement, which
 * does not lose small t. */
static double student_t_quantile(double p, double nu, double mu, double sigma) {
  if (!(p >= 0 && p <= 1) || !(nu > 0) || !(sigma > 0)) return NAN;
  const double tail = fmin(p, 1 - p);
  if (tail == 0) return p < 0.5 ? -INFINITY : INFINITY;
  double t;
  if (tail > 0.25) {
    const double y = sl__special_inv_inc_beta(0.5, 0.5 * nu, 1 - 2 * tail);
    t = sqrt(nu * y / (1 - y));
  } else {
    const double x = sl__special_inv_inc_beta(0.5 * nu, 0.5, 2 * tail);
    t = sqrt(nu * (1 - x) / x);
  }
  return mu + sigma * (p < 0.5 ? -t : t);
}

enum { QUANTILE_WORK = 1 << 16 };

sl_status sl__stan_build_student_t_qf(sl__stan_call *call) {
  int widest;
  const double *x[4];
  if (!sl__call_all_known(call)) return refuse_parameters(call);
  SL__TRY(sl__call_widest(call, &widest));
  const sl__stan_value *like = &call->argument[widest];
  double *out = sl__stan_memory(call, (size_t)like->count, sizeof *out);
  if (!out) return SL_NO_MEMORY;
  for (int i = 0; i < 4; i++) {
    if (!(x[i] = sl__stan_numbers(call, i))) return SL_NO_MEMORY;
  }
  SL__TRY(sl__stan_work(call, QUANTILE_WORK * (double)like->count));
  for (int64_t k = 0; k < like->count; k++) {
    double one[4];
    for (int i = 0; i < 4; i++) one[i] = x[i][call->argument[i].dims > 0 ? k : 0];
    out[k] = student_t_quantile(one[0], one[1], one[2], one[3]);
  }
  return sl__call_give_doubles(call, like->dims, like->size, out);
}
