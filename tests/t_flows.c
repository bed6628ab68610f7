/* Every bijector, because it is registered, and a list of formulas, in float64: round trips both
 * ways, log-determinants of both directions against each other and against the dense Jacobian by
 * central differences, gradients of log_prob against central differences, float32 against float64;
 * at starting values, at parameters of ordinary trained size (N(0, 0.3^2) added) and at ten times
 * that.
 *
 * At ten times trained size a flow of several layers is chaotic: it loses more digits than float64
 * has, whoever computes it. There layers are tested one by one. Tolerances follow from the map
 * itself: rounding at one end, amplified by the Jacobian, and what differences cannot tell; a count
 * keeps them from being so wide that the tests say nothing. */
#include "flow_differences.h"
#include "nn/network.h"

enum { ROWS = 6 };

typedef struct flow_case {
  const char *formula;
  int32_t dim, context_dim;
} flow_case;

static const flow_case cases[] = {
    {"scale-loc", 3, 0},
    {"scale(exp)-loc-standardize", 2, 0},
    {"permute(3:1:4:2)-loc", 4, 0},
    {"(lu-scale)*2", 4, 0},
    {"lu(no)", 3, 0},
    {"coupling(affine,hidden=16x16)*4", 2, 0},
    {"coupling(affine,hidden=16x8,scale=tanh,net=separate,activation=tanh)*3", 5, 0},
    {"coupling(affine,mask=half,hidden=16,blocks=2)*3", 5, 0},
    {"coupling(affine,mask=10110,hidden=8)-coupling(rqs,mask=01001,hidden=8)", 5, 0},
    {"coupling(rqs,mask=000)", 3, 0},
    {"coupling(rqs,hidden=12x12)*3", 3, 0},
    {"coupling(rqs,hidden=12,bins=2,net=separate)*2", 2, 0},
    {"coupling(rqs,hidden=12,bins=5,bound=2.5,tails=learned,activation=softplus)*2", 4, 0},
    {"coupling(rqs,hidden=12)*3", 4, 2},
    {"coupling(affine)", 1, 0},
    {"coupling(rqs,hidden=8)", 1, 3},
    {"maf(hidden=16x16)-reverse-maf(hidden=16)", 4, 0},
    {"maf(hidden=3)*2", 6, 0},
    {"maf(hidden=12,blocks=2)", 5, 0},
    {"maf(affine,hidden=9,scale=tanh)", 4, 0},
    {"maf(rqs,hidden=16x12,bins=4)*2", 3, 0},
    {"maf(rqs,hidden=16,blocks=1,tails=learned)", 4, 2},
    {"maf(hidden=5x20)", 4, 3},
    {"maf", 1, 0},
    {"maf(rqs,hidden=8)", 1, 2},
    {"iaf(hidden=16x16)-permute-iaf(hidden=12)", 4, 0},
    {"iaf(rqs,hidden=12)", 3, 1},
    {"lu-coupling(rqs,hidden=12)-lu-maf(hidden=10)-standardize", 4, 0},
};
enum { CASES = sizeof cases / sizeof cases[0] };

/* ---- one flow at one size of parameters ---- */

typedef struct sample_points {
  double x[ROWS * MOST_DIM], c[ROWS * MOST_DIM];
} sample_points;

static sample_points points_for(const flow_case *now) {
  sample_points p;
  fixture_points(p.x, ROWS * now->dim, 1.3, 3);
  fixture_points(p.c, ROWS * now->context_dim, 1, 4);
  for (int k = 0; k < now->dim; k++) p.x[k] *= 4; /* one row far out: in the tails of splines */
  return p;
}

/* How many comparisons were tight enough to mean something. */
static int tight, loose;

static void count_bound(double bound) {
  if (bound < 1e-3)
    tight++;
  else
    loose++;
}

/* How an uncertainty of `rounding` in y shows in what `back` makes of it: its own Jacobian and
 * slope of the log-determinant there, and those that follow from `there` at x. Where a map is steep
 * on a smaller scale than the steps of differences, its inverse is flat and tells. */
