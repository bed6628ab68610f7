/* Stan programs against Stan: walks a folder of posteriors (SLUICE_POSTERIORDB: one folder each
 * with info.json, data.json and logprob.json, which has Stan's values) with the programs of another
 * (SLUICE_STAN_PROGRAMS: NAME.stan) and compares, at all points at once and through the public
 * interface: log density with and without constants and Jacobian, gradient, constrained values.
 * Arguments: names of posteriors, none for all. Prints N passed, N failed, N skipped; skipped is
 * only what has no logprob.json. A posterior without a file, or with a number missing, has failed;
 * so has a walk that passed nothing. */
#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/context.h"
#include "base/os.h"
#include "base/text.h"

enum { FULL, PROPORTIONAL, NO_JACOBIAN, DENSITIES };
static const struct {
  const char *member;
  uint32_t flags;
} densities[DENSITIES] = {
    {"lp_full_jac", 0},
    {"lp_propto_jac", SL_TARGET_DROP_CONSTANTS},
    {"lp_propto_nojac", SL_TARGET_DROP_CONSTANTS | SL_TARGET_NO_JACOBIAN},
};

typedef struct outcome {
  double density[DENSITIES], gradient, constrained; /* the largest differences, relative */
  double seconds;                                   /* of making the target, and of all calls */
  int compared;                                     /* points whose every number was compared */
} outcome;

/* The rows of all points and what is found there. */
typedef struct table {
  int32_t points, dim, count;
  double *q, *value[DENSITIES], *gradient, *constrained; /* [points] of [dim], 1, [dim], [count] */
} table;

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

/* The largest difference of the member, an array of count numbers; infinite: it is not one.
 * to_largest: relative to the largest of them. */
static double compare_array(const sl__json_value *array, int32_t count, const double *got,
                            bool to_largest) {
  int64_t n;
  double *expected = numbers_of(array, &n), scale = 0, most = n == count ? 0 : (double)INFINITY;
  for (int64_t i = 0; i < n && to_largest; i++) scale = fmax(scale, fabs(expected[i]));
  for (int64_t i = 0; i < n && n == count; i++)
    most = fmax(most, difference(got[i], expected[i], scale));
  free(expected);
  return most;
}

static void compare(const sl__json_value *point, const table *t, int32_t row, outcome *out) {
  double lp = 0;
  for (int i = 0; i < DENSITIES; i++) {
    const sl__json_value *member = sl__json_member(point, densities[i].member);
    if (!member) out->density[i] = (double)INFINITY;
    if (!member) continue;
    lp = number_of(member);
    out->density[i] = fmax(out->density[i], difference(t->value[i][row], lp, 0));
  }
  if (!isfinite(lp)) return;
  const double gradient = compare_array(sl__json_member(point, "grad_jac"), t->dim,
                                        t->gradient + (int64_t)row * t->dim, true);
  const double constrained = compare_array(sl__json_member(point, "constrained"), t->count,
                                           t->constrained + (int64_t)row * t->count, false);
  out->gradient = fmax(out->gradient, gradient);
  out->constrained = fmax(out->constrained, constrained);
  out->compared++;
}

static bool open_table(table *t, const sl_target *target, const sl__json_value *points) {
  *t = (table){.points = (int32_t)points->count,
               .dim = sl_target_dim(target),
               .count = sl_target_count(target, SL_TARGET_PARAMETERS)};
  const size_t rows = (size_t)t->points;
  t->q = calloc(rows * (size_t)t->dim + 1, sizeof *t->q);
  t->gradient = calloc(rows * (size_t)t->dim + 1, sizeof *t->q);
  t->constrained = calloc(rows * (size_t)t->count + 1, sizeof *t->q);
  for (int i = 0; i < DENSITIES; i++) t->value[i] = calloc(rows + 1, sizeof *t->q);
  int32_t row = 0;
  bool good = true;
  for (const sl__json_value *p = points->child; p; p = p->next, row++) {
    int64_t n;
    double *given = numbers_of(sl__json_member(p, "unconstrained"), &n);
    good = good && n == t->dim;
    if (n == t->dim) memcpy(t->q + (int64_t)row * t->dim, given, (size_t)n * sizeof *given);
    free(given);
  }
  return good;
}

static void close_table(table *t) {
  free(t->q);
  free(t->gradient);
  free(t->constrained);
  for (int i = 0; i < DENSITIES; i++) free(t->value[i]);
}

static sl_array_out rows_out(double *data, int32_t rows, int32_t columns) {
  return (sl_array_out){.data = data,
                        .dtype = SL_F64,
                        .rows = rows,
                        .columns = columns,
                        .row_stride = columns,
                        .column_stride = 1};
}

