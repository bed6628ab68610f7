/* How good is variational inference in robust mode, and is it right about itself?
 *
 *   bench_vi_quality targets [--seeds N] [--first SEED] [--threads N] [--seconds S] [--gradients N]
 *                    [NAME...]
 *   bench_vi_quality posteriors FOLDER PROGRAMS [the same options] [NAME...]
 *
 * targets: the standard targets whose log evidence is known; KL is that less the ELBO, in nats.
 * The error of a margin is the largest difference of its distribution function from that of exact
 * draws, at twentieths of these; the worst coordinate counts. It has noise of about 0.005.
 * posteriors: FOLDER has a folder for each posterior with info.json, its data and reference.json
 * (means and sds of draws that are taken for exact); PROGRAMS has NAME.stan. Means and sds of
 * DRAWS draws from the flow, and of as many resampled by smoothed weights, are held against the
 * reference's; the worst quantity counts. NAME: only those whose names contain it.
 *
 * Prints Markdown: a row for each target as soon as it is done, then the summary. A fit that is
 * certified and wrong all the same is marked with a star; why a fit is not certified goes to
 * standard error. s is the time by the clock of the whole fit, processor s
 * that of all its threads together, which says more on a busy machine. */
#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "base/os.h"
#include "flow/model.h"
#include "infer/diagnose/diagnose.h"
#include "target/standard.h"
#include "margin_error.h"
#include "posterior_files.h"
#include "robust_runs.h"

enum { DRAWS = 20000 };

/* A certified fit is wrong beyond these: nats; of a mean in sd; of an sd as a ratio. */
static const double most_kl = 0.05, most_off = 0.15, most_ratio = 1.15;

typedef struct moments {
  double off, ratio; /* worst: |difference of means| in sd; ratio of sds, the larger on top */
} moments;

typedef struct result {
  int32_t dim;
  double processor; /* seconds */
  sl__robust_report report;
  moments drawn, resampled;
  double margin; /* the worst margin's error; NaN: no exact draws */
} result;

typedef struct summary {
  int fits, certified, wrong;
  moments drawn, resampled; /* worst of the certified ones */
} summary;