static void amplify(const near_point *at_x, const near_point *at_y, const double *rounding,
                    double *value_bound, double *det_bound) {
  int dim = at_x->dim;
  double inverse[MOST_DIM * MOST_DIM];
  invert(at_x->jacobian, dim, inverse);
  for (int j = 0; j < dim; j++) {
    double slope = 0;
    for (int i = 0; i < dim; i++) {
      slope += fabs(at_x->log_det_slope[i] * inverse[i * dim + j]);
      value_bound[i] += rounding[j] * fabs(at_y->jacobian[i * dim + j]);
      value_bound[i] += rounding[j] * fabs(inverse[i * dim + j]);
    }
    *det_bound += rounding[j] * (fabs(at_y->log_det_slope[j]) + slope);
  }
}

/* From x by `there` to y and by `back` to x again: y is uncertain by some rounding, which `back`
 * amplifies. */
static void check_row_round_trip(fixture *f, const double *x, const double *c, int there, int back,
                                 double tolerance) {
  int dim = f->flow->dim;
  double y[MOST_DIM], again[MOST_DIM], rounding[MOST_DIM], there_det, back_det;
  double value_bound[MOST_DIM] = {0}, det_bound = tolerance;
  near_point at_x, at_y;
  if (!fixture_map(f, there, 1, x, c, y, &there_det)) return;
  if (!fixture_map(f, back, 1, y, c, again, &back_det)) return;
  if (!look_around(f, there, x, c, &at_x) || !look_around(f, back, y, c, &at_y)) return;
  for (int i = 0; i < dim; i++) {
    rounding[i] = 1 + fabs(y[i]);
    for (int j = 0; j < dim; j++) rounding[i] += fabs(at_x.jacobian[i * dim + j] * x[j]);
    rounding[i] *= 100 * EPSILON;
  }
  amplify(&at_x, &at_y, rounding, value_bound, &det_bound);
  count_bound(det_bound);
  CHECK_CLOSE(back_det, -there_det, det_bound);
  for (int i = 0; i < dim; i++) {
    count_bound(value_bound[i]);
    CHECK_CLOSE(again[i], x[i], tolerance + value_bound[i]);
  }
}

static void check_row_log_det(fixture *f, const double *x, const double *c, int which) {
  near_point at;
  double value[MOST_DIM], log_det, doubt;
  if (!fixture_map(f, which, 1, x, c, value, &log_det) || !look_around(f, which, x, c, &at)) return;
  double dense = log_det_near(&at, &doubt);
  count_bound(doubt);
  CHECK_CLOSE(dense, log_det, 1e-8 + doubt);
}

static void check_maps(fixture *f, const sample_points *p, double tolerance) {
  for (int r = 0; r < ROWS; r++) {
    const double *x = p->x + r * f->flow->dim, *c = p->c + r * f->flow->context_dim;
    check_row_round_trip(f, x, c, FIXTURE_LOG_PROB_MAP, FIXTURE_SAMPLE_MAP, tolerance);
    check_row_round_trip(f, x, c, FIXTURE_SAMPLE_MAP, FIXTURE_LOG_PROB_MAP, tolerance);
    check_row_log_det(f, x, c, FIXTURE_LOG_PROB_MAP);
    check_row_log_det(f, x, c, FIXTURE_SAMPLE_MAP);
  }
}

static double sum_log_prob(fixture *f, const sample_points *p) {
  double log_prob[ROWS], sum = 0;
  if (!fixture_log_prob(f, ROWS, p->x, p->c, log_prob)) return NAN;
  for (int r = 0; r < ROWS; r++) sum += log_prob[r];
  return sum;
}

/* d sum log_prob / d *at, by differences of fourth order. */
static double slope_at(fixture *f, const sample_points *p, double *at) {
  double kept = *at, h = 1e-5 * fmax(1, fabs(kept)), sum = 0;
  static const double steps[4] = {1, -1, 2, -2}, weights[4] = {8, -8, -1, 1};
  for (int s = 0; s < 4; s++) {
    *at = kept + h * steps[s];
    sum += weights[s] * sum_log_prob(f, p);
  }
  *at = kept;
  return sum / (12 * h);
}

