/* Flows with angles among their features: mass one over the turn, no seam, round trips, gradients; and
 * networks that read angles as sines and cosines. */
#include "flow_differences.h"

/* Where the circular transformer may stand. */
#define CIRCLE "uniform(low=-3.141592653589793,high=3.141592653589793)-"
#define PI     3.14159265358979323846

/* ---- flows with angles ---- */

static bool open_periodic(fixture *f, const char *formula, int32_t dim, int32_t periodic,
                          int32_t context_dim, sl_dtype type) {
  if (!fixture_open(f, "loc", 1, 0, type)) return false;
  sl__flow_free(f->context, f->flow);
  free(f->vector);
  free(f->narrow);
  const sl__flow_plan plan = {.formula = formula,
                              .dim = dim,
                              .context_dim = context_dim,
                              .periodic = periodic,
                              .type = type,
                              .seed = 3};
  if (!CHECK_OK(f->context, sl__flow_new(f->context, &plan, &f->flow))) return false;
  f->last = f->flow->chain.count;
  f->vector = calloc((size_t)f->flow->size, sizeof *f->vector);
  f->narrow = calloc((size_t)f->flow->size, sizeof *f->narrow);
  return CHECK(f->vector && f->narrow);
}

typedef struct periodic_case {
  const char *formula;
  int32_t dim, periodic, context_dim;
} periodic_case;
static const periodic_case periodic_cases[] = {
    {"loc", 1, 1, 0},
    {"loc", 1, 1, 2},
    {"loc", 3, 3, 0},
    {"coupling(rqs,hidden=8)*2", 2, 1, 0},
    {"maf(affine,hidden=8)", 2, 1, 2},
    {"maf(hidden=12)-reverse-maf(rqs,hidden=8)", 4, 2, 1},
};
enum { PERIODIC_CASES = sizeof periodic_cases / sizeof periodic_cases[0] };

/* On a grid of one period, and of the line for the feature that is no angle. */
static double joint_mass(fixture *f) {
  enum { ACROSS = 1200, TURNS = 512 };
  static double x[ACROSS * 2], log_prob[ACROSS], condition[ACROSS * 2];
  double sum = 0, width = 40.0 / ACROSS;
  for (int k = 0; k < ACROSS * f->flow->context_dim; k++) condition[k] = k % 2 ? -0.8 : 0.3;
  int lines = f->flow->dim == 1 ? 1 : TURNS / 4;
  for (int line = 0; line < lines; line++) {
    for (int k = 0; k < ACROSS; k++) {
      x[f->flow->dim * k] = f->flow->dim == 1 ? -PI + 2 * PI * k / ACROSS : -20 + width * k;
      if (f->flow->dim == 2) x[2 * k + 1] = -PI + 2 * PI * line / lines;
    }
    if (!fixture_log_prob(f, ACROSS, x, condition, log_prob)) return NAN;
    for (int k = 0; k < ACROSS; k++) sum += exp(log_prob[k]);
  }
  return sum * 2 * PI / (f->flow->dim == 1 ? ACROSS : lines / width);
}

TEST(angles_have_mass_one) {
  for (int i = 0; i < PERIODIC_CASES; i++) {
    const periodic_case *now = &periodic_cases[i];
    fixture f;
    if (now->dim > 2) continue;
    if (!open_periodic(&f, now->formula, now->dim, now->periodic, now->context_dim, SL_F64)) return;
    fixture_perturb(&f, 0.1, 8); /* in networks of 64 units, enough for slopes of 1/10 to 10 */
    if (!CHECK_CLOSE(joint_mass(&f), 1, 1e-3)) printf("  %s, dim %d\n", now->formula, now->dim);
    fixture_close(&f);
  }
}

