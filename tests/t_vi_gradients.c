/* The gradients of variational inference. The three roads by which a parameter changes log w, for
 * layers with every kind of inverse, against differences of log q as the scoring direction computes
 * it; the coefficients of objectives against differences of their losses; and doubly
 * reparameterized estimates against the plain ones by integrating over all draws. */
#include "infer/vi/engine.h"
#include "vi_fixture.h"

/* ---- roads ---- */

enum { ROWS = 5 };

/* A program of draws: x and log w with the derivative of their sum over rows by the parameters. */
typedef struct probe {
  sl__program *program;
  sl__workspace *workspace;
  double x[ROWS * 32], log_q[ROWS], log_p[ROWS], *slope;
} probe;

static bool make_probe(sl_context *context, const sl__target *target, const sl__flow *flow,
                       sl__vi_road road, probe *out) {
  sl__graph *g;
  if (!CHECK_OK(context, sl__graph_new(context, &g))) return false;
  const sl__vi_source source = {
      .flow = flow, .target = target, .noise = op_input(g, SL_F64, sl__shape1(flow->dim))};
  const sl__vi_nodes nodes = sl__vi_draw(g, &source, road);
  sl_node wrt[64], outputs[67] = {nodes.x, op_rows(g, nodes.log_q), op_rows(g, nodes.log_p)};
  for (int p = 0; p < flow->parameter_count; p++)
    wrt[p] = op_parameter(g, SL_F64, flow->parameters[p].shape, flow->parameters[p].offset);
  const sl_node log_weight = op_rows(g, op_subtract(g, nodes.log_p, nodes.log_q));
  bool good =
      CHECK_OK(context, sl__gradient(g, log_weight, flow->parameter_count, wrt, outputs + 3)) &&
      CHECK_OK(context,
               sl__program_new(context, g, 3 + flow->parameter_count, outputs, &out->program)) &&
      CHECK_OK(context, sl__workspace_new(context, out->program, ROWS, &out->workspace));
  sl__graph_free(g);
  out->slope = calloc((size_t)flow->size + 1, sizeof *out->slope);
  return good;
}

static void run_probe(sl_context *context, const sl__flow *flow, const double *vector,
                      const double *noise, probe *own) {
  sl__sink sinks[67] = {{.data = own->x, .type = SL_F64},
                        {.data = own->log_q, .type = SL_F64},
                        {.data = own->log_p, .type = SL_F64}};
  for (int p = 0; p < flow->parameter_count; p++)
    sinks[3 + p] = (sl__sink){.data = own->slope + flow->parameters[p].offset, .type = SL_F64};
  const sl__feed feed = {.data = noise, .type = SL_F64};
  const sl__run run = {.rows = ROWS, .parameters = vector, .feeds = &feed, .sinks = sinks};
  CHECK_OK(context, sl__program_run(context, own->program, own->workspace, &run));
}

static void free_probe(probe *own) {
  sl__workspace_free(own->workspace);
  sl__program_free(own->program);
  free(own->slope);
}

/* Sum over rows of log w, the draw made with the parameters `through`, log q scored with `own`: by
 * the scoring direction, which sampling knows nothing of. */
static double log_weight(sl_context *context, const sl__target *target, const vi_flow *f,
                         const double *noise, const double *through, const double *own,
                         probe *sampler) {
  double weights[ROWS], sum = 0;
  run_probe(context, f->flow, through, noise, sampler);
  CHECK_OK(context, sl__vi_log_weights(context, f->flow, own, target, ROWS, sampler->x, weights));
  for (int r = 0; r < ROWS; r++) sum += weights[r];
  return sum;
}

/* A weight that a mask holds at zero: nothing else may stand there. */
static bool is_masked(const sl__flow *flow, int64_t number) {
  for (int p = 0; p < flow->parameter_count; p++) {
    const sl__parameter *parameter = &flow->parameters[p];
    const int64_t at = number - parameter->offset;
    if (!parameter->extent || at < 0 || at >= sl__shape_count(parameter->shape)) continue;
    const int32_t columns = parameter->shape.size[1];
    return at % columns >= parameter->extent[at / columns];
  }
  return false;
}

