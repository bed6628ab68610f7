/* Every example of every type of column that is registered: its text, the map both ways, its
 * log-determinant against finite differences, the mass of a density over the support and outside,
 * at the ends and one ulp inside, gradients, and files; in float32 too. The integrals are over the
 * data's own units, on grids that know nothing of the library's maps. */
#include <unistd.h>
#include "api/handle.h"
#include "check.h"
#include "flow/columns.h"

enum { MOST = 4, GRID = 1200, SIDE = 160 };

static sl_context *context;
static const char *current; /* the example, for failures */

/* One example: a column, or so many shares. */
typedef struct subject {
  sl__column_type type;
  int32_t count, features;
  sl__model *model; /* parameters moved off their starting values */
} subject;

static double *numbers(size_t count) {
  double *out = calloc(count, sizeof *out);
  if (!out) exit(3);
  return out;
}

/* Rows [rows][count] to log densities, or with `slopes` [rows][count] also their gradients. */
static void score(const subject *s, int64_t rows, const double *x, double *log_prob,
                  double *slopes) {
  const sl_flow flow = {context->allocator, s->model};
  const sl_array_in in = sl_in_f64(x, rows, s->count);
  const sl_array_out out = sl_out_f64(log_prob, rows, 1);
  const sl_array_out by_x = sl_out_f64(slopes, rows, s->count);
  if (slopes)
    CHECK_OK(context, sl_flow_gradient(context, &flow, &in, NULL, &out, &by_x, NULL, NULL));
  else
    CHECK_OK(context, sl_flow_log_prob(context, &flow, &in, NULL, &out));
}

/* Through one of the maps of columns alone. */
static void run_map(const subject *s, bool to_data, int64_t rows, const double *in, double *out,
                    double *log_det) {
  sl__graph *g = NULL;
  sl__program *program = NULL;
  sl__workspace *workspace = NULL;
  REQUIRE_OK(context, sl__graph_new(context, &g));
  sl_node x = op_input(g, s->model->flow->type, sl__shape1(to_data ? s->features : s->count));
  sl__mapped mapped = to_data ? sl__columns_to_data(&s->model->map, g, x)
                              : sl__columns_to_features(&s->model->map, g, x);
  const sl_node outputs[] = {mapped.value, op_rows(g, mapped.log_det)};
  if (CHECK_OK(context, sl__program_new(context, g, 2, outputs, &program)) &&
      CHECK_OK(context, sl__workspace_new(context, program, rows, &workspace))) {
    sl__feed feed = {.data = in, .type = SL_F64};
    sl__sink sinks[] = {{.data = out, .type = SL_F64}, {.data = log_det, .type = SL_F64}};
    sl__run run = {.rows = rows, .feeds = &feed, .sinks = sinks};
    CHECK_OK(context, sl__program_run(context, program, workspace, &run));
  }
  sl__workspace_free(workspace);
  sl__program_free(program);
  sl__graph_free(g);
}

/* ---- what is checked ---- */

static void check_print(const subject *s) {
  sl__text text;
  sl__column_type again;
  sl__text_open(&text, context);
  sl__type_print(&s->type, &text);
  CHECK_TEXT(text.data, current);
  CHECK_OK(context, sl__type_read(context, text.data, &again));
  CHECK(memcmp(&again, &s->type, sizeof again) == 0);
  sl__text_close(&text);
}

