/* Fits in robust mode with many seeds, as the benchmarks of variational inference make them: their
 * options and one fit. */
#ifndef SL_BENCH_ROBUST_RUNS_H
#define SL_BENCH_ROBUST_RUNS_H
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/context.h"
#include "infer/robust/robust.h"
#include "target/target.h"

enum { MOST_SEEDS = 100 };

typedef struct settings {
  int first, seeds; /* seeds first .. first + seeds - 1 */
  int threads;
  double seconds;    /* that a fit may take; 0: any */
  int64_t gradients; /* alike */
  int names;
  char **name;
} settings;

/* From argv[at] on: [--seeds N] [--first SEED] [--threads N] [--seconds S] [--gradients N]
 * [NAME...] */
static void read_settings(int at, int argc, char **argv, settings *s) {
  *s = (settings){.seeds = 1};
  for (; at + 1 < argc && strncmp(argv[at], "--", 2) == 0; at += 2) {
    const double value = strtod(argv[at + 1], NULL);
    if (strcmp(argv[at], "--seconds") == 0)
      s->seconds = value;
    else if (strcmp(argv[at], "--gradients") == 0)
      s->gradients = (int64_t)value;
    else if (strcmp(argv[at], "--threads") == 0)
      s->threads = (int)value;
    else if (strcmp(argv[at], "--first") == 0)
      s->first = (int)value;
    else
      s->seeds = value < MOST_SEEDS ? (int)value : MOST_SEEDS;
  }
  s->names = argc - at;
  s->name = argv + at;
}

static bool is_wanted(const char *name, const settings *s) {
  for (int k = 0; k < s->names; k++)
    if (strstr(name, s->name[k])) return true;
  return s->names == 0;
}

static sl_status new_context(const settings *s, sl_context **context) {
  const sl_context_options options = {.size = sizeof options, .threads = s->threads};
  return sl_context_new(&options, context);
}

/* Why a fit is not certified goes to standard error. */
static sl_status fit_robustly(sl_context *context, const sl__target *target, const settings *s,
                              int seed, const char *name, struct sl__model **model,
                              sl__robust_report *report) {
  sl__robust_options options;
  sl__robust_defaults(&options);
  options.seed = (uint64_t)seed;
  options.max_seconds = s->seconds;
  options.most_gradients = s->gradients;
  SL__TRY(sl__robust_fit(context, target, &options, model, report));
  if (!report->certified) fprintf(stderr, "%s, seed %d: %s\n", name, seed, report->verdict);
  return SL_OK;
}
#endif
