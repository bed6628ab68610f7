/* Parameters far beyond any use, in every registered flow (catalogue.h): scales that overflow or
 * underflow must not make NaN of a density that is tiny, huge or 0. Layers are mapped one by one:
 * where a value has become infinite, a further layer may subtract infinities. */
#include "catalogue.h"

static const double amplitudes[] = {30, 100, 1000};
enum { AMPLITUDES = sizeof amplitudes / sizeof amplitudes[0], DIM = 2 };

/* Points, among them 0, on which any scale acts like any other. */
static sample_points extreme_points(void) {
  sample_points p = {0};
  fixture_points(p.x, ROWS * DIM, 1.3, 3);
  fixture_points(p.c, ROWS * DIM, 1, 4);
  memset(p.x, 0, DIM * sizeof *p.x);
  return p;
}

static bool no_nan(const double *a, int count) {
  for (int i = 0; i < count; i++)
    if (isnan(a[i])) return false;
  return true;
}

static void check_base(fixture *f, const sample_points *p) {
  double log_prob[ROWS], drawn[ROWS * DIM];
  if (fixture_log_prob(f, ROWS, p->x, p->c, log_prob)) CHECK(no_nan(log_prob, ROWS));
  if (fixture_map(f, FIXTURE_SAMPLE, ROWS, NULL, p->c, drawn, log_prob))
    CHECK(no_nan(drawn, ROWS * DIM) && no_nan(log_prob, ROWS));
}

static void check_layer(fixture *f, int layer, const sample_points *p) {
  double value[ROWS * DIM], log_det[ROWS];
  fixture_range(f, layer, layer + 1);
  for (int which = FIXTURE_LOG_PROB_MAP; which <= FIXTURE_SAMPLE_MAP; which++) {
    if (!fixture_map(f, which, ROWS, p->x, p->c, value, log_det)) return;
    if (!CHECK(no_nan(value, ROWS * DIM) && no_nan(log_det, ROWS)))
      printf("  layer %d, %s\n", layer + 1, which == FIXTURE_SAMPLE_MAP ? "sample" : "log_prob");
  }
}

static void check_type(const char *formula, int32_t context_dim, sl_dtype type) {
  fixture f;
  if (!fixture_open(&f, formula, DIM, context_dim, type)) return;
  sample_points p = extreme_points();
  for (int k = 0; k < AMPLITUDES; k++) {
    int failures = check_failures;
    fixture_perturb(&f, amplitudes[k], 17);
    for (int layer = 0; layer < f.flow->chain.count; layer++) check_layer(&f, layer, &p);
    if (f.flow->chain.count == 0) check_base(&f, &p);
    if (check_failures > failures)
      printf("  in %s, context %d, amplitude %g, type %d\n", formula, context_dim, amplitudes[k],
             (int)type);
  }
  fixture_close(&f);
}

static void check_extremes(const char *formula, const sl__kind *kind) {
  (void)kind;
  char message[256];
  for (sl_dtype type = SL_F32; type <= SL_F64; type++) {
    if (fits(formula, DIM, message, sizeof message)) check_type(formula, 0, type);
    if (fits_with_context(formula, DIM, 2, message, sizeof message)) check_type(formula, 2, type);
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