/* The density does not notice whole turns, and closes over the seam with its slopes. */
static void check_turns(const periodic_case *now, double amplitude, sl_dtype type) {
  static const double turns[ROWS] = {0, 1, -1, 7, -40, 159};
  double x[ROWS * MOST_DIM], c[ROWS * 2], log_prob[ROWS], point[MOST_DIM], dx[ROWS * MOST_DIM];
  double tolerance = type == SL_F32 ? 2e-2 : 1e-9;
  fixture f;
  if (!open_periodic(&f, now->formula, now->dim, now->periodic, now->context_dim, type)) return;
  fixture_perturb(&f, amplitude, 19);
  double *gradient = calloc((size_t)f.flow->size, sizeof *gradient);
  int rest = now->dim - now->periodic;
  fixture_points(point, now->dim, 1, 2);
  for (int seam = 0; seam < 2; seam++) {
    for (int r = 0; r < ROWS; r++) {
      for (int k = 0; k < now->dim; k++)
        x[r * now->dim + k] =
            (k >= rest && seam ? PI : point[k]) + (k < rest ? 0 : 2 * PI * turns[r]);
      for (int k = 0; k < now->context_dim; k++) c[r * now->context_dim + k] = 0.5 - k;
    }
    if (!gradient || !fixture_log_prob(&f, ROWS, x, c, log_prob)) break;
    if (!fixture_gradient(&f, ROWS, x, c, gradient, dx)) break;
    for (int r = 1; r < ROWS; r++) {
      CHECK_CLOSE(log_prob[r], log_prob[0], tolerance);
      for (int k = 0; type == SL_F64 && k < now->dim; k++)
        CHECK_CLOSE(dx[r * now->dim + k], dx[k], 1e-6 * (1 + fabs(dx[k])));
    }
  }
  free(gradient);
  fixture_close(&f);
}

TEST(densities_close_over_the_seam) {
  for (int i = 0; i < PERIODIC_CASES; i++) {
    int failures = check_failures;
    check_turns(&periodic_cases[i], 0.3, SL_F64);
    check_turns(&periodic_cases[i], 0.3, SL_F32);
    if (check_failures > failures)
      printf("  %s, dim %d\n", periodic_cases[i].formula, periodic_cases[i].dim);
  }
}

/* Both maps, each other's inverses up to whole turns; log-determinants by differences; densities
 * from maps; samples with their densities. */
static void check_periodic_maps(const periodic_case *now) {
  double x[ROWS * MOST_DIM], z[ROWS * MOST_DIM], again[ROWS * MOST_DIM], c[ROWS * 2];
  double there[ROWS], back[ROWS], log_prob[ROWS];
  int dim = now->dim, rest = dim - now->periodic;
  fixture f;
  if (!open_periodic(&f, now->formula, dim, now->periodic, now->context_dim, SL_F64)) return;
  fixture_perturb(&f, 0.1, 21);
  fixture_points(x, ROWS * dim, 1.2, 2);
  fixture_points(c, ROWS * now->context_dim, 1, 4);
  if (!fixture_map(&f, FIXTURE_LOG_PROB_MAP, ROWS, x, c, z, there)) return;
  if (!fixture_map(&f, FIXTURE_SAMPLE_MAP, ROWS, z, c, again, back)) return;
  if (!fixture_log_prob(&f, ROWS, x, c, log_prob)) return;
  for (int r = 0; r < ROWS; r++) {
    double density = -now->periodic * log(2 * PI) + there[r], doubt;
    for (int k = 0; k < dim; k++) {
      double off = again[r * dim + k] - x[r * dim + k], *at = &z[r * dim + k];
      if (k >= rest) CHECK(*at >= -PI && *at <= PI);
      if (k < rest) density -= 0.5 * (*at * *at + log(2 * PI));
      CHECK_CLOSE(k < rest ? off : remainder(off, 2 * PI), 0, 1e-10);
    }
    CHECK_CLOSE(log_prob[r], density, 1e-12);
    CHECK_CLOSE(back[r], -there[r], 1e-9);
    near_point near;
    if (!look_around(&f, FIXTURE_LOG_PROB_MAP, x + r * dim, c + r * now->context_dim, &near))
      return;
    double dense = log_det_near(&near, &doubt);
    CHECK_CLOSE(dense, there[r], 1e-7 + doubt);
  }
  if (fixture_map(&f, FIXTURE_SAMPLE, ROWS, NULL, c, x, there) &&
      fixture_log_prob(&f, ROWS, x, c, log_prob))
    for (int r = 0; r < ROWS; r++) CHECK_CLOSE(there[r], log_prob[r], 1e-9);
  fixture_close(&f);
}