static int ascending(const void *a, const void *b) {
  const double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

/* Sorts. */
static double median(int n, double *x) {
  qsort(x, (size_t)n, sizeof *x, ascending);
  return n % 2 ? x[n / 2] : 0.5 * (x[n / 2 - 1] + x[n / 2]);
}

static double worse(double a, double b) {
  return isnan(a) || isnan(b) ? (double)NAN : fmax(a, b);
}

static sl_status fit(sl_context *context, const sl__target *target, const settings *s, int seed,
                     const char *name, sl__model **model, result *out) {
  *out = (result){.dim = target->dim};
  const clock_t start = clock();
  SL__TRY(fit_robustly(context, target, s, seed, name, model, &out->report));
  out->processor = (double)(clock() - start) / CLOCKS_PER_SEC;
  return SL_OK;
}

/* ---- targets ---- */

static sl_status fit_target(const settings *s, const sl__standard_target *what, int seed,
                            const double *cuts, result *out) {
  const char *name = what->name;
  sl_context *context;
  sl__target *target;
  sl__model *model = NULL;
  SL__TRY(new_context(s, &context));
  sl_status status = sl__target_standard(context, name, &target);
  if (status == SL_OK) {
    status = fit(context, target, s, seed, name, &model, out);
    if (status == SL_OK) status = measure_margins(context, target, model, cuts, &out->margin);
    sl__model_free(context, model);
    sl__target_free(target);
  }
  if (status != SL_OK) fprintf(stderr, "%s, seed %d: no fit: %s\n", name, seed, sl_error(context));
  sl_context_free(context);
  return status;
}

typedef struct fits {
  int count, certified, wrong;
  double largest_certified;
  double kl[MOST_SEEDS], khat[MOST_SEEDS], ess[MOST_SEEDS], seconds[MOST_SEEDS];
  double margin; /* the worst of all */
} fits;

static void print_fits(const sl__standard_target *what, int seeds, fits *f) {
  printf("| %s | %d | %d | %d | ", what->name, (int)what->dim, seeds, f->certified);
  if (f->count == 0) {
    printf("- | - | - | - | - | - | - | - | - |\n");
    return;
  }
  printf("%.4f | ", median(f->count, f->kl));
  printf("%.4f | ", f->kl[f->count - 1]);
  if (f->certified > 0)
    printf("%.4f | ", f->largest_certified);
  else
    printf("- | ");
  printf("%.2f | %.3f | ", median(f->count, f->khat), median(f->count, f->ess));
  printf("%.3f | ", f->ess[0]);
  if (isfinite(f->margin))
    printf("%.3f | ", f->margin);
  else
    printf("- | ");
  printf("%.1f | ", median(f->count, f->seconds));
  printf("%.1f |%s\n", f->seconds[f->count - 1], f->wrong > 0 ? " *" : "");
  fflush(stdout);
}

static void do_target(const settings *s, const sl__standard_target *what, summary *all) {
  fits f = {.largest_certified = -INFINITY};
  double *cuts = exact_cuts(what);
  for (int seed = s->first; seed < s->first + s->seeds; seed++) {
    result r;
    if (fit_target(s, what, seed, cuts, &r) != SL_OK) continue;
    const sl__vi_scores *scores = &r.report.scores;
    const double kl = what->log_evidence - scores->elbo;
    f.margin = worse(f.margin, r.margin);
    f.kl[f.count] = kl;
    f.khat[f.count] = scores->khat;
    f.ess[f.count] = scores->ess / (double)scores->rows;
    f.seconds[f.count++] = r.report.seconds;
    if (!r.report.certified) continue;
    f.certified++;
    f.largest_certified = fmax(f.largest_certified, kl);
    f.wrong += !(kl <= most_kl);
  }
  all->fits += s->seeds;
  all->certified += f.certified;
  all->wrong += f.wrong;
  print_fits(what, s->seeds, &f);
  free(cuts);
}

static void do_targets(const settings *s) {
  int count;
  const sl__standard_target *const *targets = sl__standard_targets(&count);
  summary all = {0};
  printf(
      "| target | dimensions | seeds | certified | median KL | largest KL | largest certified KL | "
      "median k-hat | median ESS | least ESS | worst margin | median s | largest s |\n"
      "|---|---|---|---|---|---|---|---|---|---|---|---|---|\n");
  for (int i = 0; i < count; i++)
    if (isfinite(targets[i]->log_evidence) && is_wanted(targets[i]->name, s))
      do_target(s, targets[i], &all);
  printf(
      "\n%d of %d fits are certified, %d of these are more than %.2f nats from the log evidence, "
      "in however many dimensions.\n",
      all.certified, all.fits, all.wrong, most_kl);
}

/* ---- posteriors ---- */

/* A reference's next quantity: name is NULL after the last, or if there are none. Where its draws
 * were not to be had there are published means alone, and means of squares in place of sds. */
typedef struct quantity {
  const sl__json_value *name, *mean, *sd, *square;
} quantity;

static const sl__json_value *first_of(const files *f, const char *name) {
  const sl__json_value *list = sl__json_member(f->reference, name);
  return list ? list->child : NULL;
}

static quantity first_quantity(const files *f) {
  if (first_of(f, "names"))
    return (quantity){first_of(f, "names"), first_of(f, "mean"), first_of(f, "sd"), NULL};
  return (quantity){first_of(f, "posteriordb_names"), first_of(f, "posteriordb_mean"), NULL,
                    first_of(f, "posteriordb_mean_squared")};
}

static bool is_there(const quantity *q) {
  return q->name && q->mean && (q->sd || q->square);
}

static double sd_of(const quantity *q) {
  const double mean = q->mean->number;
  return q->sd ? q->sd->number : sqrt(q->square->number - mean * mean);
}

static void go_on(quantity *q) {
  q->name = q->name->next;
  q->mean = q->mean->next;
  if (q->sd) q->sd = q->sd->next;
  if (q->square) q->square = q->square->next;
}

/* values [DRAWS][width] against the reference's quantities; those that never move are left out. */
static void compare(const files *f, const sl__target *target, int32_t width, const double *values,
                    moments *out) {
  bool any = false;
  *out = (moments){0, 1};
  for (quantity q = first_quantity(f); is_there(&q); go_on(&q)) {
    const int32_t column = find_column(target, q.name->text);
    const double known = q.mean->number, known_sd = sd_of(&q);
    if (column < 0 || !(known_sd > 0)) continue;
    any = true;
    double sum = 0, squares = 0;
    for (int64_t r = 0; r < DRAWS; r++) sum += values[r * width + column] / DRAWS;
    for (int64_t r = 0; r < DRAWS; r++) {
      const double off = values[r * width + column] - sum;
      squares += off * off / DRAWS;
    }
    const double ratio = sqrt(squares) / known_sd;
    out->off = worse(out->off, fabs(sum - known) / known_sd);
    out->ratio = worse(out->ratio, fmax(ratio, 1 / ratio));
  }
  if (!any) *out = (moments){(double)NAN, (double)NAN};
}

/* Draws as they come, and resampled by their smoothed weights. */
static sl_status judge(files *f, const sl__target *target, const sl__model *model, result *out) {
  const sl__target_part last = last_part(target, first_quantity(f).name);
  const int32_t width = sl__target_width(target, last), dim = target->dim;
  double *x = sl__arena_take(&f->arena, (size_t)DRAWS * (size_t)dim, sizeof *x);
  double *chosen = sl__arena_take(&f->arena, (size_t)DRAWS * (size_t)dim, sizeof *chosen);
  double *weights = sl__arena_take(&f->arena, DRAWS, sizeof *weights);
  int64_t *index = sl__arena_take(&f->arena, DRAWS, sizeof *index);
  double *values = sl__arena_take(&f->arena, (size_t)DRAWS * (size_t)width, sizeof *values);
  if (!x || !chosen || !weights || !index || !values) return SL_NO_MEMORY;
  sl__vi_scores scores;
  sl__psis psis;
  SL__TRY(sl__vi_evaluate(f->context, model->flow, model->vector, target, DRAWS, 77, x, weights,
                          &scores));
  SL__TRY(sl__target_write(f->context, target, last, DRAWS, x, 1, 0, values));
  compare(f, target, width, values, &out->drawn);
  out->resampled = (moments){(double)NAN, (double)NAN};
  if (sl__psis_smooth(f->context, DRAWS, weights, 1, weights, &psis) != SL_OK) return SL_OK;
  SL__TRY(sl__resample(f->context, SL__RESAMPLE_STRATIFIED, (sl__random_key){1, 1, 1}, DRAWS,
                       weights, DRAWS, index));
  for (int64_t r = 0; r < DRAWS; r++)
    memcpy(chosen + r * dim, x + index[r] * dim, (size_t)dim * sizeof *x);
  SL__TRY(sl__target_write(f->context, target, last, DRAWS, chosen, 1, 0, values));
  compare(f, target, width, values, &out->resampled);
  return SL_OK;
}

static sl_status fit_posterior(files *f, const settings *s, const char *name, int seed,
                               result *out) {
  sl__target *target;
  sl__model *model = NULL;
  SL__TRY(sl__target_stan(f->context, name, f->program, f->program_length, "data", f->data,
                          f->data_length, 1, &target));
  sl_status status = fit(f->context, target, s, seed, name, &model, out);
  if (status == SL_OK) status = judge(f, target, model, out);
  sl__model_free(f->context, model);
  sl__target_free(target);
  return status;
}

static bool is_off(const moments *m) {
  return !(m->off <= most_off && m->ratio <= most_ratio);
}

static void print_fit(const char *name, int seed, const result *r) {
  const sl__robust_report *p = &r->report;
  printf("| %s | %d | %d | %s | %.2f | %.3f | %.3f | %.3f | %.3f | %.3f | %d | %.3g | %.1f | %.1f "
         "|%s\n",
         name, (int)r->dim, seed, p->certified ? "yes" : "no", p->scores.khat,
         p->scores.log_evidence - p->scores.elbo, r->drawn.off, r->drawn.ratio, r->resampled.off,
         r->resampled.ratio, p->attempts, (double)p->gradient_evaluations, p->seconds, r->processor,
         p->certified && is_off(&r->drawn) ? " *" : "");
  fflush(stdout);
}

static void take_worst(const moments *m, moments *worst) {
  worst->off = worse(worst->off, m->off);
  worst->ratio = worse(worst->ratio, m->ratio);
}

static void add_up(const result *r, summary *all) {
  if (!r->report.certified) return;
  all->certified++;
  all->wrong += is_off(&r->drawn);
  take_worst(&r->drawn, &all->drawn);
  take_worst(&r->resampled, &all->resampled);
}

static void do_posterior(const settings *s, const char *root, const char *programs,
                         const char *name, int seed, summary *all) {
  files f = {0};
  result r;
  snprintf(f.folder, sizeof f.folder, "%.500s/%.500s", root, name);
  if (new_context(s, &f.context) != SL_OK) return;
  sl__arena_open(&f.arena, f.context);
  sl_status status = read_files(&f, programs);
  if (status == SL_OK) status = fit_posterior(&f, s, name, seed, &r);
  all->fits++;
  if (status == SL_OK) {
    print_fit(name, seed, &r);
    add_up(&r, all);
  } else {
    fprintf(stderr, "%s, seed %d: no fit: %s\n", name, seed, sl_error(f.context));
  }
  sl__arena_close(&f.arena);
  sl_context_free(f.context);
}

static bool has_reference(const char *root, const char *name) {
  char path[1200];
  snprintf(path, sizeof path, "%.500s/%.500s/reference.json", root, name);
  FILE *reference = fopen(path, "rb");
  if (reference) fclose(reference);
  return reference != NULL;
}

static int by_name(const struct dirent **a, const struct dirent **b) {
  return strcmp((*a)->d_name, (*b)->d_name);
}

static void do_posteriors(const settings *s, const char *root, const char *programs) {
  summary all = {.fits = 0};
  struct dirent **entries;
  const int found = scandir(root, &entries, NULL, by_name);
  printf(
      "| posterior | dimensions | seed | certified | k-hat | log Z - ELBO | worst mean off / sd | "
      "worst sd ratio | mean, resampled | sd, resampled | attempts | gradients | s | processor s "
      "|\n"
      "|---|---|---|---|---|---|---|---|---|---|---|---|---|---|\n");
  fflush(stdout);
  for (int i = 0; i < found; i++) {
    if (is_wanted(entries[i]->d_name, s) && has_reference(root, entries[i]->d_name))
      for (int seed = s->first; seed < s->first + s->seeds; seed++)
        do_posterior(s, root, programs, entries[i]->d_name, seed, &all);
    free(entries[i]);
  }
  if (found >= 0) free(entries);
  printf("\n%d of %d fits are certified, %d of these are wrong: a mean off by more than %.2f sd or "
         "an sd by a factor of more than %.2f (marked with a star). Worst of the certified: mean "
         "%.3f sd, sd ratio %.3f; resampled: mean %.3f sd, sd ratio %.3f.\n",
         all.certified, all.fits, all.wrong, most_off, most_ratio, all.drawn.off, all.drawn.ratio,
         all.resampled.off, all.resampled.ratio);
}

/* ---- the command ---- */

int main(int argc, char **argv) {
  const bool posteriors = argc > 3 && strcmp(argv[1], "posteriors") == 0;
  if (!posteriors && !(argc > 1 && strcmp(argv[1], "targets") == 0)) {
    fprintf(stderr, "bench_vi_quality targets | posteriors FOLDER PROGRAMS\n"
                    "                 [--seeds N] [--first SEED] [--threads N] [--seconds S]\n"
                    "                 [--gradients N] [NAME...]\n");
    return 2;
  }
  settings s;
  read_settings(posteriors ? 4 : 2, argc, argv, &s);
  if (posteriors)
    do_posteriors(&s, argv[2], argv[3]);
  else
    do_targets(&s);
  return 0;
}
