/* The four potentials of Rezende and Mohamed 2015 (arXiv:1505.05770), table 1, on the whole plane.
 *
 * The second to fourth do not decay in z1, so that there is no density until somebody makes one:
 * pot2, pot3, pot4 have 0.1 |z1| more, as in PyMC's overview of normalizing flows; u2, u3, u4 have
 * the sum of max(0, |z_i| - 6)^2 more, as with B-NAF (De Cao et al. 2019, arXiv:1904.04676). The
 * first needs nothing.
 *
 * All are exp(-U) with sums of exponentials in U kept as logarithms. */
#include <math.h>
#include "target/standard.h"

#define PI 3.14159265358979323846

static const char potentials[] = "Rezende and Mohamed 2015 (arXiv:1505.05770), table 1";
static const char with_laplace[] =
    "Rezende and Mohamed 2015 (arXiv:1505.05770), table 1, in the form of PyMC's overview";
static const char with_penalty[] =
    "Rezende and Mohamed 2015 (arXiv:1505.05770), table 1, in the form of De Cao et al. 2019 "
    "(arXiv:1904.04676)";

/* -((a - centre) / sd)^2 / 2 */
static sl_node normal(sl__graph *g, sl_node a, double centre, double sd) {
  return op_scale(g, op_square(g, op_shift(g, a, -centre)), -0.5 / (sd * sd));
}

/* ---- the first ---- */

static sl_node density_pot1(sl__graph *g, sl_node z) {
  const sl_node z1 = op_element(g, z, 0, 0);
  /* above zero: the slope of the root at 0 is not a number */
  const sl_node square = op_maximum(g, op_sum(g, op_square(g, z), 0), op_number(g, SL_F64, 1e-200));
  const sl_node ring = normal(g, op_sqrt(g, square), 2, 0.4);
  return op_add(g, ring, sl__log_add_exp(g, normal(g, z1, 2, 0.6), normal(g, z1, -2, 0.6)));
}

/* The sides are drawn from their mixture; given z1, the ring is at most 1, and at most
 * exp(-((|z2| - 2) / 0.4)^2 / 2) where |z2| > 2, which bounds it by a plateau. */
static void draw_pot1(sl__random_key key, uint64_t row, double *z) {
  for (uint32_t feature = 0;; feature += 10) {
    const double side = sl__random_uniform(key, row, feature) < 0.5 ? 2 : -2;
    z[0] = side + 0.6 * sl__random_normal(key, row, feature + 2);
    z[1] = sl__draw_plateau(key, row, feature + 4, 2, 0.4);
    const double off = (hypot(z[0], z[1]) - 2) / 0.4, beyond = (fmax(fabs(z[1]), 2) - 2) / 0.4;
    if (sl__random_uniform(key, row, feature + 8) < exp((beyond * beyond - off * off) / 2)) return;
  }
}

const sl__standard_target sl__standard_pot1 = {
    .name = "pot1",
    .summary = "a ring of radius 2, heavy on its left and right",
    .origin = potentials,
    .dim = 2,
    .log_evidence = 1.877501626110,
    .log_density = density_pot1,
    .draw = draw_pot1};

/* ---- the others: normals around curves z2 = f(z1) ---- */

typedef struct curves {
  int second; /* 0: one curve, sin(pi z1 / 2); else that less w2 or w3 is another */
  double sd, second_sd;
} curves;
static const curves curves2 = {0, 0.4, 0}, curves3 = {2, 0.35, 0.35}, curves4 = {3, 0.4, 0.35};

/* w2 = 3 exp(-((z1 - 1) / 0.6)^2 / 2), w3 = 3 sigmoid((z1 - 1) / 0.3) */
static sl_node gap_node(sl__graph *g, const curves *c, sl_node z1) {
  if (c->second == 2) return op_scale(g, op_exp(g, normal(g, z1, 1, 0.6)), 3);
  return op_scale(g, op_sigmoid(g, op_scale(g, op_shift(g, z1, -1), 1 / 0.3)), 3);
}
static double gap_number(const curves *c, double z1) {
  if (c->second == 2) return 3 * exp(-(z1 - 1) * (z1 - 1) / 0.72);
  return 3 / (1 + exp(-(z1 - 1) / 0.3));
}

