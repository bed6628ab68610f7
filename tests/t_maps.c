/* The layers that map every feature by one fixed function, against plain C in long double: values
 * and log-derivatives up to 1000, both directions; the edges of what they map, a rounding inside
 * and outside; finite gradients everywhere; mass 1. */
#include "flow_fixture.h"

typedef long double real;
/* size: of the terms that add up to the value, where they may cancel; 0: they do not. */
typedef struct image {
  real value, log_slope, size;
} image;

static image exp_of(real z) {
  return (image){expl(z), z, 0};
}
static image log_of(real x) {
  return (image){logl(x), -logl(x), 0};
}
static image softplus_of(real z) {
  real value = z > 0 ? z + log1pl(expl(-z)) : log1pl(expl(z));
  return (image){value, z > 0 ? -log1pl(expl(-z)) : z - log1pl(expl(z)), 0};
}
static image softplus_back(real x) {
  return (image){x + logl(-expm1l(-x)), -logl(-expm1l(-x)), 1 + x};
}
static image sigmoid_of(real z) {
  real size = fabsl(z);
  return (image){1 / (1 + expl(-z)), -size - 2 * log1pl(expl(-size)), 0};
}
static image logit_of(real x) {
  return (image){logl(x) - log1pl(-x), -logl(x) - log1pl(-x), 1};
}
static image tanh_of(real z) {
  real size = fabsl(z);
  return (image){tanhl(z), 2 * logl(2) - 2 * size - 2 * log1pl(expl(-2 * size)), 0};
}
static image atanh_of(real x) {
  return (image){atanhl(x), -log1pl(-x * x), 0};
}
static image leaky_of(real z) {
  return (image){z > 0 ? z : 0.25L * z, z > 0 ? 0 : logl(0.25L), 0};
}
static image leaky_back(real x) {
  return (image){x > 0 ? x : 4 * x, x > 0 ? 0 : logl(4), 0};
}
static image elu_of(real z) {
  return (image){z > 0 ? z : 0.75L * expm1l(z), z > 0 ? 0 : logl(0.75L) + z, 0};
}
static image elu_back(real x) {
  return (image){x > 0 ? x : log1pl(x / 0.75L), x > 0 ? 0 : -logl(0.75L + x), 0};
}
static image square_of(real z) {
  return (image){z * fabsl(z), logl(2 * fabsl(z)), 0};
}
static image square_back(real x) {
  return (image){copysignl(sqrtl(fabsl(x)), x), -logl(2 * sqrtl(fabsl(x))), 0};
}

/* from, to: between which numbers the direction is defined, without them. */
typedef struct side {
  image (*map)(real);
  double from, to;
} side;

static const struct {
  const char *formula;
  side sample, log_prob;
} maps[] = {
    {"exp", {exp_of, -INFINITY, INFINITY}, {log_of, 0, INFINITY}},
    {"uniform-log", {log_of, 0, INFINITY}, {exp_of, -INFINITY, INFINITY}},
    {"softplus", {softplus_of, -INFINITY, INFINITY}, {softplus_back, 0, INFINITY}},
    {"uniform-inverse(softplus)", {softplus_back, 0, INFINITY}, {softplus_of, -INFINITY, INFINITY}},
    {"sigmoid", {sigmoid_of, -INFINITY, INFINITY}, {logit_of, 0, 1}},
    {"uniform-logit", {logit_of, 0, 1}, {sigmoid_of, -INFINITY, INFINITY}},
    {"tanh", {tanh_of, -INFINITY, INFINITY}, {atanh_of, -1, 1}},
    {"uniform(low=-1,high=1)-atanh", {atanh_of, -1, 1}, {tanh_of, -INFINITY, INFINITY}},
    {"leaky_relu(0.25)", {leaky_of, -INFINITY, INFINITY}, {leaky_back, -INFINITY, INFINITY}},
    {"elu(alpha=0.75)", {elu_of, -INFINITY, INFINITY}, {elu_back, -0.75, INFINITY}},
    {"power(2)", {square_of, -INFINITY, INFINITY}, {square_back, -INFINITY, INFINITY}},
    {"power(exponent=0.5)", {square_back, -INFINITY, INFINITY}, {square_of, -INFINITY, INFINITY}},
};
enum { MAPS = sizeof maps / sizeof maps[0], MOST = 64 };

