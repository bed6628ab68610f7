/* A term: its programs, and what one run of them gives.
 *
 * Where every draw counts the same, one program does all: noise, draw, log q, log p, loss,
 * gradient. Where draws are weighed against each other, a first program gives their log weights,
 * plain C makes coefficients of these (the objective's file), and the second program, which
 * makes the same draws again from the same key, adds up the derivatives times the coefficients. */
#include <math.h>
#include <string.h>
#include "infer/vi/engine.h"

/* Another block of streams for each term; a stream of the graph's leaves is added to it. */
enum { STREAMS_PER_TERM = 1 << 22 };

/* ---- checks ---- */

static sl_status find_estimator(sl__vi *vi, sl__vi_work *work) {
  const char *wanted = work->term.estimator;
  const uint32_t allowed = work->objective
                               ? work->objective->estimators
                               : 1u << SL__VI_BY_REPARAMETERIZATION | 1u << SL__VI_BY_STL;
  work->estimator = work->objective ? work->objective->usual : SL__VI_BY_REPARAMETERIZATION;
  if (!wanted) return SL_OK;
  for (int e = 0; e < SL__VI_ESTIMATORS; e++) {
    if (strcmp(sl__vi_estimator_rows[e].name, wanted) != 0) continue;
    work->estimator = (sl__vi_estimator)e;
    if (allowed & 1u << e) return SL_OK;
    return sl__fail(vi->context, SL_BAD_ARGUMENT,
                    "the estimator %s is not right for the objective %s; use %s", wanted,
                    work->objective ? work->objective->name : "given",
                    sl__vi_estimator_rows[work->objective ? work->objective->usual
                                                          : SL__VI_BY_REPARAMETERIZATION]
                        .name);
  }
  return sl__fail(vi->context, SL_BAD_ARGUMENT,
                  "there is no estimator called %s; use reparameterized, stl, dreg or score",
                  wanted);
}

static sl_status check(sl__vi *vi, sl__vi_work *work) {
  const sl__vi_term *term = &work->term;
  const char *name = term->objective ? term->objective : "elbo";
  if (!term->loss) {
    work->objective = sl__vi_objective_find(name);
    if (!work->objective)
      return sl__fail(vi->context, SL_BAD_ARGUMENT,
                      "there is no objective called %s; use elbo, iwae, renyi, chi, forward, "
                      "draws or variance",
                      name);
  }
  SL__TRY(find_estimator(vi, work));
  if (term->samples < 1 || term->samples > INT32_MAX)
    return sl__fail(vi->context, SL_BAD_ARGUMENT, "a step must have at least one sample");
  const int64_t particles = term->particles > 0 ? term->particles : term->samples;
  if (term->samples % particles != 0)
    return sl__fail(vi->context, SL_BAD_ARGUMENT,
                    "%lld samples cannot be cut into groups of %lld; give a multiple",
                    (long long)term->samples, (long long)particles);
  work->term.particles = particles;
  if (!isfinite(term->weight))
    return sl__fail(vi->context, SL_BAD_ARGUMENT, "the weight of a term is not finite");
  if (!isfinite(term->alpha))
    return sl__fail(vi->context, SL_BAD_ARGUMENT, "Renyi's order alpha is not finite");
  if (work->objective && work->objective->from_draws && (term->rows < 1 || !term->draws))
    return sl__fail(
        vi->context, SL_BAD_ARGUMENT,
        "the objective %s needs draws of the target; give at least one row (--draws FILE)", name);
  return SL_OK;
}

/* ---- programs ---- */

/* The leaves of a draw, and what they are fed with. */
static sl__vi_source open_source(sl__vi *vi, sl__vi_work *work, sl__graph *g, sl__vi_part *part,
                                 int *feeds) {
  sl__vi_source source = {.flow = vi->flow, .target = vi->target};
  if (work->noise) {
    const sl_node noise = op_input(g, SL_F64, sl__shape1(vi->flow->dim));
    source.noise = op_cast(g, noise, vi->flow->type);
    part->feeds[(*feeds)++] = (sl__feed){
        .data = work->noise, .type = SL_F64, .row_stride = 1, .column_stride = work->term.samples};
  }
  if (vi->options.anneal_steps > 0) {
    source.tempering = op_shared_input(g, SL_F64, sl__scalar_shape());
    part->feeds[(*feeds)++] = (sl__feed){.data = &vi->tempering, .type = SL_F64};
  }
  return source;
}