/* Features, also far out, come back from the data that they make. */
static void check_round_trip(const subject *s) {
  static const double features[] = {-2.9, -1, -1e-3, 0, 0.4, 2, 3.1, -9, 9};
  enum { ROWS = sizeof features / sizeof *features };
  double y[ROWS * MOST], x[ROWS * MOST], back[ROWS * MOST], to_data[ROWS], to_features[ROWS];
  const bool circle = s->type.support == SL__SUPPORT_PERIODIC;
  for (int i = 0; i < ROWS * s->features; i++)
    y[i] = circle ? fmod(features[i % ROWS], 3) : features[(i + i / ROWS) % ROWS];
  run_map(s, true, ROWS, y, x, to_data);
  run_map(s, false, ROWS, x, back, to_features);
  const double size = fmax(fabs(s->type.low), fabs(s->type.high));
  const double lost = size > 0 ? 1e-13 * size / (s->type.high - s->type.low) : 1e-13;
  for (int i = 0; i < ROWS; i++) {
    for (int k = 0; k < s->features; k++) {
      const double value = y[i * s->features + k], other = back[i * s->features + k];
      if (s->type.integer) { /* rounded: in the cell of what it was */
        double cell[2], feature[2], ignored[2];
        cell[0] = x[i] - 0.499999999;
        cell[1] = x[i] + 0.499999999;
        CHECK(x[i] == floor(x[i]));
        run_map(s, false, 2, cell, feature, ignored);
        CHECK(circle || (feature[0] <= value + 1e-6 && value - 1e-6 <= feature[1]));
      } else if (!CHECK_CLOSE(other, value, 1e-12 + lost * exp(fabs(value)))) {
        printf("  %s at %g\n", current, value);
      }
    }
    if (!s->type.integer) CHECK_CLOSE(to_data[i], -to_features[i], 1e-11 + 1e4 * lost);
  }
}

/* log |det| of a [n][n] by elimination. */
static double log_determinant(int n, double a[MOST][MOST]) {
  double sum = 0;
  for (int i = 0; i < n; i++) {
    int pivot = i;
    for (int r = i + 1; r < n; r++)
      if (fabs(a[r][i]) > fabs(a[pivot][i])) pivot = r;
    for (int c = 0; c < n; c++) {
      const double kept = a[i][c];
      a[i][c] = a[pivot][c];
      a[pivot][c] = kept;
    }
    sum += log(fabs(a[i][i]));
    for (int r = i + 1; r < n; r++)
      for (int c = n - 1; c >= i; c--) a[r][c] -= a[r][i] / a[i][i] * a[i][c];
  }
  return sum;
}

/* A row inside the support, place in 0 .. 1; of shares all but the last move freely. */
static void point_at(const subject *s, double place, double *x) {
  const sl__column_type *t = &s->type;
  const double half = t->integer ? 0.49 : 0;
  switch (t->support) {
    case SL__SUPPORT_REAL: x[0] = 8 * place - 4; break;
    case SL__SUPPORT_POSITIVE: x[0] = t->low - half + 5 * place * place + 0.01; break;
    case SL__SUPPORT_INTERVAL:
    case SL__SUPPORT_PERIODIC:
      x[0] = t->low - half +
             (t->high - t->low + (t->support == SL__SUPPORT_PERIODIC ? 0 : 2 * half)) *
                 (0.02 + 0.96 * place);
      break;
    case SL__SUPPORT_SIMPLEX: {
      double sum = 0;
      for (int k = 0; k < s->count; k++) sum += x[k] = 0.1 + fmod(place * (k + 1), 1);
      for (int k = 0; k < s->count; k++) x[k] /= sum;
    }
  }
}

static void check_log_det(const subject *s) {
  for (double place = 0.03; place < 1; place += 0.19) {
    double x[3 * MOST], y[3 * MOST], log_det[3], jacobian[MOST][MOST];
    const int n = s->features;
    for (int column = 0; column < n; column++) {
      const double h = 1e-5 * (s->type.high > s->type.low ? s->type.high - s->type.low : 1);
      for (int side = 0; side < 3; side++) {
        double *row = x + side * s->count;
        point_at(s, place, row);
        row[column] += (side - 1) * h;
        if (s->count > n) row[s->count - 1] -= (side - 1) * h;
      }
      run_map(s, false, 3, x, y, log_det);
      for (int k = 0; k < n; k++) jacobian[k][column] = (y[2 * n + k] - y[k]) / (2 * h);
    }
    if (!CHECK_CLOSE(log_det[1], log_determinant(n, jacobian), 1e-6))
      printf("  %s at place %g\n", current, place);
  }
}

/* x and dx / dt at a node t in -1 .. 1 of one column's own grid, which spreads over the support. */
static double stretch(const subject *s, double t, double *slope) {
  const sl__column_type *c = &s->type;
  const double u = 1 / (1 + exp(-12 * t)), du = 12 * u * (1 - u);
  switch (c->support) {
    case SL__SUPPORT_REAL: *slope = 15; return 15 * t;
    case SL__SUPPORT_POSITIVE: *slope = 12 * exp(12 * t); return c->low + exp(12 * t);
    case SL__SUPPORT_INTERVAL:
      *slope = (c->high - c->low) * du;
      return c->low + (c->high - c->low) * u;
    case SL__SUPPORT_PERIODIC: *slope = (c->high - c->low) / 2; break;
    case SL__SUPPORT_SIMPLEX: *slope = du; return u;
  }
  return c->low + (c->high - c->low) * (t + 1) / 2;
}

