/* Stan programs against Stan: how long until the first gradient, and how many gradients a second.
 *
 *   bench_stan POSTERIORS PROGRAMS [NAME...]
 *
 * POSTERIORS has a folder for each posterior with info.json, its data and logprob.json, which has
 * points and what a gradient costs Stan (stan_grad_eval_s_min, one core); PROGRAMS has NAME.stan.
 * Without names all posteriors are measured. One thread; times are those of the processor, not of
 * the clock on the wall, and the least of several repeats, as Stan's are: a machine that does other
 * things too only ever adds to them. Prints Markdown: a summary, then a row for each posterior. */
#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "base/os.h"
#include "base/text.h"
#include "stan/model.h"

enum { MANY = 64, MOST_STARTS = 5, MOST_CHUNKS = 25, MOST_POSTERIORS = 1024 };

/* What is asked for: milliseconds to the first gradient, and times Stan's rate. */
static const double start_median = 50, start_most = 1000, one_median = 1, many_median = 8,
                    many_least = 2;

typedef struct start { /* milliseconds */
  double read, trace, plan, run, all;
} start;

typedef struct result {
  char name[128];
  int32_t dim;
  int64_t numbers; /* of data */
  start first;
  double one, many; /* gradients per second with a point at a time, and with MANY */
  double stan;
} result;

static double milliseconds(void) {
  return 1e3 * (double)clock() / CLOCKS_PER_SEC;
}

/* ---- one posterior ---- */

typedef struct file {
  char *data;
  size_t length;
} file;

typedef struct posterior {
  sl_context *context;
  char folder[1100], program_path[1100], data_path[1100];
  double *points; /* [MANY][dim], those of logprob.json over and over */
  int32_t dim;
} posterior;

typedef struct runner {
  sl__program *program;
  sl__workspace *workspace;
  double *value, *gradient; /* [MANY], [MANY][dim] */
} runner;

static sl_status read_program(posterior *p, sl__stan_model **model) {
  file text = {0}, data = {0};
  sl__stan_program *tree = NULL;
  sl_status status = sl__os_read_file(p->context, p->program_path, &text.data, &text.length);
  if (status == SL_OK)
    status = sl__os_read_file(p->context, p->data_path, &data.data, &data.length);
  if (status == SL_OK)
    status = sl__stan_parse(p->context, p->program_path, text.data, text.length, &tree);
  if (status == SL_OK) status = sl__stan_check(p->context, tree);
  if (status == SL_OK) {
    status = sl__stan_model_new(p->context, tree, p->data_path, data.data, data.length, 1, model);
  } else if (tree) {
    sl__stan_program_free(p->context, tree);
  }
  sl__free(&p->context->allocator, text.data);
  sl__free(&p->context->allocator, data.data);
  return status;
}

static sl_status run(const posterior *p, const runner *r, int64_t rows) {
  const sl__feed feed = {.data = p->points, .type = SL_F64};
  const sl__sink sinks[2] = {{.data = r->value, .type = SL_F64},
                             {.data = r->gradient, .type = SL_F64}};
  const sl__run one = {.rows = rows, .feeds = &feed, .sinks = sinks};
  return sl__program_run(p->context, r->program, r->workspace, &one);
}

/* From the files to the first gradient. */
static sl_status begin(posterior *p, runner *r, start *s) {
  const double begin = milliseconds();
  sl__stan_model *model;
  sl__graph *g;
  SL__TRY(read_program(p, &model));
  const double read = milliseconds();
  sl_status status = sl__graph_new(p->context, &g);
  if (status != SL_OK) {
    sl__stan_model_free(p->context, model);
    return status;
  }
  const sl_node q = op_input(g, SL_F64, sl__shape1(p->dim));
  sl_node outputs[2] = {sl__stan_model_log_density(model, g, q, false, true), 0};
  const double traced = milliseconds();
  status = sl__gradient(g, outputs[0], 1, &q, &outputs[1]);
  if (status == SL_OK) status = sl__program_new(p->context, g, 2, outputs, &r->program);
  if (status == SL_OK) status = sl__workspace_new(p->context, r->program, MANY, &r->workspace);
  const double planned = milliseconds();
  if (status == SL_OK) status = run(p, r, 1);
  const double done = milliseconds();
  *s = (start){read - begin, traced - read, planned - traced, done - planned, done - begin};
  sl__graph_free(g);
  sl__stan_model_free(p->context, model);
  return status;
}

static void end(runner *r) {
  sl__workspace_free(r->workspace);
  sl__program_free(r->program);
  r->workspace = NULL;
  r->program = NULL;
}

