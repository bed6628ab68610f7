/* PyMC3's five flows (planar, radial, hh, loc, scale) against its formulas written plainly, and the
 * places where those formulas are delicate; Sylvester flows against dense matrices; their round
 * trips far out, and, with their options, all that flow_checks.h knows. */
#include "flow_checks.h"

enum { WIDEST = 64, POINTS = 9 };

static const int dims[] = {1, 2, 8, 64};
enum { DIMS = sizeof dims / sizeof dims[0] };

static double *tensor(fixture *f, const char *name) {
  for (int i = 0; i < f->flow->parameter_count; i++)
    if (strcmp(f->flow->parameters[i].name, name) == 0)
      return f->vector + f->flow->parameters[i].offset;
  printf("no parameter %s\n", name);
  CHECK(false);
  exit(1);
}

/* Numbers without a pattern, within amplitude of 0. */
static void fill(double *to, int count, double amplitude, double phase) {
  for (int i = 0; i < count; i++) to[i] = amplitude * sin(1.7 * i * i + 2.3 * i + phase);
}

static double dot(const double *a, const double *b, int n) {
  double sum = 0;
  for (int i = 0; i < n; i++) sum += a[i] * b[i];
  return sum;
}

static double softplus(double x) {
  return x > 0 ? x + log1p(exp(-x)) : log1p(exp(x));
}

/* ---- PyMC3's formulas: out [dim]; returns the log-determinant ---- */

typedef double (*formula_of_layer)(fixture *f, int dim, const double *z, double *out);

static double planar(fixture *f, int dim, const double *z, double *out) {
  const double *u = tensor(f, "layers.1.u"), *w = tensor(f, "layers.1.w");
  double b = tensor(f, "layers.1.b")[0], wu = dot(w, u, dim), u_hat[WIDEST];
  for (int i = 0; i < dim; i++)
    u_hat[i] = u[i] + (-1 + softplus(wu) - wu) * w[i] / (dot(w, w, dim) + 1e-10);
  double t = tanh(dot(w, z, dim) + b);
  for (int i = 0; i < dim; i++) out[i] = z[i] + u_hat[i] * t;
  return log(fabs(1 + (1 - t * t) * dot(w, u_hat, dim)));
}

/* Not PyMC3's: leaky=0.2, 1 + w.u^ = 1e-3 + (1 - 1e-3) p(w.u) but for the 1e-10. */
static double leaky_planar(fixture *f, int dim, const double *z, double *out) {
  const double *u = tensor(f, "layers.1.u"), *w = tensor(f, "layers.1.w");
  double s = dot(w, u, dim), rest = 1e-3 + (1 - 1e-3) * (s + sqrt(s * s + 4)) / 2;
  double square = dot(w, w, dim) + 1e-10, v = dot(w, z, dim) + tensor(f, "layers.1.b")[0];
  double u_hat[WIDEST], slope = v > 0 ? 1 : 0.2;
  for (int i = 0; i < dim; i++) {
    u_hat[i] = u[i] + (rest - 1 - s) * w[i] / square;
    out[i] = z[i] + u_hat[i] * slope * v;
  }
  return log(fabs(1 + slope * dot(w, u_hat, dim)));
}

static double radial(fixture *f, int dim, const double *z, double *out) {
  const double *z_ref = tensor(f, "layers.1.z_ref");
  double alpha = exp(tensor(f, "layers.1.a")[0]);
  double beta = -alpha + softplus(tensor(f, "layers.1.b")[0]), square = 0;
  for (int i = 0; i < dim; i++) square += (z[i] - z_ref[i]) * (z[i] - z_ref[i]);
  double r = sqrt(square), h = 1 / (alpha + r), slope = -h * h;
  for (int i = 0; i < dim; i++) out[i] = z[i] + beta * h * (z[i] - z_ref[i]);
  return (dim - 1) * log(1 + beta * h) + log(1 + beta * h + beta * slope * r);
}

/* PyMC3 has a log-determinant of 0; this is what its reflections, not quite orthogonal, have. */
static double hh(fixture *f, int dim, const double *z, double *out) {
  double log_det = 0;
  memcpy(out, z, (size_t)dim * sizeof *out);
  for (int k = 0; k < f->flow->parameters[0].shape.size[0]; k++) {
    const double *v = tensor(f, "layers.1.v") + k * dim;
    double square = dot(v, v, dim), along = 2 * dot(v, out, dim) / (square + 1e-10);
    for (int i = 0; i < dim; i++) out[i] -= along * v[i];
    log_det += log(fabs(1 - 2 * square / (square + 1e-10)));
  }
  CHECK(fabs(log_det) < 1e-8 * (1 + f->flow->parameters[0].shape.size[0]));
  return log_det;
}