TEST(maps_of_flows_with_angles) {
  for (int i = 0; i < PERIODIC_CASES; i++) {
    int failures = check_failures;
    check_periodic_maps(&periodic_cases[i]);
    if (check_failures > failures)
      printf("  %s, dim %d\n", periodic_cases[i].formula, periodic_cases[i].dim);
  }
}

/* Gradients of the joint density, by differences. */
TEST(gradients_of_flows_with_angles) {
  for (int i = 0; i < PERIODIC_CASES; i++) {
    const periodic_case *now = &periodic_cases[i];
    double x[MOST_DIM], c[2] = {0.4, -0.2}, dx[MOST_DIM], plus, minus;
    fixture f;
    if (!open_periodic(&f, now->formula, now->dim, now->periodic, now->context_dim, SL_F64)) return;
    fixture_perturb(&f, 0.3, 23);
    fixture_points(x, now->dim, 1, 6);
    double *gradient = calloc((size_t)f.flow->size, sizeof *gradient);
    REQUIRE(gradient && fixture_gradient(&f, 1, x, c, gradient, dx));
    for (int64_t k = 0; k < f.flow->size; k += 1 + f.flow->size / 150) {
      double kept = f.vector[k], h = 1e-5;
      if (kept == 0) continue; /* behind a mask */
      f.vector[k] = kept + h;
      fixture_log_prob(&f, 1, x, c, &plus);
      f.vector[k] = kept - h;
      fixture_log_prob(&f, 1, x, c, &minus);
      f.vector[k] = kept;
      CHECK_CLOSE(gradient[k], (plus - minus) / (2 * h), 1e-7);
    }
    free(gradient);
    fixture_close(&f);
  }
}

/* Uniform noise of the angles has nothing in common with the normal noise of the rest. */
TEST(noise_of_angles_is_their_own) {
  enum { MANY = 20000 };
  fixture f;
  if (!open_periodic(&f, "loc", 2, 1, 0, SL_F64)) return;
  sl__flow_initialise(f.flow, f.vector);
  double *x = calloc(MANY * 3, sizeof *x), sum[5] = {0};
  REQUIRE(x && fixture_map(&f, FIXTURE_SAMPLE, MANY, NULL, NULL, x, x + 2 * MANY));
  for (int r = 0; r < MANY; r++) {
    double a = x[2 * r], b = x[2 * r + 1] / PI;
    sum[0] += a * b;
    sum[1] += (a * a - 1) * b;
    sum[2] += (a * a - 1) * (b * b - 1.0 / 3);
    sum[3] += a * (b * b - 1.0 / 3);
    sum[4] += (a * a - 1) * cos(PI * b);
  }
  for (int k = 0; k < 5; k++) CHECK(fabs(sum[k]) < 5 * sqrt(MANY));
  free(x);
  fixture_close(&f);
}

TEST(partial_ranges_leave_angles_alone) {
  fixture f;
  if (!open_periodic(&f, "maf(hidden=6)*2", 3, 1, 0, SL_F64)) return;
  fixture_perturb(&f, 0.3, 4);
  double x[3] = {0.3, -0.4, 2}, middle[3], z[3], whole[3], det[3];
  REQUIRE(fixture_map(&f, FIXTURE_LOG_PROB_MAP, 1, x, NULL, whole, &det[0]));
  fixture_range(&f, 1, 2);
  REQUIRE(fixture_map(&f, FIXTURE_LOG_PROB_MAP, 1, x, NULL, middle, &det[1]));
  fixture_range(&f, 0, 1);
  REQUIRE(fixture_map(&f, FIXTURE_LOG_PROB_MAP, 1, middle, NULL, z, &det[2]));
  CHECK(middle[2] == x[2] && z[2] == x[2] && whole[2] != x[2]);
  for (int k = 0; k < 2; k++) CHECK_CLOSE(z[k], whole[k], 1e-14);
  fixture_close(&f);
}

