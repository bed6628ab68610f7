/* tail: makes light tails heavy, each side by a parameter h of its own. Tukey's h transform, in the
 * two-sided form of Goerg 2015 (The Scientific World Journal, section 2; arXiv:1010.2265),
 *
 *   x = z exp(h z^2 / 2),   back: z = x exp(-W(h x^2) / 2),   W exp(W) = its argument,
 *
 * makes normal noise into x with tails like |x|^(-1/h), any extreme-value index h > 0. That is the
 * purpose of the tail transform of Hickling and Prangle 2024 (arXiv:2406.16971) too, but theirs has
 * no identity among its members (its lightest tails are exponential), and Tukey's has: h = 0. W is
 * not computed as such: log |z| is the root of a smooth function, in which nothing overflows.
 *
 * For h = 0 to lie inside the range of parameters, and not at its edge where there is no
 * derivative, h < 0 stands for lighter tails, those of
 *
 *   z = x exp(asinh(|h| x^2) / 2),   back: x = z (1 + 2 |h| z^2)^(-1/4),
 *
 * which joins the other smoothly and grows only like a square, so that a datum far out gets a small
 * density and not zero. h is bounded softly by 2: noise up to |z| = 9 stays within float32.
 *
 * iaf, which is maf turned round, turns this round too: there h > 0 makes tails lighter. */
#include <float.h>
#include <math.h>
#include "flow/transformer/transformer.h"

#define LIMIT 2.0

enum { LEFT, RIGHT };

static void measure(sl__transform *transform) {
  transform->group_count = 2;
  transform->group_size[LEFT] = transform->group_size[RIGHT] = 1;
  transform->group_name[LEFT] = "left";
  transform->group_name[RIGHT] = "right";
}

/* h of the side on which each value lies, split: heavy = max(h, 0), light = max(-h, 0), by one
 * selection, so that the derivative at h = 0 is that of one of them and not of both. */
static void read_parameters(const sl__transform *transform, sl__graph *g, sl_node value,
                            const sl__transform_parameters *parameters, sl_node *heavy,
                            sl_node *light) {
  sl_node zero = op_number(g, transform->type, 0);
  sl_node s = op_select(g, op_less(g, zero, value),
                        op_element(g, parameters->group[RIGHT], parameters->axis, 0),
                        op_element(g, parameters->group[LEFT], parameters->axis, 0));
  sl_node h = sl__transform_soft(g, s, LIMIT);
  sl_node positive = op_less_equal(g, zero, h);
  *heavy = op_select(g, positive, h, zero);
  *light = op_select(g, positive, zero, op_negate(g, h));
}

/* t + h exp(2 t) / 2 */
static sl_node rise(void *user, sl__graph *g, sl_node t) {
  const sl_node *half = user;
  return op_multiply_add(g, *half, op_exp(g, op_scale(g, t, 2)), t);
}

/* log |z| of log |x| = log |z| + h z^2 / 2. As h <= 2, min(log |x|, 0) - 1 is a lower bound; where
 * h z^2 / 2 alone makes |log |x|| + 1, the sum is beyond log |x|. */
static sl_node log_noise(const sl__transform *transform, sl__graph *g, sl_node log_x, sl_node h) {
  sl_node zero = op_number(g, transform->type, 0), half = op_scale(g, h, 0.5);
  sl_node low = op_shift(g, op_minimum(g, log_x, zero), -1);
  sl_node most = op_divide(g, op_shift(g, op_absolute(g, log_x), 1), half);
  sl_node high = op_minimum(g, log_x, op_scale(g, op_log(g, most), 0.5));
  return op_root(g, log_x, low, high, rise, &half);
}

/* One of heavy and light is 0 and what is made of it vanishes: both sides are one formula. */
static sl__mapped log_prob(const sl__transform *transform, sl__graph *g, sl_node x,
                           const sl__transform_parameters *parameters) {
  sl_node heavy, light;
  double smallest = transform->type == SL_F32 ? 0x1p-126 : 0x1p-1022;
  read_parameters(transform, g, x, parameters, &heavy, &light);
  sl_node size = op_maximum(g, op_absolute(g, x), op_number(g, transform->type, smallest));
  sl_node log_x = op_log(g, size), log_z = log_noise(transform, g, log_x, heavy);
  sl_node w = op_multiply(g, heavy, op_exp(g, op_scale(g, log_z, 2)));
  sl_node a = op_asinh(g, op_multiply(g, op_multiply(g, light, x), x));
  sl_node exponent = op_add(g, op_subtract(g, log_z, log_x), op_scale(g, a, 0.5));
  sl_node bend = op_subtract(g, op_log1p(g, op_tanh(g, a)), op_log1p(g, w));
  return (sl__mapped){op_multiply(g, x, op_exp(g, exponent)), op_add(g, exponent, bend)};
}

static sl__mapped sample(const sl__transform *transform, sl__graph *g, sl_node z,
                         const sl__transform_parameters *parameters) {
  sl_node heavy, light;
  read_parameters(transform, g, z, parameters, &heavy, &light);
  sl_node w = op_multiply(g, op_multiply(g, heavy, z), z);
  sl_node b = op_multiply(g, op_multiply(g, light, z), z);
  sl_node a = op_scale(g, op_log1p(g, op_scale(g, b, 2)), 0.5);
  sl_node exponent = op_scale(g, op_subtract(g, w, a), 0.5);
  sl_node bend = op_subtract(g, op_log1p(g, w), op_log1p(g, op_tanh(g, a)));
  /* What would overflow cannot be reached from any x: no density there. */
  double most = log(transform->type == SL_F32 ? FLT_MAX : DBL_MAX);
  sl_node log_size = op_add(g, exponent, op_log1p(g, op_absolute(g, z)));
  sl_node inside = op_less(g, log_size, op_number(g, transform->type, most));
  sl_node safe = op_select(g, inside, exponent, op_number(g, transform->type, 0));
  sl_node log_det =
      op_select(g, inside, op_add(g, exponent, bend), op_number(g, transform->type, -INFINITY));
  return (sl__mapped){op_multiply(g, z, op_exp(g, safe)), log_det};
}

const sl__transformer sl__transformer_tail = {
    .name = "tail",
    .summary = "tails heavier (or lighter) than normal, each side by itself; scored by a root",
    .source = "Tukey's h; Goerg 2015; after Hickling and Prangle 2024",
    .log_prob_how = SL__HOW_ITERATIVE,
    .measure = measure,
    .log_prob = log_prob,
    .sample = sample,
};
