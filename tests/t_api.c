/* The public calls, as a user makes them: against densities known in closed form, finite
 * differences, each other, and wrong arguments. */
#include "check.h"
#include "sluice/sluice.h"

enum { ROWS = 37, DIM = 3 };
static const char formula[] = "(lu-coupling(rqs,hidden=16x16,bins=5)-maf(affine,hidden=16))*2";

static sl_context *new_context(int threads) {
  sl_context_options options = {.size = sizeof options, .threads = threads};
  sl_context *context = NULL;
  sl_context_new(&options, &context);
  return context;
}

/* A flow whose parameters are of ordinary trained size rather than near the identity. */
static sl_flow *new_flow(sl_context *context, const char *text, int dim, int context_dim) {
  sl_flow *flow = NULL;
  if (!CHECK_OK(context, sl_flow_new(context, text, NULL, dim, context_dim, SL_F64, 1, &flow)))
    return NULL;
  int64_t count = sl_flow_parameter_count(flow);
  double *vector = malloc((size_t)count * sizeof *vector);
  sl_array_out out = sl_out_f64(vector, 1, count);
  sl_array_in in = sl_in_f64(vector, 1, count);
  CHECK_OK(context, sl_flow_parameters(context, flow, &out));
  /* The standardize layer's buffers, shift and scale, come last and stay. */
  for (int64_t i = 0; i < count - 2 * dim; i++) vector[i] += 0.2 * sin(12.9898 * (double)i + 1);
  CHECK_OK(context, sl_flow_set_parameters(context, flow, &in));
  free(vector);
  return flow;
}

static void fill(double *x, int64_t count) {
  for (int64_t i = 0; i < count; i++) x[i] = 1.3 * sin(7.1 * (double)i) + 0.2;
}

TEST(versions_agree) {
  CHECK(sl_version() == SL_VERSION_NUMBER);
  CHECK_TEXT(sl_version_text(), SL_VERSION);
}

/* loc, then the standardize layer: x = shift + scale (z + loc), a Gaussian. */
TEST(a_gaussian_in_closed_form) {
  sl_context *context = new_context(1);
  sl_flow *flow = NULL;
  REQUIRE_OK(context, sl_flow_new(context, "loc", NULL, 2, 0, SL_F64, 0, &flow));
  CHECK_INTEGER(sl_flow_parameter_count(flow), 6);
  CHECK_INTEGER(sl_flow_layers(flow), 2);
  const double vector[6] = {1, 2, 0.5, -0.5, 2, 4}; /* loc, shift, scale */
  sl_array_in parameters = sl_in_f64(vector, 1, 6);
  REQUIRE_OK(context, sl_flow_set_parameters(context, flow, &parameters));
  const double x[4] = {0, 0, 3, 9};
  double log_prob[2];
  sl_array_in rows = sl_in_f64(x, 2, 2);
  sl_array_out out = sl_out_f64(log_prob, 2, 1);
  REQUIRE_OK(context, sl_flow_log_prob(context, flow, &rows, NULL, &out));
  for (int row = 0; row < 2; row++) {
    double expected = -log(2 * 3.14159265358979323846) - log(8);
    for (int i = 0; i < 2; i++) {
      double z = (x[2 * row + i] - vector[2 + i]) / vector[4 + i] - vector[i];
      expected -= 0.5 * z * z;
    }
    CHECK_CLOSE(log_prob[row], expected, 1e-14);
  }
  sl_flow_free(flow);
  sl_context_free(context);
}

