/* sos: sum-of-squares polynomial flow (Jaini et al. 2019, arXiv:1905.02325, eq. 9). Data x go to
 * noise
 *
 *   z = c + integral from 0 to x of q(u) du,   q(u) = s + sum_k p_k(u)^2,
 *
 * with polynomials p_k of one degree r. The integral is a polynomial of degree 2 r + 1, whose
 * coefficients are sums of products of those of the p_k; q itself is summed from the squares, which
 * cannot cancel. s = 0.001 keeps the map onto, as in zuko: the p_k may have a common zero.
 *
 * The coefficient of u^l is what the network says, divided by l!: otherwise a first step in the
 * high ones would throw out the data that lie far from 0. To the constant of p_k, sqrt(h_k) is
 * added, the h_k adding up to 1 - s: zeros make the identity. They differ from each other because
 * polynomials that start alike and get like gradients would stay alike.
 *
 * Beyond -reach .. reach the map goes on along its tangent: several such layers would otherwise
 * have the product of their degrees for their degree, and data a little outside of what was trained
 * on would land beyond all noise. Powers grow so fast that the reach had better be that of the
 * data: with twice as much, what few rows far out say is lost in steep slopes.
 *
 * Between the ends, the inverse is a root. The search starts around the smaller of the two roots
 * that the lowest and the highest power of the integral would have by themselves; both have
 * positive coefficients. */
#include <math.h>
#include "flow/transformer/transformer.h"

#define LEAST_SLOPE 1e-3

enum { SHIFT, COEFFICIENTS };

static int32_t polynomials_of(const sl__transform *transform) {
  return (int32_t)transform->arguments[SL__ARGUMENT_polynomials].integer;
}

static int32_t degree_of(const sl__transform *transform) {
  return (int32_t)transform->arguments[SL__ARGUMENT_degree].integer;
}

/* Coefficient l of polynomial k is number l * polynomials + k of its group. */
static void measure(sl__transform *transform) {
  transform->group_count = 2;
  transform->group_size[SHIFT] = 1;
  transform->group_size[COEFFICIENTS] = polynomials_of(transform) * (degree_of(transform) + 1);
  transform->group_name[SHIFT] = "shift";
  transform->group_name[COEFFICIENTS] = "coefficients";
}

typedef struct polynomial {
  int axis;
  int32_t degree;
  double reach;
  sl_node shift;                             /* c, [n] */
  sl_node part[SL__MOST_DEGREE + 1];         /* coefficient l of all p_k: groups of that size */
  sl_node integral[2 * SL__MOST_DEGREE + 1]; /* [n]: of x^(m+1) in the integral of q */
} polynomial;

/* sqrt(h_k), h_k proportional to k + 1 */
static sl_node starts(const sl__transform *transform, sl__graph *g, int axis) {
  int32_t count = polynomials_of(transform);
  double start[SL__MOST_POLYNOMIALS], all = 0.5 * count * (count + 1);
  for (int32_t k = 0; k < count; k++) start[k] = sqrt((1 - LEAST_SLOPE) * (k + 1) / all);
  sl_shape shape = axis == 0 ? sl__shape2(count, 1) : sl__shape2(1, count);
  return op_constant(g, transform->type, shape, start);
}

static polynomial make_polynomial(const sl__transform *transform, sl__graph *g,
                                  const sl__transform_parameters *parameters) {
  int axis = parameters->axis;
  int32_t count = polynomials_of(transform), degree = degree_of(transform);
  const double reach = transform->arguments[SL__ARGUMENT_reach].real;
  polynomial p = {.axis = axis, .degree = degree, .reach = reach};
  p.shift = op_element(g, parameters->group[SHIFT], axis, 0);
  for (int32_t l = 0; l <= degree; l++) {
    sl_node raw = op_slice(g, parameters->group[COEFFICIENTS], axis, l * count, count, 1);
    p.part[l] = op_scale(g, raw, 1 / tgamma(l + 1.0));
  }
  p.part[0] = op_add(g, p.part[0], starts(transform, g, axis));
  for (int32_t m = 0; m <= 2 * degree; m++) {
    sl_node sum = 0;
    for (int32_t i = m > degree ? m - degree : 0; 2 * i <= m; i++) {
      sl_node product = op_multiply(g, p.part[i], p.part[m - i]);
      if (2 * i < m) product = op_scale(g, product, 2);
      sum = sum ? op_add(g, sum, product) : product;
    }
    p.integral[m] = op_scale(g, op_sum(g, sum, axis), 1.0 / (m + 1));
  }
  p.integral[0] = op_shift(g, p.integral[0], LEAST_SLOPE);
  return p;
}

