/* Maps of every feature by one fixed function: nothing is trained.
 *
 * Some reach a part of the line only. Where a direction's input lies outside, it is replaced before
 * the function sees it, so that neither the value nor a derivative becomes NaN, and the logarithm
 * of the derivative is -infinity: no density there. Close to an edge numbers are as dense as
 * floating point has them, close to 0 but not to 1: sigmoid(z) is 1 from z = 37 on (17 in float32),
 * where no way back is left.
 *
 * Logarithms of derivatives are those of stable forms, none that of a derivative which has
 * underflowed. */
#include <math.h>
#include "flow/flow.h"

#define LOG_TWO 0.69314718055994531

/* value, and the logarithms of the derivatives [dim], added up. */
static sl__mapped mapped(sl__graph *g, sl_node value, sl_node log_slopes) {
  return (sl__mapped){value, op_sum_all(g, log_slopes)};
}

static sl_node number(const sl__layer *layer, sl__graph *g, double value) {
  return op_number(g, layer->type, value);
}

static double smallest(const sl__layer *layer) {
  return layer->type == SL_F32 ? 0x1p-126 : 0x1p-1022;
}

/* x inside, another positive number outside; at least the smallest normal one, whose reciprocal, a
 * derivative, is still finite. */
static sl_node positive(const sl__layer *layer, sl__graph *g, sl_node inside, sl_node x,
                        double other) {
  sl_node safe = op_select(g, inside, x, number(layer, g, other));
  return op_maximum(g, safe, number(layer, g, smallest(layer)));
}

/* log_slopes inside, -infinity outside. */
static sl_node only(const sl__layer *layer, sl__graph *g, sl_node inside, sl_node log_slopes) {
  return op_select(g, inside, log_slopes, number(layer, g, -INFINITY));
}

/* ---- exp and log: the line and its positive half ---- */

static sl__mapped to_exp(const sl__layer *layer, sl__graph *g, sl_node z, sl_node context_value) {
  (void)layer, (void)context_value;
  return mapped(g, op_exp(g, z), z);
}

static sl__mapped to_log(const sl__layer *layer, sl__graph *g, sl_node x, sl_node context_value) {
  (void)context_value;
  sl_node inside = op_less(g, number(layer, g, 0), x);
  sl_node value = op_log(g, positive(layer, g, inside, x, 1));
  return mapped(g, value, only(layer, g, inside, op_negate(g, value)));
}

/* ---- softplus: likewise ---- */

static sl__mapped to_softplus(const sl__layer *layer, sl__graph *g, sl_node z,
                              sl_node context_value) {
  (void)layer, (void)context_value;
  return mapped(g, op_softplus(g, z), op_negate(g, op_softplus(g, op_negate(g, z))));
}

static sl__mapped from_softplus(const sl__layer *layer, sl__graph *g, sl_node x,
                                sl_node context_value) {
  (void)context_value;
  sl_node inside = op_less(g, number(layer, g, 0), x);
  sl_node safe = positive(layer, g, inside, x, 1);
  /* log(1 - exp(-x)), exact near 0 too */
  sl_node correction = op_log(g, op_negate(g, op_expm1(g, op_negate(g, safe))));
  return mapped(g, op_add(g, safe, correction), only(layer, g, inside, op_negate(g, correction)));
}

/* ---- sigmoid and logit: the line and (0, 1) ---- */

static sl__mapped to_sigmoid(const sl__layer *layer, sl__graph *g, sl_node z,
                             sl_node context_value) {
  (void)layer, (void)context_value;
  sl_node both = op_add(g, op_softplus(g, z), op_softplus(g, op_negate(g, z)));
  return mapped(g, op_sigmoid(g, z), op_negate(g, both));
}

static sl__mapped to_logit(const sl__layer *layer, sl__graph *g, sl_node x, sl_node context_value) {
  (void)context_value;
  sl_node inside =
      op_multiply(g, op_less(g, number(layer, g, 0), x), op_less(g, x, number(layer, g, 1)));
  sl_node safe = positive(layer, g, inside, x, 0.5);
  sl_node below = op_log(g, safe), above = op_log1p(g, op_negate(g, safe));
  return mapped(g, op_subtract(g, below, above),
                only(layer, g, inside, op_negate(g, op_add(g, below, above))));
}

/* ---- tanh and atanh: the line and (-1, 1) ---- */

