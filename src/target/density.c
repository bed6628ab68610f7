/* Densities: a target's program and work memory, made once and called with points. */
#include <math.h>
#include "base/os.h"
#include "target/target.h"

struct sl__density {
  sl__allocator allocator;
  const sl__target *target;
  bool with_gradient;
  sl__program *program;
  sl__workspace *workspace;
  int64_t gradients, values; /* rows evaluated */
  int64_t slice;             /* rows to be evaluated before it is asked whether to go on */
  double most_ode_steps;     /* of a solution; 0: as many as the program allows */
};

/* Programs that add nothing up over rows take any number of them, a block at a time. */
#define ANY_ROWS ((int64_t)1 << 40)

/* Sizes from data may be anything: a row of values has the limit that a program's values have. */
enum { MOST_ROW_BYTES = 1 << 30 };

static sl_status make_workspace(sl_context *context, sl__density *density) {
  const int64_t bytes = sl__program_row_bytes(density->program);
  sl_status status = SL_NO_MEMORY;
  if (bytes <= MOST_ROW_BYTES)
    status = sl__workspace_new(context, density->program, ANY_ROWS, &density->workspace);
  if (status != SL_NO_MEMORY) return status;
  return sl__fail(context, SL_NO_MEMORY,
                  "%.200s: one evaluation needs %lld megabytes of values%s; are the sizes right?",
                  density->target->title, (long long)(bytes >> 20),
                  bytes > MOST_ROW_BYTES ? ", and at most 1024 are given" : "");
}

static sl_status build(sl_context *context, sl__density *density, uint32_t flags, sl__graph *g) {
  const int32_t dim = density->target->dim;
  sl_node outputs[2];
  const sl_node x = dim > 0 ? op_input(g, SL_F64, sl__shape1(dim)) : 0;
  if (!density->with_gradient) flags |= SL__DENSITY_VALUE_ONLY;
  /* op_rows: even where no coordinate enters there is a number per row */
  outputs[0] = op_rows(g, sl__target_log_density(density->target, g, x, flags));
  SL__TRY(sl__graph_status(g));
  const bool two = density->with_gradient && dim > 0;
  if (two) {
    SL__TRY(sl__gradient(g, outputs[0], 1, &x, &outputs[1]));
    outputs[1] = op_rows(g, outputs[1]);
  }
  SL__TRY(sl__program_new(context, g, two ? 2 : 1, outputs, &density->program));
  return make_workspace(context, density);
}

sl_status sl__density_new(sl_context *context, const sl__target *target, uint32_t flags,
                          bool with_gradient, sl__density **out) {
  *out = NULL;
  sl__density *density = sl__allocate(context, 1, sizeof *density);
  if (!density) return SL_NO_MEMORY;
  density->allocator = context->allocator;
  density->target = target;
  density->with_gradient = with_gradient;
  sl__graph *g;
  sl_status status = sl__graph_new(context, &g);
  if (status == SL_OK) status = build(context, density, flags, g);
  sl__graph_free(g);
  if (status != SL_OK)
    sl__density_free(density);
  else
    *out = density;
  return status;
}

void sl__density_free(sl__density *density) {
  if (!density) return;
  sl__workspace_free(density->workspace);
  sl__program_free(density->program);
  const sl__allocator allocator = density->allocator;
  sl__free(&allocator, density);
}

sl_status sl__density_run(sl_context *context, sl__density *density, const sl__points *points) {
  return sl__density_run_marking(context, density, points, NULL);
}

sl_status sl__density_run_marking(sl_context *context, sl__density *density,
                                  const sl__points *points, bool *undefined) {
  const int64_t rows = points->rows, row = points->row_stride, column = points->column_stride;
  if (points->gradient && !density->with_gradient)
    return sl__fail(context, SL_BAD_ARGUMENT,
                    "a gradient is asked of a density that was made without; make it with one");
  const sl__feed feed = {points->q, SL_F64, row, column, NULL};
  const sl__sink sinks[2] = {{points->value, SL_F64, 1, 1},
                             {points->gradient, SL_F64, row, column}};
  const sl__run run = {.rows = rows,
                       .parameters = density->target->parameters,
                       .feeds = &feed,
                       .sinks = sinks,
                       .most_ode_steps = density->most_ode_steps};
  SL__TRY(sl__program_run(context, density->program, density->workspace, &run));
  for (int64_t r = 0; r < rows; r++) {
    const bool nan = isnan(points->value[r]) != 0;
    if (undefined) undefined[r] = nan;
    if (nan) points->value[r] = -(double)INFINITY;
  }
  if (points->gradient)
    density->gradients += rows;
  else
    density->values += rows;
  return SL_OK;
}

/* Slices are as long as the clock allows. That changes no result: programs that iterate compute a
 * row without regard to those beside it. Of others, runs take no time worth asking in. */
sl_status sl__density_run_asking(sl_context *context, sl__density *density,
                                 const sl__points *points, bool (*may_go_on)(void *user),
                                 void *user) {
  enum { FEWEST = 16, MOST = 1 << 20 };
  const double short_time = 0.1, long_time = 0.5; /* seconds */
  if (!may_go_on || !sl__program_iterates(density->program))
    return sl__density_run(context, density, points);
  if (density->slice == 0) density->slice = FEWEST;
  double asked = sl__os_seconds();
  for (int64_t done = 0, count; done < points->rows; done += count) {
    sl__points slice = *points;
    const double begun = sl__os_seconds();
    const int64_t left = points->rows - done;
    slice.rows = count = left < density->slice ? left : density->slice;
    slice.q += done * points->row_stride;
    slice.value += done;
    if (slice.gradient) slice.gradient += done * points->row_stride;
    SL__TRY(sl__density_run(context, density, &slice));
    const double now = sl__os_seconds();
    if (now - begun < short_time && density->slice < MOST) density->slice *= 2;
    if (now - begun > long_time && density->slice > FEWEST) density->slice /= 2;
    if (now - asked < short_time) continue;
    asked = now;
    if (!may_go_on(user)) return sl__fail(context, SL_STOPPED, "stopped between points");
  }
  return SL_OK;
}

static sl_status count_values(sl_context *context, sl__density *density, const sl__points *points,
                              int64_t *count) {
  SL__TRY(sl__density_run(context, density, points));
  *count = 0;
  for (int64_t r = 0; r < points->rows; r++) *count += isfinite(points->value[r]) != 0;
  return SL_OK;
}

sl_status sl__density_learn_patience(sl_context *context, sl__density *density,
                                     const sl__points *points, double *out) {
  const double least = 32, most = 1e9, times = 8;
  const double before = density->most_ode_steps;
  int64_t all, with = -1;
  *out = density->most_ode_steps = 0;
  if (!sl__density_solves(density)) return SL_OK;
  sl_status status = count_values(context, density, points, &all);
  double enough = least;
  while (status == SL_OK && all > 0 && enough < most) {
    density->most_ode_steps = enough;
    status = count_values(context, density, points, &with);
    if (with == all) {
      *out = times * enough;
      break;
    }
    enough *= 2;
  }
  density->most_ode_steps = before;
  return status;
}

void sl__density_set_patience(sl__density *density, double most_ode_steps) {
  density->most_ode_steps = most_ode_steps;
}

bool sl__density_solves(const sl__density *density) {
  return sl__program_iterates(density->program);
}
int64_t sl__density_gradients(const sl__density *density) {
  return density->gradients;
}
int64_t sl__density_values(const sl__density *density) {
  return density->values;
}
