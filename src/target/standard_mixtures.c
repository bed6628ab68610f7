/* Mixtures of normals of unit covariance and equal weights, with exact draws. */
#include <math.h>
#include "target/standard.h"

#define LOG_TWO_PI 1.8378770664093454836

/* centre [count][dim]; log (1/count) sum_k N(x; centre_k, I) */
static sl_node mixture(sl__graph *g, sl_node x, int32_t count, int32_t dim, const double *centre) {
  const sl_node centres = op_constant(g, SL_F64, sl__shape2(count, dim), centre);
  const sl_node distance = op_sum(g, op_square(g, op_subtract(g, x, centres)), 1);
  return op_shift(g, op_log_sum_exp(g, op_scale(g, distance, -0.5), 0),
                  -log((double)count) - 0.5 * dim * LOG_TWO_PI);
}

static void draw_mixture(sl__random_key key, uint64_t row, int32_t count, int32_t dim,
                         const double *centre, double *x) {
  const uint32_t chooser = (uint32_t)dim + (uint32_t)dim % 2; /* the next pair of numbers */
  const uint64_t k = sl__random_below(key, row, chooser, (uint64_t)count);
  for (int32_t i = 0; i < dim; i++)
    x[i] = centre[k * (uint64_t)dim + (uint64_t)i] + sl__random_normal(key, row, (uint32_t)i);
}

/* ---- two of them: equal logits ---- */

static const double two_centres[2][2] = {{1, 1}, {-2, -2}};
static sl_node density_two(sl__graph *g, sl_node x) {
  return mixture(g, x, 2, 2, *two_centres);
}
static void draw_two(sl__random_key key, uint64_t row, double *x) {
  draw_mixture(key, row, 2, 2, *two_centres, x);
}
const sl__standard_target sl__standard_gaussian_mixture = {
    .name = "gaussian_mixture",
    .summary = "two unit normals at (1, 1) and (-2, -2), equally likely",
    .origin = "the mixture of the Pyro documents on normalizing flows",
    .dim = 2,
    .log_evidence = 0,
    .log_density = density_two,
    .draw = draw_two};

/* ---- one ---- */

static const double one_centre[2] = {5, 5};
static sl_node density_one(sl__graph *g, sl_node x) {
  return mixture(g, x, 1, 2, one_centre);
}
static void draw_one(sl__random_key key, uint64_t row, double *x) {
  draw_mixture(key, row, 1, 2, one_centre, x);
}
const sl__standard_target sl__standard_gaussian55 = {
    .name = "gaussian55",
    .summary = "a unit normal at (5, 5)",
    .origin = "the first example of the Pyro documents on normalizing flows",
    .dim = 2,
    .log_evidence = 0,
    .log_density = density_one,
    .draw = draw_one};

/* ---- forty ----
 * The centres are 40 (2 u - 1), u being JAX's uniform float32 numbers of key 0, shape [40, 2]: the
 * words of Threefry-2x32-20 (Salmon et al. 2011) with key (0, 0) at the counters (i, 40 + i), first
 * all first words, then all second ones. */

static uint32_t rotate(uint32_t x, int by) {
  return x << by | x >> (32 - by);
}

static void threefry(uint32_t a, uint32_t b, uint32_t out[2]) {
  static const int rotation[8] = {13, 15, 26, 6, 17, 29, 16, 24};
  const uint32_t key[3] = {0, 0, 0x1BD11BDA};
  for (uint32_t round = 0; round < 20; round++) {
    a += b;
    b = rotate(b, rotation[round % 8]) ^ a;
    const uint32_t injection = round / 4 + 1;
    if (round % 4 < 3) continue;
    a += key[injection % 3];
    b += key[(injection + 1) % 3] + injection;
  }
  out[0] = a;
  out[1] = b;
}

enum { FORTY = 40 };

/* The last bits are those of float32 arithmetic. */
static double centre_of(uint32_t word) {
  const float unit = (float)(word >> 9) * 0x1p-23f;
  const float symmetric = unit * 2.0f - 1.0f;
  return (double)(symmetric * 40.0f);
}

static void forty_centres(double centre[2 * FORTY]) {
  for (uint32_t i = 0; i < FORTY; i++) {
    uint32_t word[2];
    threefry(i, FORTY + i, word);
    centre[i] = centre_of(word[0]);
    centre[FORTY + i] = centre_of(word[1]);
  }
}

static sl_node density_forty(sl__graph *g, sl_node x) {
  double centre[2 * FORTY];
  forty_centres(centre);
  return mixture(g, x, FORTY, 2, centre);
}
static void draw_forty(sl__random_key key, uint64_t row, double *x) {
  double centre[2 * FORTY];
  forty_centres(centre);
  draw_mixture(key, row, FORTY, 2, centre, x);
}
const sl__standard_target sl__standard_gmm40 = {
    .name = "gmm40",
    .summary = "forty unit normals, centres uniform in [-40, 40]^2",
    .origin = "Blessing et al. 2024 (arXiv:2406.07423), after Midgley et al. 2023 "
              "(arXiv:2208.01893)",
    .dim = 2,
    .log_evidence = 0,
    .log_density = density_forty,
    .draw = draw_forty};
