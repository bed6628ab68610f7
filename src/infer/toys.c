/* The standard two-dimensional toys, by the definitions of FFJORD's toy data (Grathwohl et al.
 * 2019, arXiv:1810.01367) and of BNAF (De Cao et al. 2019, arXiv:1904.04676), whose moons, circles
 * and swiss roll come from scikit-learn. Those spread the components and the places on a curve
 * evenly over a batch; here each row draws its own, which leaves the density as it is and makes a
 * row a function of (seed, row).
 *
 * The entropies are integrals of -p log p of the exact densities; tests/t_toys.c estimates them
 * again from draws of this file. No model can do better than them but by chance. */
#include <math.h>
#include "infer/infer.h"

static const double pi = 3.14159265358979323846;

/* Which numbers of a row are used for what; normals stay clear of the uniforms' blocks. */
enum { PLACE, COMPONENT, ACROSS_X, ACROSS_Y, NOISE_X = 8, NOISE_Y = 9 };

typedef struct toy_row {
  sl__random_key key;
  uint64_t row;
} toy_row;

static double uniform(const toy_row *at, uint32_t feature) {
  return sl__random_uniform(at->key, at->row, feature);
}

static double normal(const toy_row *at, uint32_t feature) {
  return sl__random_normal(at->key, at->row, feature);
}

static int component(const toy_row *at, int count) {
  return (int)sl__random_below(at->key, at->row, COMPONENT, (uint64_t)count);
}

/* The outer half circle about (0, 0), the inner about (1, 1/2), noise 0.1; doubled and centred. */
static void moons(const toy_row *at, double point[2]) {
  const double angle = pi * uniform(at, PLACE);
  const bool inner = component(at, 2) == 1;
  const double x = inner ? 1 - cos(angle) : cos(angle);
  const double y = inner ? 0.5 - sin(angle) : sin(angle);
  point[0] = 2 * (x + 0.1 * normal(at, NOISE_X)) - 1;
  point[1] = 2 * (y + 0.1 * normal(at, NOISE_Y)) - 0.2;
}

static void on_circle(const toy_row *at, double radius, double noise, double point[2]) {
  const double angle = 2 * pi * uniform(at, PLACE);
  point[0] = radius * cos(angle) + noise * normal(at, NOISE_X);
  point[1] = radius * sin(angle) + noise * normal(at, NOISE_Y);
}

static void circles(const toy_row *at, double point[2]) {
  on_circle(at, component(at, 2) == 1 ? 1.5 : 3, 0.24, point);
}

static void rings(const toy_row *at, double point[2]) {
  on_circle(at, 0.75 * (1 + component(at, 4)), 0.08, point);
}

/* The published divisor is 1.414, not the root of 2. */
static void eight_gaussians(const toy_row *at, double point[2]) {
  const double angle = 0.25 * pi * component(at, 8);
  point[0] = (4 * cos(angle) + 0.5 * normal(at, NOISE_X)) / 1.414;
  point[1] = (4 * sin(angle) + 0.5 * normal(at, NOISE_Y)) / 1.414;
}

/* Five Gaussian blades, sheared by turning each point by exp of its distance along the blade. */
static void pinwheel(const toy_row *at, double point[2]) {
  const double along = 1 + 0.3 * normal(at, NOISE_X);
  const double across = 0.1 * normal(at, NOISE_Y);
  const double angle = 0.4 * pi * component(at, 5) + 0.25 * exp(along);
  point[0] = 2 * (along * cos(angle) + across * sin(angle));
  point[1] = 2 * (across * cos(angle) - along * sin(angle));
}

static void swiss_roll(const toy_row *at, double point[2]) {
  const double angle = 1.5 * pi * (1 + 2 * uniform(at, PLACE));
  point[0] = (angle * cos(angle) + normal(at, NOISE_X)) / 5;
  point[1] = (angle * sin(angle) + normal(at, NOISE_Y)) / 5;
}

/* Eight of the sixteen squares of side 2 in [-4, 4]^2. */
static void checkerboard(const toy_row *at, double point[2]) {
  const double x = 4 * uniform(at, PLACE) - 2;
  const bool odd = fabs(fmod(floor(x), 2)) == 1;
  const double y = uniform(at, ACROSS_Y) - 2 * component(at, 2) + (odd ? 1 : 0);
  point[0] = 2 * x;
  point[1] = 2 * y;
}

/* Two arms, each the other turned by half a circle, with a uniform square on top of the noise. */
static void two_spirals(const toy_row *at, double point[2]) {
  const double angle = 3 * pi * sqrt(uniform(at, PLACE));
  const double sign = component(at, 2) == 1 ? -1 : 1;
  const double x = -cos(angle) * angle + 0.5 * uniform(at, ACROSS_X);
  const double y = sin(angle) * angle + 0.5 * uniform(at, ACROSS_Y);
  point[0] = sign * x / 3 + 0.1 * normal(at, NOISE_X);
  point[1] = sign * y / 3 + 0.1 * normal(at, NOISE_Y);
}

#define TOYS(X)                                                                        \
  X(moons, "moons", "two interleaved half circles", 2.3939)                            \
  X(circles, "circles", "two concentric circles with much noise", 3.268136)            \
  X(rings, "rings", "four concentric circles with little noise", 2.623183)             \
  X(eight_gaussians, "8gaussians", "eight Gaussians on a circle", 2.83188)             \
  X(pinwheel, "pinwheel", "five bent Gaussian blades", 2.3178)                         \
  X(swiss_roll, "swissroll", "one spiral, as a section of the swiss roll", 2.6697)     \
  X(checkerboard, "checkerboard", "every other square of a board: ln 32", 3.465735903) \
  X(two_spirals, "2spirals", "two interleaved spirals", 2.6455)

#define DRAW(function, name, summary, entropy)                                                  \
  static void draw_##function(sl__random_key key, int64_t first_row, int64_t rows, double *x) { \
    for (int64_t r = 0; r < rows; r++) {                                                        \
      const toy_row at = {key, (uint64_t)(first_row + r)};                                      \
      function(&at, x + 2 * r);                                                                 \
    }                                                                                           \
  }
TOYS(DRAW)

#define ROW(function, name, summary, entropy) {name, summary, entropy, draw_##function},
static const sl__toy registry[] = {TOYS(ROW)};

const sl__toy *sl__toys(int *count) {
  *count = (int)(sizeof registry / sizeof registry[0]);
  return registry;
}
