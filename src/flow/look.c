/* Shows data to the layers that start from it, from the data side to the base: each sees what the
 * layers before it, with what they have just learnt, make of the rows. The rows are kept in double
 * between one layer that looks and the next, so that the chain is walked once.
 *
 * A layer in inverse(...) has its own data side where the chain has its base side: it is shown what
 * it makes of the rows with the numbers that it has now. As it may change them, the chain is walked
 * on from the rows before it. */
#include "flow/look.h"
#include <float.h>
#include <math.h>
#include <string.h>

typedef struct looking {
  sl_context *context;
  const sl__flow *flow;
  void *vector;
  int64_t rows;
  const void *context_rows;
  bool first;
  double *values, *spare; /* [rows][dim] */
} looking;

static bool wants(const sl__layer *layer, bool again) {
  return layer->kind->look && (!again || layer->kind->keeps_looking);
}

bool sl__flow_looks(const sl__flow *flow, bool again) {
  for (int i = 0; i < flow->chain.count; i++)
    if (wants(&flow->chain.layers[i], again)) return true;
  return wants(&flow->base, again);
}

/* ---- walking ---- */

/* The rows through layers last-1 .. first, into spare. */
static sl_status run_rows(looking *l, sl__graph *g, int first, int last) {
  const sl__flow *flow = l->flow;
  sl_node x = op_input(g, flow->type, sl__shape1(flow->dim)), c = 0;
  if (flow->context_dim > 0) c = op_input(g, flow->type, sl__shape1(flow->context_dim));
  sl_node out = sl__flow_map_log_prob(flow, g, x, c, first, last).value;
  sl__program *program = NULL;
  sl__workspace *workspace = NULL;
  sl_status status = sl__program_new(l->context, g, 1, &out, &program);
  if (status == SL_OK) status = sl__workspace_new(l->context, program, l->rows, &workspace);
  if (status == SL_OK) {
    sl__feed feeds[2] = {{.data = l->values, .type = SL_F64},
                         {.data = l->context_rows, .type = flow->type}};
    sl__sink sink = {.data = l->spare, .type = SL_F64};
    sl__run run = {.rows = l->rows, .parameters = l->vector, .feeds = feeds, .sinks = &sink};
    status = sl__program_run(l->context, program, workspace, &run);
  }
  sl__workspace_free(workspace);
  sl__program_free(program);
  return status;
}

static sl_status map_rows(looking *l, int first, int last) {
  sl__graph *g;
  SL__TRY(sl__graph_new(l->context, &g));
  sl_status status = run_rows(l, g, first, last);
  sl__graph_free(g);
  return status;
}

/* The rows move on from the data side of layer *at - 1 to that of layer to - 1. */
static sl_status advance(looking *l, int *at, int to) {
  if (*at == to) return SL_OK;
  SL__TRY(map_rows(l, to, *at));
  double *mapped = l->spare;
  l->spare = l->values;
  l->values = mapped;
  *at = to;
  return SL_OK;
}

/* The layer may see fewer features than the flow has: angles, which come last, are not its own.
 * values may be l->spare. */
static sl_status show(looking *l, const sl__layer *layer, const double *values) {
  size_t dim = (size_t)layer->dim, all = (size_t)l->flow->dim;
  for (int64_t r = 0; r < l->rows && dim < all; r++)
    memmove(l->spare + (size_t)r * dim, values + (size_t)r * all, dim * sizeof *values);
  if (dim < all) values = l->spare;
  sl_status status = layer->kind->look(l->context, layer, l->vector, l->rows, values, l->first);
  if (status == SL_OK || status == SL_NO_MEMORY) return status;
  return sl__fail_prefix(l->context, "%s, %.80s", layer->title, layer->text);
}

