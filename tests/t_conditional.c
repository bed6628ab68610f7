/* Conditional flows, for every kind because it is registered: at a fixed context one whose kinds
 * have hypernetworks is the unconditional flow whose parameters are the sums, computed here by
 * plain loops; gradients by the context agree with differences; densities have mass 1 at a fixed
 * context; a fit finds a conditional density that is known. */
#include "flow_checks.h"
#include "flow/hypernetwork.h"
#include "infer/infer.h"
#include "sluice/sluice.h"

enum { CONTEXT = 2, WIDEST_LAYER = 64 };

/* ---- the hypernetwork by plain loops ---- */

static const sl__parameter *find_parameter(const sl__flow *flow, const char *name) {
  for (int i = 0; i < flow->parameter_count; i++)
    if (strcmp(flow->parameters[i].name, name) == 0) return &flow->parameters[i];
  return NULL;
}

static double silu(double a) {
  return a / (1 + exp(-a));
}

/* The outputs of the network "PATH.hyper" at the context c: allocated, *count of them. */
static double *hyper_outputs(const fixture *f, const char *path, const double *c, int64_t *count) {
  double in[WIDEST_LAYER], *out = NULL;
  int64_t width = f->flow->context_dim;
  memcpy(in, c, (size_t)width * sizeof *in);
  for (int i = 0;; i++) {
    char name[128];
    snprintf(name, sizeof name, "%s.hyper.%d.weight", path, i);
    const sl__parameter *weight = find_parameter(f->flow, name);
    snprintf(name, sizeof name, "%s.hyper.%d.bias", path, i);
    const sl__parameter *bias = find_parameter(f->flow, name);
    if (!weight || !bias) break;
    for (int64_t k = 0; k < width && i > 0; k++) in[k] = silu(out[k]);
    int64_t rows = weight->shape.size[0];
    free(out);
    out = calloc((size_t)rows, sizeof *out);
    if (!CHECK(out && weight->shape.size[1] == width)) break;
    for (int64_t r = 0; r < rows; r++) {
      out[r] = f->vector[bias->offset + r];
      for (int64_t k = 0; k < width; k++)
        out[r] += f->vector[weight->offset + r * width + k] * in[k];
    }
    width = rows;
  }
  *count = width;
  return out;
}

static bool is_added_to(const sl__parameter *p) {
  return p->trainable && p->layer->kind->conditioning == SL__CONDITION_PARAMETERS &&
         !strstr(p->name, ".hyper.");
}

/* Where the piece of parameter i begins: behind those of earlier ones of its layer. */
static int64_t piece_begin(const sl__flow *flow, int i) {
  int64_t begin = 0;
  for (int k = 0; k < i; k++)
    if (flow->parameters[k].layer == flow->parameters[i].layer && is_added_to(&flow->parameters[k]))
      begin += sl__shape_count(flow->parameters[k].shape);
  return begin;
}

/* Gives parameters of `to`, an unconditional flow of the same formula, the values of those of
 * `from` and what its networks say at the context c; false if one has no partner. */
static bool add_hyper(const fixture *from, const double *c, fixture *to) {
  for (int i = 0; i < from->flow->parameter_count; i++) {
    const sl__parameter *p = &from->flow->parameters[i];
    if (strstr(p->name, ".hyper.")) continue;
    const sl__parameter *partner = find_parameter(to->flow, p->name);
    int64_t size = sl__shape_count(p->shape), count = 0, begin = piece_begin(from->flow, i);
    if (!CHECK(partner && sl__shape_count(partner->shape) == size)) return false;
    memcpy(to->vector + partner->offset, from->vector + p->offset,
           (size_t)size * sizeof *to->vector);
    if (!is_added_to(p)) continue;
    double *outputs = hyper_outputs(from, p->layer->path, c, &count);
    bool good = CHECK(outputs && begin + size <= count);
    for (int64_t k = 0; k < size && good; k++)
      to->vector[partner->offset + k] += outputs[begin + k];
    free(outputs);
    if (!good) return false;
  }
  return true;
}