static sl_status fill_table(sl_context *context, const sl_target *target, table *t) {
  const sl_array_in q = {.data = t->q,
                         .dtype = SL_F64,
                         .rows = t->points,
                         .columns = t->dim,
                         .row_stride = t->dim,
                         .column_stride = 1};
  const sl_array_out gradient = rows_out(t->gradient, t->points, t->dim);
  const sl_array_out constrained = rows_out(t->constrained, t->points, t->count);
  for (int i = 0; i < DENSITIES; i++) {
    const sl_array_out value = rows_out(t->value[i], t->points, 1);
    SL__TRY(sl_target_log_density(context, target, densities[i].flags, &q, &value,
                                  i == FULL ? &gradient : NULL));
  }
  return sl_target_constrain(context, target, false, &q, &constrained);
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

static sl_status evaluate(sl_context *context, const file *text, const file *data,
                          const sl__json_value *points, outcome *out) {
  sl_target *target;
  table t = {0};
  const double begin = sl__os_seconds();
  SL__TRY(sl_target_from_stan(context, text->data, data->data, 1, &target));
  sl_status status = SL_OK;
  if (!open_table(&t, target, points))
    status = sl__fail(context, SL_BAD_ARGUMENT, "Stan has not %d unconstrained numbers", t.dim);
  if (status == SL_OK) status = fill_table(context, target, &t);
  out->seconds = sl__os_seconds() - begin;
  int32_t row = 0;
  for (const sl__json_value *p = points->child; p && status == SL_OK; p = p->next)
    compare(p, &t, row++, out);
  close_table(&t);
  sl_target_free(target);
  return status;
}

static bool is_close(const outcome *out, double tolerance) {
  bool good = out->compared > 0 && out->gradient <= tolerance && out->constrained <= 1e-9;
  for (int i = 0; i < DENSITIES; i++) good = good && out->density[i] <= tolerance;
  return good;
}

/* Reads what is needed and compares; *close: all numbers agree. */
static sl_status compare_posterior(sl_context *context, sl__arena *arena, const char *folder,
                                   const char *programs, file files[4], outcome *out, bool *close) {
  sl__json_value *about, *expected;
  SL__TRY(read_file(context, &files[0], folder, "info.json"));
  SL__TRY(read_file(context, &files[1], folder, "logprob.json"));
  SL__TRY(sl__json_parse(context, arena, files[0].data, files[0].length, &about));
  SL__TRY(sl__json_parse(context, arena, files[1].data, files[1].length, &expected));
  const sl__json_value *model = sl__json_member(about, "model");
  const sl__json_value *data = sl__json_member(about, "data_file");
  const sl__json_value *points = sl__json_member(expected, "points");
  if (!model || !data || !points)
    return sl__fail(context, SL_BAD_ARGUMENT, "model, data_file or points is missing");
  char name[512];
  snprintf(name, sizeof name, "%.500s.stan", model->text);
  SL__TRY(read_file(context, &files[2], programs, name));
  SL__TRY(read_file(context, &files[3], folder, data->text));
  SL__TRY(evaluate(context, &files[2], &files[3], points, out));
  const bool ode = strstr(files[2].data, "integrate_ode") || strstr(files[2].data, "ode_");
  *close = is_close(out, ode ? 1e-5 : 1e-9);
  return SL_OK;
}

/* 1: passed, 0: failed, -1: nothing to compare with. */
static int run_posterior(sl_context *context, const char *folder, const char *programs,
                         const char *name) {
  char expected[1100];
  snprintf(expected, sizeof expected, "%s/logprob.json", folder);
  if (access(expected, F_OK) != 0) return -1;
  file files[4] = {0};
  outcome out = {0};
  bool close = false;
  sl__arena arena;
  sl__arena_open(&arena, context);
  const sl_status status =
      compare_posterior(context, &arena, folder, programs, files, &out, &close);
  printf("%s %-60s", close ? "ok  " : "FAIL", name);
  if (status != SL_OK)
    printf(" %s\n", sl_error(context));
  else
    printf(
        " full %.1e proportional %.1e, %.1e gradient %.1e constrained %.1e; %d points, %.0f ms\n",
        out.density[FULL], out.density[PROPORTIONAL], out.density[NO_JACOBIAN], out.gradient,
        out.constrained, out.compared, 1e3 * out.seconds);
  fflush(stdout);
  for (int i = 0; i < 4; i++) sl__free(&context->allocator, files[i].data);
  sl__arena_close(&arena);
  return close;
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
  if (counts[2] == 0) printf("nothing was compared\n");
  printf("%d passed, %d failed, %d skipped\n", counts[2], counts[1], counts[0]);
  return counts[1] > 0 || counts[2] == 0;
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
  return failed;
}