TEST(gradients_against_differences) {
  sl_context *context = new_context(1);
  sl_flow *flow = new_flow(context, formula, DIM, 2);
  REQUIRE(flow != NULL);
  int64_t count = sl_flow_parameter_count(flow);
  double x[4 * DIM], c[4 * 2], log_prob[4], by_x[4 * DIM], by_c[4 * 2];
  double *vector = malloc((size_t)count * sizeof *vector);
  double *by_p = malloc((size_t)count * sizeof *by_p);
  fill(x, 4 * DIM);
  fill(c, 4 * 2);
  sl_array_in xs = sl_in_f64(x, 4, DIM), cs = sl_in_f64(c, 4, 2);
  sl_array_in vector_in = sl_in_f64(vector, 1, count);
  sl_array_out vector_out = sl_out_f64(vector, 1, count), out = sl_out_f64(log_prob, 4, 1);
  sl_array_out xo = sl_out_f64(by_x, 4, DIM), co = sl_out_f64(by_c, 4, 2);
  sl_array_out po = sl_out_f64(by_p, 1, count);
  REQUIRE_OK(context, sl_flow_gradient(context, flow, &xs, &cs, &out, &xo, &co, &po));

  const double h = 1e-5;
  double up[4], down[4];
  sl_array_out up_out = sl_out_f64(up, 4, 1), down_out = sl_out_f64(down, 4, 1);
  double *inputs[] = {x, c}, *gradients[] = {by_x, by_c};
  const int widths[] = {DIM, 2};
  for (int which = 0; which < 2; which++)
    for (int i = 0; i < 4 * widths[which]; i++) {
      double kept = inputs[which][i];
      inputs[which][i] = kept + h;
      CHECK_OK(context, sl_flow_log_prob(context, flow, &xs, &cs, &up_out));
      inputs[which][i] = kept - h;
      CHECK_OK(context, sl_flow_log_prob(context, flow, &xs, &cs, &down_out));
      inputs[which][i] = kept;
      int row = i / widths[which];
      CHECK_CLOSE(gradients[which][i], (up[row] - down[row]) / (2 * h), 1e-6);
    }
  REQUIRE_OK(context, sl_flow_parameters(context, flow, &vector_out));
  for (int64_t i = 0; i < count; i += 1 + count / 40) {
    double kept = vector[i], difference = 0;
    if (kept == 0 && by_p[i] == 0) continue; /* a masked weight: it stays zero */
    vector[i] = kept + h;
    CHECK_OK(context, sl_flow_set_parameters(context, flow, &vector_in));
    CHECK_OK(context, sl_flow_log_prob(context, flow, &xs, &cs, &up_out));
    vector[i] = kept - h;
    CHECK_OK(context, sl_flow_set_parameters(context, flow, &vector_in));
    CHECK_OK(context, sl_flow_log_prob(context, flow, &xs, &cs, &down_out));
    vector[i] = kept;
    for (int row = 0; row < 4; row++) difference += (up[row] - down[row]) / (2 * h);
    CHECK_CLOSE(by_p[i], difference, 1e-5);
  }
  free(vector);
  free(by_p);
  sl_flow_free(flow);
  sl_context_free(context);
}