static sl_status walk(looking *l) {
  const sl__chain *chain = &l->flow->chain;
  int at = chain->count;
  for (int i = chain->count - 1; i >= 0; i--) {
    const sl__layer *layer = &chain->layers[i];
    if (!wants(layer, !l->first)) continue;
    SL__TRY(advance(l, &at, i + 1));
    if (layer->inverted) SL__TRY(map_rows(l, i, i + 1));
    SL__TRY(show(l, layer, layer->inverted ? l->spare : l->values));
  }
  if (!wants(&l->flow->base, !l->first)) return SL_OK;
  SL__TRY(advance(l, &at, 0));
  return show(l, &l->flow->base, l->values);
}

static double number_at(sl_dtype type, const void *numbers, int64_t at) {
  return type == SL_F32 ? (double)((const float *)numbers)[at] : ((const double *)numbers)[at];
}

sl_status sl__flow_look(sl_context *context, const sl__flow *flow, void *vector, int64_t rows,
                        const void *x, const void *context_rows, bool first) {
  if (rows < 1 || !sl__flow_looks(flow, !first)) return SL_OK;
  size_t dim = (size_t)flow->dim, count = (size_t)rows * dim;
  double *both =
      count / dim == (size_t)rows ? sl__allocate(context, count, 2 * sizeof *both) : NULL;
  if (!both) return SL_NO_MEMORY;
  for (size_t k = 0; k < count; k++) both[k] = number_at(flow->type, x, (int64_t)k);
  looking l = {.context = context,
               .flow = flow,
               .vector = vector,
               .rows = rows,
               .context_rows = context_rows,
               .first = first,
               .values = both,
               .spare = both + count};
  sl_status status = walk(&l);
  sl__free(&context->allocator, both);
  return status;
}

/* ---- for the kinds ---- */

static bool is_finite_row(int32_t dim, const double *row) {
  for (int32_t i = 0; i < dim; i++)
    if (!isfinite(row[i])) return false;
  return true;
}

/* Two passes: first the means, then the deviations from them. */
static int64_t add_up(int64_t rows, int32_t dim, const double *values, double *mean, double *sd) {
  int64_t count = 0;
  for (int32_t i = 0; i < dim; i++) mean[i] = sd[i] = 0;
  for (int64_t r = 0; r < rows; r++) {
    if (!is_finite_row(dim, values + r * dim)) continue;
    count++;
    for (int32_t i = 0; i < dim; i++) mean[i] += (values[r * dim + i] - mean[i]) / (double)count;
  }
  for (int64_t r = 0; r < rows; r++) {
    if (!is_finite_row(dim, values + r * dim)) continue;
    for (int32_t i = 0; i < dim; i++) {
      double off = values[r * dim + i] - mean[i];
      sd[i] += off * off / (double)count;
    }
  }
  return count;
}

int64_t sl__look_moments(int64_t rows, int32_t dim, const double *values, double *mean,
                         double *sd) {
  int64_t count = add_up(rows, dim, values, mean, sd);
  double pooled = 0;
  for (int32_t i = 0; i < dim; i++) {
    pooled += sd[i] / dim;
    sd[i] = sqrt(sd[i]);
    if (!isfinite(mean[i]) || !isfinite(sd[i])) return 0;
  }
  const double floor = pooled > 0 ? 1e-3 * sqrt(pooled) : 1;
  for (int32_t i = 0; i < dim; i++)
    if (sd[i] <= 1e-6 * fabs(mean[i]) || sd[i] == 0) sd[i] = fmax(sd[i], floor);
  return count;
}

double sl__look_get(const sl__flow *flow, const void *vector, int parameter, int64_t at) {
  return number_at(flow->type, vector, flow->parameters[parameter].offset + at);
}

void sl__look_put(const sl__flow *flow, void *vector, int parameter, int64_t at, double value) {
  int64_t place = flow->parameters[parameter].offset + at;
  if (flow->type == SL_F32)
    ((float *)vector)[place] = (float)fmax(fmin(value, (double)FLT_MAX), -(double)FLT_MAX);
  else
    ((double *)vector)[place] = value;
}