static double scale(fixture *f, int dim, const double *z, double *out) {
  const double *rho = tensor(f, "layers.1.rho");
  double log_det = 0;
  for (int i = 0; i < dim; i++) {
    out[i] = softplus(rho[i]) * z[i];
    log_det += log(softplus(rho[i]));
  }
  return log_det;
}

static double loc(fixture *f, int dim, const double *z, double *out) {
  for (int i = 0; i < dim; i++) out[i] = z[i] + tensor(f, "layers.1.loc")[i];
  return 0;
}

/* ---- values and log-determinants ---- */

static void check_formula(const char *formula, formula_of_layer plain, int dim, double amplitude) {
  fixture f;
  if (!fixture_open(&f, formula, dim, 0, SL_F64)) return;
  fill(f.vector, (int)f.flow->size, amplitude, 0.4 * dim);
  /* Where w.u < -1 the 1e-10 of PyMC3's planar flow is at work against it. */
  if (strncmp(formula, "planar", 6) == 0 &&
      dot(tensor(&f, "layers.1.u"), tensor(&f, "layers.1.w"), dim) < -1)
    for (int i = 0; i < dim; i++) tensor(&f, "layers.1.u")[i] *= -1;
  double z[POINTS * WIDEST], out[POINTS * WIDEST], log_det[POINTS], wanted[WIDEST];
  fill(z, POINTS * dim, 2.5, 1);
  for (int i = 0; i < dim; i++) z[i] *= 400;
  if (!fixture_map(&f, FIXTURE_SAMPLE_MAP, POINTS, z, NULL, out, log_det)) return;
  int failures = check_failures;
  for (int r = 0; r < POINTS; r++) {
    double length = fmax(1, sqrt(dot(z + r * dim, z + r * dim, dim)));
    CHECK_CLOSE(log_det[r], plain(&f, dim, z + r * dim, wanted), 1e-13);
    for (int i = 0; i < dim; i++) CHECK_CLOSE(out[r * dim + i], wanted[i], 1e-13 * length);
  }
  if (check_failures > failures) printf("  %s, dim %d, amplitude %g\n", formula, dim, amplitude);
  fixture_close(&f);
}

TEST(formulas_of_pymc3) {
  for (int i = 0; i < DIMS; i++) {
    for (int k = 0; k < 2; k++) {
      double amplitude = k == 0 ? 0.3 : 1;
      check_formula("radial", radial, dims[i], amplitude);
      check_formula("hh", hh, dims[i], amplitude);
      check_formula("scale", scale, dims[i], amplitude);
      check_formula("loc", loc, dims[i], amplitude);
      check_formula("planar", planar, dims[i], amplitude);
      check_formula("planar(leaky=0.2)", leaky_planar, dims[i], amplitude);
    }
  }
}

/* As one matrix and as two thin ones, in one block and several; at 0, too. */
TEST(products_of_reflections) {
  check_formula("hh(reflections=2)", hh, 2, 1);
  check_formula("hh(reflections=3)", hh, 8, 1);
  check_formula("hh(reflections=9)", hh, 8, 1);
  check_formula("hh(reflections=5)", hh, 64, 1);
  check_formula("hh(reflections=35)", hh, 64, 1);
  check_formula("hh(reflections=40)", hh, 64, 1);
  check_formula("hh(reflections=100)", hh, 8, 1);
  check_formula("hh(reflections=100)", hh, 64, 1);
  check_formula("hh", hh, 8, 0);
  check_formula("hh(reflections=2)", hh, 8, 0);
}

/* PyMC3's starting values: normal, of standard deviation `jitter`, around 0. */
static void check_jitter(const char *formula, double wanted) {
  fixture f;
  if (!fixture_open(&f, formula, WIDEST, 0, SL_F64)) return;
  double square = dot(f.vector, f.vector, (int)f.flow->size) / (double)f.flow->size;
  if (!CHECK(fabs(sqrt(square) - wanted) <= 0.25 * wanted)) printf("  %s\n", formula);
  fixture_close(&f);
}