TEST(sampling_agrees_with_scoring_and_mapping) {
  sl_context *context = new_context(1);
  sl_flow *flow = new_flow(context, formula, DIM, 0);
  REQUIRE(flow != NULL);
  static double x[ROWS * DIM], z[ROWS * DIM], y[ROWS * DIM], part[ROWS * DIM], back[ROWS * DIM];
  static double drawn[ROWS], scored[ROWS], log_det[ROWS], undone[ROWS];
  sl_array_out xo = sl_out_f64(x, ROWS, DIM), zo = sl_out_f64(z, ROWS, DIM);
  sl_array_out yo = sl_out_f64(y, ROWS, DIM), drawn_out = sl_out_f64(drawn, ROWS, 1);
  sl_array_out scored_out = sl_out_f64(scored, ROWS, 1), det = sl_out_f64(log_det, ROWS, 1);
  sl_array_in xi = sl_in_f64(x, ROWS, DIM), zi = sl_in_f64(z, ROWS, DIM);
  REQUIRE_OK(context, sl_flow_sample(context, flow, 5, NULL, &xo, &drawn_out));
  REQUIRE_OK(context, sl_flow_log_prob(context, flow, &xi, NULL, &scored_out));
  REQUIRE_OK(context, sl_flow_noise(context, flow, 5, &zo));
  REQUIRE_OK(context, sl_flow_map(context, flow, SL_TO_DATA, -1, &zi, NULL, &yo, &det));
  for (int i = 0; i < ROWS * DIM; i++) CHECK_CLOSE(x[i], y[i], 1e-12);
  for (int row = 0; row < ROWS; row++) {
    double normal = -DIM * 0.91893853320467274178 - log_det[row];
    for (int i = 0; i < DIM; i++) normal -= 0.5 * z[row * DIM + i] * z[row * DIM + i];
    CHECK_CLOSE(drawn[row], scored[row], 1e-9);
    CHECK_CLOSE(drawn[row], normal, 1e-9);
  }
  /* Up to every layer and back. */
  sl_array_out part_out = sl_out_f64(part, ROWS, DIM), back_out = sl_out_f64(back, ROWS, DIM);
  sl_array_in part_in = sl_in_f64(part, ROWS, DIM);
  sl_array_out undone_out = sl_out_f64(undone, ROWS, 1);
  for (int32_t k = 0; k <= sl_flow_layers(flow); k++) {
    REQUIRE_OK(context, sl_flow_map(context, flow, SL_TO_DATA, k, &zi, NULL, &part_out, &det));
    REQUIRE_OK(context,
               sl_flow_map(context, flow, SL_TO_BASE, k, &part_in, NULL, &back_out, &undone_out));
    for (int i = 0; i < ROWS * DIM; i++) CHECK_CLOSE(back[i], z[i], 1e-9);
    for (int row = 0; row < ROWS; row++) CHECK_CLOSE(log_det[row], -undone[row], 1e-9);
    if (k == 0) CHECK(memcmp(part, z, sizeof z) == 0);
  }
  sl_flow_free(flow);
  sl_context_free(context);
}

TEST(views_may_be_strided_and_of_either_type) {
  sl_context *context = new_context(1);
  sl_flow *flow = new_flow(context, formula, DIM, 0);
  REQUIRE(flow != NULL);
  static double x[ROWS * DIM], wide[ROWS * 7], plain[ROWS], strided[2 * ROWS];
  static float narrow[ROWS * DIM], narrow_out[ROWS];
  fill(x, ROWS * DIM);
  for (int i = 0; i < ROWS * DIM; i++) x[i] = (double)(float)x[i];
  for (int row = 0; row < ROWS; row++)
    for (int i = 0; i < DIM; i++) {
      wide[row * 7 + 2 * i] = x[row * DIM + i];
      narrow[row * DIM + i] = (float)x[row * DIM + i];
    }
  sl_array_in a = sl_in_f64(x, ROWS, DIM), b = {wide, SL_F64, ROWS, DIM, 7, 2};
  sl_array_in c = sl_in_f32(narrow, ROWS, DIM);
  sl_array_out a_out = sl_out_f64(plain, ROWS, 1), b_out = {strided, SL_F64, ROWS, 1, 2, 1};
  sl_array_out c_out = sl_out_f32(narrow_out, ROWS, 1);
  REQUIRE_OK(context, sl_flow_log_prob(context, flow, &a, NULL, &a_out));
  REQUIRE_OK(context, sl_flow_log_prob(context, flow, &b, NULL, &b_out));
  REQUIRE_OK(context, sl_flow_log_prob(context, flow, &c, NULL, &c_out));
  for (int row = 0; row < ROWS; row++) {
    CHECK(plain[row] == strided[2 * row]);
    CHECK((float)plain[row] == narrow_out[row]);
  }
  sl_flow_free(flow);
  sl_context_free(context);
}

