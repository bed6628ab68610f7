/* Sampling by Markov chains. */
#include <math.h>
#include <string.h>

#include "api/handle.h"
#include "api/target.h"
#include "base/os.h"
#include "infer/chain/preconditioned.h"
#include "infer/chain/record.h"
#include "infer/diagnose/diagnose.h"

void sl_nuts_options_default(sl_nuts_options *options, size_t size) {
  sl__sampler_options own;
  sl__sampler_defaults(&own);
  sl__sampler_take_pains(&own);
  sl_nuts_options all = {.chains = own.chains,
                         .warmup = own.warmup,
                         .draws = own.draws,
                         .thin = own.thin,
                         .max_treedepth = own.most_depth,
                         .adapt_delta = own.adapt_delta,
                         .step_size = own.step_size,
                         .metric = sl__metric_kind_name(own.metric),
                         .init_radius = own.init_radius,
                         .init_candidates = own.init_candidates,
                         .trajectories = own.trajectories};
  all.size = size < sizeof all ? size : sizeof all;
  memcpy(options, &all, all.size);
}

/* ---- the request ---- */

static sl_status read_options(sl_context *context, const sl_nuts_options *options,
                              sl_nuts_options *out) {
  sl_nuts_options_default(out, sizeof *out);
  if (!options) return SL_OK;
  if (options->size < sizeof(size_t) || options->size > sizeof *out)
    return sl__fail(context, SL_BAD_ARGUMENT,
                    "sl_nuts_options.size is not known; call sl_nuts_options_default first");
  memcpy(out, options, options->size);
  return SL_OK;
}

static sl_status find_metric(sl_context *context, const char *name, sl__metric_kind *out) {
  for (int kind = 0; kind <= SL__METRIC_KIND_FISHER_LOW_RANK; kind++) {
    *out = (sl__metric_kind)kind;
    if (name && strcmp(name, sl__metric_kind_name(*out)) == 0) return SL_OK;
  }
  return sl__fail(context, SL_BAD_ARGUMENT,
                  "there is no metric \"%.40s\"; take unit_e, diag_e, dense_e, fisher_diag or "
                  "fisher_low_rank",
                  name ? name : "");
}

static sl_status plan(sl_context *context, const sl_nuts_options *options,
                      sl__sampler_options *out) {
  sl__sampler_defaults(out);
  sl__sampler_take_pains(out);
  SL__TRY(find_metric(context, options->metric, &out->metric));
  out->chains = options->chains;
  out->warmup = options->warmup;
  out->draws = options->draws;
  out->thin = options->thin;
  out->most_depth = options->max_treedepth;
  /* One that the caller chose is kept. */
  if (options->adapt_delta != out->adapt_delta)
    out->careful_delta = out->strict_delta = options->adapt_delta;
  out->adapt_delta = options->adapt_delta;
  out->step_size = options->step_size;
  out->init_radius = options->init_radius;
  out->init_candidates = options->init_candidates;
  out->trajectories = options->trajectories;
  out->halvings = options->halvings;
  out->jumps = options->jumps;
  out->save_warmup = options->save_warmup == 1;
  out->seed = options->seed;
  if (options->jumps > 0 && !options->precondition)
    return sl__fail(context, SL_BAD_ARGUMENT,
                    "jumps are draws of a flow; give one to precondition with");
  return sl__sampler_check(context, out);
}

/* ---- draws ---- */

typedef struct collector {
  const sl_nuts_options *options;
  int64_t rows; /* of a chain */
  int32_t width;
  int64_t *filled;   /* [chains] */
  double *values;    /* [chains][rows][width] */
  double *energies;  /* [chains][rows] */
  double *densities; /* [chains]: the log density of the first draw */
  bool *still;       /* [chains]: and of all others */
  bool stopped;
} collector;

