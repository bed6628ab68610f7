/* Elementwise kernels of special functions, whose work depends on the numbers: one by one, the same
 * for every instruction set and for the reference. DEFINE_SPECIAL(arity, name, expression) is given
 * by whoever includes this. */
#include "kernels/special.h"

#define GAMMA_TAILS sl__special_gamma_tails((double)a, (double)b)
#define BETA_TAILS  sl__special_beta_tails((double)a, (double)b, (double)c)

static double NAME(log_bessel_i_part)(double order, double x, int by_order) {
  double slope;
  const double value = sl__special_log_bessel_i(order, x, &slope);
  return by_order ? slope : value;
}

DEFINE_SPECIAL(1, tetragamma, sl__special_tetragamma((double)a))
DEFINE_SPECIAL(2, log_gamma_p, GAMMA_TAILS.log_p)
DEFINE_SPECIAL(2, log_gamma_q, GAMMA_TAILS.log_q)
DEFINE_SPECIAL(2, log_gamma_p_by_shape, GAMMA_TAILS.log_p_by_shape)
DEFINE_SPECIAL(2, log_gamma_q_by_shape, GAMMA_TAILS.log_q_by_shape)
DEFINE_SPECIAL(2, log_gamma_term, sl__special_log_gamma_term((double)a, (double)b))
DEFINE_SPECIAL(2, log_bessel_i, NAME(log_bessel_i_part)((double)a, (double)b, 0))
DEFINE_SPECIAL(2, log_bessel_i_by_order, NAME(log_bessel_i_part)((double)a, (double)b, 1))
DEFINE_SPECIAL(2, bessel_j, sl__special_bessel_j((double)a, (double)b))
DEFINE_SPECIAL(2, bessel_y, sl__special_bessel_y((double)a, (double)b))
DEFINE_SPECIAL(2, bessel_k, sl__special_bessel_k((double)a, (double)b))
DEFINE_SPECIAL(2, owens_t, sl__special_owens_t((double)a, (double)b))
DEFINE_SPECIAL(3, log_beta_lower, BETA_TAILS.log_lower)
DEFINE_SPECIAL(3, log_beta_lower_by_first, BETA_TAILS.log_lower_by_first)
DEFINE_SPECIAL(3, log_beta_lower_by_second, BETA_TAILS.log_lower_by_second)
DEFINE_SPECIAL(3, log_beta_term, sl__special_log_beta_term((double)a, (double)b, (double)c))
DEFINE_SPECIAL(3, inv_inc_beta, sl__special_inv_inc_beta((double)a, (double)b, (double)c))
#undef GAMMA_TAILS
#undef BETA_TAILS
