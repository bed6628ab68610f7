/* Where an attempt starts: behind the layers stand a triangular map and the standardisation, which
 * start as the inverse of the exploration's whitening, so that what the layers see is about
 * standard normal. A deeper attempt takes over the layers it shares with the one before, counted
 * from the data; its new ones, next to the noise, start near the identity. */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include "infer/robust/attempt.h"
#include "infer/vi/engine.h"

/* Beyond this ratio of a coordinate's distance from 0 to its deviation given the others, float32
 * rounds draws by more than a thousandth of that deviation. */
static const double most_ratio = 2000;

sl_dtype sl__robust_type(const sl__exploration *e) {
  for (int32_t i = 0; i < e->dim; i++) {
    /* the last diagonal entries are the deviations given all coordinates before; good enough */
    const double own = e->factor ? e->factor[i * e->dim + i] : 1;
    if ((fabs(e->mean[i]) / e->sd[i] + 3) / own > most_ratio) return SL_F64;
  }
  return SL_F32;
}

static const sl__parameter *find(const sl__flow *flow, const sl__layer *layer, const char *name) {
  char full[128];
  snprintf(full, sizeof full, "%.80s.%.40s", layer->path, name);
  for (int p = 0; p < flow->parameter_count; p++)
    if (strcmp(flow->parameters[p].name, full) == 0) return &flow->parameters[p];
  return NULL;
}

/* z = diag(1 / l_ii) (D L^-1) x with D = diag(l_ii): triangular.c keeps the logarithms of the
 * scales, and the entries below the diagonal, row by row, times sqrt(dim). */
static sl_status whiten(const sl__robust *run, sl__model *model) {
  const sl__exploration *e = run->exploration;
  const int32_t dim = e->dim;
  sl__flow *flow = model->flow;
  const sl__layer *layer = &flow->chain.layers[flow->chain.count - 2];
  const sl__parameter *scale = find(flow, layer, "scale"), *below = find(flow, layer, "triangle");
  if (!e->factor || !scale || !below) return SL_OK;
  double *inverse = sl__allocate(run->context, (size_t)dim * (size_t)dim, sizeof *inverse);
  if (!inverse) return SL_NO_MEMORY;
  int64_t next = 0;
  for (int32_t i = 0; i < dim; i++) {
    const double own = e->factor[i * dim + i];
    sl__vi_put(flow, model->vector, scale->offset + i, -log(own));
    inverse[i * dim + i] = 1 / own;
    for (int32_t j = 0; j < i; j++) {
      double sum = 0;
      for (int32_t k = j; k < i; k++) sum -= e->factor[i * dim + k] * inverse[k * dim + j];
      inverse[i * dim + j] = sum / own;
      sl__vi_put(flow, model->vector, below->offset + next++, sum * sqrt((double)dim));
    }
  }
  sl__free(&run->context->allocator, inverse);
  return SL_OK;
}

static void copy_layer(const sl__model *from, const sl__layer *source, sl__model *to,
                       const sl__layer *place) {
  const size_t width = to->flow->type == SL_F32 ? sizeof(float) : sizeof(double);
  for (int p = 0; p < source->parameter_count && p < place->parameter_count; p++) {
    const sl__parameter *old = &from->flow->parameters[source->first_parameter + p];
    const sl__parameter *new = &to->flow->parameters[place->first_parameter + p];
    const int64_t count = sl__shape_count(new->shape);
    if (sl__shape_count(old->shape) != count) continue;
    memcpy((char *)to->vector + (size_t) new->offset *width,
           (const char *)from->vector + (size_t)old->offset * width, (size_t)count * width);
  }
}

/* Layers that are written alike, from the data on; then the base. */
static void take_over(const sl__model *before, sl__model *model) {
  const sl__chain *old = &before->flow->chain, *new = &model->flow->chain;
  for (int k = 1; k <= old->count && k <= new->count; k++) {
    const sl__layer *source = &old->layers[old->count - k];
    const sl__layer *place = &new->layers[new->count - k];
    if (strcmp(source->text, place->text) != 0) break;
    copy_layer(before, source, model, place);
  }
  if (strcmp(before->flow->base.text, model->flow->base.text) == 0)
    copy_layer(before, &before->flow->base, model, &model->flow->base);
}

/* A base with heavy tails is for draws whose moments say little of where most of them are. */
static bool starts_from_quartiles(const sl__model *model) {
  return model->dim == 1 && strcmp(model->flow->base.kind->name, "student") == 0;
}

static sl_status start_from_quartiles(const sl__robust *run, sl__model *model) {
  double centre, spread;
  SL__TRY(sl__robust_measure_quartiles(run->context, run->exploration, &centre, &spread));
  sl__model_standardize(model, &centre, &spread);
  return SL_OK;
}

/* A rung of ours with a triangular map of its own wants the coordinates as they are. */
static bool mixes_by_itself(const sl__robust *run, const sl__plan_of_attempt *plan) {
  return !run->options->formula && strstr(plan->layers, "triangular");
}

sl_status sl__robust_start(const sl__robust *run, const sl__plan_of_attempt *plan,
                           const sl__model *before, sl__model **out) {
  const sl__exploration *e = run->exploration;
  const bool whitens = e->factor && !mixes_by_itself(run, plan);
  sl__text formula;
  sl__text_open(&formula, run->context);
  sl__text_add(&formula, "%s-%s", plan->layers,
               whitens ? "triangular" : "scale(jitter=0)-loc(jitter=0)");
  sl_status status = formula.failed ? SL_NO_MEMORY : SL_OK;
  sl__model *model = NULL;
  if (status == SL_OK)
    status = sl__model_new(run->context, formula.data, plan->base, e->dim, 0, run->type,
                           sl__robust_seed(run, SL__PART_START), &model);
  sl__text_close(&formula);
  if (status != SL_OK) return status;
  sl__flow_initialise(model->flow, model->vector);
  sl__model_standardize(model, e->mean, e->sd);
  if (starts_from_quartiles(model))
    status = start_from_quartiles(run, model);
  else
    status = whitens ? whiten(run, model) : sl__robust_start_margins(run, model);
  if (status == SL_OK && before && plan->deepens) take_over(before, model);
  if (status == SL_OK && plan->steps == 0) status = sl__robust_weigh_margins(run, model);
  if (status != SL_OK) {
    sl__model_free(run->context, model);
    return status;
  }
  *out = model;
  return SL_OK;
}
