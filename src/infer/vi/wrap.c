/* What may be put around any optimiser, as PyMC3's updates.py has it from Lasagne.
 *
 * Momentum, apply_momentum: x = momentum v + u, u being where the optimiser would have gone; v is
 * the way from the parameters to x, where they go. apply_nesterov_momentum: v = momentum v + u
 * minus the parameters, which go to momentum v + u. Around gradient descent these are the optimisers
 * momentum and nesterov_momentum. As there, the optimiser's own memory takes no notice.
 *
 * Bounds, norm_constraint: after every step tensors are scaled down to a norm. Of a matrix or
 * more, which lies here as [outputs][inputs], each row counts for itself: the weights that come in
 * to one unit. (Lasagne's matrices lie the other way round, and there it is each column.) Of a
 * vector it is the whole. Its 1e-7 beside the norm, against division by zero, is left out: nothing
 * below the bound is touched. */
#include <math.h>
#include <string.h>
#include "base/text.h"
#include "infer/vi/engine.h"

/* ---- momentum ---- */

void sl__vi_apply_momentum(sl__vi *vi, sl__vi_chunk chunk) {
  const sl__flow *flow = vi->flow;
  const bool ahead = vi->options.apply_nesterov_momentum > 0;
  const double momentum = ahead ? vi->options.apply_nesterov_momentum : vi->options.apply_momentum;
  char *velocity = vi->states[vi->optimiser->states];
  for (int64_t i = chunk.offset; i < chunk.offset + chunk.count; i++) {
    const double updated = sl__vi_number(flow, vi->weights, i);
    const double moved = updated - sl__vi_number(flow, vi->before, i);
    const double fast = momentum * sl__vi_number(flow, velocity, i) + moved;
    const double further = ahead ? momentum * fast : fast - moved;
    sl__vi_put(flow, velocity, i, fast);
    sl__vi_put(flow, vi->weights, i, updated + further);
  }
}

static sl_status open_momentum(sl__vi *vi) {
  const double plain = vi->options.apply_momentum, ahead = vi->options.apply_nesterov_momentum;
  vi->state_count = vi->optimiser->states;
  if (!(plain >= 0 && plain < 1) || !(ahead >= 0 && ahead < 1))
    return sl__fail(vi->context, SL_BAD_ARGUMENT,
                    "a momentum must lie in 0..1, 1 excluded; 0.9 is usual");
  if (plain > 0 && ahead > 0)
    return sl__fail(vi->context, SL_BAD_ARGUMENT,
                    "both momentum and Nesterov's around the optimiser; leave one out");
  if (plain == 0 && ahead == 0) return SL_OK;
  vi->state_count++;
  vi->before = sl__arena_take(&vi->arena, (size_t)vi->flow->size, (size_t)vi->number_size);
  return vi->before ? SL_OK : SL_NO_MEMORY;
}

/* ---- bounds ---- */

static void bound_slice(sl__vi *vi, int64_t begin, int64_t count, double bound) {
  double squares = 0;
  for (int64_t i = begin; i < begin + count; i++) {
    const double weight = sl__vi_number(vi->flow, vi->weights, i);
    squares += weight * weight;
  }
  const double norm = sqrt(squares);
  if (!(norm > bound)) return;
  for (int64_t i = begin; i < begin + count; i++)
    sl__vi_put(vi->flow, vi->weights, i, sl__vi_number(vi->flow, vi->weights, i) * (bound / norm));
}

void sl__vi_bound_norms(sl__vi *vi) {
  for (int p = 0; p < vi->flow->parameter_count; p++) {
    const sl__parameter *tensor = &vi->flow->parameters[p];
    const int64_t count = sl__shape_count(tensor->shape);
    const int64_t slices = tensor->shape.dims >= 2 ? tensor->shape.size[0] : 1;
    if (isinf(vi->bound[p])) continue;
    for (int64_t k = 0; k < slices; k++)
      bound_slice(vi, tensor->offset + k * (count / slices), count / slices, vi->bound[p]);
  }
}

/* To the tensors of a pattern; without one, to all matrices. */
static sl_status set_bound(sl__vi *vi, const char *pattern, size_t length, double bound) {
  const sl__flow *flow = vi->flow;
  bool found = false;
  for (int p = 0; p < flow->parameter_count; p++) {
    const sl__parameter *tensor = &flow->parameters[p];
    const bool meant =
        pattern ? sl__vi_name_matches(pattern, length, tensor->name) : tensor->shape.dims >= 2;
    if (!tensor->trainable || !meant) continue;
    vi->bound[p] = bound;
    found = true;
  }
  if (found) return SL_OK;
  if (!pattern)
    return sl__fail(vi->context, SL_BAD_ARGUMENT,
                    "max-norm: the flow has no matrices; name tensors, such as %s=2",
                    flow->parameters[0].name);
  return sl__fail(vi->context, SL_BAD_ARGUMENT,
                  "max-norm: no tensor is called \"%.*s\"; there is %s",
                  (int)(length < 100 ? length : 100), pattern, flow->parameters[0].name);
}

static sl_status read_bound(sl__vi *vi, const char *item, const char *end) {
  const char *equals = memchr(item, '=', (size_t)(end - item));
  const char *number = equals ? equals + 1 : item;
  double bound;
  if (sl__parse_real(number, end, &bound) != end || !(bound > 0))
    return sl__fail(vi->context, SL_BAD_ARGUMENT,
                    "max-norm: \"%.*s\" is no positive number; write 3, or layers.*.u=3",
                    (int)(end - number < 40 ? end - number : 40), number);
  return set_bound(vi, equals ? item : NULL, equals ? (size_t)(equals - item) : 0, bound);
}

static sl_status open_bounds(sl__vi *vi) {
  const int count = vi->flow->parameter_count;
  const char *text = vi->options.max_norm;
  if (!text || count == 0) return SL_OK;
  vi->bound = sl__arena_take(&vi->arena, (size_t)count, sizeof *vi->bound);
  if (!vi->bound) return SL_NO_MEMORY;
  for (int p = 0; p < count; p++) vi->bound[p] = INFINITY;
  for (;; text++) {
    const char *end = text + strcspn(text, ",");
    SL__TRY(read_bound(vi, text, end));
    text = end;
    if (*end == '\0') return SL_OK;
  }
}

sl_status sl__vi_wrap_open(sl__vi *vi) {
  SL__TRY(open_momentum(vi));
  return open_bounds(vi);
}