/* Outputs the summed loss (unless total is NULL) and its gradient by every trained parameter. */
static sl_status make_gradient(sl__vi *vi, sl__vi_work *work, sl__graph *g, sl_node loss,
                               double *total) {
  const sl__flow *flow = vi->flow;
  const size_t most = (size_t)flow->parameter_count + 1;
  sl_node *wrt = sl__arena_take(&vi->arena, most, sizeof *wrt);
  sl_node *outputs = sl__arena_take(&vi->arena, most, sizeof *outputs);
  sl__sink *sinks = work->gradient.sinks = sl__arena_take(&vi->arena, most, sizeof *sinks);
  if (!wrt || !outputs || !sinks) return SL_NO_MEMORY;
  /* Layers of one kind make the same few numbers of their parameters: group them. */
  SL__TRY(sl__graph_group(g, 0, 1, &loss));
  const int first = total != NULL;
  int count = 0;
  if (total) {
    outputs[0] = op_sum_rows(g, loss);
    sinks[0] = (sl__sink){.data = total, .type = SL_F64};
  }
  for (int p = 0; p < flow->parameter_count; p++) {
    const sl__parameter *parameter = &flow->parameters[p];
    if (!parameter->trainable) continue;
    wrt[count] = op_parameter(g, flow->type, parameter->shape, parameter->offset);
    sinks[first + count++] =
        (sl__sink){.data = work->slope + parameter->offset * vi->number_size, .type = flow->type};
  }
  SL__TRY(sl__gradient(g, loss, count, wrt, outputs + first));
  sl__vi_part *part = &work->gradient;
  SL__TRY(sl__program_new(vi->context, g, first + count, outputs, &part->program));
  return sl__workspace_new(vi->context, part->program, work->term.samples, &part->workspace);
}

static sl_status make_weights(sl__vi *vi, sl__vi_work *work, sl__graph *g, sl_node log_weight) {
  sl__vi_part *part = &work->weights;
  const sl_node output = op_rows(g, log_weight);
  part->sinks = sl__arena_take(&vi->arena, 1, sizeof *part->sinks);
  if (!part->sinks) return SL_NO_MEMORY;
  part->sinks[0] = (sl__sink){.data = work->log_weights, .type = SL_F64};
  SL__TRY(sl__program_new(vi->context, g, 1, &output, &part->program));
  return sl__workspace_new(vi->context, part->program, work->term.samples, &part->workspace);
}

static sl_status build_weights(sl__vi *vi, sl__vi_work *work, sl__graph *g) {
  sl__vi_part *part = &work->weights;
  int feeds = 0;
  const sl__vi_source source = open_source(vi, work, g, part, &feeds);
  const sl__vi_nodes nodes = sl__vi_draw(g, &source, SL__VI_TOTAL);
  return make_weights(vi, work, g, op_subtract(g, nodes.log_p, nodes.log_q));
}

static sl_status build_gradient(sl__vi *vi, sl__vi_work *work, sl__graph *g) {
  int feeds = 0;
  sl__graph_for_fitting(g);
  const sl__vi_source source = open_source(vi, work, g, &work->gradient, &feeds);
  const sl__vi_nodes nodes = sl__vi_draw(g, &source, sl__vi_estimator_rows[work->estimator].road);
  if (work->term.loss) {
    const sl_node loss = work->term.loss(work->term.loss_user, g, &nodes);
    return make_gradient(vi, work, g, op_rows(g, loss), &work->total);
  }
  const bool weighs = work->objective->weigh != NULL;
  sl_node loss = op_subtract(g, nodes.log_q, nodes.log_p);
  if (weighs) {
    const sl_node coefficient = op_input(g, SL_F64, sl__scalar_shape());
    loss = op_multiply(g, op_negate(g, coefficient), loss);
    work->gradient.feeds[feeds] = (sl__feed){.data = work->coefficients, .type = SL_F64};
  }
  return make_gradient(vi, work, g, op_rows(g, loss), weighs ? NULL : &work->total);
}