/* ---- conditional equals unconditional ---- */

static void compare_map(fixture *f, fixture *plain, int which, const double *x, const double *c) {
  int dim = f->flow->dim;
  double a[MOST_DIM], b[MOST_DIM], a_det, b_det;
  if (!fixture_map(f, which, 1, x, c, a, &a_det)) return;
  if (!fixture_map(plain, which, 1, x, NULL, b, &b_det)) return;
  CHECK_CLOSE(a_det, b_det, 1e-9);
  for (int i = 0; i < dim; i++) CHECK_CLOSE(a[i], b[i], 1e-9);
}

/* Whether there are trained numbers in networks that read the context themselves. */
static bool has_network(const sl__flow *flow) {
  for (int i = 0; i < flow->parameter_count; i++)
    if (flow->parameters[i].layer->kind->conditioning == SL__CONDITION_NETWORK) return true;
  return false;
}

/* Every row of a batch with a context of its own, against an unconditional flow for each. */
static void check_equals(const flow_case *now) {
  fixture f, plain;
  if (!fixture_open(&f, now->formula, now->dim, CONTEXT, SL_F64)) return;
  if (!fixture_open(&plain, now->formula, now->dim, 0, SL_F64)) return;
  int failures = check_failures;
  fixture_perturb(&f, 0.3, 17);
  fixture_perturb(&plain, 0, 17);
  sample_points p = points_for(&(flow_case){now->formula, now->dim, CONTEXT});
  double log_prob[ROWS], alone;
  bool good = !has_network(f.flow) && fixture_log_prob(&f, ROWS, p.x, p.c, log_prob);
  for (int r = 0; r < ROWS && good; r++) {
    const double *c = p.c + r * CONTEXT, *x = p.x + r * now->dim;
    if (!add_hyper(&f, c, &plain)) break;
    if (fixture_log_prob(&plain, 1, x, NULL, &alone)) CHECK_CLOSE(log_prob[r], alone, 1e-9);
    compare_map(&f, &plain, FIXTURE_LOG_PROB_MAP, x, c);
    compare_map(&f, &plain, FIXTURE_SAMPLE_MAP, p.z + r * now->dim, c);
  }
  if (check_failures > failures) printf("  in %s of %d features\n", now->formula, now->dim);
  fixture_close(&f);
  fixture_close(&plain);
}

/* A formula for each k = 0, 1, ...: a bijector alone, then its examples; a base's examples, with a
 * layer on top. False behind the last. */
static bool find_formula(const sl__kind *kind, int k, char *formula, size_t size) {
  bool base = sl__kind_is_base(kind);
  const char *text = base || k > 0 ? kind->examples[base ? k : k - 1] : kind->name;
  if (text) snprintf(formula, size, "%s%s", text, base ? "-loc" : "");
  return text != NULL;
}

TEST(conditional_equals_unconditional_at_a_fixed_context) {
  static const int32_t dims[] = {1, 2, 4};
  int count = 0, compared = 0;
  const sl__kind *const *kinds = sl__kinds(&count);
  char formula[128];
  for (int i = 0; i < count; i++) {
    if (kinds[i]->conditioning != SL__CONDITION_PARAMETERS) continue;
    for (int k = 0; find_formula(kinds[i], k, formula, sizeof formula); k++)
      for (int d = k == 0 ? 0 : 2; d < 3; d++, compared++)
        check_equals(&(flow_case){formula, dims[d], CONTEXT});
  }
  CHECK(compared > 0);
}

/* ---- gradients by the context ---- */

