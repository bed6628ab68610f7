/* Does robust mode certify fits from which a mode is missing?
 *
 *   bench_hidden_modes FOLDER [--seeds N] [--first SEED] [--threads N] [--seconds S] [--gradients N]
 *                      [NAME...]
 *
 * FOLDER (bench/models/hidden_modes) has Stan programs, each a mixture of normalised densities:
 * log Z is 0, and a mode's share is its weight. Most were certified once with a mode missing, since
 * nothing that looked for modes came to it. Of a draw, `mode` has the probability to be of each
 * mode; its mean over the flow's draws is held against `share`, which is exact.
 *
 * Prints Markdown: a row for each fit as soon as it is done, then how many were certified wrongly
 * (these are marked with a star) and how many at all; exit code 1 if any was wrongly. Why a fit is
 * refused goes to standard error. */
#include <dirent.h>
#include <math.h>
#include "base/os.h"
#include "base/text.h"
#include "flow/model.h"
#include "robust_runs.h"

enum { DRAWS = 20000 };

/* Wrong: log Z is off by more nats, or the share of a mode by more than this part of it. */
static const double most_off = 0.05, most_share_off = 0.5;

typedef struct result {
  int32_t dim;
  sl__robust_report report;
  double share, part; /* worst error of a mode's share; as a part of the exact one */
} result;

typedef struct summary {
  int fits, certified, wrong;
} summary;

static int32_t find_quantity(const sl__target *target, const char *name) {
  int32_t column = sl__target_width(target, SL__TARGET_TRANSFORMED);
  const int32_t count = sl__target_count(target, SL__TARGET_GENERATED);
  for (int32_t i = 0; i < count; i++)
    if (strcmp(sl__target_name(target, SL__TARGET_GENERATED, i), name) == 0) return column + i;
  return -1;
}

static sl_status compare_shares(sl_context *context, const sl__target *target,
                                const sl__model *model, sl__arena *arena, result *out) {
  const int32_t width = sl__target_width(target, SL__TARGET_GENERATED);
  const int32_t mode = find_quantity(target, "mode.1"), share = find_quantity(target, "share.1");
  double *x = sl__arena_take(arena, (size_t)DRAWS * (size_t)target->dim, sizeof *x);
  double *values = sl__arena_take(arena, (size_t)DRAWS * (size_t)width, sizeof *values);
  sl__vi_scores scores;
  if (!x || !values) return SL_NO_MEMORY;
  if (share <= mode || mode < 0)
    return sl__fail(context, SL_BAD_ARGUMENT,
                    "the program has no `mode` before `share` in its generated quantities");
  SL__TRY(
      sl__vi_evaluate(context, model->flow, model->vector, target, DRAWS, 77, x, NULL, &scores));
  SL__TRY(sl__target_write(context, target, SL__TARGET_GENERATED, DRAWS, x, 1, 0, values));
  for (int32_t k = 0; k < share - mode; k++) {
    double mean = 0;
    for (int64_t r = 0; r < DRAWS; r++) mean += values[r * width + mode + k] / DRAWS;
    const double exact = values[share + k], off = fabs(mean - exact);
    out->share = fmax(out->share, off);
    out->part = fmax(out->part, off / exact);
  }
  return SL_OK;
}

static sl_status fit_program(sl_context *context, const settings *s, const char *path,
                             const char *name, int seed, result *out) {
  char *program;
  size_t length;
  sl__target *target;
  sl__model *model = NULL;
  sl__arena arena;
  SL__TRY(sl__os_read_file(context, path, &program, &length));
  sl_status status = sl__target_stan(context, name, program, length, NULL, NULL, 0, 1, &target);
  sl__free(&context->allocator, program);
  if (status != SL_OK) return status;
  *out = (result){.dim = target->dim};
  status = fit_robustly(context, target, s, seed, name, &model, &out->report);
  sl__arena_open(&arena, context);
  if (status == SL_OK) status = compare_shares(context, target, model, &arena, out);
  sl__arena_close(&arena);
  sl__model_free(context, model);
  sl__target_free(target);
  return status;
}

static void print_fit(const char *name, int seed, const result *r, bool wrong) {
  const sl__robust_report *p = &r->report;
  printf("| %s | %d | %d | %s | %.4f | %.4f | %.1f |%s\n", name, (int)r->dim, seed,
         p->certified ? "certified" : "refused", fabs(p->scores.log_evidence), r->share, p->seconds,
         wrong ? " *" : "");
  fflush(stdout);
}

static void do_program(const settings *s, const char *folder, const char *file, int seed,
                       summary *all) {
  char path[1200], name[256];
  sl_context *context;
  result r;
  snprintf(path, sizeof path, "%.800s/%.255s", folder, file);
  snprintf(name, sizeof name, "%.*s", (int)(strlen(file) - strlen(".stan")), file);
  if (new_context(s, &context) != SL_OK) return;
  all->fits++;
  if (fit_program(context, s, path, name, seed, &r) == SL_OK) {
    const bool right = fabs(r.report.scores.log_evidence) <= most_off && r.part <= most_share_off;
    const bool wrong = r.report.certified && !right;
    all->certified += r.report.certified;
    all->wrong += wrong;
    print_fit(name, seed, &r, wrong);
  } else {
    fprintf(stderr, "%s, seed %d: no fit: %s\n", name, seed, sl_error(context));
  }
  sl_context_free(context);
}

static int is_program(const struct dirent *entry) {
  const size_t length = strlen(entry->d_name), end = strlen(".stan");
  return length > end && strcmp(entry->d_name + length - end, ".stan") == 0;
}

int main(int argc, char **argv) {
  settings s;
  summary all = {0};
  struct dirent **entries;
  const int found = argc > 1 ? scandir(argv[1], &entries, is_program, alphasort) : 0;
  if (found <= 0) {
    fprintf(stderr, "bench_hidden_modes FOLDER [--seeds N] [--first SEED] [--threads N]\n"
                    "                   [--seconds S] [--gradients N] [NAME...]\n"
                    "FOLDER has Stan programs: bench/models/hidden_modes\n");
    return 2;
  }
  read_settings(2, argc, argv, &s);
  printf("| density | dimensions | seed | verdict | error of log Z | worst error of a share | s |\n"
         "|---|---|---|---|---|---|---|\n");
  for (int i = 0; i < found; i++) {
    for (int k = 0; k < s.seeds && is_wanted(entries[i]->d_name, &s); k++)
      do_program(&s, argv[1], entries[i]->d_name, s.first + k, &all);
    free(entries[i]);
  }
  free(entries);
  printf(
      "\nCertified wrongly: %d (log Z off by more than %.2f, or the share of a mode by more than "
      "half of it). Certified: %d of %d.\n",
      all.wrong, most_off, all.certified, all.fits);
  return all.wrong > 0;
}