/* log q at given points. */
static sl_node log_q_of_draws(const sl__vi *vi, const sl__vi_work *work, sl__graph *g,
                              sl__vi_part *part, sl_node *x) {
  *x = op_input(g, SL_F64, sl__shape1(vi->flow->dim));
  part->feeds[0] = (sl__feed){.data = work->term.draws, .type = SL_F64, .index = work->index};
  const sl_node log_q = sl__flow_log_prob(vi->flow, g, op_cast(g, *x, vi->flow->type), 0);
  return op_cast(g, log_q, SL_F64);
}

static sl_status build_draw_weights(sl__vi *vi, sl__vi_work *work, sl__graph *g) {
  sl__vi_part *part = &work->weights;
  sl_node x;
  const sl_node log_q = log_q_of_draws(vi, work, g, part, &x);
  const sl_node log_p = sl__target_log_density(vi->target, g, x, 0);
  return make_weights(vi, work, g, op_subtract(g, log_p, log_q));
}

static sl_status build_draws(sl__vi *vi, sl__vi_work *work, sl__graph *g) {
  sl__graph_for_fitting(g);
  const bool weighs = work->objective->weigh != NULL;
  sl_node x, loss = op_negate(g, log_q_of_draws(vi, work, g, &work->gradient, &x));
  if (weighs) {
    loss = op_multiply(g, op_input(g, SL_F64, sl__scalar_shape()), loss);
    work->gradient.feeds[1] = (sl__feed){.data = work->coefficients, .type = SL_F64};
  }
  return make_gradient(vi, work, g, op_rows(g, loss), weighs ? NULL : &work->total);
}

static sl_status build(sl__vi *vi, sl__vi_work *work,
                       sl_status (*part)(sl__vi *vi, sl__vi_work *work, sl__graph *g)) {
  sl__graph *graph;
  SL__TRY(sl__graph_new(vi->context, &graph));
  const sl_status status = part(vi, work, graph);
  sl__graph_free(graph);
  return status;
}

/* ---- making and running ---- */

/* Running sums of the given draws' weights, scaled by the largest. */
static sl_status add_up_weights(sl__vi *vi, sl__vi_work *work) {
  const sl__vi_term *term = &work->term;
  if (!term->log_weights) return SL_OK;
  double most = -INFINITY, sum = 0;
  for (int64_t r = 0; r < term->rows; r++) most = fmax(most, term->log_weights[r]);
  for (int64_t r = 0; r < term->rows; r++) {
    sum += exp(term->log_weights[r] - most);
    work->cumulative[r] = sum;
  }
  if (!(isfinite(most) && isfinite(sum)))
    return sl__fail(vi->context, SL_NUMERIC, "the weights of the given draws are not finite");
  return SL_OK;
}

static sl_status take_memory(sl__vi *vi, sl__vi_work *work) {
  sl__arena *arena = &vi->arena;
  const size_t samples = (size_t)work->term.samples;
  work->slope = sl__arena_take(arena, (size_t)vi->flow->size, (size_t)vi->number_size);
  work->log_weights = sl__arena_take(arena, samples, sizeof *work->log_weights);
  work->coefficients = sl__arena_take(arena, samples, sizeof *work->coefficients);
  work->index = sl__arena_take(arena, samples, sizeof *work->index);
  if (!work->slope || !work->log_weights || !work->coefficients || !work->index)
    return SL_NO_MEMORY;
  if (vi->options.sobol && !(work->objective && work->objective->from_draws)) {
    work->noise = sl__arena_take(arena, samples, (size_t)vi->flow->dim * sizeof *work->noise);
    if (!work->noise) return SL_NO_MEMORY;
  }
  if (work->term.log_weights) {
    work->cumulative = sl__arena_take(arena, (size_t)work->term.rows, sizeof *work->cumulative);
    if (!work->cumulative) return SL_NO_MEMORY;
  }
  return SL_OK;
}