static double next_to(double a, double towards, sl_dtype type) {
  return type == SL_F32 ? (double)nextafterf((float)a, (float)towards) : nextafter(a, towards);
}

/* Points all over the line, and around the edges. */
static int places(const side *of, sl_dtype type, double *x) {
  static const double sizes[] = {1e-30, 1e-6, 1e-3, 0.1, 0.3, 0.5, 0.7, 0.99, 1,
                                 1.5,   4,    15,   35,  80,  300, 700, 1000};
  int count = 0;
  for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
    x[count++] = sizes[i];
    x[count++] = -sizes[i];
  }
  for (int i = 0; i < 2; i++) {
    double edge = i ? of->to : of->from;
    if (!isfinite(edge)) continue;
    x[count++] = edge;
    x[count++] = next_to(edge, 2000, type);
    x[count++] = next_to(edge, -2000, type);
  }
  for (int i = 0; type == SL_F32 && i < count; i++) x[i] = (double)(float)x[i];
  return count;
}

static void check_map(int i, bool sampling, sl_dtype type) {
  const side *of = sampling ? &maps[i].sample : &maps[i].log_prob;
  int which = sampling ? FIXTURE_SAMPLE_MAP : FIXTURE_LOG_PROB_MAP, failures = check_failures;
  double x[MOST], value[MOST], log_det[MOST], slope[MOST], none[1];
  double epsilon = type == SL_F32 ? 0x1p-23 : 0x1p-52;
  double least = type == SL_F32 ? 0x1p-126 : 0x1p-1022; /* what smaller ones are taken for */
  int count = places(of, type, x);
  fixture f;
  if (!fixture_open(&f, maps[i].formula, 1, 0, type)) return;
  if (!fixture_map(&f, which, count, x, NULL, value, log_det) ||
      !fixture_slopes(&f, sampling, count, x, NULL, none, slope, NULL))
    count = 0;
  CHECK(count > 0);
  for (int k = 0; k < count; k++) {
    int before = check_failures;
    bool inside = x[k] > of->from && x[k] < of->to;
    image exact = of->map(fabs(x[k]) < least ? least : x[k]);
    bool representable = fabsl(exact.value) < (type == SL_F32 ? 1e38L : 1e308L);
    if (!inside) {
      CHECK(isfinite(value[k]) && log_det[k] == -INFINITY && slope[k] == 0);
    } else {
      /* what a rounding of x, or of what it is divided by, makes of the distance to an edge */
      double edge = fmax(fabs(x[k] / (x[k] - of->from)), fabs(x[k] / (x[k] - of->to)));
      edge = isfinite(edge) ? edge : 1;
      CHECK_CLOSE(log_det[k], (double)exact.log_slope, 4 * epsilon + epsilon * edge);
      if (representable) {
        real powers = fabs(x[k]) + fabs(log(fabs(x[k]))); /* exp(a) has the error of a */
        real rounding = fabsl(exact.value) * (1 + powers) + exact.size + edge;
        CHECK(fabsl(value[k] - exact.value) <= 4 * epsilon * rounding + least);
        CHECK(isfinite(slope[k]));
      } else {
        CHECK(isinf(value[k]));
      }
    }
    if (check_failures > before) printf("  at %.17g: %.17g, %.17g\n", x[k], value[k], log_det[k]);
  }
  if (check_failures > failures)
    printf("  %s, %s, %s\n", maps[i].formula, sampling ? "sample" : "log_prob",
           type == SL_F32 ? "float32" : "float64");
  fixture_close(&f);
}

TEST(values_and_edges) {
  for (int i = 0; i < MAPS; i++)
    for (int k = 0; k < 4; k++) check_map(i, k % 2, k < 2 ? SL_F64 : SL_F32);
}