static void check_context_slopes(const flow_case *now) {
  fixture f;
  if (!fixture_open(&f, now->formula, now->dim, CONTEXT, SL_F64)) return;
  int failures = check_failures;
  fixture_perturb(&f, 0.3, 19);
  sample_points p = points_for(now);
  move_all_inside(&f, &p);
  double *gradient = calloc((size_t)f.flow->size + 1, sizeof *gradient);
  double by_x[ROWS * MOST_DIM], by_c[ROWS * MOST_DIM];
  bool moves = false;
  for (int sampling = 0; sampling < 2 && gradient; sampling++) {
    double *points = sampling ? p.z : p.x;
    if (!fixture_slopes(&f, sampling, ROWS, points, p.c, gradient, by_x, by_c)) break;
    for (int k = 0; k < ROWS * CONTEXT; k++) moves |= by_c[k] != 0;
    check_input_slopes(&f, sampling, true, &p, by_c, 1e-6);
  }
  CHECK(moves);
  if (check_failures > failures) printf("  in %s of %d features\n", now->formula, now->dim);
  free(gradient);
  fixture_close(&f);
}

TEST(gradients_by_the_context) {
  int count = 0;
  const sl__kind *const *kinds = sl__kinds(&count);
  for (int i = 0; i < count; i++) {
    if (sl__kind_is_base(kinds[i]) || kinds[i]->conditioning == SL__CONDITION_NOTHING) continue;
    check_context_slopes(&(flow_case){kinds[i]->name, 1, CONTEXT});
    check_context_slopes(&(flow_case){kinds[i]->name, 3, CONTEXT});
  }
}

/* ---- densities ---- */

/* Draws come with the density that they score, each at its own context. */
static void check_draws(fixture *f) {
  double c[ROWS * CONTEXT], drawn[ROWS * MOST_DIM], told[ROWS], scored[ROWS];
  fixture_points(c, ROWS * CONTEXT, 1, 4);
  if (fixture_map(f, FIXTURE_SAMPLE, ROWS, NULL, c, drawn, told) &&
      fixture_log_prob(f, ROWS, drawn, c, scored))
    for (int r = 0; r < ROWS; r++) CHECK_CLOSE(told[r], scored[r], 1e-9);
}

/* Mass at the context 0: biases, which are not zero here, make the parameters differ all the
 * same. */
static void check_density(const char *formula, int32_t dim) {
  fixture f;
  int failures = check_failures;
  if (!fixture_open(&f, formula, dim, CONTEXT, SL_F64)) return;
  fixture_perturb(&f, 0.1, 23);
  check_mass_is_one(&f, dim == 1 ? 20001 : 401, 10, 1e-3);
  check_draws(&f);
  if (check_failures > failures) printf("  in %s of %d features\n", formula, dim);
  fixture_close(&f);
}

TEST(mass_and_draws) {
  int count = 0;
  const sl__kind *const *kinds = sl__kinds(&count);
  for (int i = 0; i < count; i++) {
    if (kinds[i]->conditioning == SL__CONDITION_NOTHING) continue;
    char formula[128];
    if (!find_formula(kinds[i], 0, formula, sizeof formula)) continue;
    check_density(formula, 1);
    check_density(formula, 2);
  }
}

/* ---- where it starts, and what is refused ---- */

TEST(starts_next_to_the_unconditional_flow) {
  fixture f;
  if (!fixture_open(&f, "scale(jitter=0)-loc(jitter=0)", 2, CONTEXT, SL_F64)) return;
  double x[2] = {1, -2}, c[CONTEXT] = {2, -1}, log_prob;
  if (fixture_log_prob(&f, 1, x, c, &log_prob)) {
    CHECK(log_prob != -2.5 - log(2 * 3.14159265358979323846));
    CHECK_CLOSE(log_prob, -2.5 - log(2 * 3.14159265358979323846), 0.1);
  }
  fixture_close(&f);
}