sl_status sl__vi_work_open(sl__vi *vi, int index, const sl__vi_term *term) {
  sl__vi_work *work = &vi->work[index];
  *work = (sl__vi_work){.term = *term,
                        .stream = SL__STREAM_VARIATIONAL + (uint32_t)index * STREAMS_PER_TERM};
  SL__TRY(check(vi, work));
  SL__TRY(take_memory(vi, work));
  SL__TRY(add_up_weights(vi, work));
  const bool given = work->objective && work->objective->from_draws;
  if (work->objective && work->objective->weigh)
    SL__TRY(build(vi, work, given ? build_draw_weights : build_weights));
  return build(vi, work, given ? build_draws : build_gradient);
}

static void close_part(sl__vi_part *part) {
  sl__workspace_free(part->workspace);
  sl__program_free(part->program);
}

void sl__vi_work_close(sl__vi_work *work) {
  close_part(&work->weights);
  close_part(&work->gradient);
}

static sl__run run_of(const sl__vi *vi, const sl__vi_work *work, const sl__vi_part *part) {
  return (sl__run){.rows = work->term.samples,
                   .parameters = vi->weights,
                   .feeds = part->feeds,
                   .sinks = part->sinks,
                   .key = {vi->options.seed, work->stream, (uint32_t)vi->step}};
}

/* The first of the running sums that is above `wanted`. */
static int64_t find_draw(const double *cumulative, int64_t rows, double wanted) {
  int64_t low = 0, high = rows - 1;
  while (low < high) {
    const int64_t middle = low + (high - low) / 2;
    if (cumulative[middle] > wanted)
      high = middle;
    else
      low = middle + 1;
  }
  return low;
}

static void choose_draws(const sl__vi *vi, sl__vi_work *work) {
  const sl__random_key key = {vi->options.seed, work->stream, (uint32_t)vi->step};
  const int64_t rows = work->term.rows;
  for (int64_t i = 0; i < work->term.samples; i++) {
    if (work->cumulative)
      work->index[i] =
          find_draw(work->cumulative, rows,
                    work->cumulative[rows - 1] * sl__random_uniform(key, (uint64_t)i, 0));
    else
      work->index[i] = (int64_t)sl__random_below(key, (uint64_t)i, 0, (uint64_t)rows);
  }
}

/* Group by group: the mean loss, and the coefficients of a mean over the groups. */
static double weigh(sl__vi_work *work) {
  const int64_t size = work->term.particles, groups = work->term.samples / size;
  double sum = 0;
  for (int64_t k = 0; k < groups; k++) {
    const sl__vi_group group = {.count = size,
                                .log_weights = work->log_weights + k * size,
                                .alpha = work->term.alpha,
                                .estimator = work->estimator};
    sum += work->objective->weigh(&group, work->coefficients + k * size);
  }
  return sum / (double)groups;
}

sl_status sl__vi_work_run(sl__vi *vi, sl__vi_work *work) {
  const double samples = (double)work->term.samples;
  const bool given = work->objective && work->objective->from_draws;
  const bool weighs = work->objective && work->objective->weigh;
  if (work->noise)
    sl__sobol_normal((sl__random_key){vi->options.seed, work->stream, (uint32_t)vi->step},
                     work->term.samples, vi->flow->dim, 1, work->term.samples, work->noise);
  if (given) choose_draws(vi, work);
  if (weighs) {
    const sl__run first = run_of(vi, work, &work->weights);
    SL__TRY(sl__program_run(vi->context, work->weights.program, work->weights.workspace, &first));
    work->loss = weigh(work);
    if (!isfinite(work->loss)) return SL_OK;
  }
  const sl__run run = run_of(vi, work, &work->gradient);
  SL__TRY(sl__program_run(vi->context, work->gradient.program, work->gradient.workspace, &run));
  if (!given) vi->gradients += work->term.samples;
  if (!weighs) work->loss = work->total / samples;
  work->factor = weighs ? (double)work->term.particles / samples : 1 / samples;
  return SL_OK;
}

sl_status sl__vi_work_diagnose(sl__vi *vi, sl__vi_work *work) {
  const bool first = work->weights.program && !isfinite(work->loss);
  const sl__vi_part *part = first ? &work->weights : &work->gradient;
  const sl__run run = run_of(vi, work, part);
  return sl__program_diagnose(vi->context, part->program, part->workspace, &run);
}
