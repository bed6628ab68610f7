/* Special functions of several numbers, whose work depends on where they are asked: series,
 * continued fractions, quadrature. Elementwise kernels call them number by number; every
 * instruction set has the same bits.
 *
 * Errors, away from zeros: 1e-14 relative where arguments are below 1e4, growing with the square
 * root of the larger shape beyond; a logarithm has that error absolutely. Arguments outside of the
 * domain give NaN. */
#ifndef SL_KERNELS_SPECIAL_H
#define SL_KERNELS_SPECIAL_H

/* ---- special_gamma.c: a > 0, x >= 0 ---- */

/* P(a, x) and Q(a, x) = 1 - P: the probabilities that a gamma number of shape a is below x, above
 * it; their logarithms; and the derivatives of the logarithms by a, 0 where the tail is empty. */
typedef struct sl__gamma_tails {
  double p, q, log_p, log_q, log_p_by_shape, log_q_by_shape;
} sl__gamma_tails;
sl__gamma_tails sl__special_gamma_tails(double a, double x);
/* log(x^a e^-x / Gamma(a)) */
double sl__special_log_gamma_term(double a, double x);
/* lgamma(x) less Stirling's (x - 1/2) log x - x + log sqrt(2 pi), x > 0. */
double sl__special_stirling_rest(double x);
double sl__special_log_beta(double a, double b);
double sl__special_digamma(double x);
double sl__special_trigamma(double x);
double sl__special_tetragamma(double x); /* the derivative of trigamma */
/* log(x) - digamma(x), x > 0, without cancellation. */
double sl__special_log_less_digamma(double x);
/* log(1 + t) - t. */
double sl__special_log1p_less(double t);

/* ---- special_beta.c: a, b > 0 ----
 * The beta distribution is asked by the odds r = x / (1 - x), so that neither x nor 1 - x loses
 * digits; the upper tail is the lower one of b, a at 1 / r. */
typedef struct sl__beta_tails {
  double lower, upper, log_lower, log_upper;
  double log_lower_by_first, log_lower_by_second; /* by a, by b; 0 where the tail is empty */
} sl__beta_tails;
sl__beta_tails sl__special_beta_tails(double a, double b, double odds);
/* log(x^a (1 - x)^b / B(a, b)) */
double sl__special_log_beta_term(double a, double b, double odds);
double sl__special_inc_beta(double a, double b, double x); /* I_x(a, b) */
double sl__special_inv_inc_beta(double a, double b, double p);

/* ---- special_bessel.c ---- */
/* log I_v(x), v >= 0, x >= 0, and its derivative by v. */
double sl__special_log_bessel_i(double v, double x, double *by_order);
double sl__special_bessel_i(double n, double x); /* n integer */
double sl__special_bessel_j(double n, double x);
double sl__special_bessel_y(double n, double x);
double sl__special_bessel_k(double n, double x);

/* ---- special_owen.c ---- */
/* The integral of exp(-h^2 / (2 cos^2 u)) / (2 pi) over 0 < u < atan(a). */
double sl__special_owens_t(double h, double a);
#endif
