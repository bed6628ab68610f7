/* Gathering draws and writing them out. */
#include "infer/chain/record.h"
#include <string.h>

enum { GATHERED = 16 };

typedef struct gathered {
  int32_t count;
  int64_t written; /* rows so far: what random numbers of generated quantities depend on */
  double *q;       /* [GATHERED][dim] */
  sl__sampler_draw draw[GATHERED];
} gathered;

typedef struct recorder {
  sl_context *context;
  const sl__target *target;
  const sl__record_listener *listener;
  uint64_t seed;
  int32_t width;
  gathered *chain; /* [chains] */
  double *values;  /* [GATHERED][width] */
} recorder;

static sl_status write_out(recorder *r, gathered *g, int32_t chain) {
  const int32_t count = g->count, dim = r->target->dim;
  g->count = 0;
  if (count == 0) return SL_OK;
  const int64_t row = (int64_t)chain * INT32_MAX + g->written;
  SL__TRY(sl__target_write(r->context, r->target, SL__TARGET_GENERATED, count, g->q, r->seed, row,
                           r->values));
  for (int32_t i = 0; i < count; i++) {
    g->draw[i].q = g->q + (size_t)i * (size_t)dim;
    g->written++;
    SL__TRY(
        r->listener->row(r->listener->user, &g->draw[i], r->values + (size_t)i * (size_t)r->width));
  }
  return SL_OK;
}

static sl_status take_draw(void *user, const sl__sampler_draw *draw) {
  recorder *r = user;
  gathered *g = &r->chain[draw->chain];
  const size_t dim = (size_t)r->target->dim;
  memcpy(g->q + (size_t)g->count * dim, draw->q, dim * sizeof *g->q);
  g->draw[g->count++] = *draw;
  return g->count == GATHERED ? write_out(r, g, draw->chain) : SL_OK;
}

static sl_status take_adapted(void *user, int32_t chain, double step_size,
                              const sl__metric *metric) {
  recorder *r = user;
  SL__TRY(write_out(r, &r->chain[chain], chain));
  if (!r->listener->adapted) return SL_OK;
  return r->listener->adapted(r->listener->user, chain, step_size, metric);
}

static bool take_progress(void *user, const int64_t *iterations, const int64_t *divergences) {
  const recorder *r = user;
  return r->listener->progress(r->listener->user, iterations, divergences);
}

static sl_status open_recorder(recorder *r, sl__arena *arena, int32_t chains) {
  r->chain = sl__arena_take(arena, (size_t)chains, sizeof *r->chain);
  r->values = sl__arena_take(arena, GATHERED, (size_t)r->width * sizeof *r->values);
  if (!r->chain || !r->values) return SL_NO_MEMORY;
  for (int32_t c = 0; c < chains; c++) {
    r->chain[c].q = sl__arena_take(arena, GATHERED, (size_t)r->target->dim * sizeof(double));
    if (!r->chain[c].q) return SL_NO_MEMORY;
  }
  return SL_OK;
}

sl_status sl__record_run(sl_context *context, const sl__target *target,
                         const sl__sampler_options *options, const double *first,
                         const sl__record_listener *listener, sl__sampler_report *report) {
  *report = (sl__sampler_report){0};
  SL__TRY(sl__sampler_check(context, options));
  sl__arena arena;
  sl__arena_open(&arena, context);
  recorder r = {.context = context,
                .target = target,
                .listener = listener,
                .seed = options->seed,
                .width = sl__target_width(target, SL__TARGET_GENERATED)};
  const sl__sampler_listener inner = {.draw = take_draw,
                                      .adapted = take_adapted,
                                      .progress = listener->progress ? take_progress : NULL,
                                      .user = &r};
  sl_status status = open_recorder(&r, &arena, options->chains);
  if (status == SL_OK) status = sl__sampler_run(context, target, options, first, &inner, report);
  /* The rest must not be lost; but after a failed write another would only hide its cause. */
  for (int32_t c = 0; r.chain && c < options->chains; c++) {
    if (status != SL_OK && status != SL_STOPPED && status != SL_NUMERIC) break;
    const sl_status rest = write_out(&r, &r.chain[c], c);
    if (rest != SL_OK) status = rest;
  }
  sl__arena_close(&arena);
  return status;
}