TEST(a_context_that_nothing_reads_is_refused) {
  static const char *const formulas[] = {"reverse", "permute-exp", "uniform-reverse",
                                         "student-leaky_relu", "inverse(reverse)"};
  static const char *const reading[] = {"reverse-loc", "gaussian-reverse", "coupling(mask=00)",
                                        "mixture(2,loc)-reverse"};
  sl_context *context = NULL;
  sl__flow *flow = NULL;
  REQUIRE(sl_context_new(NULL, &context) == SL_OK);
  sl__flow_plan plan = {.dim = 2, .context_dim = 1, .type = SL_F64};
  for (size_t i = 0; i < sizeof formulas / sizeof formulas[0]; i++) {
    plan.formula = formulas[i];
    CHECK(sl__flow_new(context, &plan, &flow) == SL_BAD_ARGUMENT);
    CHECK(strstr(sl_error(context), "no layer of the flow reads the context") != NULL);
  }
  for (size_t i = 0; i < sizeof reading / sizeof reading[0]; i++) {
    plan.formula = reading[i];
    CHECK_OK(context, sl__flow_new(context, &plan, &flow));
    sl__flow_free(context, flow);
  }
  sl_context_free(context);
}

TEST(hidden_without_a_context_is_refused) {
  sl_context *context = NULL;
  sl__flow *flow = NULL;
  REQUIRE(sl_context_new(NULL, &context) == SL_OK);
  sl__flow_plan plan = {.formula = "scale-loc(hidden=8)", .dim = 2, .type = SL_F64};
  CHECK(sl__flow_new(context, &plan, &flow) == SL_BAD_ARGUMENT);
  CHECK(strstr(sl_error(context), "name context columns") != NULL);
  int32_t line = 0, column = 0;
  CHECK(sl_error_place(context, &line, &column) && line == 1 && column == 7);
  plan.context_dim = 1;
  CHECK_OK(context, sl__flow_new(context, &plan, &flow));
  sl__flow_free(context, flow);
  sl_context_free(context);
}

/* ---- the public calls ---- */

TEST(evaluators_take_conditions) {
  enum { MANY = 5 };
  sl_context *context = NULL;
  sl_flow *flow = NULL;
  sl_evaluator *evaluator = NULL;
  double x[2 * MANY], c[MANY], drawn[2 * MANY], told[MANY], scored[MANY];
  double by_x[2 * MANY], by_c[MANY], up[MANY], down[MANY], *vector = NULL;
  REQUIRE(sl_context_new(NULL, &context) == SL_OK);
  REQUIRE_OK(context, sl_flow_new(context, "planar*2-lu-scale", NULL, 2, 1, SL_F64, 3, &flow));
  int64_t size = sl_flow_parameter_count(flow);
  vector = calloc((size_t)size, 2 * sizeof *vector);
  REQUIRE(vector != NULL);
  sl_array_in all = sl_in_f64(vector, 1, size);
  sl_array_out start = sl_out_f64(vector, 1, size);
  REQUIRE_OK(context, sl_flow_parameters(context, flow, &start));
  fixture_points(vector + size, size, 0.1, 5);
  for (int64_t i = 0; i < size; i++) vector[i] += vector[size + i];
  REQUIRE_OK(context, sl_flow_set_parameters(context, flow, &all));
  REQUIRE_OK(context, sl_evaluator_new(context, flow, 15, MANY, &evaluator));
  fixture_points(x, 2 * MANY, 1, 6);
  fixture_points(c, MANY, 1, 7);
  sl_array_in at = sl_in_f64(x, MANY, 2), condition = sl_in_f64(c, MANY, 1);
  sl_array_out to = sl_out_f64(drawn, MANY, 2), log_told = sl_out_f64(told, MANY, 1);
  CHECK_OK(context, sl_evaluator_sample(context, evaluator, 1, &condition, &to, &log_told));
  sl_array_in again = sl_in_f64(drawn, MANY, 2);
  sl_array_out log_scored = sl_out_f64(scored, MANY, 1);
  CHECK_OK(context, sl_evaluator_log_prob(context, evaluator, &again, &condition, &log_scored));
  for (int r = 0; r < MANY; r++) CHECK_CLOSE(told[r], scored[r], 1e-10);
  sl_array_out slope_x = sl_out_f64(by_x, MANY, 2), slope_c = sl_out_f64(by_c, MANY, 1);
  CHECK_OK(context, sl_evaluator_gradient(context, evaluator, &at, &condition, &log_scored,
                                          &slope_x, &slope_c));
  sl_array_out log_up = sl_out_f64(up, MANY, 1), log_down = sl_out_f64(down, MANY, 1);
  const double h = 1e-5;
  for (int r = 0; r < MANY; r++) c[r] += h;
  CHECK_OK(context, sl_flow_log_prob(context, flow, &at, &condition, &log_up));
  for (int r = 0; r < MANY; r++) c[r] -= 2 * h;
  CHECK_OK(context, sl_flow_log_prob(context, flow, &at, &condition, &log_down));
  for (int r = 0; r < MANY; r++) CHECK_CLOSE(by_c[r], (up[r] - down[r]) / (2 * h), 1e-6);
  CHECK(sl_flow_log_prob(context, flow, &at, NULL, &log_up) == SL_BAD_ARGUMENT);
  free(vector);
  sl_evaluator_free(evaluator);
  sl_flow_free(flow);
  sl_context_free(context);
}

