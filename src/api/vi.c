/* Variational inference, and the values that a loss of the caller's is written in. */
#include <math.h>
#include <string.h>

#include "api/handle.h"
#include "api/target.h"
#include "api/vi.h"
#include "infer/vi/vi.h"

/* ---- values: nodes of the graph under another name ---- */

static sl__graph *graph_of(sl_expression *e) {
  return (sl__graph *)(void *)e;
}

sl_value sl_value_number(sl_expression *e, double number) {
  return op_number(graph_of(e), SL_F64, number);
}

sl_value sl_value_of(sl_expression *e, const char *operation, sl_value a, sl_value b) {
  static const int known[] = {SL__EW_negate,  SL__EW_absolute, SL__EW_exp,      SL__EW_log,
                              SL__EW_log1p,   SL__EW_sqrt,     SL__EW_square,   SL__EW_tanh,
                              SL__EW_sigmoid, SL__EW_softplus, SL__EW_sin,      SL__EW_cos,
                              SL__EW_add,     SL__EW_subtract, SL__EW_multiply, SL__EW_divide,
                              SL__EW_power,   SL__EW_minimum,  SL__EW_maximum};
  sl__graph *g = graph_of(e);
  for (size_t k = 0; k < sizeof known / sizeof *known; k++) {
    const sl__elementwise op = (sl__elementwise)known[k];
    if (strcmp(sl__elementwise_name(op), operation) != 0) continue;
    if (sl__elementwise_arity(op) == 1) return sl__op_elementwise(g, known[k], a, 0, 0, 0);
    return a && b ? sl__op_elementwise(g, known[k], a, b, 0, 0)
                  : sl__graph_refuse(g, SL_BAD_ARGUMENT, "%s needs two values", operation);
  }
  return sl__graph_refuse(g, SL_BAD_ARGUMENT, "there is no operation \"%.40s\" on values",
                          operation);
}

sl_value sl_value_element(sl_expression *e, sl_value a, int32_t i) {
  sl__graph *g = graph_of(e);
  if (!a) return 0;
  const sl_shape shape = sl__node_shape(g, a);
  if (shape.dims != 1 || i < 0 || i >= shape.size[0])
    return sl__graph_refuse(g, SL_BAD_ARGUMENT, "the value has no element %d", (int)i);
  return op_element(g, a, 0, i);
}

sl_value sl_value_sum(sl_expression *e, sl_value a) {
  return op_sum_all(graph_of(e), a);
}

/* ---- options ---- */

void sl_vi_options_default(sl_vi_options *options, size_t size) {
  const double unset = (double)NAN;
  sl_vi_options all = {.precision = -1,
                       .alpha = unset,
                       .samples = -1,
                       .particles = -1,
                       .steps = -1,
                       .rate = unset,
                       .warmup = -1,
                       .clip = unset,
                       .ema = unset,
                       .jitter = unset,
                       .anneal = -1,
                       .stop_parameters = unset,
                       .stop_elbo = unset,
                       .stop_iterates = unset,
                       .judge = -1,
                       .max_seconds = unset,
                       .max_gradients = -1,
                       .go_back = -1,
                       .stop_norm = unset,
                       .stop_every = -1,
                       .apply_momentum = unset,
                       .apply_nesterov_momentum = unset};
  all.size = size < sizeof all ? size : sizeof all;
  memcpy(options, &all, all.size);
}

/* The caller's version of the struct -> all of today's fields. */
static sl_status read_options(sl_context *context, const sl_vi_options *options,
                              sl_vi_options *out) {
  sl_vi_options_default(out, sizeof *out);
  if (!options) return SL_OK;
  if (options->size < sizeof(size_t) || options->size > sizeof *out)
    return sl__fail(context, SL_BAD_ARGUMENT,
                    "sl_vi_options.size is not known; call sl_vi_options_default first");
  memcpy(out, options, options->size);
  return SL_OK;
}

/* What the inside calls back with, and what the caller wants. */
typedef struct calls {
  const sl_vi_options *options;
  sl__allocator allocator;
} calls;

