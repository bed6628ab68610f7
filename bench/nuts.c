/* The no-U-turn sampler on posteriors with reference draws: are the means right, and what did it
 * cost?
 *
 *   bench_nuts POSTERIORS PROGRAMS [--metric NAME] [--adapt-delta D] [--seed N] [--against FILE]
 *              [NAME...]
 *
 * POSTERIORS has a folder for each posterior with info.json, its data and reference.json (means of
 * draws that are taken for exact, with the Monte Carlo errors of the means); PROGRAMS has NAME.stan.
 * Without names all posteriors with a reference are sampled: 4 chains, 1,000 draws each after 1,000
 * of warm-up, Stan's defaults, one thread. Prints Markdown: a row for each posterior, then how many
 * are as they should be. Times are those of the processor. ESS is that of the worst parameter, in
 * the bulk; per gradient counts the gradients after the warm-up, as Stan's reports do, "all" those
 * of the warm-up too. FILE is what nuts_stan.py printed: a second table compares with it. */
#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "base/os.h"
#include "infer/chain/sampler.h"
#include "infer/diagnose/diagnose.h"
#include "posterior_files.h"

enum { CHAINS = 4, DRAWS = 1000, MOST_POSTERIORS = 1024 };

/* What is asked for. */
static const double most_rhat = 1.01, most_error = 4;

static const char *const metrics[] = {"unit_e", "diag_e", "dense_e", "fisher_diag",
                                      "fisher_low_rank"};

typedef struct result {
  char name[128];
  int32_t dim;
  int64_t gradients, leapfrogs, divergences, depth_hits;
  double rhat, error, ess, seconds;
  double all_seconds; /* from the files' text to the last draw */
} result;

typedef struct kept { /* draws as they come */
  int32_t dim;
  double *q; /* [CHAINS][DRAWS][dim] */
  int64_t leapfrogs;
} kept;

static sl_status keep(void *user, const sl__sampler_draw *draw) {
  kept *k = user;
  double *to = k->q + ((size_t)draw->chain * DRAWS + (size_t)draw->iteration) * (size_t)k->dim;
  memcpy(to, draw->q, (size_t)k->dim * sizeof *to);
  k->leapfrogs += draw->leapfrogs;
  return SL_OK;
}

/* ---- how right the draws are ---- */

/* Quantities that the reference has, on their own scale: worst R-hat, ESS, and error of a mean. */
static sl_status judge(files *f, const sl__target *target, const double *q, result *out) {
  const sl__json_value *name = sl__json_member(f->reference, "posteriordb_names")->child;
  const sl__target_part last = last_part(target, name);
  const int32_t width = sl__target_width(target, last);
  const size_t rows = (size_t)CHAINS * DRAWS;
  double *values = sl__arena_take(&f->arena, rows, (size_t)width * sizeof *values);
  sl__summary_row *summary = sl__arena_take(&f->arena, (size_t)width, sizeof *summary);
  if (!values || !summary) return SL_NO_MEMORY;
  SL__TRY(sl__target_write(f->context, target, last, (int64_t)rows, q, 1, 0, values));
  const sl__series first = {CHAINS, DRAWS, values, (int64_t)DRAWS * width, width};
  SL__TRY(sl__summarise(f->context, &first, width, 1, summary));
  const sl__json_value *mean = sl__json_member(f->reference, "posteriordb_mean")->child;
  const sl__json_value *mcse = sl__json_member(f->reference, "posteriordb_mcse_mean")->child;
  out->ess = INFINITY;
  for (; name && mean && mcse; name = name->next, mean = mean->next, mcse = mcse->next) {
    const int32_t column = find_column(target, name->text);
    if (column < 0)
      return sl__fail(f->context, SL_FORMAT, "the reference has %.60s, the model has not",
                      name->text);
    if (summary[column].constant) continue;
    const sl__summary_row *row = &summary[column];
    const double error = fabs(row->mean - mean->number) / hypot(row->mcse_mean, mcse->number);
    out->error = isnan(error) ? error : fmax(out->error, error);
    out->rhat = isnan(row->rhat) ? INFINITY : fmax(out->rhat, row->rhat);
    out->ess = fmin(out->ess, row->ess_bulk);
  }
  return SL_OK;
}

