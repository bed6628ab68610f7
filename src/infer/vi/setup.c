/* Variational inference: checks what is asked and takes all memory that there will be. */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include "base/os.h"
#include "infer/vi/engine.h"

enum { CHUNK = 16384, MOST_TERMS = 32 };

void sl__vi_defaults(sl__vi_options *options, sl__vi_term *term) {
  *term = (sl__vi_term){.objective = "elbo", .weight = 1, .samples = 100};
  *options = (sl__vi_options){
      .term_count = 1,
      .terms = term,
      .steps = 10000,
      .rate = NAN,
      .optimiser = "adam",
      .schedule = "constant",
      .optimiser_options = {NAN, NAN, NAN, NAN, NAN},
      .anneal_from = 0.01,
      .stop = {.every = 100, .norm = INFINITY},
  };
}

const sl__optimiser *sl__vi_optimiser(const char *name) {
  char own[64];
  const int length = snprintf(own, sizeof own, "pymc3-%s", name);
  const sl__optimiser *found =
      length > 0 && (size_t)length < sizeof own ? sl__optimiser_find(own) : NULL;
  return found ? found : sl__optimiser_find(name);
}

static sl_status check_flow(const sl__vi *vi) {
  const sl__flow *flow = vi->flow;
  if (flow->context_dim > 0 || flow->periodic > 0)
    return sl__fail(vi->context, SL_UNSUPPORTED,
                    "variational inference fits flows without conditions and without angles");
  if (flow->dim != vi->target->dim)
    return sl__fail(vi->context, SL_BAD_ARGUMENT,
                    "the flow has %d features, the target %d; give as many", (int)flow->dim,
                    (int)vi->target->dim);
  if (vi->options.sobol && strcmp(flow->base.kind->name, "normal") != 0)
    return sl__fail(vi->context, SL_UNSUPPORTED,
                    "Sobol noise is for the base density normal, not %.60s; leave it out",
                    flow->base.text);
  if (vi->options.sobol && flow->dim > SL__SOBOL_DIMS)
    return sl__fail(vi->context, SL_UNSUPPORTED,
                    "Sobol noise is for at most %d dimensions; leave it out", SL__SOBOL_DIMS);
  return SL_OK;
}

static sl_status refuse_optimiser(const sl__vi *vi, const char *name) {
  enum { MOST = 64 };
  int count;
  const char *names[MOST];
  const sl__optimiser *const *all = sl__optimisers(&count);
  for (int i = 0; i < count && i < MOST; i++) names[i] = all[i]->name;
  const char *near = sl__nearest_name(name, names, count < MOST ? count : MOST);
  return sl__fail(vi->context, SL_BAD_ARGUMENT, "there is no optimiser called %.60s; %s %s%s", name,
                  near ? "did you mean" : "one is", near ? near : "adam", near ? "?" : "");
}

static sl_status find_names(sl__vi *vi) {
  sl__vi_options *options = &vi->options;
  vi->optimiser = sl__vi_optimiser(options->optimiser);
  if (!vi->optimiser) return refuse_optimiser(vi, options->optimiser);
  vi->schedule = sl__schedule_find(options->schedule);
  if (!vi->schedule)
    return sl__fail(vi->context, SL_BAD_ARGUMENT,
                    "there is no schedule called %s; use constant, cosine, warmup or plateau",
                    options->schedule);
  options->optimiser_options = sl__optimiser_resolve(vi->optimiser, &options->optimiser_options);
  if (isnan(options->rate)) options->rate = vi->optimiser->default_rate;
  return SL_OK;
}

static sl_status check_numbers(const sl__vi *vi) {
  const sl__vi_options *options = &vi->options;
  if (options->steps < 1 || options->steps > UINT32_MAX)
    return sl__fail(vi->context, SL_BAD_ARGUMENT, "there must be 1 to 4294967295 steps");
  if (!(options->rate > 0) || !(options->clip >= 0))
    return sl__fail(vi->context, SL_BAD_ARGUMENT, "rate must be positive and clip not negative");
  if (!(options->ema >= 0 && options->ema < 1))
    return sl__fail(vi->context, SL_BAD_ARGUMENT, "ema must lie in 0..1, 1 excluded");
  if (!(options->anneal_from >= 0 && options->anneal_from <= 1))
    return sl__fail(vi->context, SL_BAD_ARGUMENT, "annealing must start between 0 and 1");
  if (options->term_count < 1 || options->term_count > MOST_TERMS)
    return sl__fail(vi->context, SL_BAD_ARGUMENT, "there must be 1 to %d terms", MOST_TERMS);
  return SL_OK;
}

/* The runs of trainable numbers, neighbours joined, cut into chunks. */
static sl_status cut_chunks(sl__vi *vi) {
  const sl__flow *flow = vi->flow;
  const size_t most = (size_t)(flow->size / CHUNK) + (size_t)flow->parameter_count + 1;
  vi->chunks = sl__arena_take(&vi->arena, most, sizeof *vi->chunks);
  vi->chunk_squares = sl__arena_take(&vi->arena, most, sizeof *vi->chunk_squares);
  if (!vi->chunks || !vi->chunk_squares) return SL_NO_MEMORY;
  for (int p = 0; p < flow->parameter_count; p++) {
    if (!flow->parameters[p].trainable) continue;
    int64_t at = flow->parameters[p].offset;
    int64_t left = sl__shape_count(flow->parameters[p].shape);
    while (left > 0) {
      sl__vi_chunk *last = vi->chunk_count > 0 ? &vi->chunks[vi->chunk_count - 1] : NULL;
      const bool joins = last && last->offset + last->count == at && last->count < CHUNK;
      if (!joins) *(last = &vi->chunks[vi->chunk_count++]) = (sl__vi_chunk){at, 0};
      const int64_t room = CHUNK - last->count, taken = left < room ? left : room;
      last->count += taken;
      at += taken;
      left -= taken;
    }
  }
  if (vi->chunk_count > 0) return SL_OK;
  return sl__fail(vi->context, SL_BAD_ARGUMENT,
                  "the flow has nothing to train; give it a layer with parameters");
}