static void check_road(sl_context *context, const char *formula, int32_t dim, sl__vi_road road) {
  sl__target *target = vi_target(context, dim, vi_crooked);
  vi_flow f = vi_make_flow(context, formula, dim);
  double noise[ROWS * 32], moved[2][4096];
  for (int i = 0; i < ROWS * dim; i++) noise[i] = sin(3.0 * i + 1);
  probe sampler = {0}, own = {0};
  if (make_probe(context, target, f.flow, SL__VI_TOTAL, &sampler) &&
      make_probe(context, target, f.flow, road, &own)) {
    run_probe(context, f.flow, f.vector, noise, &own);
    run_probe(context, f.flow, f.vector, noise, &sampler);
    for (int r = 0; r < ROWS; r++) { /* values are exact on every road */
      CHECK_CLOSE(own.log_q[r], sampler.log_q[r], 1e-12);
      CHECK_CLOSE(own.log_p[r], sampler.log_p[r], 1e-12);
    }
    const int64_t stride = f.flow->size > 24 ? f.flow->size / 24 : 1;
    for (int64_t i = 0; i < f.flow->size; i += stride) {
      if (is_masked(f.flow, i)) continue;
      const double step = 1e-5;
      double value[2];
      for (int side = 0; side < 2; side++) {
        memcpy(moved[side], f.vector, (size_t)f.flow->size * sizeof(double));
        moved[side][i] += side ? step : -step;
        value[side] =
            log_weight(context, target, &f, noise, road == SL__VI_SCORE ? f.vector : moved[side],
                       road == SL__VI_PATH ? f.vector : moved[side], &sampler);
      }
      const double expected = (value[1] - value[0]) / (2 * step);
      if (!CHECK_CLOSE(own.slope[i], expected, 3e-7))
        printf("  %s, %d features, road %d, parameter %lld\n", formula, (int)dim, (int)road,
               (long long)i);
    }
  }
  free_probe(&sampler);
  free_probe(&own);
  vi_free_flow(context, &f);
  sl__target_free(target);
}

TEST(roads_of_layers_with_every_kind_of_inverse) {
  static const struct {
    const char *formula;
    int32_t dim;
  } cases[] = {
      {"scale-loc", 2},
      {"loc-planar*3-scale", 2}, /* two by two */
      {"planar*2-hh*2", 1},      /* one */
      {"radial-planar", 3},      /* a QR factorisation */
      {"planar-loc", 20},        /* too many features: the root */
      {"inverse(planar(jitter=0.3))-scale", 2},
      {"coupling(affine,hidden=4)*2", 3},
      {"iaf(hidden=4)-loc", 3},
      {"sylvester(columns=1)-lu", 2},
  };
  sl_context *context = vi_context(1);
  for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++)
    for (int road = SL__VI_TOTAL; road <= SL__VI_SCORE; road++)
      check_road(context, cases[k].formula, cases[k].dim, (sl__vi_road)road);
  sl_context_free(context);
}

/* ---- coefficients of a loss whose whole derivative is wanted ---- */

TEST(coefficients_are_the_derivatives_of_the_loss) {
  enum { COUNT = 6 };
  static const char *const names[] = {"iwae", "renyi", "chi", "variance"};
  static const double alphas[] = {0.5, 0, -1.5, 2, 1};
  double weights[COUNT] = {0.3, -1.2, 2.1, 0, -0.4, 1.1}, coefficients[COUNT], unused[COUNT];
  for (int o = 0; o < 4; o++) {
    const sl__vi_objective *objective = sl__vi_objective_find(names[o]);
    REQUIRE(objective != NULL);
    for (int a = 0; a < 5; a++) {
      const sl__vi_group group = {.count = COUNT,
                                  .log_weights = weights,
                                  .alpha = alphas[a],
                                  .estimator = SL__VI_BY_REPARAMETERIZATION};
      objective->weigh(&group, coefficients);
      for (int i = 0; i < COUNT; i++) {
        const double kept = weights[i], step = 1e-6;
        weights[i] = kept + step;
        const double above = objective->weigh(&group, unused);
        weights[i] = kept - step;
        const double below = objective->weigh(&group, unused);
        weights[i] = kept;
        CHECK_CLOSE(coefficients[i], (above - below) / (2 * step), 1e-8);
      }
    }
  }
}

/* As a mean over few draws an upper bound is small where none comes near p; the one that comes
 * nearest must be drawn on all the same. */
TEST(upper_bounds_draw_the_heaviest_draw_towards_the_target) {
  static const char *const names[] = {"chi", "renyi", "forward"};
  const double weights[] = {-30, -12, -50};
  for (size_t o = 0; o < sizeof names / sizeof names[0]; o++) {
    const sl__vi_objective *objective = sl__vi_objective_find(names[o]);
    const sl__vi_group group = {
        .count = 3, .log_weights = weights, .alpha = -1, .estimator = SL__VI_BY_DREG};
    double c[3];
    objective->weigh(&group, c);
    for (int i = 0; i < 3; i++) CHECK(c[i] <= 0);
    CHECK(objective->is_upper(group.alpha));
  }
  CHECK(!sl__vi_objective_find("renyi")->is_upper(0.5));
}