static sl_status sample(files *f, const sl__sampler_options *options, result *out) {
  sl__target *target;
  const clock_t start = clock();
  SL__TRY(sl__target_stan(f->context, out->name, f->program, f->program_length, "data", f->data,
                          f->data_length, 1, &target));
  kept k = {.dim = target->dim,
            .q = calloc((size_t)CHAINS * DRAWS, (size_t)target->dim * sizeof(double))};
  const sl__sampler_listener listener = {.draw = keep, .user = &k};
  sl__sampler_report report = {0};
  sl_status status = k.q ? SL_OK : SL_NO_MEMORY;
  const clock_t begin = clock();
  if (status == SL_OK)
    status = sl__sampler_run(f->context, target, options, NULL, &listener, &report);
  out->seconds = (double)(clock() - begin) / CLOCKS_PER_SEC;
  out->all_seconds = (double)(clock() - start) / CLOCKS_PER_SEC;
  if (status == SL_OK) status = judge(f, target, k.q, out);
  out->dim = target->dim;
  out->gradients = report.gradients;
  out->leapfrogs = k.leapfrogs;
  out->divergences = report.divergences;
  out->depth_hits = report.depth_hits;
  free(k.q);
  sl__target_free(target);
  return status;
}

/* ---- the table ---- */

static bool is_good(const result *r) {
  return isfinite(r->ess) && r->rhat < most_rhat && r->error < most_error;
}

static void print_row(const result *r) {
  printf("| %s | %d | %lld | %lld | %lld | %lld | %.3f | %.1f | %.0f | %.5f | %.5f | %.0f |%s\n",
         r->name, r->dim, (long long)r->gradients, (long long)r->leapfrogs,
         (long long)r->divergences, (long long)r->depth_hits, r->rhat, r->error, r->ess,
         r->ess / (double)r->leapfrogs, r->ess / (double)r->gradients, r->ess / r->seconds,
         is_good(r) ? "" : " *");
  fflush(stdout);
}

