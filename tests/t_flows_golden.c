/* Flows against plain scalar code written from the papers: RealNVP, MAF and rational-quadratic
 * splines, one row and one unit at a time, with masks as matrices. They share no code with the
 * library but the parameters, which are found by their names. */
#include "flow_fixture.h"

enum { ROWS = 5, WIDEST = 64 };

static const double *tensor(const fixture *f, const char *name) {
  for (int i = 0; i < f->flow->parameter_count; i++)
    if (strcmp(f->flow->parameters[i].name, name) == 0)
      return f->vector + f->flow->parameters[i].offset;
  printf("no parameter %s\n", name);
  CHECK(false);
  exit(1);
}

/* y[i] = bias[i] + sum_j w[i][j] x[j], entries with degree_out[i] < degree_in[j] left out (NULL:
 * none). */
static void linear(const fixture *f, const char *prefix, int at, int inputs, int outputs,
                   const double *x, const int *degree_in, const int *degree_out, double *y) {
  char name[80];
  snprintf(name, sizeof name, "%s.%d.weight", prefix, at);
  const double *w = tensor(f, name);
  snprintf(name, sizeof name, "%s.%d.bias", prefix, at);
  const double *bias = tensor(f, name);
  for (int i = 0; i < outputs; i++) {
    y[i] = bias[i];
    for (int j = 0; j < inputs; j++) {
      if (!degree_in || degree_in[j] <= degree_out[i]) y[i] += w[i * inputs + j] * x[j];
      /* What the library masks is 0 in its parameters, and nothing else is. */
      if (degree_in) CHECK((w[i * inputs + j] != 0) == (degree_in[j] <= degree_out[i]));
    }
  }
}

/* ---- RealNVP: alternating masks, separate networks for s and t, s = a tanh(.) ---- */

/* One network 1 -> 7 -> 6 -> 1, leaky ReLU. */
static double small_network(const fixture *f, const char *prefix, double x) {
  double h1[7], h2[6], y;
  linear(f, prefix, 0, 1, 7, &x, NULL, NULL, h1);
  for (int i = 0; i < 7; i++) h1[i] = h1[i] > 0 ? h1[i] : 0.01 * h1[i];
  linear(f, prefix, 1, 7, 6, h1, NULL, NULL, h2);
  for (int i = 0; i < 6; i++) h2[i] = h2[i] > 0 ? h2[i] : 0.01 * h2[i];
  linear(f, prefix, 2, 6, 1, h2, NULL, NULL, &y);
  return y;
}

TEST(real_nvp) {
  fixture f;
  REQUIRE(fixture_open(
      &f, "coupling(affine,net=separate,hidden=7x6,activation=leaky_relu,scale=tanh)*4", 2, 0,
      SL_F64));
  fixture_perturb(&f, 0.4, 1);
  double x[ROWS * 2], log_prob[ROWS];
  fixture_points(x, ROWS * 2, 1.5, 2);
  REQUIRE(fixture_log_prob(&f, ROWS, x, NULL, log_prob));
  for (int r = 0; r < ROWS; r++) {
    double z[2] = {x[2 * r], x[2 * r + 1]}, sum = 0;
    for (int layer = 4; layer >= 1; layer--) {
      char shift[32], scale[32], amplitude[32];
      snprintf(shift, sizeof shift, "layers.%d.net.shift", layer);
      snprintf(scale, sizeof scale, "layers.%d.net.scale", layer);
      snprintf(amplitude, sizeof amplitude, "layers.%d.amplitude", layer);
      int mapped = (layer - 1) % 2, kept = 1 - mapped;
      double s = tensor(&f, amplitude)[0] * tanh(small_network(&f, scale, z[kept]));
      double t = small_network(&f, shift, z[kept]);
      z[mapped] = (z[mapped] - t) * exp(-s);
      sum -= s;
    }
    double normal = -0.5 * (z[0] * z[0] + z[1] * z[1]) - log(2 * acos(-1));
    CHECK_CLOSE(log_prob[r], normal + sum, 1e-12);
  }
  fixture_close(&f);
}

/* ---- MAF: D = 4, hidden 9 and 7, context 2, ReLU, s / (1 + |s| / log 1000) ---- */

/* The degree of unit i of `units` when degrees 0 .. 3 are spread evenly in order. */
static int spread(int i, int units) {
  return i * 4 / units;
}