TEST(starting_values) {
  check_jitter("planar", 1);
  check_jitter("radial", 1);
  check_jitter("hh", 1);
  check_jitter("loc", 1);
  check_jitter("scale", 1);
  check_jitter("loc(jitter=0)", 0);
  check_jitter("planar(jitter=0.001)", 0.001);
  check_jitter("radial(jitter=0.001)", 0.001);
  check_jitter("hh(jitter=0.5)", 0.5);
  check_jitter("loc(jitter=0.2)", 0.2);
  check_jitter("scale(jitter=2)", 2);
  check_jitter("scale(exp)", 1);
  check_jitter("scale(exp,jitter=0)", 0);
  check_jitter("scale(jitter=0)", log(expm1(1)));
}

/* These have a gradient of 0 there: training could not leave it. */
TEST(starts_that_nothing_leaves_are_refused) {
  static const char *const formulas[] = {"planar(jitter=0)", "hh(jitter=0)"};
  sl_context *context = NULL;
  sl__flow *flow = NULL;
  REQUIRE(sl_context_new(NULL, &context) == SL_OK);
  for (int i = 0; i < 2; i++) {
    sl__flow_plan plan = {.formula = formulas[i], .dim = 3, .type = SL_F64};
    CHECK(sl__flow_new(context, &plan, &flow) == SL_SYNTAX);
    CHECK(strstr(sl_error(context), "jitter") != NULL);
  }
  sl_context_free(context);
}

/* ---- planar where it is delicate ---- */

/* w = (1, 0, ...), u = (s, 0.5, ...), b = 0: the determinant is the slope of one number's map,
 * t^2 + (1 - t^2) rest, here by logarithms. PyMC3's 1e-10 makes the difference to softplus(s); its
 * own rest is negative for the last two s. */
static double steep_log_det(double s, double z) {
  double q = 1 / (1 + 1e-10), t = tanh(z), rest = q * softplus(s) + (1 - q) * fmax(1 + s, 0);
  double log_rest = s < -30 ? s + log(q) : log(rest);
  double high = 2 * log(fabs(t)), low = log(1 - t * t) + log_rest;
  double most = fmax(high, low);
  return most + log1p(exp(fmin(high, low) - most));
}

static void check_steep(double s, sl_dtype type, double tolerance) {
  enum { ROWS_HERE = 12, DIM = 3 };
  static const double first[ROWS_HERE] = {0, 1e-15, 1e-8, -1e-3, 0.1, 1, -1, 3, -9, 30, 1e3, -1e3};
  fixture f;
  if (!fixture_open(&f, "planar", DIM, 0, type)) return;
  memcpy(tensor(&f, "layers.1.w"), (double[DIM]){1, 0, 0}, DIM * sizeof(double));
  memcpy(tensor(&f, "layers.1.u"), (double[DIM]){s, 0.5, -2}, DIM * sizeof(double));
  tensor(&f, "layers.1.b")[0] = 0;
  double z[ROWS_HERE * DIM], x[ROWS_HERE * DIM], log_det[ROWS_HERE], back_det[ROWS_HERE];
  double back[ROWS_HERE * DIM], again[ROWS_HERE * DIM];
  for (int r = 0; r < ROWS_HERE; r++) {
    for (int i = 0; i < DIM; i++) z[r * DIM + i] = (i == 0 ? first[r] : 0.7 * i);
  }
  int failures = check_failures;
  if (fixture_map(&f, FIXTURE_SAMPLE_MAP, ROWS_HERE, z, NULL, x, log_det) &&
      fixture_map(&f, FIXTURE_LOG_PROB_MAP, ROWS_HERE, x, NULL, back, back_det) &&
      fixture_map(&f, FIXTURE_SAMPLE_MAP, ROWS_HERE, back, NULL, again, log_det) &&
      fixture_map(&f, FIXTURE_SAMPLE_MAP, ROWS_HERE, z, NULL, x, log_det)) {
    for (int r = 0; r < ROWS_HERE; r++) {
      /* on the ridge itself the slope may be less than any number */
      const double exact = fmax(steep_log_det(s, z[r * DIM]), log(type == SL_F32 ? 1e-37 : 1e-305));
      CHECK_CLOSE(log_det[r], exact, tolerance);
      CHECK(isfinite(back_det[r]));
      for (int i = 0; i < DIM; i++) CHECK_CLOSE(again[r * DIM + i], x[r * DIM + i], tolerance);
      /* Where the slope is not small, the way back is as good. */
      if (log_det[r] > -3)
        for (int i = 0; i < DIM; i++) CHECK_CLOSE(back[r * DIM + i], z[r * DIM + i], tolerance);
    }
  }
  if (check_failures > failures) printf("  w.u = %g, type %d\n", s, (int)type);
  fixture_close(&f);
}