/* One feature outside is enough, and the gradients of the others stay as they are. */
TEST(outside_in_one_feature) {
  fixture f;
  if (!fixture_open(&f, "scale(exp)-sigmoid", 2, 0, SL_F64)) return;
  const double x[4] = {0.3, 0.6, 0.3, 1.5};
  double log_prob[2], gradient[2], dx[4];
  if (fixture_log_prob(&f, 2, x, NULL, log_prob)) {
    CHECK(isfinite(log_prob[0]) && log_prob[1] == -INFINITY);
    if (fixture_gradient(&f, 2, x, NULL, gradient, dx)) {
      for (int i = 0; i < 2; i++) CHECK(isfinite(gradient[i]));
      CHECK(dx[2] == dx[0] && dx[3] == 0);
    }
  }
  fixture_close(&f);
}

TEST(zero_to_a_power) {
  static const char *const formulas[2] = {"power(3)", "power(0.25)"};
  for (int i = 0; i < 2; i++)
    for (int sampling = 0; sampling < 2; sampling++) {
      fixture f;
      if (!fixture_open(&f, formulas[i], 1, 0, i ? SL_F32 : SL_F64)) return;
      double x = 0, value, log_det, slope, none[1];
      if (fixture_map(&f, sampling ? FIXTURE_SAMPLE_MAP : FIXTURE_LOG_PROB_MAP, 1, &x, NULL, &value,
                      &log_det) &&
          fixture_slopes(&f, sampling, 1, &x, NULL, none, &slope, NULL))
        CHECK(value == 0 && isfinite(log_det) && isfinite(slope));
      fixture_close(&f);
    }
}

static void check_refusal(const char *formula, const char *part) {
  sl_context *context = NULL;
  sl__flow *flow = NULL;
  if (sl_context_new(NULL, &context) != SL_OK) abort();
  sl__flow_plan plan = {.formula = formula, .dim = 2, .type = SL_F64};
  CHECK(sl__flow_new(context, &plan, &flow) != SL_OK);
  if (!CHECK(strstr(sl_error(context), part) != NULL)) printf("  %s\n", sl_error(context));
  sl_context_free(context);
}

TEST(refusals) {
  check_refusal("power(0)", "exponent");
  check_refusal("power(-1)", "exponent");
  check_refusal("leaky_relu(0)", "slope");
  check_refusal("elu(-1)", "alpha");
  check_refusal("exp(1)", "exp takes 0 arguments");
}

/* By the trapezium rule in x = sinh(v), which a jump costs half a step times itself. */
TEST(densities_integrate_to_one) {
  enum { POINTS = 200001, PIECE = 4096 };
  static double x[POINTS], log_prob[POINTS];
  static const char *const formulas[] = {"exp",
                                         "softplus",
                                         "sigmoid",
                                         "tanh",
                                         "leaky_relu(0.5)",
                                         "elu(2)",
                                         "power(0.4)",
                                         "softplus-log",
                                         "exp-power(2)",
                                         "softplus-inverse(softplus)",
                                         "sigmoid-power(2)-logit",
                                         "tanh-elu-atanh"};
  const double width = 80.0 / (POINTS - 1);
  for (int k = 0; k < POINTS; k++) x[k] = sinh(-40 + width * k);
  for (size_t i = 0; i < sizeof formulas / sizeof formulas[0]; i++) {
    fixture f;
    if (!fixture_open(&f, formulas[i], 1, 0, SL_F64)) return;
    double mass = 0;
    for (int first = 0; first < POINTS; first += PIECE) {
      int rows = POINTS - first < PIECE ? POINTS - first : PIECE;
      if (!fixture_log_prob(&f, rows, x + first, NULL, log_prob + first)) break;
    }
    for (int k = 0; k < POINTS; k++) mass += exp(log_prob[k]) * width * sqrt(1 + x[k] * x[k]);
    if (!CHECK_CLOSE(mass, 1, 3e-4)) printf("  %s\n", formulas[i]);
    fixture_close(&f);
  }
}
