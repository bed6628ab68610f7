/* The n-th allocation fails, for every n, alone and with all that come after it: each public call
 * must then give SL_NO_MEMORY (or succeed, if one alone can be done without: a checkpoint that is
 * not written is said, and the fit goes on), leave nothing behind, and work again when there is
 * memory. The allocator here counts what is alive; under ASan leaks and stray reads would show as
 * well. */
#include "check.h"
#include "short_memory.h"
#include "sluice/sluice.h"

static const char formula[] = "lu-coupling(rqs,hidden=4,bins=3)-maf(affine,hidden=4)";
enum { ROWS = 24, DIM = 2 };

/* What the calls work on; made once with all the memory there is. */
typedef struct scene {
  short_memory memory;
  sl_context *context;
  sl_flow *flow;
  char path[64];
  double x[ROWS * DIM], y[ROWS * DIM], log_prob[ROWS], vector[4000];
} scene;

typedef sl_status (*public_call)(scene *s);

static sl_status make_flow(scene *s) {
  sl_flow *flow = NULL;
  sl_status status = sl_flow_new(s->context, formula, NULL, DIM, 1, SL_F32, 0, &flow);
  CHECK((status == SL_OK) == (flow != NULL));
  sl_flow_free(flow);
  return status;
}

static sl_status wrong_formula(scene *s) {
  sl_flow *flow = NULL;
  sl_status status =
      sl_flow_new(s->context, "lu-coupling(rqs,bins=", NULL, DIM, 0, SL_F32, 0, &flow);
  CHECK(flow == NULL);
  return status == SL_SYNTAX ? SL_OK : status;
}

static sl_status log_prob(scene *s) {
  sl_array_in x = sl_in_f64(s->x, ROWS, DIM);
  sl_array_out out = sl_out_f64(s->log_prob, ROWS, 1);
  return sl_flow_log_prob(s->context, s->flow, &x, NULL, &out);
}

static sl_status sample(scene *s) {
  sl_array_out out = sl_out_f64(s->y, ROWS, DIM);
  return sl_flow_sample(s->context, s->flow, 1, NULL, &out, NULL);
}

static sl_status noise(scene *s) {
  sl_array_out out = sl_out_f64(s->y, ROWS, DIM);
  return sl_flow_noise(s->context, s->flow, 1, &out);
}

static sl_status map(scene *s) {
  sl_array_in x = sl_in_f64(s->x, ROWS, DIM);
  sl_array_out out = sl_out_f64(s->y, ROWS, DIM), log_det = sl_out_f64(s->log_prob, ROWS, 1);
  return sl_flow_map(s->context, s->flow, SL_TO_BASE, -1, &x, NULL, &out, &log_det);
}

static sl_status gradient(scene *s) {
  sl_array_in x = sl_in_f64(s->x, ROWS, DIM);
  sl_array_out by_x = sl_out_f64(s->y, ROWS, DIM);
  sl_array_out by_parameters = sl_out_f64(s->vector, 1, sl_flow_parameter_count(s->flow));
  return sl_flow_gradient(s->context, s->flow, &x, NULL, NULL, &by_x, NULL, &by_parameters);
}

static sl_status evaluate(scene *s) {
  sl_array_in x = sl_in_f64(s->x, ROWS, DIM);
  sl_array_out y = sl_out_f64(s->y, ROWS, DIM), log_det = sl_out_f64(s->log_prob, ROWS, 1);
  sl_array_out vector = sl_out_f64(s->vector, 1, sl_flow_parameter_count(s->flow));
  const uint32_t what = SL_EVALUATE_LOG_PROB | SL_EVALUATE_GRADIENT | SL_EVALUATE_PARAMETERS |
                        SL_EVALUATE_SAMPLE | SL_EVALUATE_SAMPLE_GRADIENT;
  sl_evaluator *evaluator = NULL;
  sl_status status = sl_evaluator_new(s->context, s->flow, what, ROWS, &evaluator);
  CHECK((status == SL_OK) == (evaluator != NULL));
  if (status == SL_OK)
    status = sl_evaluator_parameters(s->context, evaluator, &x, NULL, &log_det, &vector);
  if (status == SL_OK)
    status = sl_evaluator_gradient(s->context, evaluator, &x, NULL, &log_det, &y, NULL);
  if (status == SL_OK) status = sl_evaluator_sample(s->context, evaluator, 1, NULL, &y, &log_det);
  if (status == SL_OK)
    status = sl_evaluator_sample_gradient(s->context, evaluator, 1, NULL, &x, NULL, &y, &log_det,
                                          &vector, NULL);
  sl_evaluator_free(evaluator);
  return status;
}