/* A few entries of every parameter, and all of x. */
static void check_gradient(fixture *f, sample_points *p, double tolerance) {
  sl__flow *flow = f->flow;
  double *gradient = calloc((size_t)flow->size + 1, sizeof *gradient), dx[ROWS * MOST_DIM];
  double size = fabs(sum_log_prob(f, p));
  if (!gradient || !fixture_gradient(f, ROWS, p->x, p->c, gradient, dx)) {
    free(gradient);
    return;
  }
  for (int i = 0; i < flow->parameter_count; i++) {
    const sl__parameter *parameter = &flow->parameters[i];
    int64_t count = sl__shape_count(parameter->shape), columns = count / parameter->shape.size[0];
    for (int64_t k = 0; k < count; k += 1 + count / 5) {
      double *at = &f->vector[parameter->offset + k], found = gradient[parameter->offset + k];
      bool masked = parameter->extent && k % columns >= parameter->extent[k / columns];
      double wanted = masked ? 0 : slope_at(f, p, at);
      if (!CHECK_CLOSE(found, wanted, tolerance * fmax(1, size)))
        printf("  %s[%lld]\n", parameter->name, (long long)k);
    }
  }
  for (int k = 0; k < ROWS * flow->dim; k++)
    CHECK_CLOSE(dx[k], slope_at(f, p, &p->x[k]), tolerance * fmax(1, size));
  free(gradient);
}

static bool all_finite(const double *a, int count) {
  for (int i = 0; i < count; i++)
    if (!isfinite(a[i])) return false;
  return true;
}

/* ---- the walks ---- */

static const struct {
  const char *name;
  double amplitude, round_trip, gradient;
  bool layer_by_layer;
} sizes[] = {
    {"starting values", 0, 1e-12, 1e-7, false},
    {"trained size", 0.3, 1e-11, 1e-7, false},
    {"ten times trained size", 3, 1e-9, 1e-5, true},
};

static void check_case(const flow_case *now) {
  fixture f;
  if (!fixture_open(&f, now->formula, now->dim, now->context_dim, SL_F64)) return;
  int layers = f.flow->chain.count;
  for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++) {
    int failures = check_failures, pieces = sizes[s].layer_by_layer ? layers : 1;
    fixture_perturb(&f, sizes[s].amplitude, 17);
    sample_points p = points_for(now);
    tight = loose = 0;
    for (int piece = 0; piece < pieces; piece++) {
      fixture_range(&f, piece, pieces == 1 ? layers : piece + 1);
      check_maps(&f, &p, sizes[s].round_trip);
    }
    CHECK(loose <= tight);
    if (!sizes[s].layer_by_layer) check_gradient(&f, &p, sizes[s].gradient);
    if (check_failures > failures)
      printf("  in %s, %s; %d tight, %d loose\n", now->formula, sizes[s].name, tight, loose);
  }
  fixture_close(&f);
}

TEST(formulas) {
  for (int i = 0; i < CASES; i++) check_case(&cases[i]);
}

TEST(every_kind_by_itself) {
  int count = 0;
  const sl__kind *const *kinds = sl__kinds(&count);
  for (int i = 0; i < count; i++)
    for (int32_t dim = 1; dim <= 4 && !sl__kind_is_base(kinds[i]); dim++)
      check_case(&(flow_case){kinds[i]->name, dim, dim == 3 ? 2 : 0});
}

TEST(every_activation) {
  const sl__activation *activation;
  for (int64_t i = 0; (activation = sl__activation_at(i)) != NULL; i++) {
    char formula[96];
    snprintf(formula, sizeof formula, "coupling(hidden=8x8,activation=%s)*2", activation->name);
    check_case(&(flow_case){formula, 3, 0});
    snprintf(formula, sizeof formula, "maf(hidden=8,blocks=1,activation=%s)", activation->name);
    check_case(&(flow_case){formula, 3, 0});
  }
}