static double mass_of_integers(const subject *s) {
  enum { LEAST = -40, COUNT = 4000 };
  double *x = numbers(COUNT), *log_prob = numbers(COUNT), sum = 0;
  const bool circle = s->type.support == SL__SUPPORT_PERIODIC;
  const int count = circle ? (int)(s->type.high - s->type.low) : COUNT;
  for (int i = 0; i < count; i++) x[i] = circle ? s->type.low + i : LEAST + i;
  score(s, count, x, log_prob, NULL);
  for (int i = 0; i < count; i++) sum += exp(log_prob[i]);
  free(x);
  free(log_prob);
  return sum;
}

/* Middles of equal steps of t; of three shares the second is a part of what the first leaves. */
static double mass(const subject *s) {
  const bool plane = s->features == 2;
  const int rows = plane ? SIDE * SIDE : GRID;
  double *x = numbers((size_t)rows * MOST), *slope = numbers((size_t)rows);
  double *log_prob = numbers((size_t)rows), sum = 0;
  for (int i = 0; i < rows; i++) {
    double *row = x + i * s->count, a, b;
    const double t = ((plane ? i / SIDE : i) + 0.5) * 2 / (plane ? SIDE : GRID) - 1;
    row[0] = stretch(s, t, &a);
    slope[i] = a * 2 / (plane ? SIDE : GRID);
    if (s->count == 2) row[1] = 1 - row[0];
    if (!plane) continue;
    const double part = stretch(s, (i % SIDE + 0.5) * 2 / SIDE - 1, &b);
    row[1] = part * (1 - row[0]);
    row[2] = (1 - part) * (1 - row[0]);
    slope[i] *= b * (1 - row[0]) * 2 / SIDE;
  }
  score(s, rows, x, log_prob, NULL);
  for (int i = 0; i < rows; i++) sum += slope[i] * exp(log_prob[i]);
  free(x);
  free(slope);
  free(log_prob);
  return sum;
}

static void check_mass(const subject *s) {
  if (s->features > 2) return;
  const double total = s->type.integer ? mass_of_integers(s) : mass(s);
  if (!CHECK_CLOSE(total, 1, s->type.integer ? 5e-3 : 2e-3)) printf("  %s\n", current);
}

/* The next number of the model's precision; of those next to 0 the first that is a normal one. */
static double next(const subject *s, double x, double towards) {
  const bool narrow = s->model->flow->type == SL_F32;
  if (x == 0) return copysign(narrow ? 0x1p-126 : 0x1p-1022, towards);
  return narrow ? (double)nextafterf((float)x, (float)towards) : nextafter(x, towards);
}