TEST(refuses_more_angles_than_features) {
  sl_context *context = NULL;
  sl__flow *flow = NULL;
  REQUIRE(sl_context_new(NULL, &context) == SL_OK);
  const sl__flow_plan plan = {.formula = "loc", .dim = 2, .periodic = 3, .type = SL_F64};
  CHECK(sl__flow_new(context, &plan, &flow) == SL_BAD_ARGUMENT);
  CHECK(strstr(sl_error(context), "3 periodic features of 2") != NULL);
  sl_context_free(context);
}

/* ---- networks that read sines ---- */

static const double *tensor(const fixture *f, const char *name) {
  for (int i = 0; i < f->flow->parameter_count; i++)
    if (strcmp(f->flow->parameters[i].name, name) == 0)
      return f->vector + f->flow->parameters[i].offset;
  printf("no parameter %s\n", name);
  CHECK(false);
  exit(1);
}

/* maf of three features, two frequencies, one column of context, seven hidden units: weights as
 * full matrices, masked by degrees. */
TEST(a_masked_network_reads_sines) {
  enum { HIDDEN = 7, COLUMNS = 5, IN = 1 + 3 * COLUMNS };
  fixture f;
  if (!fixture_open(&f, "maf(affine,hidden=7,sines=2,activation=tanh)", 3, 1, SL_F64)) return;
  fixture_perturb(&f, 0.4, 14);
  double x[3] = {0.7, -1.3, 0.2}, c = 0.6, z[3], log_det, in[IN], hidden[HIDDEN], sum = 0;
  REQUIRE(fixture_map(&f, FIXTURE_LOG_PROB_MAP, 1, x, &c, z, &log_det));
  const double *w0 = tensor(&f, "layers.1.net.0.weight"), *b0 = tensor(&f, "layers.1.net.0.bias");
  const double *w1 = tensor(&f, "layers.1.net.1.weight"), *b1 = tensor(&f, "layers.1.net.1.bias");
  in[0] = c;
  for (int k = 0; k < 3; k++) {
    const double columns[COLUMNS] = {x[k], sin(0.5 * x[k]), sin(6.3 * x[k]), cos(0.5 * x[k]),
                                     cos(6.3 * x[k])};
    memcpy(in + 1 + k * COLUMNS, columns, sizeof columns);
  }
  for (int i = 0; i < HIDDEN; i++) {
    int degree = i * 3 / HIDDEN;
    hidden[i] = b0[i];
    for (int k = 0; k < IN; k++) {
      bool seen = k < 1 + degree * COLUMNS;
      CHECK((w0[i * IN + k] != 0) == seen);
      if (seen) hidden[i] += w0[i * IN + k] * in[k];
    }
    hidden[i] = tanh(hidden[i]);
  }
  for (int d = 0; d < 3; d++) {
    double out[2];
    for (int q = 0; q < 2; q++) {
      out[q] = b1[2 * d + q];
      for (int i = 0; i < HIDDEN; i++)
        if (i * 3 / HIDDEN <= d) out[q] += w1[(2 * d + q) * HIDDEN + i] * hidden[i];
    }
    double s = out[1] / (1 + fabs(out[1]) / log(1000));
    CHECK_CLOSE(z[d], (x[d] - out[0]) * exp(-s), 1e-12);
    sum -= s;
  }
  CHECK_CLOSE(log_det, sum, 1e-12);
  fixture_close(&f);
}

