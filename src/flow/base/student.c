/* student(df): independent coordinates of Student's t with df degrees of freedom, given or trained,
 * one for each coordinate.
 *
 * With a = df / 2: log p(z) = log(Gamma(a + 1/2) / Gamma(a)) - log(pi df) / 2
 * - (a + 1/2) log(1 + z^2 / df).
 *
 * Draws are those of Bailey 1994 ("Polar generation of random variates with the t-distribution",
 * Mathematics of Computation 62, 779-781): sqrt(df (u^(-2 / df) - 1)) cos(2 pi v) of two uniform
 * numbers, exact and a smooth function of df. */
#include <math.h>
#include "flow/hypernetwork.h"

#define PI 3.14159265358979323846

/* df >= 1 keeps the draws within the numbers of float32; trained, df = 1 + softplus(rho). */
enum { DF, LEARN, HIDDEN, ROWS };
static const sl__option_row arguments[ROWS] = {
    {"df", SL__OPTION_REAL, "5", 1, 1e6, NULL, "degrees of freedom"},
    {"learn", SL__OPTION_BOOL, "false", 0, 0, NULL,
     "whether df is trained, for each coordinate, from that value on"},
    SL__HYPERNETWORK_ROW,
};

static sl_status build(sl_context *context, sl__layer *layer) {
  (void)context; /* out of memory is recorded by the arena */
  if (!layer->arguments[LEARN].integer) return SL_OK;
  int *rho = layer->state = sl__layer_take(layer, 1, sizeof *rho);
  if (!rho) return SL_NO_MEMORY;
  double above = fmax(layer->arguments[DF].real - 1, 0.01);
  double start = above + log(-expm1(-above)); /* softplus(start) = above */
  sl_shape shape = sl__shape1(layer->dim);
  *rho = sl__layer_parameter(layer, "rho", shape, SL__INITIAL_VALUE, start, NULL, NULL);
  return *rho < 0 ? SL_NO_MEMORY : SL_OK;
}

/* [dim] */
static sl_node degrees(const sl__layer *layer, sl__graph *g, sl_node context_value) {
  if (!layer->state) {
    sl_node df = op_number(g, layer->type, layer->arguments[DF].real);
    return op_broadcast(g, df, sl__shape1(layer->dim));
  }
  sl_node rho = sl__layer_node(layer, g, *(const int *)layer->state, context_value);
  return op_shift(g, op_softplus(g, rho), 1);
}

/* log(Gamma(a + 1/2) / Gamma(a)) for a >= 1/2. The difference of two log Gammas loses the digits
 * that these have before the point; here a is raised by 8, Gamma(a + 1) = a Gamma(a), to where the
 * asymptotic series in 1 / a gives 12 digits (Abramowitz & Stegun 6.1.40). */
static sl_node log_gamma_ratio(sl__graph *g, sl_node a) {
  static const double series[] = {-31.0 / 18432, 17.0 / 14336, -1.0 / 640, 1.0 / 192, -1.0 / 8};
  enum { RAISED = 8, TERMS = sizeof series / sizeof series[0] };
  sl_node b = op_shift(g, a, RAISED), inverse = op_reciprocal(g, b);
  sl_node inverse_square = op_square(g, inverse);
  sl_node sum = op_scale(g, inverse_square, series[0]);
  for (int i = 1; i < TERMS; i++) {
    sum = op_shift(g, sum, series[i]);
    sum = op_multiply(g, sum, i + 1 < TERMS ? inverse_square : inverse);
  }
  sum = op_add(g, sum, op_scale(g, op_log(g, b), 0.5));
  for (int i = 0; i < RAISED; i++) {
    sl_node step = op_scale(g, op_reciprocal(g, op_shift(g, a, i)), 0.5);
    sum = op_subtract(g, sum, op_log1p(g, step));
  }
  return sum;
}

/* log(1 + t^2), also where t^2 overflows: with r = t or 1 / t, whichever is the smaller. */
static sl_node log1p_of_square(const sl__layer *layer, sl__graph *g, sl_node t) {
  sl_node one = op_number(g, layer->type, 1), size = op_absolute(g, t);
  sl_node is_far = op_less(g, one, size), far = op_select(g, is_far, size, one);
  sl_node r = op_select(g, is_far, op_reciprocal(g, far), t);
  return op_add(g, op_log1p(g, op_square(g, r)), op_scale(g, op_log(g, far), 2));
}

static sl_node density(const sl__layer *layer, sl__graph *g, sl_node z, sl_node context_value) {
  sl_node df = degrees(layer, g, context_value), a = op_scale(g, df, 0.5);
  sl_node level =
      op_subtract(g, log_gamma_ratio(g, a), op_scale(g, op_log(g, op_scale(g, df, PI)), 0.5));
  sl_node fall = log1p_of_square(layer, g, op_divide(g, z, op_sqrt(g, df)));
  fall = op_multiply(g, op_shift(g, a, 0.5), fall);
  return op_sum_all(g, op_subtract(g, level, fall));
}

static sl_node draw(const sl__layer *layer, sl__graph *g, uint32_t stream, sl_node context_value) {
  sl_node df = degrees(layer, g, context_value);
  sl_node uniform = op_random_uniform(g, layer->type, sl__shape2(2, layer->dim), stream);
  sl_node u = op_element(g, uniform, 0, 0), v = op_element(g, uniform, 0, 1);
  sl_node power = op_divide(g, op_scale(g, op_log(g, u), -2), df);
  sl_node radius = op_sqrt(g, op_multiply(g, df, op_expm1(g, power)));
  return op_multiply(g, radius, op_cos(g, op_scale(g, v, 2 * PI)));
}

static const char *const examples[] = {"student", "student(df=3)", "student(df=10,learn=true)",
                                       NULL};
const sl__kind sl__base_student = {
    .name = "student",
    .summary = "independent Student t coordinates, for heavy tails",
    .source = "Bailey 1994, Mathematics of Computation 62",
    .examples = examples,
    .arguments = arguments,
    .argument_count = ROWS,
    .conditioning = SL__CONDITION_PARAMETERS,
    .build = build,
    .density = density,
    .draw = draw,
};
