/* Optimisers for loops of the caller's own: the ones that fits use (infer/optimisers.def), on any
 * vector of numbers or on the trained parameters of a flow.
 *
 * Everything is done in float64, whatever the numbers are kept as: a loop outside pays for its
 * losses, not for this. */
#include <math.h>
#include <string.h>

#include "api/handle.h"
#include "infer/recipe.h"

struct sl_optimizer {
  sl__allocator allocator;
  const sl__kernels *kernels;
  const sl__optimiser *kind;
  sl__optimiser_options options;
  double rate, clip; /* clip 0: none */
  int64_t count, step;
  double *vector, *gradient; /* [count]: what is moved, and against what */
  double *states;            /* [kind->states][count] */
};

static double given_or(double given, double fallback) {
  return isnan(given) ? fallback : given;
}

/* The states, and two vectors more. */
static sl_status take_memory(sl_context *context, sl_optimizer *made) {
  const size_t vectors = (size_t)made->kind->states + 2;
  if ((uint64_t)made->count > SIZE_MAX / vectors) return SL_NO_MEMORY;
  made->vector = sl__allocate(context, (size_t)made->count * vectors, sizeof *made->vector);
  if (!made->vector) return SL_NO_MEMORY;
  made->gradient = made->vector + made->count;
  made->states = made->gradient + made->count;
  return SL_OK;
}

sl_status sl_optimizer_new(sl_context *context, const sl_fit_options *options, int64_t count,
                           sl_optimizer **out) {
  *out = NULL;
  sl_fit_options all;
  SL__TRY(sl__fit_options_read(context, options, &all));
  if (count < 1)
    return sl__fail(context, SL_BAD_ARGUMENT,
                    "an optimizer of %lld numbers; there must be at least one", (long long)count);
  sl_optimizer *made = sl__allocate(context, 1, sizeof *made);
  if (!made) return SL_NO_MEMORY;
  made->allocator = context->allocator;
  made->kernels = sl__kernels_for(context->cpu_features, SL_F64);
  made->kind = sl__optimiser_find(all.optimizer ? all.optimizer : "adam");
  const sl__optimiser_options given = {.beta1 = all.beta1,
                                       .beta2 = all.beta2,
                                       .epsilon = all.epsilon,
                                       .momentum = all.momentum,
                                       .weight_decay = all.weight_decay};
  made->options = sl__optimiser_resolve(made->kind, &given);
  made->rate = given_or(all.rate, made->kind->default_rate);
  made->clip = given_or(all.clip, 0);
  made->count = count;
  const sl_status status = take_memory(context, made);
  if (status != SL_OK)
    sl_optimizer_free(made);
  else
    *out = made;
  return status;
}

void sl_optimizer_free(sl_optimizer *optimizer) {
  if (!optimizer) return;
  sl__allocator allocator = optimizer->allocator;
  sl__free(&allocator, optimizer->vector);
  sl__free(&allocator, optimizer);
}

void sl_optimizer_set_rate(sl_optimizer *optimizer, double rate) {
  optimizer->rate = rate;
}

/* ---- steps ---- */

static sl_status read_gradient(sl_context *context, sl_optimizer *optimizer,
                               const sl_array_in *gradient) {
  SL__TRY(sl__check_in(context, "gradient", gradient, 1, optimizer->count));
  const sl_array_out own = sl_out_f64(optimizer->gradient, 1, optimizer->count);
  sl__copy_row(gradient, &own);
  return SL_OK;
}

/* A part of the vector that moves: others stay, and count nothing to the norm. */
typedef struct span {
  int64_t begin, count;
} span;

static void move_span(sl_optimizer *optimizer, span part, double g_scale) {
  void *states[SL__MAX_OPTIMISER_STATES] = {0};
  for (int k = 0; k < optimizer->kind->states; k++)
    states[k] = optimizer->states + k * optimizer->count + part.begin;
  optimizer->kind->update(optimizer->kernels, part.count, optimizer->vector + part.begin,
                          optimizer->gradient + part.begin, states, g_scale, optimizer->rate,
                          optimizer->step, &optimizer->options);
}

/* By what the gradient is multiplied, given its squares. */
static sl_status measure(sl_context *context, const sl_optimizer *optimizer, double squares,
                         double *g_scale) {
  const double norm = sqrt(squares);
  if (!isfinite(norm))
    return sl__fail(context, SL_NUMERIC,
                    "the gradient is not finite; nothing was changed: leave this step out");
  *g_scale = optimizer->clip > 0 && norm > optimizer->clip ? optimizer->clip / norm : 1;
  return SL_OK;
}

sl_status sl_optimizer_step(sl_context *context, sl_optimizer *optimizer,
                            const sl_array_in *gradient, const sl_array_out *vector) {
  const span all = {0, optimizer->count};
  double g_scale = 1;
  SL__TRY(sl__check_out(context, "vector", vector, 1, optimizer->count));
  SL__TRY(read_gradient(context, optimizer, gradient));
  SL__TRY(measure(context, optimizer,
                  optimizer->kernels->sum_squares(all.count, optimizer->gradient), &g_scale));
  const sl_array_in before = sl__as_input(vector);
  const sl_array_in after = sl_in_f64(optimizer->vector, 1, optimizer->count);
  const sl_array_out own = sl_out_f64(optimizer->vector, 1, optimizer->count);
  sl__copy_row(&before, &own);
  optimizer->step++;
  move_span(optimizer, all, g_scale);
  sl__copy_row(&after, vector);
  return SL_OK;
}

sl_status sl_optimizer_step_flow(sl_context *context, sl_optimizer *optimizer,
                                 const sl_array_in *gradient, sl_flow *flow) {
  const sl__flow *own = flow->model->flow;
  double squares = 0, g_scale = 1;
  if (optimizer->count != own->size)
    return sl__fail(context, SL_BAD_ARGUMENT,
                    "the optimizer is of %lld numbers, the flow has %lld parameters; make it of "
                    "sl_flow_parameter_count",
                    (long long)optimizer->count, (long long)own->size);
  SL__TRY(read_gradient(context, optimizer, gradient));
  for (int i = 0; i < own->parameter_count; i++) {
    const sl__parameter *p = &own->parameters[i];
    if (p->trainable)
      squares += optimizer->kernels->sum_squares(sl__shape_count(p->shape),
                                                 optimizer->gradient + p->offset);
  }
  SL__TRY(measure(context, optimizer, squares, &g_scale));
  const sl_array_out now = sl_out_f64(optimizer->vector, 1, own->size);
  const sl_array_in moved = sl_in_f64(optimizer->vector, 1, own->size);
  SL__TRY(sl_flow_parameters(context, flow, &now));
  optimizer->step++;
  for (int i = 0; i < own->parameter_count; i++) {
    const sl__parameter *p = &own->parameters[i];
    const span part = {p->offset, sl__shape_count(p->shape)};
    if (p->trainable) move_span(optimizer, part, g_scale);
  }
  return sl_flow_set_parameters(context, flow, &moved);
}