TEST(planar_far_below_its_bound) {
  static const double s[] = {5, 0, -1, -2, -30, -300};
  for (size_t i = 0; i < sizeof s / sizeof s[0]; i++) {
    check_steep(s[i], SL_F64, 1e-11);
    check_steep(s[i], SL_F32, 1e-4);
  }
}

static bool all_gradients_finite(fixture *f, int rows, const double *x) {
  double gradient[4 * WIDEST], dx[POINTS * WIDEST];
  if (!CHECK(f->flow->size <= 4 * WIDEST)) return false;
  return fixture_gradient(f, rows, x, NULL, gradient, dx) &&
         all_finite(gradient, (int)f->flow->size) && all_finite(dx, rows * f->flow->dim);
}

TEST(planar_without_direction) {
  for (int i = 0; i < DIMS; i++) {
    for (sl_dtype type = SL_F32; type <= SL_F64; type++) {
      fixture f;
      if (!fixture_open(&f, "planar", dims[i], 0, type)) return;
      memset(tensor(&f, "layers.1.w"), 0, (size_t)dims[i] * sizeof(double));
      double z[POINTS * WIDEST], x[POINTS * WIDEST], log_det[POINTS], wanted[WIDEST];
      fill(z, POINTS * dims[i], 3, 2);
      if (fixture_map(&f, FIXTURE_SAMPLE_MAP, POINTS, z, NULL, x, log_det)) {
        for (int r = 0; r < POINTS; r++) {
          CHECK(fabs(log_det[r]) < 1e-15);
          planar(&f, dims[i], z + r * dims[i], wanted);
          for (int k = 0; k < dims[i]; k++)
            CHECK_CLOSE(x[r * dims[i] + k], wanted[k], type == SL_F32 ? 1e-6 : 1e-13);
        }
      }
      CHECK(all_gradients_finite(&f, POINTS, z));
      fixture_close(&f);
    }
  }
}

/* ---- radial where it is delicate ---- */

TEST(radial_at_its_centre) {
  for (int i = 0; i < DIMS; i++) {
    for (sl_dtype type = SL_F32; type <= SL_F64; type++) {
      fixture f;
      int dim = dims[i];
      if (!fixture_open(&f, "radial", dim, 0, type)) return;
      for (int64_t k = 0; k < f.flow->size; k++) f.vector[k] = (double)(float)f.vector[k];
      const double *centre = tensor(&f, "layers.1.z_ref");
      double x[WIDEST], log_det, exact = type == SL_F32 ? 1e-5 : 1e-13;
      double a = tensor(&f, "layers.1.a")[0], s = softplus(tensor(&f, "layers.1.b")[0]);
      for (int which = FIXTURE_LOG_PROB_MAP; which <= FIXTURE_SAMPLE_MAP; which++) {
        if (!fixture_map(&f, which, 1, centre, NULL, x, &log_det)) break;
        for (int k = 0; k < dim; k++) CHECK_CLOSE(x[k], centre[k], 0);
        double wanted = dim * (log(s) - a);
        CHECK_CLOSE(log_det, which == FIXTURE_SAMPLE_MAP ? wanted : -wanted, exact);
      }
      CHECK(all_gradients_finite(&f, 1, centre));
      fixture_close(&f);
    }
  }
}

/* beta = -alpha + 6e-6: 1 + beta h is r / (alpha + r) and a remainder of which beta has lost six
 * digits. */
