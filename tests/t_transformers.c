/* Transformers against plain C of their own formulas in long double, at parameters of trained size
 * and ten times that, at values up to 1000: values, inverses, log-derivatives; log-derivatives and
 * gradients against differences; zeros are the identity; strictly increasing on a fine grid; the
 * density of a flow made of one has mass 1. */
#include "flow_checks.h"
#include "flow/transformer/transformer.h"

enum { FEATURES = 3, MOST_ROWS = 512, MOST_NUMBERS = 256 };

/* ---- a transformer under test ---- */

enum { LOG_PROB, SAMPLE, DIRECTIONS };
typedef struct subject {
  sl_context *context;
  sl__arena arena;
  sl__option_value values[1 + SL__TRANSFORMER_ARGUMENTS];
  sl__transform transform;
  int axis;
  sl__program *program[DIRECTIONS];
  sl__workspace *workspace[DIRECTIONS];
  double own[FEATURES];
} subject;

static const sl__option_row rows_of_arguments[1 + SL__TRANSFORMER_ARGUMENTS] = {
    {"transformer", SL__OPTION_CHOICE, NULL, 0, 0, sl__transformer_names, ""},
#define ARGUMENT(owners, name, type, fallback, low, high, choices, help) \
  {#name, type, fallback, low, high, choices, help},
#include "flow/transformer/transformers.def"
};

typedef struct setting {
  const char *transformer, *argument[2], *value[2];
} setting;

/* Inputs: the values [FEATURES]; each group, the axis of its numbers being `axis`. Outputs: value,
 * log_det, and the gradient of sum (1 + k / 4) (value[k] + 0.7 log_det[k]) by each input. */
static sl_status build(subject *s, int direction, sl__graph *g) {
  sl_dtype type = s->transform.type;
  sl_node in[1 + SL__MAX_GROUPS], out[3 + SL__MAX_GROUPS];
  sl__transform_parameters parameters = {.axis = s->axis};
  int count = s->transform.group_count;
  in[0] = op_input(g, type, sl__shape1(FEATURES));
  for (int k = 0; k < count; k++) {
    int32_t size = s->transform.group_size[k];
    in[k + 1] =
        op_input(g, type, s->axis ? sl__shape2(FEATURES, size) : sl__shape2(size, FEATURES));
    parameters.group[k] = in[k + 1];
  }
  if (s->transform.own) parameters.own = op_constant(g, type, sl__shape1(FEATURES), s->own);
  const sl__transformer *kind = s->transform.kind;
  sl__mapped both = direction == SAMPLE ? kind->sample(&s->transform, g, in[0], &parameters)
                                        : kind->log_prob(&s->transform, g, in[0], &parameters);
  sl_node zeros = op_rows(g, op_number(g, type, 0));
  out[0] = op_add(g, both.value, zeros);
  out[1] = op_add(g, both.log_det, zeros);
  double weight[FEATURES];
  for (int k = 0; k < FEATURES; k++) weight[k] = 1 + 0.25 * k;
  sl_node sum = op_add(g, out[0], op_scale(g, out[1], 0.7));
  sum = op_multiply(g, sum, op_constant(g, type, sl__shape1(FEATURES), weight));
  SL__TRY(sl__gradient(g, op_sum_all(g, sum), count + 1, in, out + 2));
  return sl__program_new(s->context, g, count + 3, out, &s->program[direction]);
}

static bool open_subject(subject *s, const setting *what, sl_dtype type, int axis) {
  *s = (subject){.axis = axis, .own = {1, 1.3, 0.8}};
  if (sl_context_new(NULL, &s->context) != SL_OK) return CHECK(false);
  sl__arena_open(&s->arena, s->context);
  int count = 1 + SL__TRANSFORMER_ARGUMENTS;
  sl_status status =
      sl__options_default(s->context, &s->arena, rows_of_arguments, count, s->values);
  if (status == SL_OK)
    status = sl__options_set(s->context, &s->arena, rows_of_arguments, count, s->values, "",
                             "transformer", what->transformer);
  for (int i = 0; i < 2 && what->argument[i] && status == SL_OK; i++)
    status = sl__options_set(s->context, &s->arena, rows_of_arguments, count, s->values, "",
                             what->argument[i], what->value[i]);
  for (int i = 1; i < count; i++) s->values[i].given = false;
  sl__layer layer = {.type = type, .arguments = s->values};
  if (status == SL_OK) status = sl__transform_read(s->context, &layer, 1, &s->transform);
  for (int d = 0; d < DIRECTIONS && status == SL_OK; d++) {
    sl__graph *g = NULL;
    status = sl__graph_new(s->context, &g);
    if (status == SL_OK) status = build(s, d, g);
    sl__graph_free(g);
    if (status == SL_OK)
      status = sl__workspace_new(s->context, s->program[d], MOST_ROWS, &s->workspace[d]);
  }
  return CHECK_OK(s->context, status) && CHECK(s->transform.total <= MOST_NUMBERS);
}

static void close_subject(subject *s) {
  for (int d = 0; d < DIRECTIONS; d++) {
    sl__workspace_free(s->workspace[d]);
    sl__program_free(s->program[d]);
  }
  sl__arena_close(&s->arena);
  sl_context_free(s->context);
}

/* What one run yields. raw[row][feature][number] holds the groups one after another. */
typedef struct points {
  int rows;
  double in[MOST_ROWS][FEATURES], value[MOST_ROWS][FEATURES], log_det[MOST_ROWS][FEATURES];
  double raw[MOST_ROWS][FEATURES][MOST_NUMBERS];
  double by_in[MOST_ROWS][FEATURES], by_raw[MOST_ROWS][FEATURES][MOST_NUMBERS];
} points;

/* Between raw and one group's [rows][size][FEATURES] or [rows][FEATURES][size]. */
static void turn(const subject *s, int rows, int32_t begin, int32_t size,
                 double raw[][FEATURES][MOST_NUMBERS], double *group, bool out) {
  for (int r = 0; r < rows; r++)
    for (int f = 0; f < FEATURES; f++)
      for (int32_t k = 0; k < size; k++) {
        int32_t at = s->axis ? f * size + k : k * FEATURES + f;
        double *number = &group[(int64_t)r * size * FEATURES + at];
        if (out)
          raw[r][f][begin + k] = *number;
        else
          *number = raw[r][f][begin + k];
      }
}

static void run(subject *s, int direction, points *p) {
  int count = s->transform.group_count;
  double *buffer[2 * SL__MAX_GROUPS] = {NULL};
  sl__feed feeds[1 + SL__MAX_GROUPS] = {{.data = p->in, .type = SL_F64}};
  sl__sink sinks[3 + SL__MAX_GROUPS] = {{.data = p->value, .type = SL_F64},
                                        {.data = p->log_det, .type = SL_F64},
                                        {.data = p->by_in, .type = SL_F64}};
  for (int k = 0, begin = 0; k < count; begin += s->transform.group_size[k++]) {
    int32_t size = s->transform.group_size[k];
    size_t numbers = (size_t)p->rows * (size_t)size * FEATURES;
    buffer[2 * k] = calloc(numbers, sizeof(double));
    buffer[2 * k + 1] = calloc(numbers, sizeof(double));
    if (!buffer[2 * k] || !buffer[2 * k + 1]) abort();
    turn(s, p->rows, begin, size, p->raw, buffer[2 * k], false);
    feeds[k + 1] = (sl__feed){.data = buffer[2 * k], .type = SL_F64};
    sinks[k + 3] = (sl__sink){.data = buffer[2 * k + 1], .type = SL_F64};
  }
  sl__run now = {.rows = p->rows, .feeds = feeds, .sinks = sinks};
  CHECK_OK(s->context,
           sl__program_run(s->context, s->program[direction], s->workspace[direction], &now));
  for (int k = 0, begin = 0; k < count; begin += s->transform.group_size[k++]) {
    turn(s, p->rows, begin, s->transform.group_size[k], p->by_raw, buffer[2 * k + 1], true);
    free(buffer[2 * k]);
    free(buffer[2 * k + 1]);
  }
}

/* ---- the same in plain C ---- */

typedef long double real;
/* Data to noise: z, the logarithm of its derivative, and the size of what either is summed from, of
 * which roundings are fractions. */
typedef struct exact {
  real z, log_slope, size, log_size;
} exact;
typedef exact (*formula)(const subject *s, const double *raw, int feature, real x);

static exact exact_additive(const subject *s, const double *raw, int feature, real x) {
  (void)s, (void)feature;
  return (exact){x - raw[0], 0, fabsl(x) + fabs(raw[0]), 0};
}

static exact exact_affine(const subject *s, const double *raw, int feature, real x) {
  real log_scale = raw[1];
  int64_t bound = s->transform.arguments[SL__ARGUMENT_scale].integer;
  if (bound == 0) log_scale = log_scale / (1 + fabsl(log_scale) / logl(1000));
  if (bound == 1) log_scale = s->own[feature] * tanhl(log_scale);
  real scale = expl(-log_scale);
  return (exact){(x - raw[0]) * scale, -log_scale, (fabsl(x) + fabs(raw[0])) * scale,
                 fabsl(log_scale)};
}

/* log(sum_k exp(a_k)) */
static real add_logs(const real *a, int count) {
  real most = a[0], sum = 0;
  for (int k = 1; k < count; k++) most = fmaxl(most, a[k]);
  for (int k = 0; k < count; k++) sum += expl(a[k] - most);
  return most + logl(sum);
}

static exact exact_naf(const subject *s, const double *raw, int feature, real x) {
  (void)feature;
  int units = s->transform.group_size[0];
  real weight[MOST_NUMBERS] = {0}, below[MOST_NUMBERS], above[MOST_NUMBERS], rise[MOST_NUMBERS];
  real size = 0;
  for (int k = 0; k < units; k++) weight[k] = raw[2 * units + k];
  real total = add_logs(weight, units);
  for (int k = 0; k < units; k++) {
    real gain = units == 1 ? 1 : 1 + 3.0L * k / (units - 1), offset = gain * raw[units + k];
    real slope = 0.001L + 0.999L * logl(1 + expl(raw[k]) * (expl(1) - 1));
    real w = weight[k] - total;
    real u = slope * x + offset;
    real under = u < 0 ? u - log1pl(expl(u)) : -log1pl(expl(-u));
    real over = u < 0 ? -log1pl(expl(u)) : -u - log1pl(expl(-u));
    below[k] = w + under;
    above[k] = w + over;
    rise[k] = w + logl(slope) + under + over;
    size = fmaxl(size, slope * fabsl(x) + fabsl(offset));
  }
  real low = add_logs(below, units), high = add_logs(above, units), e = 0.02L;
  real logs[2] = {logl(1 - e) + add_logs(rise, units) - low - high, logl(e)};
  return (exact){(1 - e) * (low - high) + e * x, add_logs(logs, 2), 1 + size, 1 + size};
}

/* 0.001 + sum_k p_k(u)^2, or with the absolute values of all coefficients. */
static real sum_of_squares(const subject *s, const double *raw, real u, bool absolute) {
  int count = (int)s->transform.arguments[SL__ARGUMENT_polynomials].integer;
  int degree = (int)s->transform.arguments[SL__ARGUMENT_degree].integer;
  real sum = 0.001L;
  for (int k = 0; k < count; k++) {
    real p = 0, power = 1;
    for (int l = 0; l <= degree; l++, power *= u) {
      real coefficient = raw[1 + l * count + k] / tgammal(l + 1);
      if (l == 0) coefficient += sqrtl(0.999L * (k + 1) * 2 / count / (count + 1));
      p += absolute ? fabsl(coefficient * power) : coefficient * power;
    }
    sum += p * p;
  }
  return sum;
}

/* The integral by Gauss and Legendre's rule of 5 points, exact up to degree 9, on 8 pieces; beyond
 * the bound its tangent. */
static exact exact_sos(const subject *s, const double *raw, int feature, real x) {
  (void)feature;
  real reach = s->transform.arguments[SL__ARGUMENT_reach].real, beyond = fabsl(x) - reach;
  if (beyond > 0) {
    exact edge = exact_sos(s, raw, feature, copysignl(reach, x));
    edge.z += copysignl(beyond, x) * sum_of_squares(s, raw, copysignl(reach, x), false);
    edge.size += beyond * sum_of_squares(s, raw, reach, true);
    return edge;
  }
  real near = sqrtl(5 - 2 * sqrtl(10.0L / 7)) / 3, far = sqrtl(5 + 2 * sqrtl(10.0L / 7)) / 3;
  real place[5] = {-far, -near, 0, near, far}, inner = (322 + 13 * sqrtl(70)) / 900;
  real outer = (322 - 13 * sqrtl(70)) / 900, weight[5] = {outer, inner, 128.0L / 225, inner, outer};
  real z = raw[0], size = fabs(raw[0]), half = x / 16;
  for (int piece = 0; piece < 8; piece++)
    for (int i = 0; i < 5; i++) {
      real u = (2 * piece + 1 + place[i]) * half;
      z += weight[i] * half * sum_of_squares(s, raw, u, false);
      size += weight[i] * fabsl(half) * sum_of_squares(s, raw, u, true);
    }
  real slope = sum_of_squares(s, raw, x, false);
  return (exact){z, logl(slope), size, 4 + sum_of_squares(s, raw, x, true) / slope};
}

static exact exact_sinh_arcsinh(const subject *s, const double *raw, int feature, real x) {
  (void)s, (void)feature;
  real d = expl(raw[1] / (1 + fabs(raw[1]) / logl(10)));
  real e = raw[0] / (1 + fabs(raw[0]) / 5);
  real u = d * asinhl(x) - e, slope = d * coshl(u) / sqrtl(1 + x * x);
  real size = 1 + fabsl(u) + fabsl(e);
  return (exact){sinhl(u), logl(slope), size * coshl(u), size};
}

/* Lambert's W of q >= 0, by Newton's method on v + log v = log q */
static real lambert(real q) {
  real v = log1pl(q);
  for (int i = 0; i < 60 && v > 0; i++) v *= (1 + logl(q / v)) / (1 + v);
  return q > 0 ? v : 0;
}

static exact exact_tail(const subject *s, const double *raw, int feature, real x) {
  (void)s, (void)feature;
  real h = x > 0 ? raw[1] : raw[0];
  h /= 1 + fabsl(h) / 2;
  if (h >= 0) {
    real v = lambert(h * x * x), z = x * expl(-v / 2);
    return (exact){z, -v / 2 - logl(1 + v), fabsl(z) * (1 + v), 1 + v};
  }
  real t = -h * x * x, root = sqrtl(1 + t * t), z = x * sqrtl(t + root);
  real size = 1 + asinhl(t);
  return (exact){z, logl(sqrtl(t + root) * (1 + t / root)), fabsl(z) * size, size};
}

static const struct {
  setting what;
  formula exact;
} subjects[] = {
    {{"additive", {NULL}, {NULL}}, exact_additive},
    {{"affine", {NULL}, {NULL}}, exact_affine},
    {{"affine", {"scale"}, {"tanh"}}, exact_affine},
    {{"affine", {"scale"}, {"exp"}}, exact_affine},
    {{"naf", {NULL}, {NULL}}, exact_naf},
    {{"naf", {"units"}, {"1"}}, exact_naf},
    {{"naf", {"units"}, {"5"}}, exact_naf},
    {{"sos", {NULL}, {NULL}}, exact_sos},
    {{"sos", {"polynomials", "degree"}, {"1", "0"}}, exact_sos},
    {{"sos", {"polynomials", "degree"}, {"2", "3"}}, exact_sos},
    {{"sos", {"reach", NULL}, {"1.5", NULL}}, exact_sos},
    {{"sinh_arcsinh", {NULL}, {NULL}}, exact_sinh_arcsinh},
    {{"tail", {NULL}, {NULL}}, exact_tail},
};
enum { SUBJECTS = sizeof subjects / sizeof subjects[0] };

static const char *named(const setting *what) {
  static char text[80];
  snprintf(text, sizeof text, "%s %s=%s %s=%s", what->transformer,
           what->argument[0] ? what->argument[0] : "", what->value[0] ? what->value[0] : "",
           what->argument[1] ? what->argument[1] : "", what->value[1] ? what->value[1] : "");
  return text;
}

/* Random parameters of this size; values from 0 to 1000, more of them near 0; rounded to float32
 * for a subject of that type. */
static void fill(points *p, const subject *s, int rows, double size) {
  static const double places[] = {0, 1e-3, 1e-8, 0.5, 1, 2, 4, 10, 100, 1000};
  sl__random_key key = {21, SL__STREAM_TEST, 1};
  uint64_t draw = 0;
  int total = s->transform.total;
  bool narrow = s->transform.type == SL_F32;
  p->rows = rows;
  for (int r = 0; r < rows; r++)
    for (int f = 0; f < FEATURES; f++) {
      double noise = sl__random_normal(key, draw++, 0);
      int kind = r % 3;
      p->in[r][f] = kind == 2 ? 2 * noise : places[r / 3 % 10] * (kind ? 1 : -1);
      for (int k = 0; k < total; k++) p->raw[r][f][k] = size * sl__random_normal(key, draw++, 0);
      if (!narrow) continue;
      p->in[r][f] = (double)(float)p->in[r][f];
      for (int k = 0; k < total; k++) p->raw[r][f][k] = (double)(float)p->raw[r][f][k];
    }
}

/* ---- tests ---- */

/* What float32 cannot hold with a little to spare: squares of it are formed on the way. */
static bool beyond(sl_dtype type, real a) {
  return !(fabsl(a) < (type == SL_F32 ? 1e37L : 1e300L));
}

static void check_formula(int i, sl_dtype type, int axis, double size) {
  static points p;
  subject s;
  if (!open_subject(&s, &subjects[i].what, type, axis)) return;
  int failures = check_failures, compared = 0;
  real epsilon = type == SL_F32 ? 0x1p-23L : 0x1p-52L;
  for (int direction = 0; direction < DIRECTIONS; direction++) {
    fill(&p, &s, 120, size);
    run(&s, direction, &p);
    for (int r = 0; r < p.rows && check_failures < failures + 3; r++)
      for (int f = 0; f < FEATURES; f++) {
        double x = direction == SAMPLE ? p.value[r][f] : p.in[r][f];
        double z = direction == SAMPLE ? p.in[r][f] : p.value[r][f];
        if (p.log_det[r][f] == -INFINITY) continue; /* x would overflow: see far_out */
        exact e = subjects[i].exact(&s, p.raw[r][f], f, x);
        if (beyond(type, e.z)) continue;
        compared++;
        /* A root is as good as the function is known, and x itself has a rounding. */
        real rounding = 16 * epsilon * (e.size + expl(e.log_slope) * fabsl(x));
        real log_det = direction == SAMPLE ? -e.log_slope : e.log_slope;
        if (!CHECK_CLOSE(z - e.z, 0, rounding) ||
            !CHECK_CLOSE(p.log_det[r][f] - log_det, 0,
                         16 * epsilon * (e.log_size + fabsl(log_det))))
          printf("  x %.17g, z %.17g (%.17Lg), direction %d, row %d\n", x, z, e.z, direction, r);
      }
  }
  CHECK(compared > 600);
  if (check_failures > failures)
    printf("  %s, axis %d, parameters %g, %s; %d compared\n", named(&subjects[i].what), axis, size,
           type == SL_F32 ? "float32" : "float64", compared);
  close_subject(&s);
}

TEST(as_written) {
  for (int i = 0; i < SUBJECTS; i++) {
    check_formula(i, SL_F64, 0, 3);
    check_formula(i, SL_F64, 1, 0.3);
  }
}

TEST(as_written_in_float32) {
  for (int i = 0; i < SUBJECTS; i++) {
    check_formula(i, SL_F32, 0, 0.3);
    check_formula(i, SL_F32, 1, 3);
  }
}

TEST(zeros_are_the_identity) {
  static points p;
  for (int i = 0; i < SUBJECTS; i++)
    for (int direction = 0; direction < DIRECTIONS; direction++) {
      subject s;
      if (!open_subject(&s, &subjects[i].what, SL_F64, 0)) return;
      fill(&p, &s, 60, 0);
      run(&s, direction, &p);
      int failures = check_failures;
      for (int r = 0; r < p.rows; r++)
        for (int f = 0; f < FEATURES; f++) {
          CHECK_CLOSE(p.value[r][f], p.in[r][f], 1e-14);
          CHECK_CLOSE(p.log_det[r][f], 0, 1e-14 * fmax(1, fabs(p.in[r][f])));
        }
      if (check_failures > failures) printf("  %s\n", named(&subjects[i].what));
      close_subject(&s);
    }
}

/* There and back: what rounding in the middle makes of it, and no more. */
static void check_round_trip(int i, sl_dtype type, double size) {
  static points p;
  bool is_naf = subjects[i].exact == exact_naf; /* nowhere flat: the tolerance is all it needs */
  static double start[MOST_ROWS][FEATURES], there[MOST_ROWS][FEATURES], det[MOST_ROWS][FEATURES];
  subject s;
  if (!open_subject(&s, &subjects[i].what, type, 0)) return;
  int failures = check_failures, compared = 0;
  real epsilon = type == SL_F32 ? 0x1p-23L : 0x1p-52L, tolerance = type == SL_F32 ? 1e-4L : 1e-10L;
  for (int direction = 0; direction < DIRECTIONS; direction++) {
    fill(&p, &s, 120, size);
    memcpy(start, p.in, sizeof start);
    run(&s, direction, &p);
    memcpy(there, p.value, sizeof there);
    memcpy(det, p.log_det, sizeof det);
    memcpy(p.in, p.value, sizeof p.in);
    run(&s, 1 - direction, &p);
    for (int r = 0; r < p.rows && check_failures < failures + 3; r++)
      for (int f = 0; f < FEATURES; f++) {
        double x = direction == SAMPLE ? there[r][f] : start[r][f];
        exact e = subjects[i].exact(&s, p.raw[r][f], f, x);
        if (beyond(type, x) || beyond(type, e.z) || det[r][f] == -INFINITY) continue;
        real rounding = e.size + expl(e.log_slope) * fabsl(x); /* in z, in units of epsilon */
        if (direction == LOG_PROB) rounding *= expl(-e.log_slope);
        real doubt = is_naf ? 0 : 64 * epsilon * rounding;
        if (doubt > 1e3L * tolerance * (1 + fabs(start[r][f]))) continue; /* the map forgets it */
        compared++;
        if (!CHECK_CLOSE(p.value[r][f], start[r][f], tolerance + doubt))
          printf("  from %g by %g, direction %d, row %d\n", start[r][f], there[r][f], direction, r);
      }
  }
  CHECK(compared > 500);
  if (check_failures > failures)
    printf("  %s, parameters %g, %s; %d compared\n", named(&subjects[i].what), size,
           type == SL_F32 ? "float32" : "float64", compared);
  close_subject(&s);
}

TEST(round_trips) {
  for (int i = 0; i < SUBJECTS; i++) {
    check_round_trip(i, SL_F64, 0.3);
    check_round_trip(i, SL_F64, 3);
    check_round_trip(i, SL_F32, 0.3);
    check_round_trip(i, SL_F32, 3);
  }
}

/* Beyond which the map is straight, or NaN. */
static double edge_of(const sl__transform *transform) {
  static const int rows[] = {SL__ARGUMENT_bound, SL__ARGUMENT_reach};
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
    if (sl__transformer_takes(transform->kind, rows[i])) return transform->arguments[rows[i]].real;
  return NAN;
}

/* d (sum of value and log_det as in build) / d *at, for one feature, by differences of fourth
 * order; the log-derivative from the same values. */
static void check_row_slopes(subject *s, int direction, const points *all, int row, int f) {
  static const double steps[4] = {1, -1, 2, -2}, weights[4] = {8, -8, -1, 1};
  static points p;
  int32_t total = s->transform.total;
  const double h = 3e-5;
  /* Where a map becomes straight, differences of x would reach over the edge. */
  bool at_edge = fabs(all->in[row][f]) == edge_of(&s->transform);
  for (int32_t k = at_edge ? 0 : -1; k < total; k += k < 0 ? 1 : 1 + total / 8) {
    p.rows = 4;
    for (int i = 0; i < 4; i++) {
      memcpy(p.in[i], all->in[row], sizeof p.in[i]);
      memcpy(p.raw[i], all->raw[row], sizeof p.raw[i]);
      *(k < 0 ? &p.in[i][f] : &p.raw[i][f][k]) += h * steps[i];
    }
    run(s, direction, &p);
    double slope = 0, sum = 0, most = 0;
    for (int i = 0; i < 4; i++) {
      double all_of_it = p.value[i][f] + 0.7 * p.log_det[i][f];
      slope += weights[i] * p.value[i][f] / (12 * h);
      sum += (1 + 0.25 * f) * weights[i] * all_of_it / (12 * h);
      most = fmax(most, fabs(p.value[i][f]) + fabs(p.log_det[i][f]));
    }
    double doubt = 1e-6 + 1e-10 * most;
    if (k < 0 && slope < 1e4 && slope > 1e-4)
      CHECK_CLOSE(log(slope), all->log_det[row][f], doubt / slope + 1e-6);
    double found = k < 0 ? all->by_in[row][f] : all->by_raw[row][f][k];
    if (!CHECK_CLOSE(found, sum, doubt))
      printf("  by number %d at %.17g\n", (int)k, all->in[row][f]);
  }
}

TEST(slopes_against_differences) {
  static points p;
  for (int i = 0; i < SUBJECTS; i++)
    for (int direction = 0; direction < DIRECTIONS; direction++) {
      subject s;
      if (!open_subject(&s, &subjects[i].what, SL_F64, direction)) return;
      int failures = check_failures;
      fill(&p, &s, 21, 0.3);
      for (int r = 0; r < p.rows; r++) /* away from 0, where tail changes sides */
        for (int f = 0; f < FEATURES; f++)
          if (fabs(p.in[r][f]) < 1e-3) p.in[r][f] = 0.1;
      run(&s, direction, &p);
      for (int r = 0; r < p.rows && check_failures < failures + 3; r++)
        check_row_slopes(&s, direction, &p, r, r % FEATURES);
      if (check_failures > failures)
        printf("  %s, direction %d\n", named(&subjects[i].what), direction);
      close_subject(&s);
    }
}

/* Up to 1000 values and gradients are finite; rows do not disturb each other. Only tail makes of
 * noise what cannot be represented: there log_det is -infinity. */
TEST(far_out) {
  static points p;
  for (int i = 0; i < SUBJECTS; i++)
    for (int direction = 0; direction < DIRECTIONS; direction++) {
      subject s;
      if (!open_subject(&s, &subjects[i].what, SL_F64, 0)) return;
      int failures = check_failures, outside = 0;
      fill(&p, &s, 240, 3);
      p.in[0][0] = 1e300;
      p.in[1][1] = NAN;
      run(&s, direction, &p);
      for (int r = 2; r < p.rows; r++)
        for (int f = 0; f < FEATURES; f++) {
          outside += p.log_det[r][f] == -INFINITY;
          CHECK(isfinite(p.log_det[r][f]) || p.log_det[r][f] == -INFINITY);
          CHECK(isfinite(p.value[r][f]) && isfinite(p.by_in[r][f]));
          for (int k = 0; k < s.transform.total; k++) CHECK(isfinite(p.by_raw[r][f][k]));
        }
      bool overflows = strcmp(s.transform.kind->name, "tail") == 0 && direction == SAMPLE;
      CHECK((outside > 0) == overflows);
      if (check_failures > failures)
        printf("  %s, direction %d, %d outside\n", named(&subjects[i].what), direction, outside);
      close_subject(&s);
    }
}

TEST(strictly_increasing) {
  static points p;
  for (int i = 0; i < SUBJECTS; i++)
    for (int direction = 0; direction < DIRECTIONS; direction++) {
      subject s;
      if (!open_subject(&s, &subjects[i].what, SL_F64, 0)) return;
      int failures = check_failures;
      for (int trial = 0; trial < 2; trial++) {
        fill(&p, &s, MOST_ROWS, 3);
        for (int r = 0; r < p.rows; r++)
          for (int f = 0; f < FEATURES; f++) {
            p.in[r][f] = 8.0 * (2 * r - MOST_ROWS) / MOST_ROWS * (trial == 1 ? 100 : 1);
            memcpy(p.raw[r][f], p.raw[trial][f], sizeof p.raw[r][f]);
          }
        run(&s, direction, &p);
        for (int r = 1; r < p.rows; r++)
          for (int f = 0; f < FEATURES; f++)
            CHECK(p.value[r][f] > p.value[r - 1][f] || p.log_det[r][f] == -INFINITY ||
                  p.log_det[r - 1][f] == -INFINITY);
      }
      if (check_failures > failures)
        printf("  %s, direction %d\n", named(&subjects[i].what), direction);
      close_subject(&s);
    }
}

/* In the layers that use them, among them conditional ones. */
TEST(in_layers) {
  static const flow_case cases[] = {
      {"coupling(additive,hidden=6)", 3, 0},
      {"coupling(naf,units=4,hidden=6)", 3, 0},
      {"maf(naf,units=3,hidden=6)", 2, 1},
      {"iaf(naf,units=3,hidden=4)", 2, 0},
      {"coupling(sos,polynomials=2,degree=2,hidden=6)", 3, 1},
      {"maf(sos,degree=1,hidden=6)", 2, 0},
      {"iaf(sinh_arcsinh,hidden=6)", 2, 0},
      {"coupling(tail,hidden=6)", 3, 0},
      {"maf(tail,hidden=6)", 2, 1},
      {"elementwise(additive)-elementwise(sinh_arcsinh)-elementwise(tail)", 2, 0},
      {"elementwise(naf)", 2, 0},
      {"elementwise(sos)", 2, 0},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) check_case(&cases[i], true);
}

/* By the trapezium rule in x = sinh(v), which reaches into tails as heavy as tail makes them. */
TEST(densities_integrate_to_one) {
  enum { POINTS = 200001 };
  static double x[POINTS], log_prob[POINTS];
  static const char *const formulas[] = {"maf(additive)", "maf(affine,scale=exp)", "maf(naf)",
                                         "maf(sos)",      "maf(sinh_arcsinh)",     "maf(tail)",
                                         "iaf(affine)"};
  const double width = 120.0 / (POINTS - 1);
  for (int k = 0; k < POINTS; k++) x[k] = sinh(-60 + width * k);
  for (size_t i = 0; i < sizeof formulas / sizeof formulas[0]; i++)
    for (int size = 0; size < 2; size++) {
      fixture f;
      if (!fixture_open(&f, formulas[i], 1, 0, SL_F64)) return;
      fixture_perturb(&f, size ? 3 : 0.3, 29);
      double mass = 0;
      for (int first = 0; first < POINTS; first += 4096) {
        int rows = POINTS - first < 4096 ? POINTS - first : 4096;
        if (!fixture_log_prob(&f, rows, x + first, NULL, log_prob + first)) break;
      }
      for (int k = 0; k < POINTS; k++)
        if (!isnan(log_prob[k])) mass += exp(log_prob[k]) * width * sqrt(1 + x[k] * x[k]);
      if (!CHECK_CLOSE(mass, 1, 1e-4)) printf("  %s, size %d\n", formulas[i], size);
      fixture_close(&f);
    }
}