/* Each base density on a line: its mass by the trapezium rule. */
TEST(every_base_integrates_to_one) {
  enum { POINTS = 40001 };
  static double x[POINTS], log_prob[POINTS];
  const double width = 200.0 / (POINTS - 1);
  for (int i = 0; i < POINTS; i++) x[i] = -100 + i * width;
  int count = 0;
  const sl__kind *const *kinds = sl__kinds(&count);
  CHECK(count > 0);
  sl_context *context = NULL;
  REQUIRE(sl_context_new(NULL, &context) == SL_OK);
  for (int i = 0; i < count; i++) {
    if (!sl__kind_is_base(kinds[i])) continue;
    sl__flow *flow = NULL;
    sl__graph *g = NULL;
    sl__program *program = NULL;
    sl__workspace *workspace = NULL;
    const sl__flow_plan plan = {
        .formula = "loc", .base = kinds[i]->name, .dim = 1, .type = SL_F64, .seed = 1};
    REQUIRE(sl__flow_new(context, &plan, &flow) == SL_OK);
    REQUIRE(sl__graph_new(context, &g) == SL_OK);
    const sl_node z = op_input(g, SL_F64, sl__shape1(1));
    const sl_node out = kinds[i]->density(&flow->base, g, z, 0);
    REQUIRE(sl__program_new(context, g, 1, &out, &program) == SL_OK);
    REQUIRE(sl__workspace_new(context, program, POINTS, &workspace) == SL_OK);
    const sl__feed feed = {.data = x, .type = SL_F64};
    const sl__sink sink = {.data = log_prob, .type = SL_F64};
    const sl__run run = {.rows = POINTS, .feeds = &feed, .sinks = &sink};
    REQUIRE(sl__program_run(context, program, workspace, &run) == SL_OK);
    double mass = 0;
    for (int k = 0; k < POINTS; k++) mass += width * exp(log_prob[k]);
    CHECK_CLOSE(mass, 1, 1e-9);
    sl__workspace_free(workspace);
    sl__program_free(program);
    sl__graph_free(g);
    sl__flow_free(context, flow);
  }
  sl_context_free(context);
}

TEST(float32_agrees_with_float64) {
  for (int i = 0; i < CASES; i++) {
    const flow_case *now = &cases[i];
    fixture wide, narrow;
    if (!fixture_open(&wide, now->formula, now->dim, now->context_dim, SL_F64)) return;
    if (!fixture_open(&narrow, now->formula, now->dim, now->context_dim, SL_F32)) return;
    fixture_perturb(&narrow, 0.3, 17);
    for (int64_t k = 0; k < narrow.flow->size; k++)
      wide.vector[k] = narrow.vector[k] = (double)(float)narrow.vector[k];
    sample_points p = points_for(now);
    for (int k = 0; k < ROWS * now->dim; k++) p.x[k] = (double)(float)p.x[k];
    double a[ROWS], b[ROWS], za[ROWS * MOST_DIM], zb[ROWS * MOST_DIM];
    int failures = check_failures;
    if (fixture_log_prob(&wide, ROWS, p.x, p.c, a) && fixture_log_prob(&narrow, ROWS, p.x, p.c, b))
      for (int r = 0; r < ROWS; r++) CHECK_CLOSE(b[r], a[r], 1e-4);
    if (fixture_map(&wide, FIXTURE_SAMPLE_MAP, ROWS, p.x, p.c, za, a) &&
        fixture_map(&narrow, FIXTURE_SAMPLE_MAP, ROWS, p.x, p.c, zb, b))
      for (int k = 0; k < ROWS * now->dim; k++) CHECK_CLOSE(zb[k], za[k], 1e-4);
    if (check_failures > failures) printf("  in %s\n", now->formula);
    fixture_close(&wide);
    fixture_close(&narrow);
  }
}