static sl_status take_row(void *user, const sl__sampler_draw *draw, const double *values) {
  collector *c = user;
  if (!draw->warmup && c->filled[draw->chain] < c->rows) {
    const int64_t row = draw->chain * c->rows + c->filled[draw->chain]++;
    memcpy(c->values + row * c->width, values, (size_t)c->width * sizeof *values);
    c->energies[row] = draw->energy;
    if (c->filled[draw->chain] == 1) c->densities[draw->chain] = draw->log_density;
    c->still[draw->chain] = c->rows >= 4 &&
                            (c->filled[draw->chain] == 1 || c->still[draw->chain]) &&
                            draw->log_density == c->densities[draw->chain];
  }
  if (!c->options->draw || c->stopped) return SL_OK;
  const sl_nuts_draw shown = {.size = sizeof shown,
                              .chain = draw->chain,
                              .iteration = draw->iteration,
                              .warmup = draw->warmup,
                              .divergent = draw->divergent,
                              .q = draw->q,
                              .values = values,
                              .log_density = draw->log_density,
                              .accept = draw->accept,
                              .step_size = draw->step_size,
                              .energy = draw->energy,
                              .treedepth = draw->depth,
                              .leapfrogs = draw->leapfrogs};
  c->stopped = !c->options->draw(c->options->draw_user, &shown);
  return c->stopped ? SL_STOPPED : SL_OK;
}

static sl_status open_collector(sl_context *context, sl__arena *arena, const sl__target *target,
                                const sl__sampler_options *sampler, collector *c) {
  c->rows = ((int64_t)sampler->draws + sampler->thin - 1) / sampler->thin;
  c->width = sl__target_width(target, SL__TARGET_GENERATED);
  const size_t chains = (size_t)sampler->chains, rows = chains * (size_t)c->rows;
  c->filled = sl__arena_take(arena, chains, sizeof *c->filled);
  c->energies = sl__arena_take(arena, rows, sizeof *c->energies);
  c->values = sl__arena_take(arena, rows, (size_t)c->width * sizeof *c->values);
  c->densities = sl__arena_take(arena, chains, sizeof *c->densities);
  c->still = sl__arena_take(arena, chains, sizeof *c->still);
  if (!c->filled || !c->energies || !c->values || !c->densities || !c->still)
    return sl__fail(context, SL_NO_MEMORY,
                    "no memory for %lld draws of %d chains, %d numbers each; take fewer draws, or "
                    "keep one in so many (thin)",
                    (long long)c->rows, sampler->chains, c->width);
  for (size_t i = 0; i < rows * (size_t)c->width; i++) c->values[i] = (double)NAN;
  return SL_OK;
}

static void hand_out(const collector *c, int64_t rows, const sl_array_out *draws) {
  for (int64_t r = 0; r < rows; r++)
    for (int32_t i = 0; i < c->width; i++) {
      const int64_t to = r * draws->row_stride + i * draws->column_stride;
      const double value = c->values[r * c->width + i];
      if (draws->dtype == SL_F32)
        ((float *)draws->data)[to] = (float)value;
      else
        ((double *)draws->data)[to] = value;
    }
}

/* ---- the verdict ---- */

static sl_status judge(sl_context *context, sl__arena *arena, const sl__target *target,
                       const sl__sampler_options *sampler, const collector *c,
                       const sl__sampler_report *run, sl_nuts_report *out) {
  sl__summary_row *rows = sl__arena_take(arena, (size_t)c->width, sizeof *rows);
  const char **names = sl__arena_take(arena, (size_t)c->width, sizeof *names);
  double *ebfmi = sl__arena_take(arena, (size_t)sampler->chains, sizeof *ebfmi);
  if (!rows || !names || !ebfmi) return SL_NO_MEMORY;
  int32_t at = 0;
  for (int part = 0; part < SL__TARGET_PARTS; part++)
    for (int32_t i = 0; i < sl__target_count(target, (sl__target_part)part); i++)
      names[at++] = sl__target_name(target, (sl__target_part)part, i);
  const sl__series first = {sampler->chains, c->rows, c->values, c->rows * c->width, c->width};
  SL__TRY(sl__summarise(context, &first, c->width, 1, rows));
  for (int32_t k = 0; k < sampler->chains; k++)
    ebfmi[k] = c->still[k] ? (double)NAN
                           : sl__ebfmi(c->rows, (int64_t)run->trajectories * sampler->thin,
                                       c->energies + k * c->rows, 1);
  const sl__run_facts facts = {.preconditioned = c->options->precondition != NULL,
                               .jumped = sampler->jumps > 0,
                               .halves = sampler->halvings > 0,
                               .undefined = run->undefined,
                               .refused = run->refused,
                               .refusal = run->refusal,
                               .chains = sampler->chains,
                               .draws = c->rows,
                               .parameters = c->width,
                               .rows = rows,
                               .names = names,
                               .divergences = run->divergences,
                               .treedepth_hits = run->depth_hits,
                               .max_treedepth = sampler->most_depth,
                               .ebfmi = ebfmi,
                               .still = c->still,
                               .adapt_delta = run->adapt_delta,
                               .trajectories = run->trajectories};
  out->trusted = sl__run_verdict(&facts, out->verdict, sizeof out->verdict);
  return SL_OK;
}