TEST(what_is_saved_is_loaded) {
  sl_context *context = new_context(1);
  sl_flow *flow = new_flow(context, formula, DIM, 0), *loaded = NULL;
  REQUIRE(flow != NULL);
  char path[] = "/tmp/sluice-t_api-XXXXXX";
  int file = mkstemp(path);
  REQUIRE(file >= 0);
  REQUIRE_OK(context, sl_flow_save(context, flow, path));
  REQUIRE_OK(context, sl_flow_load(context, path, &loaded));
  remove(path);
  CHECK_TEXT(sl_flow_formula(loaded), sl_flow_formula(flow));
  CHECK_TEXT(sl_flow_column_name(loaded, 1), "x2");
  CHECK(sl_flow_column_name(loaded, DIM) == NULL);
  static double x[ROWS * DIM], one[ROWS], two[ROWS];
  fill(x, ROWS * DIM);
  sl_array_in rows = sl_in_f64(x, ROWS, DIM);
  sl_array_out one_out = sl_out_f64(one, ROWS, 1), two_out = sl_out_f64(two, ROWS, 1);
  REQUIRE_OK(context, sl_flow_log_prob(context, flow, &rows, NULL, &one_out));
  REQUIRE_OK(context, sl_flow_log_prob(context, loaded, &rows, NULL, &two_out));
  CHECK(memcmp(one, two, sizeof one) == 0);
  sl_flow_free(flow);
  sl_flow_free(loaded);
  sl_context_free(context);
}

TEST(wrong_arguments_are_named) {
  sl_context *context = new_context(1);
  sl_flow *flow = NULL;
  int32_t line = 0, column = 0;
  CHECK(sl_flow_new(context, "lu-couplin(rqs)", NULL, 2, 0, SL_F64, 0, &flow) == SL_SYNTAX);
  CHECK(flow == NULL && sl_error_place(context, &line, &column) && line == 1 && column == 4);
  CHECK(sl_flow_new(context, NULL, NULL, 2, 0, SL_F64, 0, &flow) == SL_BAD_ARGUMENT);
  CHECK(sl_flow_new(context, "lu", NULL, 0, 0, SL_F64, 0, &flow) == SL_BAD_ARGUMENT);
  CHECK(sl_flow_load(context, "/no/such/file", &flow) == SL_IO);
  REQUIRE_OK(context, sl_flow_new(context, "lu", NULL, 2, 0, SL_F64, 0, &flow));

  double x[6] = {0}, out[3], vector[64] = {0};
  sl_array_in good = sl_in_f64(x, 3, 2), wide = sl_in_f64(x, 2, 3), none = {0};
  sl_array_out three = sl_out_f64(out, 3, 1), two = sl_out_f64(out, 2, 1);
  CHECK(sl_flow_log_prob(context, flow, &wide, NULL, &two) == SL_BAD_ARGUMENT);
  CHECK(strstr(sl_error(context), "x has 3 columns") != NULL);
  CHECK(sl_flow_log_prob(context, flow, NULL, NULL, &two) == SL_BAD_ARGUMENT);
  CHECK(sl_flow_log_prob(context, flow, &none, NULL, &two) == SL_BAD_ARGUMENT);
  CHECK(sl_flow_log_prob(context, flow, &good, NULL, &two) == SL_BAD_ARGUMENT);
  CHECK(sl_flow_log_prob(context, flow, &good, NULL, NULL) == SL_BAD_ARGUMENT);
  CHECK(sl_flow_log_prob(context, flow, &good, &good, &three) == SL_BAD_ARGUMENT);
  CHECK(sl_flow_map(context, flow, SL_TO_DATA, 3, &good, NULL, NULL, NULL) == SL_BAD_ARGUMENT);

  int64_t count = sl_flow_parameter_count(flow);
  REQUIRE(count <= 64);
  sl_array_in parameters = sl_in_f64(vector, 1, count);
  vector[1] = NAN;
  CHECK(sl_flow_set_parameters(context, flow, &parameters) == SL_NUMERIC);

  sl_evaluator *evaluator = NULL;
  CHECK(sl_evaluator_new(context, flow, 0, 0, &evaluator) == SL_BAD_ARGUMENT);
  CHECK(sl_evaluator_new(context, flow, 64, 0, &evaluator) == SL_BAD_ARGUMENT);
  REQUIRE_OK(context, sl_evaluator_new(context, flow, SL_EVALUATE_SAMPLE, 0, &evaluator));
  CHECK(sl_evaluator_log_prob(context, evaluator, &good, NULL, &three) == SL_BAD_ARGUMENT);
  CHECK(strstr(sl_error(context), "SL_EVALUATE_LOG_PROB") != NULL);
  sl_evaluator_free(evaluator);
  sl_evaluator_free(NULL);
  sl_flow_free(flow);
  sl_flow_free(NULL);
  sl_context_free(context);
}

