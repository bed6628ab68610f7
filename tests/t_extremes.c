/* Parameters far beyond any use, in every registered flow (catalogue.h): scales that overflow or
 * underflow must not make NaN of a density that is tiny, huge or 0. Layers are mapped one by one:
 * where a value has become infinite, a further layer may subtract infinities. */
#include "catalogue.h"

static const double amplitudes[] = {30, 100, 1000};
enum { AMPLITUDES = sizeof amplitudes / sizeof amplitudes[0], DIM = 2 };
static const int32_t dims[] = {DIM, 5}; /* with more features, solving overflows on the way */
enum { DIMS = sizeof dims / sizeof dims[0], MOST = 5 };

/* Points, among them 0, on which any scale acts like any other. */
static sample_points extreme_points(int32_t dim) {
  sample_points p = {0};
  fixture_points(p.x, ROWS * dim, 1.3, 3);
  fixture_points(p.c, ROWS * dim, 1, 4);
  memset(p.x, 0, (size_t)dim * sizeof *p.x);
  return p;
}

static bool no_nan(const double *a, int count) {
  for (int i = 0; i < count; i++)
    if (isnan(a[i])) return false;
  return true;
}

static void check_base(fixture *f, const sample_points *p) {
  double log_prob[ROWS], drawn[ROWS * MOST];
  if (fixture_log_prob(f, ROWS, p->x, p->c, log_prob)) CHECK(no_nan(log_prob, ROWS));
  if (fixture_map(f, FIXTURE_SAMPLE, ROWS, NULL, p->c, drawn, log_prob))
    CHECK(no_nan(drawn, ROWS * f->flow->dim) && no_nan(log_prob, ROWS));
}

static void check_layer(fixture *f, int layer, const sample_points *p) {
  double value[ROWS * MOST], log_det[ROWS];
  fixture_range(f, layer, layer + 1);
  for (int which = FIXTURE_LOG_PROB_MAP; which <= FIXTURE_SAMPLE_MAP; which++) {
    if (!fixture_map(f, which, ROWS, p->x, p->c, value, log_det)) return;
    if (!CHECK(no_nan(value, ROWS * f->flow->dim) && no_nan(log_det, ROWS)))
      printf("  layer %d, %s\n", layer + 1, which == FIXTURE_SAMPLE_MAP ? "sample" : "log_prob");
  }
}

static void check_type(const char *formula, int32_t dim, int32_t context_dim, sl_dtype type) {
  fixture f;
  if (!fixture_open(&f, formula, dim, context_dim, type)) return;
  sample_points p = extreme_points(dim);
  for (int k = 0; k < AMPLITUDES; k++) {
    int failures = check_failures;
    fixture_perturb(&f, amplitudes[k], 17);
    for (int layer = 0; layer < f.flow->chain.count; layer++) check_layer(&f, layer, &p);
    if (f.flow->chain.count == 0) check_base(&f, &p);
    if (check_failures > failures)
      printf("  in %s, dim %d, context %d, amplitude %g, type %d\n", formula, dim, context_dim,
             amplitudes[k], (int)type);
  }
  fixture_close(&f);
}

static void check_extremes(const char *formula, const sl__kind *kind) {
  (void)kind;
  char message[256];
  for (int i = 0; i < DIMS; i++)
    for (sl_dtype type = SL_F32; type <= SL_F64; type++) {
      if (fits(formula, dims[i], message, sizeof message)) check_type(formula, dims[i], 0, type);
      if (fits_with_context(formula, dims[i], 2, message, sizeof message))
        check_type(formula, dims[i], 2, type);
    }
}

TEST(parameters_beyond_any_use) {
  CHECK(for_every_formula(check_extremes) > 20);
}

/* The look never makes such variances; a file or a caller may bring them. */
TEST(a_negative_variance) {
  fixture f;
  if (!fixture_open(&f, "batchnorm(epsilon=0.01)", DIM, 0, SL_F64)) return;
  for (int i = 0; i < f.flow->parameter_count; i++)
    if (strcmp(f.flow->parameters[i].name, "layers.1.variance") == 0)
      for (int k = 0; k < DIM; k++) f.vector[f.flow->parameters[i].offset + k] = -3;
  double x[DIM] = {1, -2}, z[DIM], log_det;
  if (fixture_map(&f, FIXTURE_LOG_PROB_MAP, 1, x, NULL, z, &log_det)) {
    CHECK_CLOSE(log_det, -DIM * log(0.1), 1e-12);
    for (int k = 0; k < DIM; k++) CHECK_CLOSE(z[k], x[k] / 0.1, 1e-12);
  }
  fixture_close(&f);
}