/* ---- the call ---- */

static sl_status check_arrays(sl_context *context, const sl_target *target,
                              const sl_nuts_options *options, const sl_array_out *draws,
                              const sl_nuts_report *report, int64_t rows) {
  const sl_array_in *init = &options->init;
  const int32_t dim = target->target->dim;
  if (report && (report->size < sizeof(size_t) || report->size > sizeof *report))
    return sl__fail(context, SL_BAD_ARGUMENT,
                    "sl_nuts_report.size is not known; set it to sizeof(sl_nuts_report)");
  if (init->data && (init->dtype != SL_F64 || init->rows != options->chains ||
                     init->columns != dim || init->column_stride != 1 || init->row_stride != dim))
    return sl__fail(context, SL_BAD_ARGUMENT,
                    "init must be contiguous float64, %d chains x %d coordinates",
                    (int)options->chains, (int)dim);
  if (dim < 1) return sl__fail(context, SL_BAD_ARGUMENT, "the target has no parameters to sample");
  return sl__check_maybe(context, "draws", draws, rows,
                         sl__target_width(target->target, SL__TARGET_GENERATED));
}

static sl_status sample(sl_context *context, const sl__target *target,
                        const sl_nuts_options *options, const sl__sampler_options *sampler,
                        collector *c, sl__sampler_report *run) {
  const sl__record_listener listener = {.row = take_row, .user = c};
  const double *first = options->init.data;
  if (!options->precondition)
    return sl__record_run(context, target, sampler, first, &listener, run);
  sl__target *pulled;
  SL__TRY(sl__target_preconditioned(context, target, options->precondition->model, &pulled));
  const sl_status status = sl__record_run(context, pulled, sampler, first, &listener, run);
  sl__target_free(pulled);
  return status;
}

static void fill_report(const sl__sampler_report *run, sl_nuts_report *full) {
  full->gradient_evaluations = run->gradients;
  full->divergences = run->divergences;
  full->treedepth_hits = run->depth_hits;
  full->trajectories = run->trajectories;
  full->irreversible = run->irreversible;
  full->jump_acceptance =
      run->jumps > 0 ? (double)run->jumps_taken / (double)run->jumps : (double)NAN;
}

sl_status sl_nuts(sl_context *context, const sl_target *target, const sl_nuts_options *options,
                  const sl_array_out *draws, sl_nuts_report *report) {
  const double begun = sl__os_seconds();
  sl_nuts_options all;
  sl__sampler_options sampler;
  sl__sampler_report run = {0};
  collector c = {.options = &all};
  SL__TRY(read_options(context, options, &all));
  SL__TRY(plan(context, &all, &sampler));
  const int64_t rows = ((int64_t)sampler.draws + sampler.thin - 1) / sampler.thin * sampler.chains;
  SL__TRY(check_arrays(context, target, &all, draws, report, rows));
  sl__arena arena;
  sl__arena_open(&arena, context);
  sl_status status = open_collector(context, &arena, target->target, &sampler, &c);
  if (status == SL_OK) status = sample(context, target->target, &all, &sampler, &c, &run);
  if (c.values && draws && draws->data) hand_out(&c, rows, draws);
  sl_nuts_report full = {.size = report ? report->size : 0};
  fill_report(&run, &full);
  if (status == SL_OK && report)
    status = judge(context, &arena, target->target, &sampler, &c, &run, &full);
  full.seconds = sl__os_seconds() - begun;
  if (report) memcpy(report, &full, report->size);
  sl__arena_close(&arena);
  return status;
}