static sl_status optimize(scene *s) {
  const int64_t count = sl_flow_parameter_count(s->flow);
  const sl_array_out vector = sl_out_f64(s->vector, 1, count);
  const sl_array_in gradient = sl_in_f64(s->vector, 1, count);
  sl_optimizer *optimizer = NULL;
  sl_status status = sl_optimizer_new(s->context, NULL, count, &optimizer);
  CHECK((status == SL_OK) == (optimizer != NULL));
  if (status == SL_OK) status = sl_optimizer_step(s->context, optimizer, &gradient, &vector);
  if (status == SL_OK) status = sl_optimizer_step_flow(s->context, optimizer, &gradient, s->flow);
  sl_optimizer_free(optimizer);
  return status;
}

static sl_status save(scene *s) {
  return sl_flow_save(s->context, s->flow, s->path);
}

static sl_status load(scene *s) {
  sl_flow *flow = NULL;
  sl_status status = sl_flow_load(s->context, s->path, &flow);
  CHECK((status == SL_OK) == (flow != NULL));
  sl_flow_free(flow);
  return status;
}

static sl_status ask_target(scene *s, sl_target *target) {
  const sl_array_in x = sl_in_f64(s->x, ROWS, DIM);
  const sl_array_out y = sl_out_f64(s->y, ROWS, DIM), value = sl_out_f64(s->log_prob, ROWS, 1);
  sl_status status = sl_target_log_density(s->context, target, 0, &x, &value, &y);
  if (status == SL_OK) status = sl_target_constrain(s->context, target, false, &x, &y);
  sl_target_free(target);
  return status;
}

static sl_status stan_target(scene *s) {
  static const char program[] =
      "data { int n; } parameters { real a; real<lower=0> b; } model { a ~ normal(n, b); }";
  sl_target *target = NULL;
  const sl_status status = sl_target_from_stan(s->context, program, "{\"n\": 2}", 0, &target);
  CHECK((status == SL_OK) == (target != NULL));
  return status == SL_OK ? ask_target(s, target) : status;
}

static sl_status expression_target(scene *s) {
  sl_target *target = NULL;
  const sl_status status = sl_target_from_expression(s->context, "-x^2 - exp(y)", "x,y", &target);
  CHECK((status == SL_OK) == (target != NULL));
  return status == SL_OK ? ask_target(s, target) : status;
}

static sl_status standard_target(scene *s) {
  sl_target *target = NULL;
  const sl_status status = sl_target_standard(s->context, "pot4", &target);
  CHECK((status == SL_OK) == (target != NULL));
  return status == SL_OK ? ask_target(s, target) : status;
}

static sl_status set_option(scene *s) {
  sl_fit_options options;
  sl_fit_options_default(&options, sizeof options);
  return sl_fit_options_set(s->context, &options, "flow", "lu");
}

static sl_status fit(scene *s) {
  sl_fit_data data = {.size = sizeof data, .x = sl_in_f64(s->x, ROWS, DIM)};
  sl_fit_options options;
  sl_fit_options_default(&options, sizeof options);
  options.formula = "maf(affine,hidden=3)";
  options.steps = 2;
  options.batch = 8;
  options.dequantize = 1;
  options.checkpoint = s->path;
  options.checkpoint_every = 1;
  sl_flow *flow = NULL;
  sl_status status = sl_fit(s->context, &data, &options, &flow, NULL);
  CHECK((status == SL_OK) == (flow != NULL));
  sl_flow_free(flow);
  return status;
}

static sl_status fill_rows(void *user, int64_t step, int64_t rows, void *x) {
  (void)user;
  for (int64_t i = 0; i < rows * DIM; i++) ((float *)x)[i] = sinf((float)(step + i));
  return SL_OK;
}

static sl_status fit_generated(scene *s) {
  sl_fit_options options;
  sl_fit_options_default(&options, sizeof options);
  options.steps = 2;
  options.batch = 8;
  return sl_fit_generated(s->context, s->flow, fill_rows, NULL, &options, NULL);
}