static sl_node build_loss(void *user, sl__graph *g, const sl__vi_nodes *nodes) {
  const calls *own = user;
  sl_expression *e = (sl_expression *)(void *)g;
  const sl_node loss =
      own->options->loss(own->options->loss_user, e, nodes->x, nodes->log_q, nodes->log_p);
  if (loss && sl__node_shape(g, loss).dims != 0)
    return sl__graph_refuse(g, SL_BAD_ARGUMENT, "the loss is not one number; sum its elements");
  return loss;
}

static sl_vi_progress public_progress(const sl__vi_progress *now) {
  const bool wide = now->flow->type == SL_F64;
  return (sl_vi_progress){.size = sizeof(sl_vi_progress),
                          .step = now->step,
                          .steps = now->steps,
                          .loss = now->loss,
                          .loss_average = now->loss_average,
                          .gradient_norm = now->gradient_norm,
                          .seconds = now->seconds,
                          .skipped = now->skipped,
                          .parameter_count = now->flow->size,
                          .parameters = wide ? now->parameters : NULL};
}

static bool show(void *user, const sl__vi_progress *now) {
  const calls *own = user;
  const sl_vi_progress progress = public_progress(now);
  return own->options->progress(own->options->progress_user, &progress);
}

static sl_status track(void *user, const sl__vi_progress *now, sl__model *model, double *values) {
  const calls *own = user;
  const sl_vi_progress progress = public_progress(now);
  const sl_flow flow = {.allocator = own->allocator, .model = model};
  return own->options->track_function(own->options->track_user, &progress, &flow, values);
}

static double or_zero(double given) {
  return isnan(given) ? 0 : given;
}
static int64_t or_else(int64_t given, int64_t fallback) {
  return given < 0 ? fallback : given;
}

static void plan_term(const sl_vi_options *options, calls *own, sl__vi_term *term) {
  if (options->objective) term->objective = options->objective;
  term->estimator = options->estimator;
  term->alpha = isnan(options->alpha) ? 0.5 : options->alpha;
  term->samples = or_else(options->samples, term->samples);
  term->particles = or_else(options->particles, 0);
  term->draws = options->draws.data;
  term->rows = options->draws.rows;
  if (options->loss) {
    term->loss = build_loss;
    term->loss_user = own;
  }
}

static void plan_run(const sl_vi_options *options, calls *own, sl__vi_options *run) {
  run->steps = or_else(options->steps, run->steps);
  run->rate = options->rate;
  if (options->optimizer) run->optimiser = options->optimizer;
  if (options->schedule) run->schedule = options->schedule;
  run->warmup_steps = or_else(options->warmup, 0);
  run->clip = or_zero(options->clip);
  run->clip_by_median = options->clip_by_median > 0;
  run->ema = or_zero(options->ema);
  run->anneal_steps = or_else(options->anneal, 0);
  run->sobol = options->sobol > 0;
  run->stop.parameter_tolerance = or_zero(options->stop_parameters);
  run->stop.elbo_tolerance = or_zero(options->stop_elbo);
  run->stop.iterate_tolerance = or_zero(options->stop_iterates);
  run->stop.change = options->stop_change;
  run->stop.every = or_else(options->stop_every, 0);
  if (!isnan(options->stop_norm)) run->stop.norm = options->stop_norm;
  run->apply_momentum = or_zero(options->apply_momentum);
  run->apply_nesterov_momentum = or_zero(options->apply_nesterov_momentum);
  run->max_norm = options->max_norm;
  run->go_back = options->go_back != 0;
  run->seed = options->seed;
  run->max_seconds = or_zero(options->max_seconds);
  run->tracks = &options->track;
  run->track_count = options->track != NULL;
  run->function =
      (sl__vi_function){.user = own, .count = options->track_count, .names = options->track_names};
  run->progress = options->progress ? show : NULL;
  run->user = own;
}

