/* sinh_arcsinh: skewness and tail weight of one feature (Jones and Pewsey 2009, Biometrika 96,
 * eq. 1): data x go to noise
 *
 *   z = sinh(u),  u = d asinh(x) - e,   log dz/dx = log d + log cosh(u) - log cosh(asinh(x)),
 *
 * and back by x = sinh((asinh(z) + e) / d). Normal noise makes x skewed by e, with tails heavier
 * than normal for d < 1 and lighter for d > 1. log d is bounded softly by log 10, e by 5: tails
 * from |z|^10 to |z|^(1/10). log cosh u is computed as softplus(2 u) - u - log 2. */
#include "flow/transformer/transformer.h"

#define SKEWNESS_LIMIT 5.0
#define LOG_TAIL_LIMIT 2.3025850929940457
#define LOG_TWO        0.69314718055994531

enum { SKEWNESS, LOG_TAIL };

static void measure(sl__transform *transform) {
  transform->group_count = 2;
  transform->group_size[SKEWNESS] = transform->group_size[LOG_TAIL] = 1;
  transform->group_name[SKEWNESS] = "skewness";
  transform->group_name[LOG_TAIL] = "tail";
}

/* log cosh u */
static sl_node log_cosh(sl__graph *g, sl_node u) {
  return op_shift(g, op_subtract(g, op_softplus(g, op_scale(g, u, 2)), u), -LOG_TWO);
}

static void read_parameters(sl__graph *g, const sl__transform_parameters *parameters, sl_node *e,
                            sl_node *log_d) {
  sl_node skewness = op_element(g, parameters->group[SKEWNESS], parameters->axis, 0);
  sl_node tail = op_element(g, parameters->group[LOG_TAIL], parameters->axis, 0);
  *e = sl__transform_soft(g, skewness, SKEWNESS_LIMIT);
  *log_d = sl__transform_soft(g, tail, LOG_TAIL_LIMIT);
}

static sl__mapped log_prob(const sl__transform *transform, sl__graph *g, sl_node x,
                           const sl__transform_parameters *parameters) {
  (void)transform;
  sl_node e, log_d, a = op_asinh(g, x);
  read_parameters(g, parameters, &e, &log_d);
  sl_node u = op_subtract(g, op_multiply(g, op_exp(g, log_d), a), e);
  sl_node stretch = op_subtract(g, log_cosh(g, u), log_cosh(g, a));
  return (sl__mapped){op_sinh(g, u), op_add(g, stretch, log_d)};
}

static sl__mapped sample(const sl__transform *transform, sl__graph *g, sl_node z,
                         const sl__transform_parameters *parameters) {
  (void)transform;
  sl_node e, log_d, a = op_asinh(g, z);
  read_parameters(g, parameters, &e, &log_d);
  sl_node u = op_multiply(g, op_add(g, a, e), op_exp(g, op_negate(g, log_d)));
  sl_node stretch = op_subtract(g, log_cosh(g, u), log_cosh(g, a));
  return (sl__mapped){op_sinh(g, u), op_subtract(g, stretch, log_d)};
}

const sl__transformer sl__transformer_sinh_arcsinh = {
    .name = "sinh_arcsinh",
    .summary = "skewness and tail weight",
    .source = "Jones and Pewsey 2009, eq. 1",
    .measure = measure,
    .log_prob = log_prob,
    .sample = sample,
};