/* A density whose scale has left the range of float32 is that of the least scale, not NaN. */
TEST(a_scale_that_underflows) {
  static const char *const formulas[] = {"scale", "scale(exp)", "triangular(positive=softplus)"};
  for (size_t k = 0; k < sizeof formulas / sizeof formulas[0]; k++) {
    fixture f;
    if (!fixture_open(&f, formulas[k], 1, 0, SL_F32)) return;
    double x[2] = {0, 1e-18}, z[2], log_det[2];
    f.vector[0] = -110;
    bool divides = strncmp(formulas[k], "scale", 5) == 0; /* the other multiplies the data */
    if (!fixture_map(&f, FIXTURE_LOG_PROB_MAP, 2, x, NULL, z, log_det)) return;
    CHECK(z[0] == 0);
    CHECK_CLOSE(log_det[0], divides ? 40 : -40, 1e-5);
    CHECK_CLOSE(z[1], divides ? 1e-18 * exp(40) : 1e-18 * exp(-40), 1e-6);
    fixture_close(&f);
  }
}

/* Points whose squares overflow in float32, against float64. */
TEST(points_far_beyond_any_data) {
  static const char *const formulas[] = {
      "student", "student(df=10,learn=true)", "radial", "scale", "laplace", "logistic"};
  static const double far[] = {1e3, 1e10, 1e19, 3e25, 1e36};
  for (size_t k = 0; k < sizeof formulas / sizeof formulas[0]; k++) {
    fixture f[2];
    bool open = fixture_open(&f[0], formulas[k], DIM, 0, SL_F32) &&
                fixture_open(&f[1], formulas[k], DIM, 0, SL_F64);
    bool is_base = open && f[0].flow->chain.count == 0;
    for (size_t i = 0; open && i < sizeof far / sizeof far[0]; i++) {
      double x[2 * DIM] = {far[i], -0.5 * far[i], 0.25, far[i]}, value[2][2 * DIM];
      double by_x[2][2 * DIM] = {{0}}, log_det[2][2], gradient[64];
      for (int n = 0; n < 2 * DIM; n++) x[n] = (double)(float)x[n];
      for (int64_t n = 0; n < f[0].flow->size; n++) f[1].vector[n] = f[0].vector[n];
      for (int which = FIXTURE_LOG_PROB_MAP; which <= FIXTURE_SAMPLE_MAP; which++) {
        for (int t = 0; t < 2; t++) {
          if (is_base) {
            fixture_log_prob(&f[t], 2, x, NULL, log_det[t]);
            fixture_gradient(&f[t], 2, x, NULL, gradient, by_x[t]);
            memcpy(value[t], x, sizeof x);
          } else {
            fixture_map(&f[t], which, 2, x, NULL, value[t], log_det[t]);
          }
        }
        int failures = check_failures;
        for (int r = 0; r < 2; r++) CHECK_CLOSE(log_det[0][r], log_det[1][r], 1e-5);
        for (int n = 0; n < 2 * DIM; n++) CHECK_CLOSE(value[0][n], value[1][n], 1e-5);
        for (int n = 0; n < 2 * DIM; n++) CHECK_CLOSE(by_x[0][n], by_x[1][n], 1e-5);
        if (check_failures > failures) printf("  %s at %g\n", formulas[k], far[i]);
      }
    }
    fixture_close(&f[0]);
    fixture_close(&f[1]);
  }
}

/* A component whose way to z overflows, so that it is not a number, has no density there; the
 * mixture has that of the others. Where z is not a number, nor is the density. */