static sl_node value(void *user, sl__graph *g, sl_node x) {
  const polynomial *p = user;
  sl_node sum = p->integral[2 * p->degree];
  for (int32_t m = 2 * p->degree - 1; m >= 0; m--) sum = op_multiply_add(g, sum, x, p->integral[m]);
  return op_multiply_add(g, sum, x, p->shift);
}

static sl_node slope(sl__graph *g, const polynomial *p, sl_node x) {
  sl_node across = sl__transform_across(g, x, p->axis), each = p->part[p->degree];
  for (int32_t l = p->degree - 1; l >= 0; l--) each = op_multiply_add(g, each, across, p->part[l]);
  return op_shift(g, op_sum(g, op_square(g, each), p->axis), LEAST_SLOPE);
}

static sl_node within(sl__graph *g, sl_node value, sl_node low, sl_node high) {
  return op_minimum(g, op_maximum(g, value, low), high);
}

static sl__mapped log_prob(const sl__transform *transform, sl__graph *g, sl_node x,
                           const sl__transform_parameters *parameters) {
  polynomial p = make_polynomial(transform, g, parameters);
  sl_node high = op_number(g, transform->type, p.reach);
  sl_node inside = within(g, x, op_negate(g, high), high), rise = slope(g, &p, inside);
  sl_node z = op_multiply_add(g, rise, op_subtract(g, x, inside), value(&p, g, inside));
  return (sl__mapped){z, op_log(g, rise)};
}

/* About where z - c = rise is reached. */
static sl_node guess(const sl__transform *transform, sl__graph *g, const polynomial *p,
                     sl_node rise) {
  int32_t last = 2 * p->degree;
  sl_node size = op_absolute(g, rise), least = op_number(g, transform->type, 1e-30);
  sl_node ratio = op_divide(g, size, op_maximum(g, p->integral[last], least));
  sl_node highest = op_power(g, ratio, op_number(g, transform->type, 1.0 / (last + 1)));
  sl_node lowest = op_divide(g, size, p->integral[0]);
  return op_multiply(g, op_sign(g, rise), op_minimum(g, lowest, highest));
}

static sl__mapped sample(const sl__transform *transform, sl__graph *g, sl_node z,
                         const sl__transform_parameters *parameters) {
  polynomial p = make_polynomial(transform, g, parameters);
  sl_node high = op_number(g, transform->type, p.reach), low = op_negate(g, high);
  sl_node z_low = value(&p, g, low), z_high = value(&p, g, high);
  sl_node inside = within(g, z, z_low, z_high);
  sl_node about = guess(transform, g, &p, op_subtract(g, inside, p.shift));
  sl_node x = op_root(g, inside, op_scale(g, about, 0.25), op_scale(g, about, 4), value, &p);
  x = op_select(g, op_less(g, z, z_low), low, op_select(g, op_less(g, z_high, z), high, x));
  sl_node rise = slope(g, &p, x);
  sl_node beyond = op_divide(g, op_subtract(g, z, inside), rise);
  return (sl__mapped){op_add(g, x, beyond), op_negate(g, op_log(g, rise))};
}

const sl__transformer sl__transformer_sos = {
    .name = "sos",
    .summary = "integral of a sum of squared polynomials; sampled by a root",
    .source = "Jaini et al. 2019, eq. 9",
    .sample_how = SL__HOW_ITERATIVE,
    .measure = measure,
    .log_prob = log_prob,
    .sample = sample,
};