/* Far out, and on the edges of splines' boxes, everything stays finite, gradients too. */
TEST(finite_everywhere) {
  static const double places[ROWS] = {4, -4, 4 * (1 + 2.3e-16), 1e4, -1e4, 0};
  for (int i = 0; i < CASES; i++) {
    const flow_case *now = &cases[i];
    fixture f;
    if (!fixture_open(&f, now->formula, now->dim, now->context_dim, SL_F64)) return;
    fixture_perturb(&f, 0.3, 17);
    double x[ROWS * MOST_DIM], c[ROWS * MOST_DIM] = {0}, dx[ROWS * MOST_DIM], log_prob[ROWS];
    double *gradient = calloc((size_t)f.flow->size + 1, sizeof *gradient);
    for (int k = 0; k < ROWS * now->dim; k++) x[k] = places[k / now->dim];
    int failures = check_failures;
    if (gradient && fixture_log_prob(&f, ROWS, x, c, log_prob)) CHECK(all_finite(log_prob, ROWS));
    if (gradient && fixture_gradient(&f, ROWS, x, c, gradient, dx)) {
      CHECK(all_finite(dx, ROWS * now->dim));
      CHECK(all_finite(gradient, (int)f.flow->size));
    }
    if (check_failures > failures) printf("  in %s\n", now->formula);
    free(gradient);
    fixture_close(&f);
  }
}

/* A sample comes with its own log density. */
TEST(samples_know_their_density) {
  for (int i = 0; i < CASES; i++) {
    const flow_case *now = &cases[i];
    fixture f;
    if (!fixture_open(&f, now->formula, now->dim, now->context_dim, SL_F64)) return;
    fixture_perturb(&f, 0.3, 17);
    sample_points p = points_for(now);
    double x[ROWS * MOST_DIM], told[ROWS], scored[ROWS];
    int failures = check_failures;
    if (fixture_map(&f, FIXTURE_SAMPLE, ROWS, p.x, p.c, x, told) &&
        fixture_log_prob(&f, ROWS, x, p.c, scored))
      for (int r = 0; r < ROWS; r++) CHECK_CLOSE(told[r], scored[r], 1e-9);
    if (check_failures > failures) printf("  in %s\n", now->formula);
    fixture_close(&f);
  }
}

/* The same bits on 1, 2 and 8 threads: densities, gradients (summed over many blocks) and
 * samples. */
static void check_threads(const char *formula, int32_t dim) {
  enum { MANY = 3000 };
  fixture f[3];
  static const int threads[3] = {1, 2, 8};
  double *x = calloc(MANY * MOST_DIM, sizeof *x), *out[3] = {NULL};
  fixture_points(x, MANY * dim, 1.3, 3);
  size_t numbers = 0;
  for (int i = 0; i < 3; i++) {
    if (!fixture_open_threads(&f[i], formula, dim, 0, SL_F32, threads[i])) return;
    fixture_perturb(&f[i], 0.3, 17);
    size_t size = (size_t)f[i].flow->size, values = (size_t)MANY * (size_t)dim;
    numbers = MANY + size + values + values + MANY;
    out[i] = calloc(numbers, sizeof **out);
    if (!CHECK(x && out[i])) return;
    double *gradient = out[i] + MANY, *dx = gradient + size, *samples = dx + values;
    fixture_log_prob(&f[i], MANY, x, NULL, out[i]);
    fixture_gradient(&f[i], MANY, x, NULL, gradient, dx);
    fixture_map(&f[i], FIXTURE_SAMPLE, MANY, x, NULL, samples, samples + values);
  }
  for (int i = 1; i < 3; i++)
    if (!CHECK(memcmp(out[i], out[0], numbers * sizeof **out) == 0))
      printf("  %s on %d threads\n", formula, threads[i]);
  for (int i = 0; i < 3; i++) {
    free(out[i]);
    fixture_close(&f[i]);
  }
  free(x);
}

