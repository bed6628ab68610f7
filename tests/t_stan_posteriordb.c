/* Stan programs against Stan: walks a folder of posteriors (SLUICE_POSTERIORDB: one folder each with
 * info.json, data.json and logprob.json, which has Stan's values) with the programs of another
 * (SLUICE_STAN_PROGRAMS: NAME.stan) and compares log density, gradient and constrained values at all
 * points. Arguments: names of posteriors, none for all. Prints N passed, N failed, N skipped. */
#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/os.h"
#include "base/text.h"
#include "stan/model.h"

typedef struct outcome {
  double value, gradient, constrained; /* the largest differences, relative */
  double loading, tracing, compiling;  /* seconds */
  int points;
} outcome;

static double number_of(const sl__json_value *value) {
  if (value->kind == SL__JSON_NUMBER) return value->number;
  if (value->kind != SL__JSON_TEXT) return (double)NAN;
  if (strcmp(value->text, "-inf") == 0) return -(double)INFINITY;
  return strcmp(value->text, "inf") == 0 ? (double)INFINITY : (double)NAN;
}

static double *numbers_of(const sl__json_value *array, int64_t *count) {
  *count = array ? array->count : 0;
  double *numbers = calloc((size_t)*count + 1, sizeof *numbers), *at = numbers;
  for (const sl__json_value *v = array ? array->child : NULL; v; v = v->next) *at++ = number_of(v);
  return numbers;
}

static double difference(double a, double b, double scale) {
  if (a == b || (isnan(b) && (isnan(a) || a == -(double)INFINITY))) return 0;
  const double d = fabs(a - b) / fmax(fmax(1, fabs(b)), scale);
  return isnan(d) ? (double)INFINITY : d;
}

/* log density, gradient and constrained values, as a program of the rows of q. */
static sl_status compile(sl_context *context, const sl__stan_model *model, sl__program **program,
                         outcome *out) {
  sl__graph *g;
  const int32_t dim = sl__stan_model_dim(model);
  const double begin = sl__os_seconds();
  SL__TRY(sl__graph_new(context, &g));
  sl_node outputs[3];
  const sl_node q = op_input(g, SL_F64, sl__shape1(dim));
  outputs[0] = sl__stan_model_log_density(model, g, q, false, true);
  sl_status status = sl__graph_status(g);
  out->tracing = sl__os_seconds() - begin;
  if (status == SL_OK) {
    outputs[2] = sl__stan_model_constrain(model, g, q, false);
    status = sl__graph_status(g);
  }
  if (status == SL_OK) status = sl__gradient(g, outputs[0], 1, &q, &outputs[1]);
  if (status == SL_OK) status = sl__program_new(context, g, 3, outputs, program);
  sl__graph_free(g);
  out->compiling = sl__os_seconds() - begin - out->tracing;
  return status;
}

static void compare(const sl__json_value *point, int32_t dim, int32_t count, const double *value,
                    const double *gradient, const double *constrained, outcome *out) {
  int64_t n;
  const double lp = number_of(sl__json_member(point, "lp_full_jac"));
  out->points++;
  out->value = fmax(out->value, difference(*value, lp, 0));
  if (!isfinite(lp)) return;
  double *expected = numbers_of(sl__json_member(point, "grad_jac"), &n), scale = 0;
  for (int64_t i = 0; i < n; i++) scale = fmax(scale, fabs(expected[i]));
  for (int64_t i = 0; i < n && n == dim; i++)
    out->gradient = fmax(out->gradient, difference(gradient[i], expected[i], scale));
  free(expected);
  expected = numbers_of(sl__json_member(point, "constrained"), &n);
  for (int64_t i = 0; i < n && i < count; i++)
    out->constrained = fmax(out->constrained, difference(constrained[i], expected[i], 0));
  free(expected);
}

static sl_status run_points(sl_context *context, const sl__stan_model *model,
                            const sl__program *program, const sl__json_value *points,
                            outcome *out) {
  const int32_t dim = sl__stan_model_dim(model);
  const int32_t count = sl__stan_model_count(model, SL__STAN_PART_PARAMETERS);
  sl__workspace *workspace;
  SL__TRY(sl__workspace_new(context, program, 1, &workspace));
  double *q = calloc((size_t)dim + 1, sizeof *q), *gradient = calloc((size_t)dim + 1, sizeof *q);
  double *constrained = calloc((size_t)count + 1, sizeof *q), value = 0;
  sl_status status = SL_OK;
  for (const sl__json_value *p = points->child; p && status == SL_OK; p = p->next) {
    int64_t n;
    double *given = numbers_of(sl__json_member(p, "unconstrained"), &n);
    if (n == dim) {
      memcpy(q, given, (size_t)dim * sizeof *q);
      const sl__feed feed = {.data = q, .type = SL_F64};
      const sl__sink sinks[3] = {{.data = &value, .type = SL_F64},
                                 {.data = gradient, .type = SL_F64},
                                 {.data = constrained, .type = SL_F64}};
      const sl__run run = {.rows = 1, .feeds = &feed, .sinks = sinks};
      status = sl__program_run(context, program, workspace, &run);
      if (status == SL_OK) compare(p, dim, count, &value, gradient, constrained, out);
    } else {
      status =
          sl__fail(context, SL_BAD_ARGUMENT, "%d unconstrained numbers, Stan has %d", dim, (int)n);
    }
    free(given);
  }
  free(q);
  free(gradient);
  free(constrained);
  sl__workspace_free(workspace);
  return status;
}