/* Outside and on the ends -infinity, one ulp inside a finite number; a NaN gives a NaN. */
static void check_ends(const subject *s) {
  const sl__column_type *t = &s->type;
  const bool ranged = t->support == SL__SUPPORT_INTERVAL,
             positive = t->support == SL__SUPPORT_POSITIVE;
  double x[8] = {0}, log_prob[8];
  int rows = 0, inside = 0;
  if (t->support == SL__SUPPORT_SIMPLEX) {
    double bad[3][MOST] = {{0}};
    for (int r = 0; r < 3; r++) point_at(s, 0.3, bad[r]);
    bad[0][1] += bad[0][0], bad[0][0] = 0;
    bad[1][1] += 2 * bad[1][0], bad[1][0] *= -1;
    bad[2][0] += 1e-3;
    for (int r = 0; r < 3; r++) {
      score(s, 1, bad[r], log_prob, NULL);
      CHECK(log_prob[0] == -INFINITY);
    }
    return;
  }
  if (t->integer && (ranged || positive)) {
    x[rows++] = t->low - 1;
    if (ranged) x[rows++] = t->high + 1;
    inside = rows;
    x[rows++] = t->low;
    if (ranged) x[rows++] = t->high;
  } else if (ranged || positive) {
    x[rows++] = t->low;
    x[rows++] = next(s, t->low, -INFINITY);
    x[rows++] = -INFINITY;
    if (ranged) x[rows++] = t->high;
    if (ranged) x[rows++] = next(s, t->high, INFINITY);
    inside = rows;
    x[rows++] = next(s, t->low, INFINITY);
    if (ranged) x[rows++] = next(s, t->high, -INFINITY);
  } else if (t->support == SL__SUPPORT_PERIODIC) {
    x[rows++] = INFINITY;
    inside = rows;
    x[rows++] = t->low;
    x[rows++] = t->high;
    x[rows++] = t->low + 7 * (t->high - t->low);
  }
  for (int i = 0; i < rows; i++) {
    score(s, 1, x + i, log_prob + i, NULL);
    const bool good = i < inside ? log_prob[i] == -INFINITY : isfinite(log_prob[i]) || !ranged;
    if (!CHECK(good && !isnan(log_prob[i])))
      printf("  %s: %g scores %g\n", current, x[i], log_prob[i]);
  }
  if (t->support == SL__SUPPORT_PERIODIC)
    CHECK_CLOSE(log_prob[3], log_prob[1], s->model->flow->type == SL_F32 ? 2e-3 : 1e-9);
  x[0] = NAN;
  score(s, 1, x, log_prob, NULL);
  CHECK(isnan(log_prob[0]));
}

/* Of shares only moves along the simplex have a slope that scores know. */
static void check_gradient(const subject *s) {
  if (s->type.integer) return; /* t_cells.c */
  for (double place = 0.07; place < 1; place += 0.29)
    for (int column = 0; column < s->features; column++) {
      double x[3 * MOST], log_prob[3], slopes[3 * MOST];
      const double h = 1e-6 * (s->type.high > s->type.low ? s->type.high - s->type.low : 1);
      const int last = s->count - 1;
      for (int side = 0; side < 3; side++) {
        double *row = x + side * s->count;
        point_at(s, place, row);
        row[column] += (side - 1) * h;
        if (s->count > 1) row[last] -= (side - 1) * h;
      }
      score(s, 3, x, log_prob, slopes);
      double slope = slopes[s->count + column];
      if (s->count > 1) slope -= slopes[s->count + last];
      if (!CHECK_CLOSE((log_prob[2] - log_prob[0]) / (2 * h), slope, 2e-5))
        printf("  %s at place %g\n", current, place);
    }
}

static void check_file(const subject *s) {
  char path[64];
  double x[MOST], before, after;
  snprintf(path, sizeof path, "/tmp/sluice_t_column_types_%ld.safetensors", (long)getpid());
  point_at(s, 0.6, x);
  if (s->type.integer) x[0] = ceil(x[0]);
  score(s, 1, x, &before, NULL);
  subject loaded = *s;
  loaded.model = NULL;
  REQUIRE_OK(context, sl__model_save(context, s->model, path));
  REQUIRE_OK(context, sl__model_load(context, path, &loaded.model));
  CHECK_TEXT(loaded.model->types[0], current);
  score(&loaded, 1, x, &after, NULL);
  CHECK(isfinite(before) && before == after);
  sl__model_free(context, loaded.model);
  remove(path);
}

/* ---- float32 ---- */

/* Scores and gradients at numbers that float32 holds are those of float64, as far as the ends of
 * the column leave digits to the place between them. */
static void check_narrow_scores(const subject *wide, const subject *narrow) {
  const sl__column_type *t = &wide->type;
  const double size = fmax(fabs(t->low), fabs(t->high));
  const double lost = t->high > t->low ? 0x1p-23 * size / (t->high - t->low) : 0x1p-23;
  for (double place = 0.03; place < 1; place += 0.07) {
    double x[MOST], exact, found, slopes[MOST], narrow_slopes[MOST];
    point_at(wide, place, x);
    for (int k = 0; k < wide->count; k++) x[k] = (double)(float)(t->integer ? ceil(x[k]) : x[k]);
    score(wide, 1, x, &exact, slopes);
    score(narrow, 1, x, &found, narrow_slopes);
    if (!CHECK_CLOSE(found, exact, 2e-5 * (1 + fabs(exact)) + 100 * lost))
      printf("  float32: %s at place %g\n", current, place);
    for (int k = 0; k < wide->count && !t->integer; k++)
      if (!CHECK_CLOSE(narrow_slopes[k], slopes[k], (1e-4 + 1e3 * lost) * (1 + fabs(slopes[k]))))
        printf("  float32: slope %d of %s at place %g\n", k, current, place);
  }
}