static sl_status take_vectors(sl__vi *vi, const void *vector) {
  const size_t size = (size_t)vi->flow->size, width = (size_t)vi->number_size;
  sl__vi_place *start = &vi->snapshots.start, *best = &vi->snapshots.best;
  char **wanted[] = {&vi->weights, &vi->gradient, &start->weights, &best->weights, &vi->average};
  for (size_t k = 0; k < sizeof wanted / sizeof wanted[0]; k++) {
    if (wanted[k] == &vi->average && vi->options.ema == 0) continue;
    *wanted[k] = sl__arena_take(&vi->arena, size, width);
    if (!*wanted[k]) return SL_NO_MEMORY;
  }
  for (int k = 0; k < vi->state_count; k++) {
    vi->states[k] = sl__arena_take(&vi->arena, size, width);
    if (!vi->states[k]) return SL_NO_MEMORY;
    if (!vi->options.go_back) continue;
    start->states[k] = sl__arena_take(&vi->arena, size, width);
    best->states[k] = sl__arena_take(&vi->arena, size, width);
    if (!start->states[k] || !best->states[k]) return SL_NO_MEMORY;
  }
  memcpy(vi->weights, vector, size * width);
  memcpy(start->weights, vector, size * width);
  memcpy(best->weights, vector, size * width);
  if (vi->average) memcpy(vi->average, vector, size * width);
  return SL_OK;
}

/* A function of the caller's without a tracker has one that writes nothing. */
static sl_status open_tracks(sl__vi *vi) {
  static const char *const nothing[] = {NULL};
  sl__vi_options *options = &vi->options;
  if (options->track_count == 0 && options->function.call) {
    options->tracks = nothing;
    options->track_count = 1;
  }
  const int count = options->track_count;
  if (count == 0) return SL_OK;
  vi->tracks = sl__arena_take(&vi->arena, (size_t)count, sizeof *vi->tracks);
  if (!vi->tracks) return SL_NO_MEMORY;
  for (int k = 0; k < count; k++)
    SL__TRY(sl__vi_track_new(vi->context, vi->flow, options->tracks[k], &vi->tracks[k]));
  return options->function.call ? sl__vi_track_function(vi->tracks[0], &options->function) : SL_OK;
}

static sl_status open_parts(sl__vi *vi, const void *vector) {
  SL__TRY(check_flow(vi));
  SL__TRY(find_names(vi));
  SL__TRY(check_numbers(vi));
  SL__TRY(sl__vi_wrap_open(vi));
  SL__TRY(take_vectors(vi, vector));
  SL__TRY(cut_chunks(vi));
  SL__TRY(sl__vi_watch_open(vi));
  SL__TRY(open_tracks(vi));
  const int count = vi->options.term_count;
  vi->work = sl__arena_take(&vi->arena, (size_t)count, sizeof *vi->work);
  if (!vi->work) return SL_NO_MEMORY;
  for (int t = 0; t < count; t++) {
    vi->work_count = t + 1;
    SL__TRY(sl__vi_work_open(vi, t, &vi->options.terms[t]));
  }
  return SL_OK;
}

sl_status sl__vi_new(sl_context *context, const sl__flow *flow, const void *vector,
                     const sl__target *target, const sl__vi_options *options, sl__vi **out) {
  *out = NULL;
  sl__vi *vi = sl__allocate(context, 1, sizeof *vi);
  if (!vi) return SL_NO_MEMORY;
  vi->context = context;
  vi->flow = flow;
  vi->target = target;
  vi->options = *options;
  vi->kernels = sl__kernels_for(context->cpu_features, flow->type);
  vi->number_size = flow->type == SL_F32 ? 4 : 8;
  vi->started = sl__os_seconds();
  vi->rate_factor = vi->tempering = 1;
  vi->snapshots.least = vi->snapshots.last = INFINITY;
  vi->loss = vi->norm = vi->loss_kept = (double)NAN;
  sl__arena_open(&vi->arena, context);
  const sl_status status = open_parts(vi, vector);
  if (status != SL_OK) {
    sl__vi_free(vi);
    return status;
  }
  *out = vi;
  return SL_OK;
}

void sl__vi_free(sl__vi *vi) {
  if (!vi) return;
  for (int t = 0; t < vi->work_count; t++) sl__vi_work_close(&vi->work[t]);
  for (int k = 0; vi->tracks && k < vi->options.track_count; k++) sl__vi_track_free(vi->tracks[k]);
  const sl__allocator allocator = vi->arena.allocator;
  sl__arena_close(&vi->arena);
  sl__free(&allocator, vi);
}

void sl__vi_jitter(const sl__flow *flow, void *vector, double jitter) {
  for (int p = 0; p < flow->parameter_count; p++) {
    const sl__parameter *parameter = &flow->parameters[p];
    if (parameter->initial != SL__INITIAL_NORMAL || !(parameter->scale > 0)) continue;
    const int64_t begin = parameter->offset, count = sl__shape_count(parameter->shape);
    for (int64_t i = begin; i < begin + count; i++)
      sl__vi_put(flow, vector, i, sl__vi_number(flow, vector, i) * (jitter / parameter->scale));
  }
}