static int ascending(const void *a, const void *b) {
  const double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static void print_summary(const result *results, int count) {
  static double per_gradient[MOST_POSTERIORS];
  int good = 0;
  for (int i = 0; i < count; i++) {
    good += is_good(&results[i]);
    per_gradient[i] = results[i].ess / (double)results[i].leapfrogs;
  }
  if (count == 0) return;
  qsort(per_gradient, (size_t)count, sizeof *per_gradient, ascending);
  printf(
      "\n%d of %d (%.0f %%) have R-hat below %.2f and all means within %.0f errors; those that do "
      "not are marked with a star. Median ESS per gradient %.4f.\n",
      good, count, 100.0 * good / count, most_rhat, most_error, per_gradient[count / 2]);
}

/* ---- beside Stan ---- */

static const result *find_result(const char *name, const result *results, int count) {
  for (int i = 0; i < count; i++)
    if (strcmp(results[i].name, name) == 0) return &results[i];
  return NULL;
}

/* A line of nuts_stan.py. */
typedef struct peer {
  char name[128];
  double gradients, all, divergences, rhat, ess, sampling, compiling; /* seconds, the last two */
} peer;

static bool read_peer(const char *line, peer *p) {
  return sscanf(line, "%127s %lf %lf %lf %lf %lf %lf %lf", p->name, &p->gradients, &p->all,
                &p->divergences, &p->rhat, &p->ess, &p->sampling, &p->compiling) == 8;
}

static void print_beside(const result *own, const peer *p) {
  const double here = own->ess / (double)own->leapfrogs, there = p->ess / p->gradients;
  printf("| %s | %lld | %.0f | %.5f | %.5f | %.2f | %.0f | %.0f | %.2f | %.2f | %.1f | %.2f | %lld "
         "| %.0f | %.3f | %.3f |\n",
         own->name, (long long)own->leapfrogs, p->gradients, here, there, here / there,
         own->ess / own->seconds, p->ess / p->sampling,
         own->ess / own->seconds * p->sampling / p->ess, p->sampling, p->compiling,
         own->all_seconds, (long long)own->divergences, p->divergences, own->rhat, p->rhat);
}

static double median(double *values, int count) {
  qsort(values, (size_t)count, sizeof *values, ascending);
  return values[count / 2];
}

static bool print_against(const char *path, const result *results, int count) {
  static double by_gradient[MOST_POSTERIORS], by_second[MOST_POSTERIORS],
      with_start[MOST_POSTERIORS];
  char line[512];
  peer p;
  int found = 0;
  FILE *file = fopen(path, "r");
  if (!file) {
    fprintf(stderr, "%s cannot be read\n", path);
    return false;
  }
  printf(
      "\n| posterior | gradients | Stan's | ESS / gradient | Stan's | ratio | ESS / s | Stan's | "
      "ratio | Stan: s to sample | s to compile | sluice: s | divergences | Stan's | R-hat | "
      "Stan's |\n|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|\n");
  while (found < MOST_POSTERIORS && fgets(line, sizeof line, file)) {
    const result *own = read_peer(line, &p) ? find_result(p.name, results, count) : NULL;
    if (!own) continue;
    print_beside(own, &p);
    by_gradient[found] = own->ess / (double)own->leapfrogs * p.gradients / p.ess;
    by_second[found] = own->ess / own->seconds * p.sampling / p.ess;
    with_start[found++] = (p.sampling + p.compiling) / own->all_seconds;
  }
  fclose(file);
  if (found > 0)
    printf(
        "\nMedian ratios of %d: ESS per gradient %.2f, ESS per second %.2f; from the files to the "
        "draws Stan takes %.0f times as long.\n",
        found, median(by_gradient, found), median(by_second, found), median(with_start, found));
  return true;
}

/* ---- all of them ---- */

static bool is_wanted(const char *name, int count, char **wanted) {
  for (int k = 0; k < count; k++)
    if (strstr(name, wanted[k])) return true;
  return count == 0;
}

static bool do_one(const sl__sampler_options *options, const char *root, const char *programs,
                   const char *name, result *out) {
  files f = {0};
  sl_context_options one_thread = {.size = sizeof one_thread, .threads = 1};
  *out = (result){.dim = 0};
  snprintf(out->name, sizeof out->name, "%.120s", name);
  snprintf(f.folder, sizeof f.folder, "%.500s/%.500s", root, name);
  char path[1200];
  snprintf(path, sizeof path, "%s/reference.json", f.folder);
  FILE *reference = fopen(path, "rb");
  if (!reference) return false;
  fclose(reference);
  if (sl_context_new(&one_thread, &f.context) != SL_OK) return false;
  sl__arena_open(&f.arena, f.context);
  sl_status status = read_files(&f, programs);
  if (status == SL_OK) status = sample(&f, options, out);
  if (status == SL_OK)
    print_row(out);
  else
    fprintf(stderr, "%s: left out: %s\n", name, sl_error(f.context));
  sl__arena_close(&f.arena);
  sl_context_free(f.context);
  return status == SL_OK;
}

static int by_name(const struct dirent **a, const struct dirent **b) {
  return strcmp((*a)->d_name, (*b)->d_name);
}

static sl__metric_kind find_metric(const char *name) {
  for (size_t i = 0; i < sizeof metrics / sizeof *metrics; i++)
    if (strcmp(metrics[i], name) == 0) return (sl__metric_kind)i;
  fprintf(stderr, "no metric is named %s\n", name);
  exit(2);
}

int main(int argc, char **argv) {
  static result results[MOST_POSTERIORS];
  if (argc < 3) {
    fprintf(stderr, "bench_nuts POSTERIORS PROGRAMS [--metric NAME] [--adapt-delta D] [--seed N] "
                    "[--against FILE] [NAME...]\n");
    return 2;
  }
  sl__sampler_options options;
  sl__sampler_defaults(&options);
  sl__sampler_take_pains(&options);
  options.chains = CHAINS;
  options.draws = DRAWS;
  options.seed = 1;
  const char *against = NULL;
  int at = 3;
  for (; at + 1 < argc && strncmp(argv[at], "--", 2) == 0; at += 2) {
    if (strcmp(argv[at], "--metric") == 0)
      options.metric = find_metric(argv[at + 1]);
    else if (strcmp(argv[at], "--adapt-delta") == 0)
      options.adapt_delta = options.careful_delta = options.strict_delta =
          strtod(argv[at + 1], NULL);
    else if (strcmp(argv[at], "--against") == 0)
      against = argv[at + 1];
    else
      options.seed = strtoull(argv[at + 1], NULL, 10);
  }
  printf("metric %s, seed %llu\n\n", metrics[options.metric], (unsigned long long)options.seed);
  printf("| posterior | dimensions | gradients | after warm-up | divergences | depth hits | worst "
         "R-hat | worst error / MCSE | least ESS | ESS / gradient | ESS / all | ESS / s |\n"
         "|---|---|---|---|---|---|---|---|---|---|---|---|\n");
  struct dirent **entries;
  const int found = scandir(argv[1], &entries, NULL, by_name);
  int count = 0;
  for (int i = 0; i < found; i++) {
    if (count < MOST_POSTERIORS && is_wanted(entries[i]->d_name, argc - at, argv + at) &&
        do_one(&options, argv[1], argv[2], entries[i]->d_name, &results[count]))
      count++;
    free(entries[i]);
  }
  if (found >= 0) free(entries);
  print_summary(results, count);
  return against && !print_against(against, results, count) ? 1 : 0;
}