typedef struct file {
  char *data;
  size_t length;
} file;

static sl_status read_file(sl_context *context, file *f, const char *folder, const char *name) {
  char path[1024];
  snprintf(path, sizeof path, "%.600s/%.400s", folder, name);
  return sl__os_read_file(context, path, &f->data, &f->length);
}

static sl_status evaluate(sl_context *context, const char *name, const file *text, const file *data,
                          const sl__json_value *points, outcome *out) {
  sl__stan_program *tree;
  sl__stan_model *model;
  sl__program *program = NULL;
  SL__TRY(sl__stan_parse(context, name, text->data, text->length, &tree));
  sl_status status = sl__stan_check(context, tree);
  if (status != SL_OK) {
    sl__stan_program_free(context, tree);
    return status;
  }
  const double begin = sl__os_seconds();
  SL__TRY(sl__stan_model_new(context, tree, "data.json", data->data, data->length, 1, &model));
  out->loading = sl__os_seconds() - begin;
  status = compile(context, model, &program, out);
  if (status == SL_OK) status = run_points(context, model, program, points, out);
  sl__program_free(program);
  sl__stan_model_free(context, model);
  return status;
}

/* 1: passed, 0: failed, -1: nothing to compare with. */
static int run_posterior(sl_context *context, const char *folder, const char *programs,
                         const char *name) {
  file info = {0}, logprob = {0}, data = {0}, text = {0};
  sl__json_value *about, *expected;
  sl__arena arena;
  outcome out = {0};
  int result = -1;
  sl__arena_open(&arena, context);
  char program[512];
  if (read_file(context, &info, folder, "info.json") == SL_OK &&
      read_file(context, &logprob, folder, "logprob.json") == SL_OK &&
      sl__json_parse(context, &arena, info.data, info.length, &about) == SL_OK &&
      sl__json_parse(context, &arena, logprob.data, logprob.length, &expected) == SL_OK) {
    snprintf(program, sizeof program, "%.500s.stan", sl__json_member(about, "model")->text);
    const char *data_file = sl__json_member(about, "data_file")->text;
    if (read_file(context, &text, programs, program) == SL_OK &&
        read_file(context, &data, folder, data_file) == SL_OK) {
      const sl__json_value *points = sl__json_member(expected, "points");
      const sl_status status = evaluate(context, program, &text, &data, points, &out);
      const bool ode = strstr(text.data, "integrate_ode") || strstr(text.data, "ode_");
      const double tolerance = ode ? 1e-5 : 1e-9;
      result = status == SL_OK && out.points > 0 && out.value <= tolerance &&
               out.gradient <= tolerance && out.constrained <= 1e-9;
      printf("%s %-60s", result ? "ok  " : "FAIL", name);
      if (status != SL_OK)
        printf(" %s\n", sl_error(context));
      else
        printf(
            " value %.1e gradient %.1e constrained %.1e; ms: data %.0f, trace %.0f, compile %.0f\n",
            out.value, out.gradient, out.constrained, 1e3 * out.loading, 1e3 * out.tracing,
            1e3 * out.compiling);
      fflush(stdout);
    }
  }
  char *const files[] = {info.data, logprob.data, data.data, text.data};
  for (size_t i = 0; i < sizeof files / sizeof *files; i++) sl__free(&context->allocator, files[i]);
  sl__arena_close(&arena);
  return result;
}

static int by_name(const struct dirent **a, const struct dirent **b) {
  return strcmp((*a)->d_name, (*b)->d_name);
}

static int walk(sl_context *context, int wanted, char **names) {
  const char *root = getenv("SLUICE_POSTERIORDB"), *programs = getenv("SLUICE_STAN_PROGRAMS");
  struct dirent **entries;
  int counts[3] = {0}; /* skipped, failed, passed */
  const int count = scandir(root, &entries, NULL, by_name);
  for (int i = 0; i < count; i++) {
    const char *name = entries[i]->d_name;
    bool take = wanted == 0;
    for (int k = 0; k < wanted; k++) take = take || strstr(name, names[k]) != NULL;
    take = take && strchr(name, '-') != NULL && name[0] != '.';
    char folder[1024];
    snprintf(folder, sizeof folder, "%.500s/%.400s", root, name);
    if (take) counts[run_posterior(context, folder, programs, name) + 1]++;
    free(entries[i]);
  }
  if (count >= 0) free(entries);
  printf("%d passed, %d failed, %d skipped\n", counts[2], counts[1], counts[0]);
  return counts[1];
}

int main(int argc, char **argv) {
  sl_context *context;
  if (!getenv("SLUICE_POSTERIORDB") || !getenv("SLUICE_STAN_PROGRAMS")) {
    printf(
        "SLUICE_POSTERIORDB and SLUICE_STAN_PROGRAMS are not set\n0 passed, 0 failed, 1 skipped\n");
    return 0;
  }
  if (sl_context_new(NULL, &context) != SL_OK) return 1;
  const int failed = walk(context, argc - 1, argv + 1);
  sl_context_free(context);
  return failed > 0;
}