/* ---- evaluators ---- */

typedef struct counting {
  int64_t calls;
} counting;

static void *count_calls(void *user, void *pointer, size_t old_size, size_t new_size) {
  (void)old_size;
  ((counting *)user)->calls++;
  if (new_size == 0) {
    free(pointer);
    return NULL;
  }
  return realloc(pointer, new_size);
}

TEST(evaluators_allocate_nothing_and_see_new_parameters) {
  counting counted = {0};
  sl_context_options options = {
      .size = sizeof options, .threads = 1, .reallocate = count_calls, .user = &counted};
  sl_context *context = NULL;
  REQUIRE(sl_context_new(&options, &context) == SL_OK);
  sl_flow *flow = new_flow(context, formula, DIM, 0);
  REQUIRE(flow != NULL);
  sl_evaluator *evaluator = NULL;
  uint32_t everything =
      SL_EVALUATE_LOG_PROB | SL_EVALUATE_GRADIENT | SL_EVALUATE_PARAMETERS | SL_EVALUATE_SAMPLE;
  REQUIRE_OK(context, sl_evaluator_new(context, flow, everything, ROWS, &evaluator));
  static double x[ROWS * DIM], by_x[ROWS * DIM], one[ROWS], two[ROWS], three[ROWS], vector[20000];
  fill(x, ROWS * DIM);
  int64_t count = sl_flow_parameter_count(flow);
  REQUIRE(count <= 20000);
  sl_array_in rows = sl_in_f64(x, ROWS, DIM);
  sl_array_out one_out = sl_out_f64(one, ROWS, 1), two_out = sl_out_f64(two, ROWS, 1);
  sl_array_out three_out = sl_out_f64(three, ROWS, 1), gradient = sl_out_f64(by_x, ROWS, DIM);
  sl_array_out parameters = sl_out_f64(vector, 1, count);
  int64_t before = counted.calls;
  CHECK_OK(context, sl_evaluator_log_prob(context, evaluator, &rows, NULL, &one_out));
  CHECK_OK(context,
           sl_evaluator_gradient(context, evaluator, &rows, NULL, &two_out, &gradient, NULL));
  CHECK_OK(context,
           sl_evaluator_parameters(context, evaluator, &rows, NULL, &three_out, &parameters));
  CHECK_OK(context, sl_evaluator_sample(context, evaluator, 1, NULL, &gradient, NULL));
  CHECK_INTEGER(counted.calls, before);
  for (int row = 0; row < ROWS; row++) {
    CHECK_CLOSE(one[row], two[row], 1e-12);
    CHECK_CLOSE(one[row], three[row], 1e-12);
  }
  sl_array_in same = sl_in_f64(vector, 1, count);
  CHECK_OK(context, sl_flow_parameters(context, flow, &parameters));
  vector[count - 2 * DIM] += 0.5; /* the standardize layer's first shift */
  CHECK_OK(context, sl_flow_set_parameters(context, flow, &same));
  CHECK_OK(context, sl_evaluator_log_prob(context, evaluator, &rows, NULL, &two_out));
  CHECK(fabs(one[0] - two[0]) > 1e-6);
  sl_evaluator_free(evaluator);
  sl_flow_free(flow);
  sl_context_free(context);
}

