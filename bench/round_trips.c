/* The part of docs/flows.md on round trips: there and back through one layer of every kind, at
 * parameters of trained size and ten times that, for rows from the middle to far out.
 *
 *   bench_round_trips >> docs/flows.md
 *
 * What comes back differs from what went in by the rounding of the value between, amplified by the
 * map's slope there. That share is found by moving the value between by as much as its precision
 * rounds, in float64: so one sees whether an error is the number's or the method's. */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include "api/handle.h"
#include "flow/transformer/transformer.h"

enum { ROWS = 400, DIM = 4, NUMBERS = ROWS * DIM, PATTERNS = 1 << DIM };

static const struct {
  const char *name;
  double amplitude;
  sl_dtype type;
  double wanted;
} columns[] = {
    {"trained, f64", 0.3, SL_F64, 1e-10},
    {"trained, f32", 0.3, SL_F32, 1e-4},
    {"10 times, f64", 3, SL_F64, 1e-10},
    {"10 times, f32", 3, SL_F32, 1e-4},
};
enum { COLUMNS = sizeof columns / sizeof columns[0] };

/* Starting values plus amplitude times normal numbers, rounded to float32 in either type. */
static void perturb(sl_flow *flow, double amplitude) {
  const sl__flow *f = flow->model->flow;
  for (int i = 0; i < f->parameter_count; i++) {
    const sl__parameter *p = &f->parameters[i];
    const sl__random_key key = {17, SL__STREAM_TEST, (uint32_t)i};
    const int64_t count = sl__shape_count(p->shape);
    const int64_t width = p->shape.dims > 0 ? count / p->shape.size[0] : 1;
    for (int64_t k = 0; k < count && p->trainable; k++) {
      if (p->extent && k % width >= p->extent[k / width]) continue;
      const double more = amplitude * sl__random_normal(key, (uint64_t)k, 0);
      float *narrow = (float *)flow->model->vector + p->offset + k;
      double *wide = (double *)flow->model->vector + p->offset + k;
      if (f->type == SL_F32)
        *narrow = (float)((double)*narrow + more);
      else
        *wide = (double)(float)(*wide + more);
    }
  }
}

/* Half of the rows in the middle, the others ever farther out, up to 1000 times. */
static void draw_points(bool on_circle, double *x) {
  const sl__random_key key = {3, SL__STREAM_TEST, 7};
  for (int i = 0; i < NUMBERS; i++) {
    const int row = i / DIM;
    const double size = row < ROWS / 2 ? 1.3 : pow(10, 3.0 * (row - ROWS / 2) / (ROWS / 2));
    x[i] = size * sl__random_normal(key, (uint64_t)i, 0);
    if (on_circle) x[i] = 3 * tanh(x[i] / 3);
    x[i] = (double)(float)x[i];
  }
}

typedef struct trip {
  double worst;
  int beyond, rows, lost;
  int unexplained; /* beyond, and off by more than 10 times what rounding makes of it */
} trip;

static sl_status map(sl_context *context, const sl_flow *flow, sl_direction direction,
                     const double *from, double *to) {
  const sl_array_in in = sl_in_f64(from, ROWS, DIM);
  const sl_array_out out = sl_out_f64(to, ROWS, DIM);
  return sl_flow_map(context, flow, direction, -1, &in, NULL, &out, NULL);
}

/* How far each row moves, relative to 1 + |x|, where the values of y move by a unit in their last
 * place in the precision of the trip; [ROWS]. */
static sl_status find_spread(sl_context *context, const sl_flow *wide, sl_direction home,
                             sl_dtype type, const double *x, const double *y, double *spread) {
  static double near[NUMBERS], moved[NUMBERS], at[NUMBERS];
  memset(spread, 0, ROWS * sizeof *spread);
  SL__TRY(map(context, wide, home, y, at));
  for (uint32_t pattern = 0; pattern < PATTERNS; pattern++) {
    for (int i = 0; i < NUMBERS; i++) {
      const double way = pattern >> (i % DIM) & 1 ? INFINITY : -INFINITY;
      near[i] = type == SL_F32 ? (double)nextafterf((float)y[i], (float)way) : nextafter(y[i], way);
    }
    SL__TRY(map(context, wide, home, near, moved));
    for (int i = 0; i < NUMBERS; i++)
      spread[i / DIM] = fmax(spread[i / DIM], fabs(moved[i] - at[i]) / (1 + fabs(x[i])));
  }
  return SL_OK;
}