static sl_node density_curves(sl__graph *g, const curves *c, sl_node z) {
  const sl_node z1 = op_element(g, z, 0, 0), z2 = op_element(g, z, 0, 1);
  const sl_node off = op_subtract(g, z2, op_sin(g, op_scale(g, z1, PI / 2)));
  const sl_node first = normal(g, off, 0, c->sd);
  if (!c->second) return first;
  const sl_node second = normal(g, op_add(g, off, gap_node(g, c, z1)), 0, c->second_sd);
  return sl__log_add_exp(g, first, second);
}

/* z2 given z1, of the numbers feature and feature + 2. The curves' weights are their sds, since both
 * peaks are as high. */
static double draw_curves(sl__random_key key, uint64_t row, uint32_t feature, const curves *c,
                          double z1) {
  const double u = sl__random_uniform(key, row, feature) * (c->sd + c->second_sd);
  const double normal01 = sl__random_normal(key, row, feature + 2), w1 = sin(PI * z1 / 2);
  return u < c->sd ? w1 + c->sd * normal01 : w1 - gap_number(c, z1) + c->second_sd * normal01;
}

/* ---- with 0.1 |z1| ---- */

static sl_node density_laplace(sl__graph *g, const curves *c, sl_node z) {
  const sl_node tail = op_scale(g, op_absolute(g, op_element(g, z, 0, 0)), 0.1);
  return op_subtract(g, density_curves(g, c, z), tail);
}

static void draw_laplace(sl__random_key key, uint64_t row, const curves *c, double *z) {
  const double u = sl__random_uniform(key, row, 0);
  z[0] = u < 0.5 ? 10 * log(2 * u) : -10 * log(2 * (1 - u));
  z[1] = draw_curves(key, row, 2, c, z[0]);
}

#define LAPLACE(number, text, evidence)                                                     \
  static sl_node density_pot##number(sl__graph *g, sl_node z) {                             \
    return density_laplace(g, &curves##number, z);                                          \
  }                                                                                         \
  static void draw_pot##number(sl__random_key key, uint64_t row, double *z) {               \
    draw_laplace(key, row, &curves##number, z);                                             \
  }                                                                                         \
  const sl__standard_target sl__standard_pot##number = {.name = "pot" #number,              \
                                                        .summary = text,                    \
                                                        .origin = with_laplace,             \
                                                        .dim = 2,                           \
                                                        .log_evidence = evidence,           \
                                                        .log_density = density_pot##number, \
                                                        .draw = draw_pot##number};
LAPLACE(2, "a sine wave under a Laplace density of scale 10", 2.998380074884509)
LAPLACE(3, "a sine wave that splits around z1 = 1, under a Laplace density", 3.557995862819931)
LAPLACE(4, "a sine wave that splits from z1 = 1 on, under a Laplace density", 3.626988734306883)

/* ---- with the penalty outside of [-6, 6]^2 ---- */

static sl_node density_penalised(sl__graph *g, const curves *c, sl_node z) {
  const sl_node outside = op_relu(g, op_shift(g, op_absolute(g, z), -6));
  return op_subtract(g, density_curves(g, c, z), op_sum(g, op_square(g, outside), 0));
}

/* z1 has a plateau with tails of variance 1/2; z2 is kept with its own penalty's probability. */
static void draw_penalised(sl__random_key key, uint64_t row, const curves *c, double *z) {
  for (uint32_t feature = 0;; feature += 10) {
    z[0] = sl__draw_plateau(key, row, feature, 6, sqrt(0.5));
    z[1] = draw_curves(key, row, feature + 4, c, z[0]);
    const double outside = fmax(fabs(z[1]) - 6, 0);
    if (sl__random_uniform(key, row, feature + 8) < exp(-outside * outside)) return;
  }
}

#define PENALISED(number, text, evidence)                                               \
  static sl_node density_u##number(sl__graph *g, sl_node z) {                           \
    return density_penalised(g, &curves##number, z);                                    \
  }                                                                                     \
  static void draw_u##number(sl__random_key key, uint64_t row, double *z) {             \
    draw_penalised(key, row, &curves##number, z);                                       \
  }                                                                                     \
  const sl__standard_target sl__standard_u##number = {.name = "u" #number,              \
                                                      .summary = text,                  \
                                                      .origin = with_penalty,           \
                                                      .dim = 2,                         \
                                                      .log_evidence = evidence,         \
                                                      .log_density = density_u##number, \
                                                      .draw = draw_u##number};
PENALISED(2, "a sine wave between -6 and 6", 2.625318300875009)
PENALISED(3, "a sine wave between -6 and 6 that splits around z1 = 1", 3.184934088810431)
PENALISED(4, "a sine wave between -6 and 6 that splits from z1 = 1 on", 3.253926960296789)