static void masked_network(const fixture *f, const char *prefix, const double in[6],
                           double out[8]) {
  int degree0[6] = {0, 0, 1, 2, 3, 4}, degree1[9], degree2[7], degree3[8];
  double h1[9], h2[7];
  for (int i = 0; i < 9; i++) degree1[i] = spread(i, 9);
  for (int i = 0; i < 7; i++) degree2[i] = spread(i, 7);
  for (int i = 0; i < 8; i++) degree3[i] = i / 2;
  linear(f, prefix, 0, 6, 9, in, degree0, degree1, h1);
  for (int i = 0; i < 9; i++) h1[i] = fmax(h1[i], 0);
  linear(f, prefix, 1, 9, 7, h1, degree1, degree2, h2);
  for (int i = 0; i < 7; i++) h2[i] = fmax(h2[i], 0);
  linear(f, prefix, 2, 7, 8, h2, degree2, degree3, out);
}

TEST(masked_autoregressive) {
  fixture f;
  REQUIRE(fixture_open(
      &f, "maf(affine,hidden=9x7,activation=relu)-reverse-maf(affine,hidden=9x7,activation=relu)",
      4, 2, SL_F64));
  fixture_perturb(&f, 0.4, 1);
  double x[ROWS * 4], c[ROWS * 2], log_prob[ROWS];
  fixture_points(x, ROWS * 4, 1.5, 2);
  fixture_points(c, ROWS * 2, 1, 3);
  REQUIRE(fixture_log_prob(&f, ROWS, x, c, log_prob));
  for (int r = 0; r < ROWS; r++) {
    double z[4], sum = 0, squares = 0;
    memcpy(z, x + 4 * r, sizeof z);
    for (int layer = 3; layer >= 1; layer -= 2) {
      double in[6] = {c[2 * r], c[2 * r + 1], z[0], z[1], z[2], z[3]}, out[8], mapped[4];
      masked_network(&f, layer == 3 ? "layers.3.net" : "layers.1.net", in, out);
      for (int d = 0; d < 4; d++) {
        double s = out[2 * d + 1] / (1 + fabs(out[2 * d + 1]) / log(1000));
        mapped[d] = (z[d] - out[2 * d]) / exp(s);
        sum -= s;
      }
      for (int d = 0; d < 4; d++) z[d] = layer == 3 ? mapped[3 - d] : mapped[d];
    }
    for (int d = 0; d < 4; d++) squares += z[d] * z[d];
    CHECK_CLOSE(log_prob[r], -0.5 * squares - 2 * log(2 * acos(-1)) + sum, 1e-12);
  }
  fixture_close(&f);
}

/* ---- rational-quadratic spline, eqs. 4 and 5, by a loop over bins ---- */

static double slope_of(double raw) {
  return 1e-3 + log1p(exp(raw + log(expm1(1 - 1e-3))));
}

/* raw: bins widths, bins heights, then slopes: bins - 1 inner ones, or bins + 1. */
static double spline(const double *raw, int bins, bool learned, double bound, double x,
                     double *log_slope) {
  double first = learned ? slope_of(raw[2 * bins]) : 1,
         last = learned ? slope_of(raw[3 * bins]) : 1;
  if (x < -bound) return *log_slope = log(first), -bound + first * (x + bound);
  if (x > bound) return *log_slope = log(last), bound + last * (x - bound);
  double wide = 0, high = 0, left = -bound, bottom = -bound;
  for (int k = 0; k < bins; k++) wide += exp(raw[k]), high += exp(raw[bins + k]);
  for (int k = 0; k < bins; k++) {
    double w = 2 * bound * (1e-3 + (1 - 1e-3 * bins) * exp(raw[k]) / wide);
    double h = 2 * bound * (1e-3 + (1 - 1e-3 * bins) * exp(raw[bins + k]) / high);
    if (x <= left + w || k == bins - 1) {
      const double *inner = raw + 2 * bins + learned;
      double d0 = k == 0 ? first : slope_of(inner[k - 1]);
      double d1 = k == bins - 1 ? last : slope_of(inner[k]);
      double s = h / w, t = (x - left) / w;
      double den = s + (d1 + d0 - 2 * s) * t * (1 - t);
      *log_slope =
          log(s * s * (d1 * t * t + 2 * s * t * (1 - t) + d0 * (1 - t) * (1 - t)) / (den * den));
      return bottom + h * (s * t * t + d0 * t * (1 - t)) / den;
    }
    left += w;
    bottom += h;
  }
  return NAN;
}