TEST(same_bits_on_any_number_of_threads) {
  check_threads("lu-coupling(rqs,hidden=24)-coupling(affine,hidden=40x24,net=separate)", 5);
  check_threads("maf(affine,hidden=48x32)-reverse-maf(rqs,hidden=16,blocks=1)", 4);
  check_threads("coupling(affine,hidden=64x64)*2", 2);
}

/* z[i] of a maf, and x[i] of an iaf, depends on no feature after i, and on all before. */
TEST(autoregressive_order) {
  static const char *const formulas[2] = {"maf(rqs,hidden=24x24)",
                                          "iaf(affine,hidden=16,blocks=1)"};
  for (int i = 0; i < 2; i++) {
    fixture f;
    if (!fixture_open(&f, formulas[i], 5, 0, SL_F64)) return;
    fixture_perturb(&f, 0.3, 17);
    double x[5] = {0.3, -0.8, 1.1, 0.2, -0.5};
    near_point at;
    if (look_around(&f, i == 0 ? FIXTURE_LOG_PROB_MAP : FIXTURE_SAMPLE_MAP, x, NULL, &at))
      for (int a = 0; a < 5; a++)
        for (int b = 0; b < 5; b++) CHECK((at.jacobian[5 * a + b] == 0) == (b > a));
    fixture_close(&f);
  }
}

/* ---- densities integrate to 1 ---- */

/* Sum over a grid of n points per axis of exp(log_prob) times the cell. The points are sinh(u), u
 * evenly spaced: dense where flows put their mass, and reaching far out where few may have put
 * some. */
static double mass(fixture *f, int n) {
  int dim = f->flow->dim;
  double h = 2 * 8.0 / (n - 1), sum = 0;
  double *x = calloc((size_t)n, 8 * sizeof *x);
  if (!CHECK(x != NULL)) return NAN;
  double *c = x + 2 * n, *log_prob = x + 6 * n;
  for (int line = 0; line < (dim == 1 ? 1 : n); line++) {
    double v = -8 + h * line, across = dim == 1 ? 1 : h * cosh(v);
    for (int i = 0; i < n; i++) {
      x[i * dim] = sinh(-8 + h * i);
      if (dim == 2) x[2 * i + 1] = sinh(v);
    }
    if (!fixture_log_prob(f, n, x, c, log_prob)) break;
    for (int i = 0; i < n; i++) sum += exp(log_prob[i]) * h * cosh(-8 + h * i) * across;
  }
  free(x);
  return sum;
}

/* Parameters of trained size in a network as small as these still make a density that a grid
 * resolves. */
static void check_mass(const char *formula, int dim, int context_dim) {
  fixture f;
  if (!fixture_open(&f, formula, dim, context_dim, SL_F64)) return;
  fixture_perturb(&f, 0.3, 23);
  if (!CHECK_CLOSE(mass(&f, dim == 1 ? 20001 : 801), 1, 1e-3))
    printf("  %s in %d dimensions\n", formula, dim);
  fixture_close(&f);
}

static bool has_argument(const sl__kind *kind, const char *name) {
  for (int i = 0; i < kind->argument_count; i++)
    if (strcmp(kind->arguments[i].name, name) == 0) return true;
  return false;
}

TEST(densities_integrate_to_one) {
  int count = 0;
  const sl__kind *const *kinds = sl__kinds(&count);
  for (int i = 0; i < count; i++) {
    if (sl__kind_is_base(kinds[i])) continue;
    char formula[80];
    bool small = has_argument(kinds[i], "hidden");
    snprintf(formula, sizeof formula, "%s%s", kinds[i]->name, small ? "(hidden=8)" : "");
    check_mass(formula, 1, 0);
    check_mass(formula, 2, 0);
  }
  check_mass("coupling(rqs,hidden=8,tails=learned)*2", 2, 0);
  check_mass("maf(rqs,hidden=8)-reverse-maf(hidden=8)", 2, 0);
  check_mass("coupling(rqs,hidden=8)*2", 2, 1);
  check_mass("iaf(rqs,hidden=4,bins=4)", 2, 0);
  check_mass("maf(rqs,hidden=8,tails=learned)", 1, 1);
}