/* Gradients per second: chunks of about two milliseconds or one run, the quickest of them. */
static sl_status measure_rate(const posterior *p, const runner *r, int64_t rows, double *rate) {
  double least = INFINITY, spent = 0;
  int64_t repeats = 1;
  for (int chunk = 0; chunk < MOST_CHUNKS && (chunk < 3 || spent < 300);) {
    const double from = milliseconds();
    for (int64_t k = 0; k < repeats; k++) SL__TRY(run(p, r, rows));
    const double taken = milliseconds() - from;
    spent += taken;
    if (taken < 2) { /* too short to be told */
      repeats *= 2;
      continue;
    }
    least = fmin(least, taken / (double)repeats);
    chunk++;
  }
  *rate = 1e3 * (double)rows / least;
  return SL_OK;
}

static sl_status measure(posterior *p, result *out) {
  runner r = {.value = calloc(MANY, sizeof(double)),
              .gradient = calloc((size_t)MANY * (size_t)p->dim + 1, sizeof(double))};
  if (!r.value || !r.gradient) return sl__fail(p->context, SL_NO_MEMORY, "no memory");
  sl_status status = SL_OK;
  double spent = 0;
  for (int k = 0; k < MOST_STARTS && status == SL_OK && spent < 2000; k++) {
    start s;
    end(&r);
    status = begin(p, &r, &s);
    spent += s.all;
    if (k == 0 || s.all < out->first.all) out->first = s;
  }
  if (status == SL_OK) status = measure_rate(p, &r, 1, &out->one);
  if (status == SL_OK) status = measure_rate(p, &r, MANY, &out->many);
  end(&r);
  free(r.value);
  free(r.gradient);
  return status;
}

/* ---- the folder ---- */

static int64_t count_numbers(const sl__json_value *v) {
  if (v->kind == SL__JSON_NUMBER) return 1;
  int64_t count = 0;
  for (const sl__json_value *c = v->child; c; c = c->next) count += count_numbers(c);
  return count;
}

static sl_status read_json(sl_context *context, sl__arena *arena, const char *path,
                           sl__json_value **out) {
  file f = {0};
  SL__TRY(sl__os_read_file(context, path, &f.data, &f.length));
  char *kept = sl__arena_text(arena, f.data, f.length);
  sl__free(&context->allocator, f.data);
  return kept ? sl__json_parse(context, arena, kept, f.length, out) : SL_NO_MEMORY;
}

static sl_status read_points(posterior *p, const sl__json_value *points) {
  const sl__json_value *at = points->child;
  if (!at) return sl__fail(p->context, SL_BAD_ARGUMENT, "no points");
  p->dim = (int32_t)sl__json_member(at, "unconstrained")->count;
  p->points = calloc((size_t)MANY * (size_t)p->dim + 1, sizeof *p->points);
  if (!p->points) return SL_NO_MEMORY;
  double *to = p->points;
  for (int k = 0; k < MANY; k++, at = at->next ? at->next : points->child) {
    const sl__json_value *q = sl__json_member(at, "unconstrained")->child;
    for (; q; q = q->next) *to++ = q->number;
  }
  return SL_OK;
}

static sl_status measure_folder(posterior *p, sl__arena *arena, const char *programs, result *out) {
  sl__json_value *info, *expected, *data;
  char path[1200];
  snprintf(path, sizeof path, "%.1000s/info.json", p->folder);
  SL__TRY(read_json(p->context, arena, path, &info));
  snprintf(path, sizeof path, "%.1000s/logprob.json", p->folder);
  SL__TRY(read_json(p->context, arena, path, &expected));
  snprintf(p->program_path, sizeof p->program_path, "%.800s/%.200s.stan", programs,
           sl__json_member(info, "model")->text);
  snprintf(p->data_path, sizeof p->data_path, "%.800s/%.200s", p->folder,
           sl__json_member(info, "data_file")->text);
  SL__TRY(read_json(p->context, arena, p->data_path, &data));
  const sl__json_value *stan = sl__json_member(expected, "stan_grad_eval_s_min");
  if (!stan) stan = sl__json_member(sl__json_member(expected, "timing"), "stan_grad_eval_s_min");
  out->stan = 1 / stan->number;
  out->numbers = count_numbers(data);
  SL__TRY(read_points(p, sl__json_member(expected, "points")));
  out->dim = p->dim;
  return measure(p, out);
}

static int by_name(const struct dirent **a, const struct dirent **b) {
  return strcmp((*a)->d_name, (*b)->d_name);
}

static bool is_wanted(const char *name, int count, char **wanted) {
  for (int k = 0; k < count; k++) {
    if (strstr(name, wanted[k])) return true;
  }
  return count == 0 && strchr(name, '-') && name[0] != '.';
}