TEST(a_component_that_is_not_a_number) {
  fixture f, other;
  if (!fixture_open(&f, "mixture(2,triangular)", 3, 0, SL_F64)) return;
  if (!fixture_open(&other, "triangular", 3, 0, SL_F64)) return;
  fixture_perturb(&f, 0.3, 17);
  double x[2][3] = {{1e10, -2e10, 1e10}, {(double)NAN, 0, 0}}, log_prob[2], alone[2];
  for (int i = 0; i < f.flow->parameter_count; i++) {
    const sl__parameter *p = &f.flow->parameters[i];
    for (int64_t k = 0; k < sl__shape_count(p->shape); k++) {
      double *at = &f.vector[p->offset + k];
      if (strstr(p->name, "base.1.") && strstr(p->name, "triangle")) *at = 1e300;
      if (strstr(p->name, "logits")) *at = 0;
      for (int j = 0; j < other.flow->parameter_count && strstr(p->name, "base.2."); j++) {
        const sl__parameter *q = &other.flow->parameters[j];
        if (strcmp(strrchr(p->name, '.'), strrchr(q->name, '.')) == 0)
          other.vector[q->offset + k] = *at;
      }
    }
  }
  if (fixture_log_prob(&f, 2, x[0], NULL, log_prob) &&
      fixture_log_prob(&other, 2, x[0], NULL, alone)) {
    CHECK_CLOSE(log_prob[0], alone[0] - log(2), 1e-12);
    CHECK(isnan(log_prob[1]));
  }
  fixture_close(&f);
  fixture_close(&other);
}

/* ---- rows that are no numbers ---- */

enum { BAD_ROWS = 6 };
static const double bad_rows[BAD_ROWS][DIM] = {{(double)NAN, 0.1},
                                               {0.1, (double)NAN},
                                               {(double)INFINITY, 0.1},
                                               {0.1, -INFINITY},
                                               {-INFINITY, (double)INFINITY},
                                               {(double)NAN, (double)INFINITY}};

static void check_bad_rows(fixture *f, const double *c, const char *formula) {
  double log_prob[BAD_ROWS], value[BAD_ROWS * DIM], log_det[BAD_ROWS];
  int failures = check_failures;
  if (fixture_log_prob(f, BAD_ROWS, bad_rows[0], c, log_prob))
    for (int r = 0; r < BAD_ROWS; r++) {
      const bool none = isnan(bad_rows[r][0]) || isnan(bad_rows[r][1]);
      CHECK(none ? isnan(log_prob[r]) : isnan(log_prob[r]) || log_prob[r] == -INFINITY);
    }
  for (int which = FIXTURE_LOG_PROB_MAP; which <= FIXTURE_SAMPLE_MAP; which++)
    if (fixture_map(f, which, BAD_ROWS, bad_rows[0], c, value, log_det))
      for (int r = 0; r < BAD_ROWS; r++)
        if (isnan(bad_rows[r][0]) || isnan(bad_rows[r][1]))
          CHECK(isnan(log_det[r]) && isnan(value[r * DIM]) && isnan(value[r * DIM + 1]));
  if (check_failures > failures) printf("  in %s, type %d\n", formula, (int)f->flow->type);
}

static void check_no_numbers(const char *formula, const sl__kind *kind) {
  (void)kind;
  static const double good[BAD_ROWS * DIM] = {0};
  char message[256];
  for (sl_dtype type = SL_F32; type <= SL_F64; type++)
    for (int32_t context_dim = 0; context_dim <= 2; context_dim += 2) {
      fixture f;
      if (!fits_with_context(formula, DIM, context_dim, message, sizeof message)) continue;
      if (!fixture_open(&f, formula, DIM, context_dim, type)) return;
      fixture_perturb(&f, 0.3, 17);
      check_bad_rows(&f, good, formula);
      double log_prob[BAD_ROWS];
      if (context_dim > 0 && fixture_log_prob(&f, BAD_ROWS, good, bad_rows[0], log_prob))
        for (int r = 0; r < 2; r++)
          if (!CHECK(isnan(log_prob[r]))) printf("  conditions of %s\n", formula);
      fixture_close(&f);
    }
}

/* A NaN that goes in comes out, whatever branch a layer selects; at infinity there is no density. */
TEST(rows_that_are_no_numbers) {
  CHECK(for_every_formula(check_no_numbers) > 20);
  for (size_t i = 0; i < 6; i++)
    check_no_numbers((const char *const[]){"inverse(maf)", "inverse(lu)", "uniform-logit",
                                           "inverse(triangular)", "(maf(sos)-reverse)*2",
                                           "uniform-tanh-loc"}[i],
                     NULL);
}