static sl__mapped to_tanh(const sl__layer *layer, sl__graph *g, sl_node z, sl_node context_value) {
  (void)layer, (void)context_value;
  sl_node far = op_add(g, z, op_softplus(g, op_scale(g, z, -2))); /* log(2 cosh z) */
  return mapped(g, op_tanh(g, z), op_scale(g, op_shift(g, op_negate(g, far), LOG_TWO), 2));
}

static sl__mapped to_atanh(const sl__layer *layer, sl__graph *g, sl_node x, sl_node context_value) {
  (void)context_value;
  sl_node inside = op_less(g, op_absolute(g, x), number(layer, g, 1));
  sl_node safe = op_select(g, inside, x, number(layer, g, 0));
  sl_node below = op_log1p(g, safe), above = op_log1p(g, op_negate(g, safe));
  return mapped(g, op_scale(g, op_subtract(g, below, above), 0.5),
                only(layer, g, inside, op_negate(g, op_add(g, below, above))));
}

/* ---- leaky_relu ---- */

static const sl__option_row leaky_relu_arguments[] = {
    {"slope", SL__OPTION_REAL, "0.01", 1e-6, 1e6, NULL, "of the negative half"},
};

static sl__mapped bend(const sl__layer *layer, sl__graph *g, sl_node value, double slope) {
  sl_node above = op_less(g, number(layer, g, 0), value);
  sl_node log_slopes = op_select(g, above, number(layer, g, 0), number(layer, g, log(slope)));
  return mapped(g, op_leaky_relu(g, value, slope), log_slopes);
}

static sl__mapped to_leaky_relu(const sl__layer *layer, sl__graph *g, sl_node z,
                                sl_node context_value) {
  (void)context_value;
  return bend(layer, g, z, layer->arguments[0].real);
}

static sl__mapped from_leaky_relu(const sl__layer *layer, sl__graph *g, sl_node x,
                                  sl_node context_value) {
  (void)context_value;
  return bend(layer, g, x, 1 / layer->arguments[0].real);
}

/* ---- elu: the line and (-alpha, infinity) ---- */

static const sl__option_row elu_arguments[] = {
    {"alpha", SL__OPTION_REAL, "1", 1e-6, 1e6, NULL, "the negative half goes down to -alpha"},
};

static sl__mapped to_elu(const sl__layer *layer, sl__graph *g, sl_node z, sl_node context_value) {
  (void)context_value;
  double alpha = layer->arguments[0].real;
  sl_node zero = number(layer, g, 0), above = op_less(g, zero, z);
  sl_node below = op_minimum(g, z, zero); /* expm1 must not overflow where it is not wanted */
  return mapped(g, op_select(g, above, z, op_scale(g, op_expm1(g, below), alpha)),
                op_select(g, above, zero, op_shift(g, below, log(alpha))));
}

static sl__mapped from_elu(const sl__layer *layer, sl__graph *g, sl_node x, sl_node context_value) {
  (void)context_value;
  double alpha = layer->arguments[0].real;
  sl_node zero = number(layer, g, 0), above = op_less(g, zero, x);
  sl_node share = op_divide(g, x, number(layer, g, alpha));
  sl_node inside = op_less(g, number(layer, g, -1), share);
  sl_node bent =
      op_log1p(g, op_select(g, op_multiply(g, inside, op_less_equal(g, x, zero)), share, zero));
  sl_node log_slopes = op_shift(g, op_negate(g, bent), -log(alpha));
  return mapped(g, op_select(g, above, x, bent),
                op_select(g, above, zero, only(layer, g, inside, log_slopes)));
}

/* ---- power ---- */

static const sl__option_row power_arguments[] = {
    {"exponent", SL__OPTION_REAL, "0.5", 1e-3, 1e3, NULL, "p in sign(z) |z|^p"},
};

/* At 0 the derivative is 0 or infinite (unless p is 1); the one at the smallest normal number
 * stands for it, so that a single value does not make a loss infinite. */
static sl__mapped raise(const sl__layer *layer, sl__graph *g, sl_node value, double exponent) {
  sl_node size = op_maximum(g, op_absolute(g, value), number(layer, g, smallest(layer)));
  sl_node raised = op_power(g, size, number(layer, g, exponent));
  return mapped(g, op_multiply(g, op_sign(g, value), raised),
                op_shift(g, op_scale(g, op_log(g, size), exponent - 1), log(exponent)));
}