/* ---- a fit ---- */

enum { FIT_ROWS = 8192 };

/* x given c: normal, with mean sin(3 c) and standard deviation 0.1 + 0.2 c^2, c uniform in -1 .. 1.
 * Returns the mean log density. */
static double draw_known(uint64_t seed, double *x, double *c) {
  sl__random_key where = {seed, SL__STREAM_TEST, 1}, noise = {seed, SL__STREAM_TEST, 2};
  double sum = 0;
  for (int r = 0; r < FIT_ROWS; r++) {
    c[r] = 2 * sl__random_uniform(where, (uint64_t)r, 0) - 1;
    double z = sl__random_normal(noise, (uint64_t)r, 0), sd = 0.1 + 0.2 * c[r] * c[r];
    x[r] = sin(3 * c[r]) + sd * z;
    sum += -0.5 * z * z - log(sd) - 0.5 * log(2 * 3.14159265358979323846);
  }
  return sum / FIT_ROWS;
}

static void check_fit(const char *formula) {
  static double x[FIT_ROWS], c[FIT_ROWS], log_prob[FIT_ROWS];
  sl_context_options thread = {.size = sizeof thread, .threads = 1};
  sl_context *context = NULL;
  REQUIRE(sl_context_new(&thread, &context) == SL_OK);
  draw_known(1, x, c);
  sl_fit_data data = {
      .size = sizeof data, .x = sl_in_f64(x, FIT_ROWS, 1), .condition = sl_in_f64(c, FIT_ROWS, 1)};
  sl_fit_options options;
  sl_fit_options_default(&options, sizeof options);
  options.formula = formula;
  options.steps = 400;
  options.batch = 256;
  options.rate = 5e-3;
  sl_flow *flow = NULL;
  REQUIRE_OK(context, sl_fit(context, &data, &options, &flow, NULL));
  double truth = draw_known(2, x, c), mean = 0;
  sl_array_in in = sl_in_f64(x, FIT_ROWS, 1), condition = sl_in_f64(c, FIT_ROWS, 1);
  sl_array_out out = sl_out_f64(log_prob, FIT_ROWS, 1);
  REQUIRE_OK(context, sl_flow_log_prob(context, flow, &in, &condition, &out));
  for (int r = 0; r < FIT_ROWS; r++) mean += log_prob[r] / FIT_ROWS;
  if (!CHECK(fabs(mean - truth) < 0.02))
    printf("  %s: %.4f, the truth %.4f\n", formula, mean, truth);
  sl_flow_free(flow);
  sl_context_free(context);
}

TEST(a_fit_finds_a_known_conditional_density) {
  check_fit("scale-loc");
  check_fit("planar*4");
}