/* One direction there, the other back. */
static sl_status travel(sl_context *context, const sl_flow *flow, const sl_flow *wide, int column,
                        sl_direction there, trip *out) {
  static double x[NUMBERS], y[NUMBERS], back[NUMBERS], spread[ROWS];
  const sl_direction home = there == SL_TO_DATA ? SL_TO_BASE : SL_TO_DATA;
  draw_points(strncmp(flow->model->flow->base_formula, "uniform", 7) == 0, x);
  SL__TRY(map(context, flow, there, x, y));
  SL__TRY(map(context, flow, home, y, back));
  SL__TRY(find_spread(context, wide, home, columns[column].type, x, y, spread));
  for (int row = 0; row < ROWS; row++) {
    double error = 0, sum = 0;
    for (int k = row * DIM; k < (row + 1) * DIM; k++) {
      sum += back[k] + y[k];
      error = fmax(error, fabs(back[k] - x[k]) / (1 + fabs(x[k])));
    }
    out->rows++;
    out->lost += !isfinite(sum);
    if (!isfinite(sum)) continue;
    out->worst = fmax(out->worst, error);
    if (error <= columns[column].wanted) continue;
    out->beyond++;
    out->unexplained += error > 10 * spread[row];
  }
  return SL_OK;
}

static sl_status make(sl_context *context, const char *formula, sl_dtype type, double amplitude,
                      sl_flow **out) {
  SL__TRY(sl_flow_new(context, formula, NULL, DIM, 0, type, 11, out));
  perturb(*out, amplitude);
  return SL_OK;
}

static sl_status print_line(sl_context *context, const char *formula) {
  printf("| `%s` |", formula);
  for (int column = 0; column < COLUMNS; column++) {
    sl_flow *flow = NULL, *wide = NULL;
    trip sum = {0};
    sl_status status =
        make(context, formula, columns[column].type, columns[column].amplitude, &flow);
    if (status == SL_OK) status = make(context, formula, SL_F64, columns[column].amplitude, &wide);
    if (status == SL_OK) status = travel(context, flow, wide, column, SL_TO_DATA, &sum);
    if (status == SL_OK) status = travel(context, flow, wide, column, SL_TO_BASE, &sum);
    sl_flow_free(flow);
    sl_flow_free(wide);
    SL__TRY(status);
    printf(" %.0e", sum.worst);
    if (sum.beyond > 0)
      printf(", %.1f%% beyond (%.1f%%)", 100.0 * sum.beyond / sum.rows,
             100.0 * sum.unexplained / sum.rows);
    if (sum.lost > 0) printf(", %.1f%% not finite", 100.0 * sum.lost / sum.rows);
    printf(" |");
  }
  printf("\n");
  fflush(stdout);
  return SL_OK;
}

/* The kind by its name, or where it cannot stand alone, in its first example; those that take a
 * transformer with each. */
static sl_status print_kind(sl_context *context, const sl__kind *kind) {
  char formula[160];
  sl_flow *flow = NULL;
  const bool takes =
      kind->argument_count > 0 && kind->arguments[0].choices == sl__transformer_names;
  for (const char *name = sl__transformer_names; takes && *name; name += *name == '|') {
    const int length = (int)strcspn(name, "|");
    const bool circle = strncmp(name, "circular", (size_t)length) == 0;
    snprintf(formula, sizeof formula, "%s%s(%.*s)",
             circle ? "uniform(low=-3.1415927,high=3.1415927)-" : "", kind->name, length, name);
    SL__TRY(print_line(context, formula));
    name += length;
  }
  if (takes) return SL_OK;
  const bool alone = sl_flow_new(context, kind->name, NULL, DIM, 0, SL_F64, 1, &flow) == SL_OK;
  sl_flow_free(flow);
  return print_line(context, alone ? kind->name : kind->examples[0]);
}

int main(void) {
  sl_context *context;
  const sl_context_options options = {.size = sizeof options, .threads = 1};
  if (sl_context_new(&options, &context) != SL_OK) return 1;
  printf(
      "\n## Round trips\n\n"
      "There and back through one layer, %d features, %d rows each way, half of them in the middle "
      "and half up to 1000 times as\nfar out; parameters are starting values plus 0.3 or 3 times "
      "normal numbers. Largest |back - x| / (1 + |x|), and the share\nof rows beyond 1e-10 (f64) "
      "or "
      "1e-4 (f32); in brackets the share that is off by more than 10 times what a unit in the "
      "last\n"
      "place of the value between moves the row: the others could not come back closer, whoever "
      "computes the way back. Not finite:\nthe value between cannot be represented, or is an end "
      "of "
      "an interval; scores say -infinity, draws NaN.\n\n"
      "Networks of 64 units make steep maps at such parameters, and splines flat ones: slopes of a "
      "rational-quadratic spline go\ndown to 2e-6 / d at a slope d of its knots. A step of "
      "Newton's "
      "behind the closed form was tried and brought back hardly\nany row more, as the brackets "
      "say.\n\n"
      "| layer |",
      DIM, ROWS);
  for (int i = 0; i < COLUMNS; i++) printf(" %s |", columns[i].name);
  printf("\n|---|");
  for (int i = 0; i < COLUMNS; i++) printf("---|");
  printf("\n");
  int count = 0;
  sl_status status = SL_OK;
  const sl__kind *const *kinds = sl__kinds(&count);
  for (int i = 0; i < count && status == SL_OK; i++)
    if (!sl__kind_is_base(kinds[i])) status = print_kind(context, kinds[i]);
  if (status != SL_OK) fprintf(stderr, "bench_round_trips: %s\n", sl_error(context));
  sl_context_free(context);
  return status == SL_OK ? 0 : 1;
}