static sl__mapped to_power(const sl__layer *layer, sl__graph *g, sl_node z, sl_node context_value) {
  (void)context_value;
  return raise(layer, g, z, layer->arguments[0].real);
}

static sl__mapped from_power(const sl__layer *layer, sl__graph *g, sl_node x,
                             sl_node context_value) {
  (void)context_value;
  return raise(layer, g, x, 1 / layer->arguments[0].real);
}

/* ---- where the ends of an interval go ---- */

static double image_exp(const sl__layer *layer, double x, bool sampling) {
  (void)layer;
  return sampling ? exp(x) : log(x);
}
static double image_log(const sl__layer *layer, double x, bool sampling) {
  return image_exp(layer, x, !sampling);
}
static double image_softplus(const sl__layer *layer, double x, bool sampling) {
  (void)layer;
  if (!sampling) return x + log(-expm1(-x));
  return x > 0 ? x + log1p(exp(-x)) : log1p(exp(x));
}
static double image_sigmoid(const sl__layer *layer, double x, bool sampling) {
  (void)layer;
  return sampling ? 1 / (1 + exp(-x)) : log(x / (1 - x));
}
static double image_logit(const sl__layer *layer, double x, bool sampling) {
  return image_sigmoid(layer, x, !sampling);
}
static double image_tanh(const sl__layer *layer, double x, bool sampling) {
  (void)layer;
  return sampling ? tanh(x) : atanh(x);
}
static double image_atanh(const sl__layer *layer, double x, bool sampling) {
  return image_tanh(layer, x, !sampling);
}
static double image_leaky_relu(const sl__layer *layer, double x, bool sampling) {
  double slope = layer->arguments[0].real;
  return x > 0 ? x : sampling ? slope * x : x / slope;
}
static double image_elu(const sl__layer *layer, double x, bool sampling) {
  double alpha = layer->arguments[0].real;
  return x > 0 ? x : sampling ? alpha * expm1(x) : log1p(x / alpha);
}
static double image_power(const sl__layer *layer, double x, bool sampling) {
  double exponent = layer->arguments[0].real;
  return copysign(pow(fabs(x), sampling ? exponent : 1 / exponent), x);
}

/* ---- the descriptors ---- */

#define MAP(word, what, where, there, back, rows, row_count, ...)    \
  static const char *const examples_##word[] = {__VA_ARGS__, NULL};  \
  const sl__kind sl__bijector_##word = {.name = #word,               \
                                        .summary = what,             \
                                        .source = where,             \
                                        .examples = examples_##word, \
                                        .arguments = rows,           \
                                        .argument_count = row_count, \
                                        .sample = there,             \
                                        .log_prob = back,            \
                                        .image = image_##word}

MAP(exp, "x = exp(z), positive", "-", to_exp, to_log, NULL, 0, "loc-exp");
MAP(log, "x = log z, of positive z", "-", to_log, to_exp, NULL, 0, "softplus-log");
MAP(softplus, "x = log(1 + exp z), positive", "Dugas et al. 2001", to_softplus, from_softplus, NULL,
    0, "scale-softplus");
MAP(sigmoid, "x = 1 / (1 + exp(-z)), within 0 and 1", "-", to_sigmoid, to_logit, NULL, 0,
    "loc-sigmoid");
MAP(logit, "x = log(z / (1 - z)), of z within 0 and 1", "-", to_logit, to_sigmoid, NULL, 0,
    "sigmoid-power(2)-logit");
MAP(tanh, "x = tanh z, within -1 and 1", "-", to_tanh, to_atanh, NULL, 0, "scale-tanh");
MAP(atanh, "x = atanh z, of z within -1 and 1", "-", to_atanh, to_tanh, NULL, 0, "tanh-elu-atanh");
MAP(leaky_relu, "x = z where positive, slope times z else", "Maas et al. 2013", to_leaky_relu,
    from_leaky_relu, leaky_relu_arguments, 1, "lu-leaky_relu(0.5)-lu");
MAP(elu, "x = z where positive, alpha (exp(z) - 1) else", "Clevert et al. 2016, eq. 15", to_elu,
    from_elu, elu_arguments, 1, "elu(alpha=2)");
MAP(power, "x = sign(z) |z|^exponent; above 1 the density has a pole at 0", "-", to_power,
    from_power, power_arguments, 1, "power(0.5)", "exp-power(2)");