static int walk(sl_context *context, const char *root, const char *programs, int count,
                char **wanted, result *results) {
  struct dirent **entries;
  const int found = scandir(root, &entries, NULL, by_name);
  int measured = 0;
  for (int i = 0; i < found; i++) {
    result *out = &results[measured];
    if (measured < MOST_POSTERIORS && is_wanted(entries[i]->d_name, count, wanted)) {
      posterior p = {.context = context};
      sl__arena arena;
      sl__arena_open(&arena, context);
      *out = (result){.dim = 0};
      snprintf(out->name, sizeof out->name, "%.120s", entries[i]->d_name);
      snprintf(p.folder, sizeof p.folder, "%.500s/%.500s", root, entries[i]->d_name);
      if (measure_folder(&p, &arena, programs, out) == SL_OK)
        measured++;
      else
        fprintf(stderr, "%s: left out: %s\n", out->name, sl_error(context));
      free(p.points);
      sl__arena_close(&arena);
    }
    free(entries[i]);
  }
  if (found >= 0) free(entries);
  return measured;
}

/* ---- the table ---- */

static double first_of(const result *r) {
  return r->first.all;
}
static double one_of(const result *r) {
  return r->one / r->stan;
}
static double many_of(const result *r) {
  return r->many / r->stan;
}

static int ascending(const void *a, const void *b) {
  const double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

typedef struct spread {
  double least, median, most;
} spread;

static spread spread_of(const result *results, int count, double (*of)(const result *)) {
  static double sorted[MOST_POSTERIORS];
  for (int i = 0; i < count; i++) sorted[i] = of(&results[i]);
  qsort(sorted, (size_t)count, sizeof *sorted, ascending);
  return (spread){sorted[0], (sorted[count / 2] + sorted[(count - 1) / 2]) / 2, sorted[count - 1]};
}

static int count_below(const result *results, int count, double (*of)(const result *),
                       double goal) {
  int below = 0;
  for (int i = 0; i < count; i++) below += of(&results[i]) < goal;
  return below;
}

static void print_summary(const result *results, int count) {
  const spread first = spread_of(results, count, first_of), one = spread_of(results, count, one_of),
               many = spread_of(results, count, many_of);
  printf("%d posteriors, one thread, processor time:\n\n", count);
  printf("| | least | median | most | asked | short of it |\n|---|---|---|---|---|---|\n");
  printf("| ms to the first gradient | %.2f | %.2f | %.0f | median %.0f, most %.0f | %d above %.0f "
         "|\n",
         first.least, first.median, first.most, start_median, start_most,
         count - count_below(results, count, first_of, start_most), start_most);
  printf("| times Stan, 1 point | %.2f | %.2f | %.1f | median %.0f | %d below %.0f |\n", one.least,
         one.median, one.most, one_median, count_below(results, count, one_of, one_median),
         one_median);
  printf("| times Stan, %d points | %.2f | %.2f | %.1f | median %.0f, least %.0f | %d below %.0f "
         "|\n\n",
         MANY, many.least, many.median, many.most, many_median, many_least,
         count_below(results, count, many_of, many_least), many_least);
}

static int by_ratio(const void *a, const void *b) {
  const double x = many_of(a), y = many_of(b);
  return (x > y) - (x < y);
}

static void print_rows(const result *results, int count) {
  printf(
      "| posterior | parameters | data numbers | ms to the first gradient | read | trace | plan "
      "| first run | 1 point: gradients/s | times Stan | %d points: gradients/s | times Stan |\n",
      MANY);
  printf("|---|---|---|---|---|---|---|---|---|---|---|---|\n");
  for (int i = 0; i < count; i++) {
    const result *r = &results[i];
    printf("| %s | %d | %lld | %.2f | %.2f | %.2f | %.2f | %.3f | %.4g | %.2f | %.4g | %.2f |\n",
           r->name, r->dim, (long long)r->numbers, r->first.all, r->first.read, r->first.trace,
           r->first.plan, r->first.run, r->one, one_of(r), r->many, many_of(r));
  }
}

int main(int argc, char **argv) {
  static result results[MOST_POSTERIORS + 1];
  if (argc < 3) {
    fprintf(stderr, "usage: bench_stan POSTERIORS PROGRAMS [NAME...]\n");
    return 2;
  }
  sl_context *context;
  const sl_context_options options = {.size = sizeof options, .threads = 1};
  if (sl_context_new(&options, &context) != SL_OK) return 1;
  const int count = walk(context, argv[1], argv[2], argc - 3, argv + 3, results);
  if (count > 0) {
    print_summary(results, count);
    qsort(results, (size_t)count, sizeof *results, by_ratio);
    print_rows(results, count);
  }
  sl_context_free(context);
  return count > 0 ? 0 : 1;
}