TEST(radial_near_its_bound) {
  enum { DIM = 8 };
  fixture f;
  REQUIRE(fixture_open(&f, "radial", DIM, 0, SL_F64));
  memset(tensor(&f, "layers.1.z_ref"), 0, DIM * sizeof(double));
  tensor(&f, "layers.1.a")[0] = 1.5;
  tensor(&f, "layers.1.b")[0] = -12;
  double alpha = exp(1.5), s = softplus(-12);
  static const double radii[] = {0, 1e-14, 1e-6, 1e-5, 1, 1e3};
  for (size_t i = 0; i < sizeof radii / sizeof radii[0]; i++) {
    double z[DIM], x[DIM], back[DIM], log_det, r = radii[i];
    for (int k = 0; k < DIM; k++) z[k] = k == 2 ? r : 0;
    REQUIRE(fixture_map(&f, FIXTURE_SAMPLE_MAP, 1, z, NULL, x, &log_det));
    double wanted = (DIM - 1) * (log(r + s) - log(alpha + r)) +
                    log(r * r + 2 * alpha * r + alpha * s) - 2 * log(alpha + r);
    CHECK_CLOSE(log_det, wanted, 1e-14);
    CHECK(fabs(x[2] - r * (r + s) / (alpha + r)) <= 1e-15 * x[2]);
    REQUIRE(fixture_map(&f, FIXTURE_LOG_PROB_MAP, 1, x, NULL, back, &log_det));
    CHECK(fabs(back[2] - r) <= 1e-14 * r);
    CHECK_CLOSE(log_det, -wanted, 1e-13);
  }
  fixture_close(&f);
}

/* ---- Sylvester against dense matrices ---- */

enum { SYLVESTER_DIM = 5, COLUMNS = 3, REFLECTIONS = 4 };

/* Q [dim][columns]: the first columns of the product of the reflections, one after another. */
static void plain_q(const double *v, double *q) {
  double product[SYLVESTER_DIM * SYLVESTER_DIM] = {0};
  for (int i = 0; i < SYLVESTER_DIM; i++) product[i * SYLVESTER_DIM + i] = 1;
  for (int k = 0; k < REFLECTIONS; k++, v += SYLVESTER_DIM) {
    for (int i = 0; i < SYLVESTER_DIM; i++) {
      double *row = product + i * SYLVESTER_DIM;
      double along = 2 * dot(row, v, SYLVESTER_DIM) / dot(v, v, SYLVESTER_DIM);
      for (int j = 0; j < SYLVESTER_DIM; j++) row[j] -= along * v[j];
    }
  }
  for (int i = 0; i < SYLVESTER_DIM; i++)
    for (int j = 0; j < COLUMNS; j++) q[i * COLUMNS + j] = product[i * SYLVESTER_DIM + j];
}

/* Eqs. 11 to 14, matrix by matrix. */
static double plain_sylvester(fixture *f, const double *z, double *out) {
  const double *both = tensor(f, "layers.1.r"), *b = tensor(f, "layers.1.b");
  const double *diagonal = tensor(f, "layers.1.r_tilde_diagonal");
  double q[SYLVESTER_DIM * COLUMNS], qz[COLUMNS] = {0}, t[COLUMNS], log_det = 0;
  plain_q(tensor(f, "layers.1.v"), q);
  for (int i = 0; i < COLUMNS; i++)
    for (int d = 0; d < SYLVESTER_DIM; d++) qz[i] += q[d * COLUMNS + i] * z[d];
  memcpy(out, z, SYLVESTER_DIM * sizeof *out);
  for (int i = 0; i < COLUMNS; i++) {
    double u = b[i] + tanh(diagonal[i]) * qz[i];
    for (int j = i + 1; j < COLUMNS; j++) u += both[j * COLUMNS + i] * qz[j];
    t[i] = tanh(u);
    log_det += log(1 + (1 - t[i] * t[i]) * tanh(diagonal[i]) * tanh(both[i * COLUMNS + i]));
  }
  for (int i = 0; i < COLUMNS; i++) {
    double rt = tanh(both[i * COLUMNS + i]) * t[i];
    for (int j = i + 1; j < COLUMNS; j++) rt += both[i * COLUMNS + j] * t[j];
    for (int d = 0; d < SYLVESTER_DIM; d++) out[d] += q[d * COLUMNS + i] * rt;
  }
  return log_det;
}

TEST(sylvester_by_matrices) {
  fixture f;
  REQUIRE(fixture_open(&f, "sylvester(columns=3,reflections=4)", SYLVESTER_DIM, 0, SL_F64));
  for (int k = 0; k < 2; k++) {
    fill(f.vector, (int)f.flow->size, k == 0 ? 0.8 : 3, 5);
    double z[POINTS * SYLVESTER_DIM], x[POINTS * SYLVESTER_DIM], log_det[POINTS];
    fill(z, POINTS * SYLVESTER_DIM, 2, 1);
    REQUIRE(fixture_map(&f, FIXTURE_SAMPLE_MAP, POINTS, z, NULL, x, log_det));
    for (int r = 0; r < POINTS; r++) {
      double wanted[SYLVESTER_DIM];
      CHECK_CLOSE(log_det[r], plain_sylvester(&f, z + r * SYLVESTER_DIM, wanted), 1e-12);
      for (int i = 0; i < SYLVESTER_DIM; i++)
        CHECK_CLOSE(x[r * SYLVESTER_DIM + i], wanted[i], 1e-13);
    }
  }
  fixture_close(&f);
}

