/* Columns with types: the maps against formulas written out here, densities that integrate to 1 over
 * their support and are 0 outside, and rows that stay in it. */
#include "api/handle.h"
#include "context.h"
#include "flow/columns.h"

/* ---- maps ---- */

enum { MOST = 8 };

/* Types of columns as texts, NULL at the end. */
typedef struct subject {
  const char *types[MOST];
} subject;

static int read_types(sl_context *context, const subject *s, sl__column_type types[MOST]) {
  int count = 0;
  for (; count < MOST && s->types[count]; count++)
    CHECK_OK(context, sl__type_read(context, s->types[count], &types[count]));
  return count;
}

/* Runs one of the maps on rows of doubles in the given precision. */
static void run_map(sl_context *context, const sl__columns *map, sl_dtype type, bool to_features,
                    int64_t rows, const double *in, double *out, double *log_det) {
  sl__graph *g = NULL;
  sl__program *program = NULL;
  sl__workspace *workspace = NULL;
  REQUIRE_OK(context, sl__graph_new(context, &g));
  sl_node x = op_input(g, type, sl__shape1(to_features ? map->count : map->features));
  sl__mapped mapped =
      to_features ? sl__columns_to_features(map, g, x) : sl__columns_to_data(map, g, x);
  sl_node outputs[] = {mapped.value, op_rows(g, mapped.log_det)};
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

static double logit(double u) {
  return log(u) - log1p(-u);
}

/* One column, by the book: feature, and log |d feature / d x|. */
static double by_the_book(const sl__column_type *t, double x, double *log_det) {
  const double pi = acos(-1), half = t->integer ? 0.5 : 0;
  double low = t->low - half, high = t->high + half;
  *log_det = 0;
  switch (t->support) {
    case SL__SUPPORT_POSITIVE: *log_det = -log(x - low); return log(x - low);
    case SL__SUPPORT_INTERVAL: {
      double u = (x - low) / (high - low);
      *log_det = -log(u) - log1p(-u) - log(high - low);
      return logit(u);
    }
    case SL__SUPPORT_PERIODIC: {
      double period = t->high - t->low, turn = remainder(x - low - period / 2, period) / period;
      *log_det = log(2 * pi / period);
      return 2 * pi * (turn >= 0.5 ? turn - 1 : turn);
    }
    default: return x;
  }
}

/* Stan reference manual, unit simplex: breaking a stick of length 1 from the left. */
static void break_stick(int count, const double *x, double *y, double *log_det) {
  double left = 1;
  *log_det = 0;
  for (int k = 0; k + 1 < count; k++) {
    double z = x[k] / left;
    y[k] = logit(z) - log(1.0 / (count - 1 - k));
    *log_det -= log(z * (1 - z) * left);
    left -= x[k];
  }
}

static const struct {
  const char *type;
  double points[8];
  int count;
} single[] = {
    {"real", {-3, 0, 2e5}, 3},
    {"positive", {1e-30, 1e-3, 1, 7, 1e30}, 5},
    {"interval(0,1)", {1e-30, 1e-9, 0.25, 0.5, 0.9, 1 - 0x1p-20}, 6},
    {"interval(-3,5)", {-3 + 0x1p-20, -1, 0, 4.5, 5 - 0x1p-20}, 5},
    {"periodic(0,360)", {0, 10, 179.5, 180, 355, 370, -350, 725}, 8},
    {"periodic(-2,1)", {-2, -1.5, 0, 0.875, 3.5}, 5},
    {"count", {0, 1, 2, 50, 1e6}, 5},
    {"positive integer", {1, 2, 3, 1000}, 4},
    {"interval(0,4) integer", {0, 1, 2, 3, 4}, 5},
    {"interval(-4,0) integer", {-4, -1, 0}, 3}, /* where the number before 1/2 rounds up to 1 */
    {"periodic(0,12) integer", {0, 1, 6, 11, 12, -1}, 6},
    {"integer", {-4, 0, 17}, 3},
};

TEST(single_columns_by_the_book) {
  sl_context *context = context_of(1);
  for (size_t i = 0; i < sizeof single / sizeof *single; i++)
    for (int type = SL_F32; type <= SL_F64; type++) {
      sl__arena arena;
      sl__columns map;
      sl__column_type t;
      sl__arena_open(&arena, context);
      REQUIRE_OK(context, sl__type_read(context, single[i].type, &t));
      REQUIRE_OK(context, sl__columns_new(context, &arena, 1, &t, &map));
      const int rows = single[i].count;
      const double close = type == SL_F32 ? 3e-6 : 1e-13;
      double y[8], log_det[8], back[8], back_log_det[8], nearly[8];
      run_map(context, &map, (sl_dtype)type, true, rows, single[i].points, y, log_det);
      run_map(context, &map, (sl_dtype)type, false, rows, y, back, back_log_det);
      for (int r = 0; r < rows; r++) {
        double x = single[i].points[r], book_log_det, row;
        if (type == SL_F32) x = (double)(float)x;
        double book = by_the_book(&t, x, &book_log_det);
        bool good = CHECK_CLOSE(y[r], book, close);
        good = CHECK_CLOSE(log_det[r], book_log_det, close) && good;
        good &= CHECK_CLOSE(back_log_det[r], -log_det[r], 4 * close);
        sl__columns_features(&map, &x, &row);
        good &= CHECK_CLOSE(row, book, 1e-13);
        good &= CHECK_CLOSE(sl__columns_log_det(&map, &row), -book_log_det, 1e-13);
        nearly[r] = x;
        if (t.support == SL__SUPPORT_PERIODIC) /* once round */
          nearly[r] -= floor((x - t.low) / (t.high - t.low)) * (t.high - t.low);
        /* Next to 0 the distance from it counts, elsewhere the range. */
        double size = t.low == 0 && nearly[r] > 0 ? nearly[r] : fmax(fabs(nearly[r]), 1);
        good &= CHECK_CLOSE(back[r] / size, nearly[r] / size, 60 * close);
        if (!good) printf("  %s at %g\n", single[i].type, x);
      }
      sl__arena_close(&arena);
    }
  sl_context_free(context);
}

TEST(simplexes_by_the_book) {
  static const double points[][4] = {{0.25, 0.25, 0.25, 0.25},
                                     {0.1, 0.2, 0.3, 0.4},
                                     {0.9, 0.05, 0.03, 0.02},
                                     {1e-7, 0.5, 0.5 - 2e-7, 1e-7}};
  sl_context *context = context_of(1);
  for (int count = 2; count <= 4; count++)
    for (int type = SL_F32; type <= SL_F64; type++) {
      sl__arena arena;
      sl__columns map;
      sl__column_type types[4];
      sl__arena_open(&arena, context);
      for (int k = 0; k < count; k++)
        REQUIRE_OK(context, sl__type_read(context, "simplex(1)", &types[k]));
      REQUIRE_OK(context, sl__columns_new(context, &arena, count, types, &map));
      CHECK_INTEGER(map.features, count - 1);
      const double close = type == SL_F32 ? 1e-5 : 1e-9;
      for (int i = 0; i < 4; i++) {
        double x[4], y[4], log_det, book[4], book_log_det, back[4], back_log_det, row[4], sum = 0;
        for (int k = 0; k < count; k++) sum += points[i][k];
        for (int k = 0; k < count; k++) x[k] = points[i][k] / sum;
        run_map(context, &map, (sl_dtype)type, true, 1, x, y, &log_det);
        run_map(context, &map, (sl_dtype)type, false, 1, y, back, &back_log_det);
        break_stick(count, x, book, &book_log_det);
        sl__columns_features(&map, x, row);
        for (int k = 0; k + 1 < count; k++) {
          CHECK_CLOSE(y[k], book[k], close);
          CHECK_CLOSE(row[k], book[k], 1e-9);
          if (i == 0) CHECK_CLOSE(y[k], 0, close); /* equal shares are the centre */
        }
        CHECK_CLOSE(log_det, book_log_det, close);
        CHECK_CLOSE(back_log_det, -book_log_det, 4 * close);
        CHECK_CLOSE(sl__columns_log_det(&map, row), -book_log_det, 1e-9);
        for (int k = 0; k < count; k++) CHECK_CLOSE(back[k] / x[k], 1, 10 * close);
      }
      sl__arena_close(&arena);
    }
  sl_context_free(context);
}

/* Two simplexes, apart and mixed with others: each block finds its columns. */
static const subject mixture = {{"simplex(1)", "periodic(0,360)", "simplex(2)", "positive",
                                 "simplex(1)", "real", "simplex(2)", "interval(0,1)"}};

TEST(log_determinants_by_differences) {
  static const double x[MOST] = {0.3, 100, 0.8, 2, 0.7, -1, 0.2, 0.4};
  static const int partner[MOST] = {4, -1, 6, -1, -1, -1, -1, -1}; /* takes what a share loses */
  sl_context *context = context_of(1);
  sl__arena arena;
  sl__columns map;
  sl__column_type types[MOST];
  sl__arena_open(&arena, context);
  const int count = read_types(context, &mixture, types);
  REQUIRE_OK(context, sl__columns_new(context, &arena, count, types, &map));
  CHECK_INTEGER(map.features, 6);
  CHECK_INTEGER(map.periodic, 1);
  double wanted = 0, y[MOST], log_det;
  run_map(context, &map, SL_F64, true, 1, x, y, &log_det);
  /* Each feature depends on one column here, so the determinant is a product of differences. */
  for (int i = 0; i < count; i++) {
    const double h = 1e-6 * x[i];
    double up[MOST], down[MOST], ys[2][MOST], ignored, sum = 0;
    if (i == 4 || i == 6) continue; /* the last shares follow */
    memcpy(up, x, sizeof up);
    memcpy(down, x, sizeof down);
    up[i] += h;
    down[i] -= h;
    if (partner[i] >= 0) up[partner[i]] -= h, down[partner[i]] += h;
    run_map(context, &map, SL_F64, true, 1, up, ys[0], &ignored);
    run_map(context, &map, SL_F64, true, 1, down, ys[1], &ignored);
    for (int k = 0; k < map.features; k++) sum += fabs(ys[0][k] - ys[1][k]) / fabs(2 * h);
    wanted += log(sum);
  }
  CHECK_CLOSE(log_det, wanted, 1e-7);
  double back[MOST], back_log_det;
  run_map(context, &map, SL_F64, false, 1, y, back, &back_log_det);
  for (int i = 0; i < count; i++) CHECK_CLOSE(back[i], x[i], 1e-13);
  CHECK_CLOSE(back_log_det, -log_det, 1e-12);
  sl__arena_close(&arena);
  sl_context_free(context);
}

/* Features however large give data strictly inside, and finite log-determinants. */
TEST(far_features_stay_inside) {
  static const double far[] = {-1e4, -1e3, -200, -90, -20, -1, 0, 1, 20, 90, 200, 1e3, 1e4};
  enum { FAR = sizeof far / sizeof *far };
  sl_context *context = context_of(1);
  for (size_t i = 1; i < sizeof single / sizeof *single; i++)
    for (int type = SL_F32; type <= SL_F64; type++) {
      sl__arena arena;
      sl__columns map;
      sl__column_type t;
      double x[FAR], log_det[FAR], y[FAR], back_log_det[FAR];
      sl__arena_open(&arena, context);
      REQUIRE_OK(context, sl__type_read(context, single[i].type, &t));
      REQUIRE_OK(context, sl__columns_new(context, &arena, 1, &t, &map));
      run_map(context, &map, (sl_dtype)type, false, FAR, far, x, log_det);
      run_map(context, &map, (sl_dtype)type, true, FAR, x, y, back_log_det);
      for (int r = 0; r < FAR; r++) {
        bool good = CHECK(isfinite(x[r]) && isfinite(log_det[r]) && isfinite(y[r]));
        good &= CHECK(isfinite(back_log_det[r])); /* inside */
        if (t.integer) good &= CHECK(x[r] == floor(x[r]));
        if (!good) printf("  %s at feature %g: %.17g\n", single[i].type, far[r], x[r]);
      }
      sl__arena_close(&arena);
    }
  sl_context_free(context);
}

/* ---- densities ---- */

/* A flow over typed columns, its parameters moved at random by scale. */
static sl_flow *new_flow(sl_context *context, const subject *s, const char *formula, sl_dtype type,
                         double scale) {
  sl__column_type types[MOST];
  sl__model *model = NULL;
  sl_flow *flow = NULL;
  const int count = read_types(context, s, types);
  if (!CHECK_OK(context,
                sl__model_new_typed(context, formula, NULL, count, types, 0, type, 3, &model)) ||
      !CHECK_OK(context, sl__handle_new(context, model, &flow)))
    return NULL;
  const sl__flow *own = model->flow;
  const sl__random_key key = {11, SL__STREAM_TEST, 0};
  for (int p = 0; p < own->parameter_count; p++) {
    const sl__parameter *parameter = &own->parameters[p];
    const int64_t columns =
        parameter->shape.dims > 1 ? parameter->shape.size[1] : sl__shape_count(parameter->shape);
    for (int64_t i = 0; parameter->trainable && i < sl__shape_count(parameter->shape); i++) {
      const int64_t at = parameter->offset + i;
      if (parameter->extent && i % columns >= parameter->extent[i / columns]) continue;
      const double add = scale * sl__random_normal(key, (uint64_t)at, 0);
      if (type == SL_F32)
        ((float *)model->vector)[at] += (float)add;
      else
        ((double *)model->vector)[at] += add;
    }
  }
  return flow;
}

static double density(sl_context *context, const sl_flow *flow, int64_t rows, const double *x,
                      double *log_prob) {
  sl_array_in in = sl_in_f64(x, rows, sl_flow_dim(flow));
  sl_array_out out = sl_out_f64(log_prob, rows, 1);
  CHECK_OK(context, sl_flow_log_prob(context, flow, &in, NULL, &out));
  return exp(log_prob[0]);
}

/* The grid is even in t, a coordinate along the support with weight dx/dt: the trapezoidal rule
 * converges geometrically there. */
TEST(mass_is_one_in_one_dimension) {
  enum { GRID = 20000 };
  static double x[GRID], weight[GRID], log_prob[GRID];
  static const subject subjects[] = {{{"positive"}}, {{"interval(-3,5)"}}, {{"periodic(0,360)"}}};
  sl_context *context = context_of(1);
  for (int i = 0; i < 3; i++) {
    sl_flow *flow = new_flow(context, &subjects[i], "maf(rqs,hidden=4)*2", SL_F64, 0.7);
    REQUIRE(flow != NULL);
    const double step = (i == 2 ? 360.0 : 120.0) / GRID;
    double mass = 0;
    for (int k = 0; k < GRID; k++) {
      const double t = -60 + k * step, u = 1 / (1 + exp(-t));
      x[k] = i == 0 ? exp(t) : i == 1 ? -3 + 8 * u : k * step - 100;
      weight[k] = i == 0 ? x[k] : i == 1 ? 8 * u / (1 + exp(t)) : 1;
    }
    density(context, flow, GRID, x, log_prob);
    for (int k = 0; k < GRID; k++) {
      CHECK(!isnan(log_prob[k]));
      if (weight[k] > 0 && log_prob[k] > -INFINITY) mass += exp(log_prob[k]) * weight[k] * step;
    }
    if (!CHECK_CLOSE(mass, 1, 1e-3)) printf("  %s\n", subjects[i].types[0]);
    sl_flow_free(flow);
  }
  sl_context_free(context);
}

TEST(mass_is_one_on_a_triangle) {
  enum { SIDE = 300, GRID = SIDE * SIDE };
  static double x[GRID * 3], weight[GRID], log_prob[GRID];
  static const subject triangle = {{"simplex(1)", "simplex(1)", "simplex(1)"}};
  sl_context *context = context_of(1);
  sl_flow *flow = new_flow(context, &triangle, "lu-maf(affine,hidden=8)", SL_F64, 0.3);
  REQUIRE(flow != NULL);
  const double step = 50.0 / SIDE;
  double mass = 0;
  for (int k = 0; k < GRID; k++) {
    const double s = -25 + (k / SIDE + 0.5) * step, t = -25 + (k % SIDE + 0.5) * step;
    const double u = 1 / (1 + exp(-s)), not_u = 1 / (1 + exp(s));
    const double v = 1 / (1 + exp(-t)), not_v = 1 / (1 + exp(t));
    x[3 * k] = u;
    x[3 * k + 1] = not_u * v;
    x[3 * k + 2] = not_u * not_v;
    weight[k] = u * not_u * v * not_v * not_u * step * step;
  }
  density(context, flow, GRID, x, log_prob);
  for (int k = 0; k < GRID; k++) mass += exp(log_prob[k]) * weight[k];
  CHECK_CLOSE(mass, 1, 1e-3);
  sl_flow_free(flow);
  sl_context_free(context);
}

/* As many simplexes as there is room for, and one more; other columns take room, too. */
TEST(simplexes_up_to_the_most) {
  enum { MORE = SL__MOST_COLUMN_BLOCKS + 1 };
  static sl__column_type types[2 * MORE];
  static sl__columns map;
  sl_context *context = context_of(1);
  sl__arena arena;
  sl__arena_open(&arena, context);
  for (int32_t k = 0; k < 2 * MORE; k++)
    types[k] = (sl__column_type){.support = SL__SUPPORT_SIMPLEX, .group = k / 2 + 1};
  CHECK_OK(context, sl__columns_new(context, &arena, 2 * (MORE - 1), types, &map));
  CHECK(map.block_count == SL__MOST_COLUMN_BLOCKS && map.features == SL__MOST_COLUMN_BLOCKS);
  for (int32_t k = 0; k < 2; k++) {
    types[2 * (MORE - 1)] = (sl__column_type){.support = SL__SUPPORT_PERIODIC, .high = 1};
    const int32_t count = k == 0 ? 2 * MORE - 1 : 2 * MORE;
    if (k == 1) types[count - 2] = types[count - 1];
    CHECK(sl__columns_new(context, &arena, count, types, &map) == SL_BAD_ARGUMENT);
    CHECK(strstr(sl_error(context), "more than 64 kinds") != NULL);
  }
  sl__arena_close(&arena);
  sl_context_free(context);
}

/* The densities at the integers of a broad distribution are about their probabilities. */
TEST(integers_add_up) {
  enum { GRID = 4000 };
  static double x[GRID], log_prob[GRID];
  static const subject subjects[] = {{{"count"}}, {{"integer"}}, {{"interval(0,40) integer"}}};
  sl_context *context = context_of(1);
  for (int i = 0; i < 3; i++) {
    sl_flow *flow = new_flow(context, &subjects[i], "loc", SL_F64, 0);
    REQUIRE(flow != NULL);
    const double mean = i == 0 ? 4 : 0, sd = i == 0 ? 0.5 : i == 1 ? 9 : 1;
    sl__model_standardize(flow->model, &mean, &sd);
    for (int k = 0; k < GRID; k++) x[k] = i == 1 ? k - GRID / 2 : k;
    density(context, flow, GRID, x, log_prob);
    double mass = 0;
    for (int k = 0; k < GRID; k++) mass += exp(log_prob[k]);
    if (!CHECK_CLOSE(mass, 1, 1e-3)) printf("  %s\n", subjects[i].types[0]);
    sl_flow_free(flow);
  }
  sl_context_free(context);
}

TEST(nothing_outside) {
  static const struct {
    subject s;
    double x[6][3];
    int count;
  } cases[] = {
      {{{"positive"}}, {{0}, {-0.0}, {-1}, {-INFINITY}, {INFINITY}}, 5},
      {{{"interval(0,1)"}}, {{0}, {1}, {-1e-30}, {2}, {INFINITY}}, 5},
      {{{"periodic(0,1)"}}, {{INFINITY}, {-INFINITY}}, 2},
      {{{"count"}}, {{-1}, {0.5}, {-0.5}, {INFINITY}}, 4},
      {{{"positive integer"}}, {{0}, {1.5}}, 2},
      {{{"integer"}}, {{0.25}, {-7.5}}, 2},
      {{{"interval(1,3) integer"}}, {{0}, {4}, {2.5}}, 3},
      {{{"simplex(1)", "simplex(1)", "simplex(1)"}},
       {{0, 0.5, 0.5}, {0.5, 0.6, -0.1}, {0.3, 0.3, 0.3}, {1, 1, 1}, {INFINITY, 0, 0}, {1, 0, 0}},
       6},
  };
  sl_context *context = context_of(1);
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
    for (int type = SL_F32; type <= SL_F64; type++) {
      sl_flow *flow = new_flow(context, &cases[i].s, "maf(hidden=4)", (sl_dtype)type, 0.3);
      REQUIRE(flow != NULL);
      const int32_t dim = sl_flow_dim(flow);
      for (int r = 0; r <= cases[i].count; r++) {
        double x[3] = {NAN, 0.3, 0.7}, log_prob, by_x[3]; /* the last round: NaN in, NaN out */
        if (r < cases[i].count) memcpy(x, cases[i].x[r], sizeof x);
        sl_array_in in = sl_in_f64(x, 1, dim);
        sl_array_out out = sl_out_f64(&log_prob, 1, 1), gradient = sl_out_f64(by_x, 1, dim);
        CHECK_OK(context, sl_flow_gradient(context, flow, &in, NULL, &out, &gradient, NULL, NULL));
        bool good = r < cases[i].count ? CHECK(log_prob == -INFINITY) : CHECK(isnan(log_prob));
        for (int k = 0; k < dim && r < cases[i].count; k++) good &= CHECK(isfinite(by_x[k]));
        if (!good) printf("  %s at %g: %g\n", cases[i].s.types[0], x[0], log_prob);
      }
      sl_flow_free(flow);
    }
  sl_context_free(context);
}

/* The way from the public gradient through the whole map; shares change against the last one. */
TEST(gradients_by_differences) {
  static const double x[MOST] = {0.3, 100, 0.8, 2, 0.7, -1, 0.2, 0.4};
  sl_context *context = context_of(1);
  sl_flow *flow = new_flow(context, &mixture, "lu-maf(affine,hidden=8)", SL_F64, 0.2);
  REQUIRE(flow != NULL);
  double log_prob, by_x[MOST];
  sl_array_in in = sl_in_f64(x, 1, MOST);
  sl_array_out out = sl_out_f64(&log_prob, 1, 1), gradient = sl_out_f64(by_x, 1, MOST);
  REQUIRE_OK(context, sl_flow_gradient(context, flow, &in, NULL, &out, &gradient, NULL, NULL));
  for (int i = 0; i < MOST; i++) {
    double moved[2][MOST], found[2];
    const double h = 1e-6 * fabs(x[i]);
    memcpy(moved[0], x, sizeof x);
    memcpy(moved[1], x, sizeof x);
    moved[0][i] += h;
    moved[1][i] -= h;
    density(context, flow, 2, moved[0], found);
    if (!CHECK_CLOSE(by_x[i], (found[0] - found[1]) / (2 * h), 1e-6)) printf("  column %d\n", i);
  }
  sl_flow_free(flow);
  sl_context_free(context);
}

/* A turn more or less changes nothing, to the bit where the turns come off exactly. */
TEST(turns_do_not_count) {
  static const subject angle = {{"periodic(0,360)"}};
  static const double x[] = {10, 370, -350, 730};
  sl_context *context = context_of(1);
  for (int type = SL_F32; type <= SL_F64; type++) {
    sl_flow *flow = new_flow(context, &angle, "loc", (sl_dtype)type, 0.5);
    REQUIRE(flow != NULL);
    double log_prob[4], edges[2] = {0, 359.9999}, at_edges[2];
    density(context, flow, 4, x, log_prob);
    for (int r = 1; r < 4; r++) CHECK(log_prob[r] == log_prob[0]);
    density(context, flow, 2, edges, at_edges);
    CHECK_CLOSE(at_edges[1], at_edges[0], 1e-3); /* no seam */
    sl_flow_free(flow);
  }
  sl_context_free(context);
}

/* ---- samples ---- */

TEST(samples_stay_in_the_support) {
  enum { MOST_ROWS = 3000, WIDE = MOST_ROWS * MOST };
  static double x[WIDE], log_prob[MOST_ROWS], scored[MOST_ROWS], z[WIDE], mapped[WIDE];
  const int rows = check_fewer(MOST_ROWS, 300, "rows");
  static const subject subjects[] = {
      {{"simplex(1)", "periodic(0,360)", "simplex(2)", "positive", "simplex(1)", "real",
        "simplex(2)", "interval(0,1)"}},
      {{"count", "interval(1,5) integer", "periodic(0,7) integer", "positive integer", "integer",
        "positive width(0.5)"}},
  };
  sl_context *context = context_of(1);
  for (int i = 0; i < 4; i++)
    for (int type = SL_F32; type <= SL_F64; type++) {
      const bool wild = i >= 2; /* to the ends of the number range */
      sl_flow *flow = new_flow(context, &subjects[i % 2], "lu-maf(affine,hidden=8)", (sl_dtype)type,
                               wild ? 0.5 : 0.1);
      REQUIRE(flow != NULL);
      const int32_t dim = sl_flow_dim(flow), features = sl_flow_features(flow);
      sl_array_out drawn = sl_out_f64(x, rows, dim), out = sl_out_f64(log_prob, rows, 1);
      REQUIRE_OK(context, sl_flow_sample(context, flow, 5, NULL, &drawn, &out));
      density(context, flow, rows, x, scored); /* -infinity outside */
      int outside = 0, far = 0;
      for (int r = 0; r < rows; r++) {
        outside += !isfinite(scored[r]);
        far += fabs(scored[r] - log_prob[r]) > (type == SL_F32 ? 2e-2 : 1e-9) * fabs(scored[r]);
        if (i % 2 == 0) CHECK_CLOSE(x[r * dim] + x[r * dim + 4], 1, 1e-6);
      }
      CHECK_INTEGER(outside, 0);
      CHECK(wild || far <= (type == SL_F32 ? rows / 100 : 0));
      /* The noise, mapped, is the sample. */
      sl_array_out noise = sl_out_f64(z, rows, features), data = sl_out_f64(mapped, rows, dim);
      sl_array_in from = sl_in_f64(z, rows, features);
      REQUIRE_OK(context, sl_flow_noise(context, flow, 5, &noise));
      REQUIRE_OK(context, sl_flow_map(context, flow, SL_TO_DATA, -1, &from, NULL, &data, NULL));
      int other = 0;
      for (int r = 0; r < rows * dim; r++) other += fabs(mapped[r] - x[r]) > 1e-4 * fabs(x[r]);
      CHECK(other <= rows / 100);
      sl_flow_free(flow);
    }
  sl_context_free(context);
}