/* A coupling layer's network of one kept feature, straight from the formula of its inputs. */
static void check_plain_network(const char *formula, double fastest) {
  enum { COLUMNS = 9, HIDDEN = 3 };
  fixture f;
  if (!fixture_open(&f, formula, 2, 0, SL_F64)) return;
  fixture_perturb(&f, 0.4, 14);
  double x[2] = {0.7, -1.3}, z[2], log_det, in[COLUMNS] = {x[1]}, out[2];
  REQUIRE(fixture_map(&f, FIXTURE_LOG_PROB_MAP, 1, x, NULL, z, &log_det));
  const double *w0 = tensor(&f, "layers.1.net.0.weight"), *b0 = tensor(&f, "layers.1.net.0.bias");
  const double *w1 = tensor(&f, "layers.1.net.1.weight"), *b1 = tensor(&f, "layers.1.net.1.bias");
  for (int k = 0; k < 4; k++) {
    in[1 + k] = sin(0.5 * pow(2 * fastest, k / 3.0) * x[1]);
    in[5 + k] = cos(0.5 * pow(2 * fastest, k / 3.0) * x[1]);
  }
  for (int q = 0; q < 2; q++) {
    out[q] = b1[q];
    for (int i = 0; i < HIDDEN; i++) {
      double a = b0[i];
      for (int k = 0; k < COLUMNS; k++) a += w0[i * COLUMNS + k] * in[k];
      out[q] += w1[q * HIDDEN + i] * tanh(a);
    }
  }
  double s = out[1] / (1 + fabs(out[1]) / log(1000));
  CHECK_CLOSE(z[0], (x[0] - out[0]) * exp(-s), 1e-12);
  CHECK_CLOSE(log_det, -s, 1e-12);
  CHECK(z[1] == x[1]);
  fixture_close(&f);
}

TEST(a_plain_network_reads_sines) {
  check_plain_network("coupling(affine,hidden=3,sines=4,activation=tanh)", 6.3);
  check_plain_network("coupling(affine,hidden=3,sines=4,fastest=22.5,activation=tanh)", 22.5);
}

/* Features see those before them only, and the way back, feature by feature, meets the pass. */
TEST(sines_keep_the_order) {
  static const struct {
    const char *formula;
    int32_t context_dim;
    bool circular;
  } flows[] = {
      {"maf(rqs,hidden=24x24,sines=3)", 0, false},
      {"maf(lrs,hidden=20,blocks=1,sines=1)", 2, false},
      {"iaf(affine,hidden=16,sines=2)", 0, false},
      {CIRCLE "maf(circular,hidden=16)", 1, true},
      {CIRCLE "maf(circular,hidden=16,sines=3)", 0, true},
  };
  for (size_t i = 0; i < sizeof flows / sizeof flows[0]; i++) {
    fixture f;
    if (!fixture_open(&f, flows[i].formula, 5, flows[i].context_dim, SL_F64)) return;
    bool sampling = flows[i].formula[0] == 'i';
    fixture_perturb(&f, 0.3, 17);
    double x[5] = {0.3, -0.8, 1.1, 0.2, -0.5}, c[2] = {0.2, -0.4}, y[5], again[5], det[2];
    int pass = sampling ? FIXTURE_SAMPLE_MAP : FIXTURE_LOG_PROB_MAP;
    int walk = sampling ? FIXTURE_LOG_PROB_MAP : FIXTURE_SAMPLE_MAP;
    near_point at;
    if (look_around(&f, pass, x, c, &at))
      for (int a = 0; a < 5; a++)
        for (int b = 0; b < 5; b++) CHECK((at.jacobian[5 * a + b] == 0) == (b > a));
    if (fixture_map(&f, pass, 1, x, c, y, &det[0]) &&
        fixture_map(&f, walk, 1, y, c, again, &det[1]))
      for (int k = 0; k < 5; k++)
        CHECK_CLOSE(flows[i].circular ? remainder(again[k] - x[k], 2 * PI) : again[k] - x[k], 0,
                    1e-10);
    CHECK_CLOSE(det[1], -det[0], 1e-10);
    fixture_close(&f);
  }
}

/* sines=0 of a circle means 2: a network must tell an angle somehow. */
TEST(circles_are_read_as_sines) {
  static const char *const formulas[] = {CIRCLE "coupling(circular,hidden=4)",
                                         CIRCLE "coupling(circular,hidden=4,sines=5)"};
  static const int columns[] = {4, 10};
  for (int i = 0; i < 2; i++) {
    fixture f;
    if (!fixture_open(&f, formulas[i], 2, 0, SL_F64)) return;
    for (int k = 0; k < f.flow->parameter_count; k++)
      if (strstr(f.flow->parameters[k].name, "net.0.weight"))
        CHECK_INTEGER(f.flow->parameters[k].shape.size[1], columns[i]);
    fixture_close(&f);
  }
}