/* Features come back from the data that they make. */
static void check_narrow_trips(const subject *s) {
  static const double features[] = {-2.5, -1, -0.25, 0, 0.5, 2, 3};
  enum { ROWS = sizeof features / sizeof *features };
  double y[ROWS * MOST], x[ROWS * MOST], back[ROWS * MOST], to_data[ROWS], to_features[ROWS];
  const sl__column_type *t = &s->type;
  for (int i = 0; i < ROWS * s->features; i++) y[i] = features[(i + i / ROWS) % ROWS];
  run_map(s, true, ROWS, y, x, to_data);
  run_map(s, false, ROWS, x, back, to_features);
  const double size = fmax(fabs(t->low), fabs(t->high));
  const double lost = 8 * 0x1p-23 * (size > 0 ? size / (t->high - t->low) : 1);
  for (int i = 0; i < ROWS * s->features; i++) {
    if (t->integer)
      CHECK(x[i] == floor(x[i]));
    else if (!CHECK_CLOSE(back[i], y[i], 1e-5 + lost * exp(fabs(y[i])) * (1 + fabs(y[i]))))
      printf("  float32: %s at %g\n", current, y[i]);
  }
}

static void check_narrow(const subject *wide, const char *formula, const sl__column_type *types) {
  subject narrow = *wide;
  narrow.model = NULL;
  REQUIRE_OK(context, sl__model_new_typed(context, formula, "normal", wide->count, types, 0, SL_F32,
                                          5, &narrow.model));
  const double *from = wide->model->vector;
  float *to = narrow.model->vector;
  REQUIRE(narrow.model->flow->size == wide->model->flow->size);
  for (int64_t k = 0; k < wide->model->flow->size; k++) to[k] = (float)from[k];
  check_narrow_scores(wide, &narrow);
  check_narrow_trips(&narrow);
  check_mass(&narrow);
  check_ends(&narrow);
  check_file(&narrow);
  sl__model_free(context, narrow.model);
}

/* ---- the walk ---- */

static void check_example(const char *example, int32_t count) {
  subject s = {.count = count};
  sl__column_type types[MOST];
  current = example;
  REQUIRE_OK(context, sl__type_read(context, example, &s.type));
  for (int32_t i = 0; i < count; i++) types[i] = s.type;
  /* An angle alone has layers of its own. */
  const char *formula = s.type.support == SL__SUPPORT_PERIODIC ? "" : "scale-loc";
  REQUIRE_OK(context,
             sl__model_new_typed(context, formula, "normal", count, types, 0, SL_F64, 5, &s.model));
  s.features = s.model->map.features;
  double *vector = s.model->vector;
  for (int i = 0; i < s.model->flow->parameter_count; i++) {
    const sl__parameter *p = &s.model->flow->parameters[i];
    for (int64_t k = 0; p->trainable && k < sl__shape_count(p->shape); k++)
      if (!p->extent) vector[p->offset + k] += 0.3 * sin(1.7 * (double)(p->offset + k) + 1);
  }
  for (int64_t k = 0; k < s.model->flow->size; k++) vector[k] = (double)(float)vector[k];
  check_print(&s);
  check_round_trip(&s);
  check_log_det(&s);
  check_mass(&s);
  check_ends(&s);
  check_gradient(&s);
  check_file(&s);
  check_narrow(&s, formula, types);
  sl__model_free(context, s.model);
}

TEST(every_example_of_every_type) {
  sl_context_options options = {.size = sizeof options, .threads = 1};
  REQUIRE(sl_context_new(&options, &context) == SL_OK);
  for (int support = 0; support < SL__SUPPORTS; support++) {
    const char *const *examples = sl__column_kinds()[support].examples;
    CHECK(examples[0] != NULL);
    const bool simplex = support == SL__SUPPORT_SIMPLEX;
    for (int i = 0; examples[i]; i++)
      for (int32_t count = simplex ? 2 : 1; count <= (simplex ? MOST : 1); count++)
        check_example(examples[i], count);
  }
  sl_context_free(context);
}