TEST(sylvester_refuses_more_columns_than_features) {
  sl_context *context = NULL;
  sl__flow *flow = NULL;
  REQUIRE(sl_context_new(NULL, &context) == SL_OK);
  sl__flow_plan plan = {.formula = "loc-sylvester(columns=4)", .dim = 3, .type = SL_F64};
  CHECK(sl__flow_new(context, &plan, &flow) == SL_BAD_ARGUMENT);
  CHECK(strstr(sl_error(context), "columns=4 for 3 features") != NULL);
  sl_context_free(context);
}

/* ---- there and back, far out ---- */

/* x -> z -> x for |x| up to 1e3, against the longer of the two: where a map is so flat that z is
 * far out, z's own rounding is seen. The other way round would measure how flat the map is. */
static void check_far(const char *formula, int dim, double amplitude, sl_dtype type) {
  fixture f;
  if (!fixture_open(&f, formula, dim, 0, type)) return;
  fixture_perturb(&f, amplitude, 29);
  double x[POINTS * WIDEST], z[POINTS * WIDEST], again[POINTS * WIDEST], log_det[POINTS];
  double there[POINTS], size = 0.1;
  fixture_points(x, POINTS * dim, 1, 31);
  for (int r = 0; r < POINTS; r++, size *= 3.163)
    for (int i = 0; i < dim; i++) x[r * dim + i] *= size / sqrt(dim);
  int failures = check_failures;
  if (fixture_map(&f, FIXTURE_LOG_PROB_MAP, POINTS, x, NULL, z, there) &&
      fixture_map(&f, FIXTURE_SAMPLE_MAP, POINTS, z, NULL, again, log_det)) {
    double tolerance = type == SL_F32 ? 1e-4 : 1e-10;
    for (int r = 0; r < POINTS; r++) {
      CHECK(isfinite(there[r]));
      double length =
          sqrt(fmax(dot(x + r * dim, x + r * dim, dim), dot(z + r * dim, z + r * dim, dim)));
      for (int i = 0; i < dim; i++)
        CHECK(fabs(again[r * dim + i] - x[r * dim + i]) <= tolerance * fmax(1, length));
    }
  }
  if (check_failures > failures)
    printf("  %s, dim %d, amplitude %g, type %d\n", formula, dim, amplitude, (int)type);
  fixture_close(&f);
}

TEST(round_trips_far_out) {
  static const char *const formulas[] = {
      "planar", "planar(leaky=0.2)", "radial", "hh", "hh(reflections=7)", "scale-loc", "sylvester"};
  for (size_t k = 0; k < sizeof formulas / sizeof formulas[0]; k++) {
    for (int i = 0; i < DIMS; i++) {
      check_far(formulas[k], dims[i], 0.3, SL_F64);
      check_far(formulas[k], dims[i], 3, SL_F64);
      check_far(formulas[k], dims[i], 0.3, SL_F32);
      check_far(formulas[k], dims[i], 3, SL_F32);
    }
  }
}

/* Everything else, with options that the catalogue's walk does not reach. */
TEST(options_and_context) {
  static const flow_case cases[] = {
      {"planar(leaky=0.2)", 1, 0},
      {"planar(leaky=0)", 3, 0},
      {"planar(leaky=1)", 3, 0},
      {"planar(leaky=0.5,hidden=6)", 2, 2},
      {"planar*4", 8, 0},
      {"planar(hidden=6)*2", 3, 2},
      {"radial*3", 8, 0},
      {"radial(hidden=6)*2", 3, 1},
      {"hh(reflections=3)", 8, 0},
      {"hh(reflections=6)", 4, 0},
      {"hh(reflections=3,hidden=6)", 4, 2},
      {"hh(hidden=6)", 3, 1},
      {"sylvester(columns=3,reflections=2)", 8, 0},
      {"sylvester*2", 3, 0},
      {"sylvester(columns=2,hidden=6)", 3, 2},
      {"scale(exp,jitter=0.2,hidden=6)-loc(jitter=1,hidden=6)", 3, 2},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) check_case(&cases[i], false);
}