/* A sum over no rows is zero, and is written. */
TEST(gradients_of_no_rows_are_zero) {
  sl_context *context = new_context(2);
  sl_flow *flow = new_flow(context, formula, DIM, 0);
  REQUIRE(flow != NULL);
  const int64_t count = sl_flow_parameter_count(flow);
  double *gradient = malloc((size_t)count * sizeof *gradient), unused[1];
  for (int64_t i = 0; i < count; i++) gradient[i] = 7;
  sl_array_in x = sl_in_f64(unused, 0, DIM);
  sl_array_out out = sl_out_f64(gradient, 1, count);
  CHECK_OK(context, sl_flow_gradient(context, flow, &x, NULL, NULL, NULL, NULL, &out));
  for (int64_t i = 0; i < count; i++) CHECK(gradient[i] == 0);
  free(gradient);
  sl_flow_free(flow);
  sl_context_free(context);
}

/* What has no image is NaN, never a number that looks like one. */
TEST(rows_without_an_image_are_no_numbers) {
  enum { COLUMNS = 2, BAD = 4 };
  sl_context *context = new_context(1);
  sl_flow *flow = NULL;
  REQUIRE_OK(context, sl_flow_new(context, "exp-exp", NULL, COLUMNS, 0, SL_F64, 0, &flow));
  const double noise[BAD][COLUMNS] = {{0, 10}, {(double)NAN, 0}, {0, INFINITY}, {0, 1}};
  const double data[BAD][COLUMNS] = {{3, 0.5}, {3, (double)NAN}, {INFINITY, 3}, {3, 4}};
  for (int to_base = 0; to_base <= 1; to_base++) {
    double image[BAD][COLUMNS], log_det[BAD];
    sl_array_in from = sl_in_f64(to_base ? data[0] : noise[0], BAD, COLUMNS);
    sl_array_out to = sl_out_f64(image[0], BAD, COLUMNS), det = sl_out_f64(log_det, BAD, 1);
    REQUIRE_OK(context, sl_flow_map(context, flow, to_base ? SL_TO_BASE : SL_TO_DATA, -1, &from,
                                    NULL, &to, &det));
    for (int r = 0; r < BAD - 1; r++) CHECK(isnan(image[r][0]) && isnan(image[r][1]));
    CHECK(isnan(log_det[1]));
    CHECK(!to_base || log_det[0] == -INFINITY); /* 0.5 is below exp(exp(z)) for every z */
    CHECK(isfinite(image[BAD - 1][0]) && isfinite(image[BAD - 1][1]) && isfinite(log_det[BAD - 1]));
  }
  sl_flow_free(flow);
  sl_context_free(context);
}

/* The log-determinant of a map that scales every row alike does not depend on the row. */
TEST(a_linear_map_of_an_infinite_row_has_its_log_determinant) {
  sl_context *context = new_context(1);
  sl_flow *flow = NULL;
  REQUIRE_OK(context, sl_flow_new(context, "loc", NULL, 1, 0, SL_F64, 0, &flow));
  const double x[2] = {1, INFINITY};
  double log_det[2] = {7, 7};
  sl_array_in rows = sl_in_f64(x, 2, 1);
  sl_array_out out = sl_out_f64(log_det, 2, 1);
  CHECK_OK(context, sl_flow_map(context, flow, SL_TO_BASE, -1, &rows, NULL, NULL, &out));
  for (int i = 0; i < 2; i++) CHECK_CLOSE(log_det[i], 0, 0);
  CHECK(sl_flow_map(context, flow, SL_TO_BASE, -1, &rows, &rows, NULL, &out) == SL_BAD_ARGUMENT);
  sl_flow_free(flow);
  sl_context_free(context);
}