static sl_status fit_flow(scene *s) {
  sl_fit_data data = {.size = sizeof data, .x = sl_in_f64(s->x, ROWS, DIM)};
  sl_fit_options options;
  sl_fit_options_default(&options, sizeof options);
  options.steps = 2;
  options.batch = 8;
  return sl_fit_flow(s->context, s->flow, &data, &options, NULL);
}

/* The call with its n-th allocation failing, for n from 0 until none fails. */
static void fail_each_so(const char *name, public_call call, bool once) {
  static scene s;
  s = (scene){.memory.left = -1};
  sl_context_options options = {
      .size = sizeof options, .threads = 1, .reallocate = reallocate_shortly, .user = &s.memory};
  REQUIRE(sl_context_new(&options, &s.context) == SL_OK);
  REQUIRE_OK(s.context, sl_flow_new(s.context, formula, NULL, DIM, 0, SL_F32, 0, &s.flow));
  REQUIRE(sl_flow_parameter_count(s.flow) <= 4000);
  snprintf(s.path, sizeof s.path, "/tmp/sluice-t_alloc-XXXXXX");
  REQUIRE(mkstemp(s.path) >= 0);
  REQUIRE_OK(s.context, sl_flow_save(s.context, s.flow, s.path));
  for (int i = 0; i < ROWS * DIM; i++) s.x[i] = sin(3.7 * i) + 0.1 * (i % 2);

  int64_t alive = s.memory.alive, n = 0;
  for (bool failed = true; failed; n += failed) {
    s.memory.left = n;
    s.memory.failed = false;
    s.memory.once = once;
    sl_status status = call(&s);
    failed = s.memory.failed;
    s.memory.left = -1;
    bool right = status == (failed ? SL_NO_MEMORY : SL_OK) || (once && status == SL_OK);
    if (!CHECK(right) || !CHECK_INTEGER(s.memory.alive, alive)) {
      printf("  %s, allocation %lld: status %d, %s\n", name, (long long)n, (int)status,
             sl_error(s.context));
      break;
    }
  }
  printf("  %s%s: %lld allocations\n", name, once ? ", one alone" : "", (long long)n);
  CHECK_OK(s.context, call(&s));
  remove(s.path);
  sl_flow_free(s.flow);
  sl_context_free(s.context);
  CHECK_INTEGER(s.memory.alive, 0);
}

static void fail_each(const char *name, public_call call) {
  fail_each_so(name, call, false);
  fail_each_so(name, call, true);
}

TEST(making_a_context) {
  for (int64_t n = 0, failed = 1; failed; n++) {
    short_memory memory = {.left = n};
    sl_context_options options = {
        .size = sizeof options, .threads = 3, .reallocate = reallocate_shortly, .user = &memory};
    sl_context *context = NULL;
    sl_status status = sl_context_new(&options, &context);
    failed = memory.failed;
    CHECK(status == (failed ? SL_NO_MEMORY : SL_OK));
    sl_context_free(context);
    CHECK_INTEGER(memory.alive, 0);
    if (n > 10000) break;
  }
}

TEST(flows) {
  fail_each("sl_flow_new", make_flow);
  fail_each("sl_flow_new, wrong formula", wrong_formula);
  fail_each("sl_flow_save", save);
  fail_each("sl_flow_load", load);
}

TEST(evaluation) {
  fail_each("sl_flow_log_prob", log_prob);
  fail_each("sl_flow_sample", sample);
  fail_each("sl_flow_noise", noise);
  fail_each("sl_flow_map", map);
  fail_each("sl_flow_gradient", gradient);
  fail_each("sl_evaluator_new and its calls", evaluate);
  fail_each("sl_optimizer_new and its calls", optimize);
}

TEST(targets) {
  fail_each("sl_target_from_stan and its calls", stan_target);
  fail_each("sl_target_from_expression and its calls", expression_target);
  fail_each("sl_target_standard and its calls", standard_target);
}
TEST(fitting) {
  fail_each("sl_fit_options_set", set_option);
  fail_each("sl_fit", fit);
  fail_each("sl_fit_flow", fit_flow);
  fail_each("sl_fit_generated", fit_generated);
}