static void check_spline_coupling(const char *formula, int bins, bool learned, double bound) {
  fixture f;
  REQUIRE(fixture_open(&f, formula, 2, 0, SL_F64));
  fixture_perturb(&f, 0.7, 1);
  double log_prob[40], x[80];
  int count = learned ? 3 * bins + 1 : 3 * bins - 1;
  for (int r = 0; r < 40; r++) {
    x[2 * r] = -6 + 0.3 * r;
    x[2 * r + 1] = sin(r);
  }
  REQUIRE(fixture_log_prob(&f, 40, x, NULL, log_prob));
  for (int r = 0; r < 40; r++) {
    double h[5], raw[WIDEST], log_slope = 0;
    linear(&f, "layers.1.net", 0, 1, 5, &x[2 * r + 1], NULL, NULL, h);
    for (int i = 0; i < 5; i++) h[i] = tanh(h[i]);
    linear(&f, "layers.1.net", 1, 5, count, h, NULL, NULL, raw);
    double z = spline(raw, bins, learned, bound, x[2 * r], &log_slope);
    double normal = -0.5 * (z * z + x[2 * r + 1] * x[2 * r + 1]) - log(2 * acos(-1));
    CHECK_CLOSE(log_prob[r], normal + log_slope, 1e-11);
  }
  fixture_close(&f);
}

TEST(rational_quadratic_spline) {
  check_spline_coupling("coupling(rqs,hidden=5,activation=tanh)", 8, false, 4);
  check_spline_coupling("coupling(rqs,hidden=5,activation=tanh,bins=3,bound=5)", 3, false, 5);
  check_spline_coupling("coupling(rqs,hidden=5,activation=tanh,bins=6,bound=3,tails=learned)", 6,
                        true, 3);
}

/* ---- the small ones ---- */

TEST(scale_loc_standardize) {
  fixture f;
  REQUIRE(fixture_open(&f, "scale-loc-standardize", 2, 0, SL_F64));
  fixture_perturb(&f, 0.4, 1);
  double x[2] = {1.7, -0.4}, log_prob = 0, wanted = 0;
  REQUIRE(fixture_log_prob(&f, 1, x, NULL, &log_prob));
  for (int k = 0; k < 2; k++) {
    double sigma = log1p(exp(tensor(&f, "layers.1.rho")[k])),
           scale = tensor(&f, "layers.3.scale")[k];
    double z = (x[k] - tensor(&f, "layers.3.shift")[k]) / scale;
    z = (z - tensor(&f, "layers.2.loc")[k]) / sigma;
    wanted += -0.5 * z * z - 0.5 * log(2 * acos(-1)) - log(sigma) - log(scale);
  }
  CHECK_CLOSE(log_prob, wanted, 1e-13);
  fixture_close(&f);
}

/* z = P L U x + bias, by loops. */
TEST(lu_is_a_product) {
  fixture f;
  REQUIRE(fixture_open(&f, "lu", 3, 0, SL_F64));
  fixture_perturb(&f, 0.5, 1);
  const double *m = tensor(&f, "layers.1.matrix"), *bias = tensor(&f, "layers.1.bias");
  double x[3] = {0.4, -1.2, 0.9}, ux[3], lux[3], z[3], log_det;
  REQUIRE(fixture_map(&f, FIXTURE_LOG_PROB_MAP, 1, x, NULL, z, &log_det));
  for (int i = 0; i < 3; i++) {
    ux[i] = exp(m[4 * i]) * x[i];
    for (int j = i + 1; j < 3; j++) ux[i] += m[3 * i + j] * x[j];
  }
  for (int i = 0; i < 3; i++) {
    lux[i] = ux[i];
    for (int j = 0; j < i; j++) lux[i] += m[3 * i + j] * ux[j];
  }
  bool used[3] = {false};
  for (int i = 0; i < 3; i++) {
    int match = -1;
    for (int k = 0; k < 3; k++)
      if (!used[k] && fabs(z[i] - bias[i] - lux[k]) < 1e-12) match = k;
    if (CHECK(match >= 0)) used[match] = true;
  }
  CHECK_CLOSE(log_det, m[0] + m[4] + m[8], 1e-13);
  fixture_close(&f);
}