static void fill_report(const sl__vi_result *result, sl_vi_report *out) {
  if (!out) return;
  const double none = (double)NAN;
  sl_vi_report full = {.size = out->size,
                       .elbo = result->scores.elbo,
                       .elbo_se = result->scores.elbo_se,
                       .log_evidence = result->scores.log_evidence,
                       .log_evidence_se = result->scores.log_evidence_se,
                       .khat = result->scores.khat,
                       .khat_threshold = result->scores.khat_threshold,
                       .ess = result->scores.ess,
                       .judged_by = result->scores.rows,
                       .loss_average = result->fit.loss_average,
                       .steps = result->fit.steps,
                       .skipped = result->fit.skipped,
                       .gradient_evaluations = result->fit.gradient_evaluations,
                       .restored = result->fit.restored,
                       .seconds = result->fit.seconds,
                       .trusted = result->trusted,
                       .upper_bound = none,
                       .upper_bound_se = none,
                       .ess_forward = none,
                       .bridge = none,
                       .bridge_se = none,
                       .tail_missed = none,
                       .tail_missed_se = none,
                       .missed = none,
                       .rhat = none,
                       .effective = none,
                       .largest_weight = result->scores.largest_weight,
                       .tempered = none,
                       .tempered_se = none,
                       .tempered_accept = none,
                       .mean_gap = none,
                       .log_sd_ratio = none,
                       .own_mean_gap = none,
                       .own_log_sd_ratio = none,
                       .stray_mean_gap = none,
                       .stray_log_sd_ratio = none};
  memcpy(full.stopped, result->fit.stopped, sizeof full.stopped);
  memcpy(full.trouble, result->fit.trouble, sizeof full.trouble);
  memcpy(full.verdict, result->verdict, sizeof full.verdict);
  memcpy(out, &full, out->size);
}

static sl_status check_track(sl_context *context, const sl_vi_options *options) {
  const int32_t count = options->track_count;
  if (count == 0) return SL_OK;
  if (count < 0 || !options->track_names || !options->track_function)
    return sl__fail(context, SL_BAD_ARGUMENT,
                    "track_count is %d; that many track_names and a track_function are wanted",
                    (int)count);
  for (int32_t k = 0; k < count; k++)
    if (!options->track_names[k])
      return sl__fail(context, SL_BAD_ARGUMENT, "track_names[%d] is missing", (int)k);
  if (options->track) return SL_OK;
  return sl__fail(context, SL_BAD_ARGUMENT,
                  "track_names are columns of a file; say of which in track: \"@10=trace.csv\"");
}

static sl_status check(sl_context *context, const sl_target *target, const sl_vi_options *options,
                       const sl_vi_report *report) {
  const sl_array_in *draws = &options->draws;
  if (report && (report->size < sizeof(size_t) || report->size > sizeof *report))
    return sl__fail(context, SL_BAD_ARGUMENT,
                    "sl_vi_report.size is not known; set it to sizeof(sl_vi_report)");
  if (options->mode != SL_VI_PLAIN && options->mode != SL_VI_ROBUST)
    return sl__fail(context, SL_BAD_ARGUMENT,
                    "mode %d is none; set it to SL_VI_ROBUST or SL_VI_PLAIN", (int)options->mode);
  if (draws->data && (draws->dtype != SL_F64 || draws->columns != target->target->dim ||
                      draws->column_stride != 1 || draws->row_stride != draws->columns))
    return sl__fail(context, SL_BAD_ARGUMENT,
                    "draws must be contiguous float64 rows of %d coordinates",
                    (int)target->target->dim);
  return check_track(context, options);
}

/* ---- the call ---- */

sl_status sl_vi(sl_context *context, const sl_target *target, const sl_vi_options *options,
                sl_flow **out, sl_vi_report *report) {
  *out = NULL;
  sl_vi_options all;
  SL__TRY(read_options(context, options, &all));
  SL__TRY(check(context, target, &all, report));
  if (all.mode == SL_VI_ROBUST) return sl__api_vi_robust(context, target, &all, out, report);
  calls own = {&all, context->allocator};
  sl__vi_term term;
  sl__vi_plan plan = {.formula = all.formula ? all.formula : "scale-loc",
                      .base = all.base,
                      .type = all.precision == SL_F32 ? SL_F32 : SL_F64,
                      .jitter = all.jitter,
                      .draws = or_else(all.judge, 20000)};
  sl__vi_defaults(&plan.options, &term);
  plan_term(&all, &own, &term);
  plan_run(&all, &own, &plan.options);
  if (all.track_function) plan.function = track;
  sl__vi_result result;
  sl__model *model;
  const sl_status status = sl__vi_plain(context, target->target, &plan, &model, &result);
  if (!model) return status;
  SL__TRY(sl__handle_new(context, model, out));
  fill_report(&result, report);
  return status;
}