TEST(bounds_have_their_values) {
  const double weights[] = {log(1.0), log(2.0), log(6.0)};
  double c[3];
  const sl__vi_group group = {.count = 3, .log_weights = weights, .alpha = 0.5};
  CHECK_CLOSE(sl__vi_objective_find("iwae")->weigh(&group, c), -log(3.0), 1e-14);
  CHECK_CLOSE(sl__vi_objective_find("chi")->weigh(&group, c), 0.5 * log(41.0 / 3), 1e-14);
  const double root = log((1 + sqrt(2.0) + sqrt(6.0)) / 3);
  CHECK_CLOSE(sl__vi_objective_find("renyi")->weigh(&group, c), -2 * root, 1e-14);
  const double forward = (2 * log(2.0) + 6 * log(6.0)) / 9;
  CHECK_CLOSE(sl__vi_objective_find("forward")->weigh(&group, c), forward, 1e-14);
}

/* ---- expectations over all pairs of draws ---- */

/* q: x = m + s z; p = exp(-x^2/4 - x^4/20 + sin x). Derivatives of log w by m and s. */
static const double m = 0.3, s = 0.8;
static double log_p(double x) {
  return -x * x / 4 - x * x * x * x / 20 + sin(x);
}
static double slope_of_log_p(double x) {
  return -x / 2 - x * x * x / 5 + cos(x);
}

typedef struct ways {
  double path[2], score[2]; /* by m, by s */
} ways;
static ways ways_of(double z) {
  const double by_x = slope_of_log_p(m + s * z) + z / s;
  return (ways){{by_x, by_x * z}, {-z / s, (1 - z * z) / s}};
}

/* The expected gradient of a group of two draws: the trapezoid rule, exact to rounding here. With
 * power > 0 that of the mean of w^power itself, of which the loss is the log. */
static void expected_gradient(const sl__vi_objective *objective, sl__vi_estimator estimator,
                              double alpha, double power, double out[2]) {
  enum { POINTS = 121 };
  const double width = 0.15, first = -9;
  out[0] = out[1] = 0;
  for (int i = 0; i < POINTS; i++) {
    for (int j = 0; j < POINTS; j++) {
      const double z[2] = {first + width * i, first + width * j};
      const double mass = width * width * exp(-(z[0] * z[0] + z[1] * z[1]) / 2) / (2 * acos(-1.0));
      double log_weights[2], coefficients[2];
      for (int k = 0; k < 2; k++) log_weights[k] = log_p(m + s * z[k]) + z[k] * z[k] / 2 + log(s);
      const sl__vi_group group = {
          .count = 2, .log_weights = log_weights, .alpha = alpha, .estimator = estimator};
      const double loss = objective->weigh(&group, coefficients);
      for (int k = 0; k < 2; k++) {
        const ways w = ways_of(z[k]);
        const sl__vi_road road = sl__vi_estimator_rows[estimator].road;
        for (int d = 0; d < 2; d++)
          out[d] +=
              mass * coefficients[k] * exp(power * loss) *
              ((road != SL__VI_SCORE ? w.path[d] : 0) + (road != SL__VI_PATH ? w.score[d] : 0));
      }
    }
  }
}

TEST(doubly_reparameterized_gradients_have_the_same_mean) {
  static const struct {
    const char *name;
    sl__vi_estimator plain;
    double alpha, power;
  } cases[] = {{"iwae", SL__VI_BY_REPARAMETERIZATION, 0, 0},
               {"renyi", SL__VI_BY_REPARAMETERIZATION, 0.5, 0},
               {"renyi", SL__VI_BY_REPARAMETERIZATION, 2, 0},
               {"renyi", SL__VI_BY_REPARAMETERIZATION, -1, 2},
               {"chi", SL__VI_BY_REPARAMETERIZATION, 0, 2},
               {"forward", SL__VI_BY_SCORE, 0, 0}};
  for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++) {
    const sl__vi_objective *objective = sl__vi_objective_find(cases[k].name);
    double plain[2], doubly[2];
    expected_gradient(objective, cases[k].plain, cases[k].alpha, cases[k].power, plain);
    expected_gradient(objective, SL__VI_BY_DREG, cases[k].alpha, cases[k].power, doubly);
    for (int d = 0; d < 2; d++)
      if (!CHECK_CLOSE(doubly[d], plain[d], 1e-9)) printf("  %s\n", cases[k].name);
  }
}
