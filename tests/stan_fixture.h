/* What the tests of Stan models share: a model from text, its density and gradient at a point. */
#ifndef SL_TESTS_STAN_FIXTURE_H
#define SL_TESTS_STAN_FIXTURE_H
#include "base/context.h"
#include "check.h"
#include "stan/model.h"

static sl_context *context;

static inline void open_context(void) {
  if (!context) sl_context_new(NULL, &context);
}

/* NULL on a failure, which is in the context. */
static inline sl__stan_model *try_model(const char *text, const char *data) {
  open_context();
  sl__stan_program *tree;
  sl__stan_model *model;
  if (sl__stan_parse(context, "test.stan", text, strlen(text), &tree) != SL_OK) return NULL;
  if (sl__stan_check(context, tree) != SL_OK) {
    sl__stan_program_free(context, tree);
    return NULL;
  }
  const size_t length = data ? strlen(data) : 0;
  sl__stan_model_new(context, tree, "test.json", data, length, 1, &model);
  return model;
}

static inline sl__stan_model *make_model(const char *text, const char *data) {
  sl__stan_model *model = try_model(text, data);
  if (!CHECK(model != NULL)) printf("  %s\n", sl_error(context));
  return model;
}

/* Runs outputs [count], functions of q [dim], at one point. */
static inline sl_status run_outputs(sl__graph *g, int count, const sl_node *outputs,
                                    const double *q, double *const *to) {
  sl__program *program;
  sl__workspace *workspace;
  sl__sink sinks[4];
  const sl__feed feed = {.data = q, .type = SL_F64};
  for (int i = 0; i < count; i++) sinks[i] = (sl__sink){.data = to[i], .type = SL_F64};
  const sl__run run = {.rows = 1, .feeds = &feed, .sinks = sinks};
  SL__TRY(sl__program_new(context, g, count, outputs, &program));
  sl_status status = sl__workspace_new(context, program, 1, &workspace);
  if (status == SL_OK) {
    status = sl__program_run(context, program, workspace, &run);
    sl__workspace_free(workspace);
  }
  sl__program_free(program);
  return status;
}

/* Log density; gradient [dim] if it is not NULL. */
static inline sl_status density_at(const sl__stan_model *model, const double *q, bool jacobian,
                                   double *value, double *gradient) {
  sl__graph *g;
  SL__TRY(sl__graph_new(context, &g));
  sl_node outputs[2];
  const sl_node point = op_input(g, SL_F64, sl__shape1(sl__stan_model_dim(model)));
  outputs[0] = sl__stan_model_log_density(model, g, point, false, jacobian);
  sl_status status = sl__graph_status(g);
  if (status == SL_OK && gradient) status = sl__gradient(g, outputs[0], 1, &point, &outputs[1]);
  double *to[2] = {value, gradient};
  if (status == SL_OK) status = run_outputs(g, gradient ? 2 : 1, outputs, q, to);
  sl__graph_free(g);
  return status;
}

/* Constrained parameters of q. */
static inline sl_status constrain_at(const sl__stan_model *model, const double *q, double *out) {
  sl__graph *g;
  SL__TRY(sl__graph_new(context, &g));
  const sl_node point = op_input(g, SL_F64, sl__shape1(sl__stan_model_dim(model)));
  const sl_node constrained = sl__stan_model_constrain(model, g, point, false);
  sl_status status = sl__graph_status(g);
  if (status == SL_OK) status = run_outputs(g, 1, &constrained, q, &out);
  sl__graph_free(g);
  return status;
}

/* Fails unless the text occurs in the last error. */
static inline void check_error(const char *text) {
  if (!CHECK(strstr(sl_error(context), text) != NULL))
    printf("  expected \"%s\" in \"%s\"\n", text, sl_error(context));
}
#endif
