/* Elementwise kernels of every table that this processor can run, against the reference table
 * (plain loops over libm in wider precision); the reference's own functions against constants
 * computed elsewhere (mpmath, 30 digits). */
#include "kernel_numbers.h"

enum { LONGEST = 70, SAMPLES = 3000 };

typedef struct interval {
  double low, high;
} interval;
static const interval intervals[SL__EW_COUNT] = {
#define UNARY(name, low, high)   {low, high},
#define BINARY(name, low, high)  {low, high},
#define TERNARY(name, low, high) {low, high},
#include "kernels/elementwise.def"
};

/* Allowed error against the rounded true value: ulps (half a one is the reference's own), or an
 * absolute error in epsilons where results near zero come out of cancellation. Operations not
 * listed must be exact. */
typedef struct bound {
  sl__elementwise op;
  double f32, f64, absolute;
} bound;
static const bound bounds[] = {
    {SL__EW_exp, 2, 2, 0},       {SL__EW_expm1, 2, 2, 0},        {SL__EW_log, 2, 2, 0},
    {SL__EW_log1p, 2, 2, 0},     {SL__EW_tanh, 3, 3, 0},         {SL__EW_sigmoid, 2.5, 3, 0},
    {SL__EW_softplus, 2, 3, 0},  {SL__EW_sin, 2, 2, 0},          {SL__EW_cos, 2, 2, 0},
    {SL__EW_erf, 1, 2, 0},       {SL__EW_lgamma, 1, 4, 2},       {SL__EW_digamma, 1, 8, 8},
    {SL__EW_sinh, 3, 3, 0},      {SL__EW_cosh, 3, 3, 0},         {SL__EW_asinh, 3, 3, 0},
    {SL__EW_atan, 3, 3, 0},      {SL__EW_trigamma, 1, 4, 0},     {SL__EW_power, 1, 5, 0},
    {SL__EW_tanh_gate, 2, 2, 2}, {SL__EW_multiply_add, 1, 1, 0},
};

static bound bound_of(sl__elementwise op) {
  for (size_t i = 0; i < sizeof bounds / sizeof bounds[0]; i++) {
    if (bounds[i].op == op) return bounds[i];
  }
  return (bound){op, 0, 0, 0};
}

static bool within(sl_dtype type, sl__elementwise op, double got, double wanted, double product) {
  const bound allowed = bound_of(op);
  const double ulps = distance(type, got, wanted);
  if (op == SL__EW_multiply_add) { /* the product may be rounded first, or not */
    if (fabs(product) > (type == SL_F32 ? FLT_MAX : DBL_MAX)) return true;
    if (fabs(got - wanted) <= epsilon_of(type) * fabs(product)) return true;
  }
  return ulps <= (type == SL_F32 ? allowed.f32 : allowed.f64) ||
         fabs(got - wanted) <= allowed.absolute * epsilon_of(type);
}

/* Runs one table and the reference on the same operands and compares all results; says the first
 * failure. */
static void compare(const sl__kernels *table, const sl__kernels *reference, sl_dtype type,
                    sl__elementwise op, int64_t n, void *const operands[3], unsigned scalars,
                    double attribute, double *most) {
  void *got = numbers(type, n + 1, 0, 1), *wanted = numbers(type, n + 1, 0, 1);
  const int arity = sl__elementwise_arity(op);
  void *a = operands[0], *b = arity > 1 ? operands[1] : NULL, *c = arity > 2 ? operands[2] : NULL;
  set(type, got, n, 12345);
  table->elementwise[op](n, got, a, b, c, scalars, attribute);
  reference->elementwise[op](n, wanted, a, b, c, scalars, attribute);
  bool good = get(type, got, n) == 12345; /* nothing beyond n is written */
  int64_t i = 0;
  for (; i < n && good; i++) {
    const double x = get(type, got, i), y = get(type, wanted, i);
    const double product =
        b ? get(type, a, scalars & 1 ? 0 : i) * get(type, b, scalars & 2 ? 0 : i) : 0;
    good = within(type, op, x, y, product);
    if (isfinite(x) && isfinite(y) && distance(type, x, y) > *most) *most = distance(type, x, y);
  }
  if (!CHECK(good)) {
    i -= i > 0;
    printf("  %s f%d %s, n = %d, element %d: (%.9g, %.9g, %.9g): %.17g against %.17g, %.3g ulp\n",
           table->name, (int)size_of(type) * 8, sl__elementwise_name(op), (int)n, (int)i,
           get(type, a, scalars & 1 ? 0 : i), b ? get(type, b, scalars & 2 ? 0 : i) : 0,
           c ? get(type, c, scalars & 4 ? 0 : i) : 0, get(type, got, i), get(type, wanted, i),
           distance(type, get(type, got, i), get(type, wanted, i)));
  }
  free(got);
  free(wanted);
}

/* One function for all tables, which goes from number to number: nothing to compare. */
static bool is_special(sl__elementwise op) {
  return op == SL__EW_tetragamma || (op >= SL__EW_log_gamma_p && op <= SL__EW_inv_inc_beta);
}

static void each_elementwise(void (*check)(const sl__kernels *, const sl__kernels *, sl_dtype,
                                           sl__elementwise)) {
  for (int t = 0; t < 2; t++) {
    const sl__kernels *tables[TABLES];
    const int count = tables_of(both_types[t], tables);
    for (int k = 1; k < count; k++) {
      for (int op = 0; op < SL__EW_COUNT; op++) {
        if (!is_special((sl__elementwise)op))
          check(tables[k], tables[0], both_types[t], (sl__elementwise)op);
      }
    }
  }
}

static void check_interval(const sl__kernels *table, const sl__kernels *reference, sl_dtype type,
                           sl__elementwise op) {
  const interval range = intervals[op];
  void *operands[3];
  for (int k = 0; k < 3; k++) operands[k] = numbers(type, SAMPLES, range.low, range.high);
  for (int i = 0; i < SAMPLES / 3;
       i++) { /* a third of them near 0 or, for log and its like, over all magnitudes */
    const double size = pow(10, uniform(-6, log10(range.high > 0 ? range.high : 1)));
    const double signed_size = range.low < 0 && i % 2 ? -size : size;
    if (signed_size > range.low) set(type, operands[0], 3 * i, signed_size);
  }
  for (int i = 0; i < 40; i++)
    set(type, operands[0], 7 * i, get(type, operands[1], 7 * i)); /* ties */
  double most = 0;
  compare(table, reference, type, op, SAMPLES, operands, 0, 0.3, &most);
  if (getenv("SLUICE_TEST_VERBOSE")) {
    printf("  %-8s f%d %-12s %.2f ulp\n", table->name, (int)size_of(type) * 8,
           sl__elementwise_name(op), most);
  }
  for (int k = 0; k < 3; k++) free(operands[k]);
}

TEST(elementwise_over_intervals) {
  each_elementwise(check_interval);
}

static void check_special(const sl__kernels *table, const sl__kernels *reference, sl_dtype type,
                          sl__elementwise op) {
  const double least = type == SL_F32 ? 0x1p-149 : 0x1p-1074,
               normal = type == SL_F32 ? FLT_MIN : DBL_MIN;
  const double most = type == SL_F32 ? FLT_MAX : DBL_MAX;
  const double values[] = {
      0.0,
      -0.0,
      1,
      -1,
      0.5,
      -0.5,
      2,
      -2,
      3,
      -3,
      0.75,
      1.5,
      -1.5,
      -2.5,
      HUGE_VAL,
      -HUGE_VAL,
      (double)NAN,
      least,
      -least,
      normal,
      -normal,
      normal * 0.75,
      most,
      -most,
      most / 4,
      1e-8,
      -1e-8,
      1e-20,
      1e10,
      16,
      40,
      -40,
      88,
      88.7,
      88.73,
      89,
      90,
      -86,
      -87.3,
      -87.4,
      -100,
      -103,
      -104,
      -110,
      708,
      709.7,
      709.8,
      711,
      -707,
      -708.5,
      -740,
      -745.2,
      -750,
      8,
      7.999,
      6,
      5.999,
      10.5,
      100.5,
      171.7,
      1e5,
      3.1415926535897931,
      1.5707963267948966,
      1000,
      4194304.5,
      8388607.5,
      0.99999994,
      1.0000001,
      -0.99999994,
      1.4616321,
      0.1,
      0.9,
  };
  enum { COUNT = sizeof values / sizeof values[0] };
  void *operands[3];
  for (int k = 0; k < 3; k++) operands[k] = numbers(type, COUNT * COUNT, 0, 1);
  const int arity = sl__elementwise_arity(op);
  const int n = arity == 1 ? COUNT : COUNT * COUNT;
  int filled = 0;
  for (int i = 0; i < n; i++) {
    const double a = values[i % COUNT], b = values[i / COUNT],
                 c = values[(i * 7 + i / COUNT) % COUNT];
    if ((op == SL__EW_sin || op == SL__EW_cos) && isfinite(a) && fabs(a) > 1e6) continue;
    if (op == SL__EW_power && isfinite(a) && isfinite(b) && a != 0 && fabs(b * log(fabs(a))) > 40 &&
        fabs(b * log(fabs(a))) < 760) {
      continue; /* there the error bound grows: checked apart */
    }
    const bool has_poles = op == SL__EW_digamma || op == SL__EW_trigamma;
    if (has_poles && a < 0 && a == floor(a)) continue;                    /* without a value */
    if (op == SL__EW_tanh_gate && (fabs(a) > 1 || fabs(b) > 1)) continue; /* 1 - a^2, a = tanh */
    set(type, operands[0], filled, a);
    set(type, operands[1], filled, b);
    set(type, operands[2], filled++, c);
  }
  double largest_error = 0;
  compare(table, reference, type, op, filled, operands, 0, 0.25, &largest_error);
  for (int k = 0; k < 3; k++) free(operands[k]);
}

TEST(elementwise_special_values) {
  each_elementwise(check_special);
}

/* Beyond the range that `special_values` holds to ulps: as good as the argument's own rounding
 * allows, and at no distance outside [-1, 1], which models take for granted. */
static void check_far_angles(const sl__kernels *table, sl_dtype type, sl__elementwise op) {
  enum { COUNT = 600 };
  void *angles = numbers(type, COUNT, 0, 1), *got = numbers(type, COUNT, 0, 1);
  for (int i = 0; i < COUNT; i++) {
    const double size = pow(10, uniform(6, type == SL_F32 ? 38.5 : 308));
    set(type, angles, i, i % 2 ? -size : size);
  }
  table->elementwise[op](COUNT, got, angles, NULL, NULL, 0, 0);
  for (int i = 0; i < COUNT; i++) {
    const double x = get(type, angles, i), y = get(type, got, i);
    const double allowed = 2 * epsilon_of(type) + 2 * DBL_EPSILON * fabs(x);
    const bool good =
        fabs(y) <= 1 && (allowed > 1 || fabs(y - (op == SL__EW_sin ? sin(x) : cos(x))) <= allowed);
    if (CHECK(good)) continue;
    printf("  %s f%d %s(%.17g) = %.17g\n", table->name, (int)size_of(type) * 8,
           sl__elementwise_name(op), x, y);
    break;
  }
  free(angles);
  free(got);
}

TEST(elementwise_far_angles) {
  for (int t = 0; t < 2; t++) {
    const sl__kernels *tables[TABLES];
    const int count = tables_of(both_types[t], tables);
    for (int k = 0; k < count; k++) {
      check_far_angles(tables[k], both_types[t], SL__EW_sin);
      check_far_angles(tables[k], both_types[t], SL__EW_cos);
    }
  }
}

/* Length, alignment, scalar operands and working in place change no bit: all against one number at
 * a time. */
static void check_modes(const sl__kernels *table, const sl__kernels *reference, sl_dtype type,
                        sl__elementwise op) {
  (void)reference;
  const interval range = intervals[op];
  const int arity = sl__elementwise_arity(op);
  char *operands[3], *y = numbers(type, LONGEST + 8, 0, 1);
  for (int k = 0; k < 3; k++) operands[k] = numbers(type, LONGEST + 8, range.low, range.high);
  bool good = true;
  for (unsigned scalars = 0; scalars < 1u << arity; scalars++) {
    for (int64_t n = 0; n <= LONGEST; n++) {
      const char *from[3] = {NULL, NULL, NULL};
      for (int k = 0; k < arity; k++) from[k] = operands[k] + (n + k) % 5 * size_of(type);
      char *to = y + n % 3 * size_of(type);
      set(type, to, n, 4321);
      table->elementwise[op](n, to, from[0], from[1], from[2], scalars, 0.3);
      good = good && get(type, to, n) == 4321;
      for (int64_t i = 0; i<n; i += n> 20 ? 3 : 1) {
        char one[8] = {0};
        const char *at[3] = {NULL, NULL, NULL};
        for (int k = 0; k < arity; k++)
          at[k] = from[k] + (scalars >> k & 1 ? 0 : i) * size_of(type);
        table->elementwise[op](1, one, at[0], at[1], at[2], 0, 0.3);
        good = good && memcmp(one, to + i * size_of(type), size_of(type)) == 0;
      }
    }
  }
  table->elementwise[op](LONGEST, y, operands[0], operands[1], operands[2], 0, 0.3);
  table->elementwise[op](LONGEST, operands[0], operands[0], operands[1], operands[2], 0, 0.3);
  good = good && memcmp(y, operands[0], LONGEST * size_of(type)) == 0;
  if (!CHECK(good))
    printf("  %s f%d %s\n", table->name, (int)size_of(type) * 8, sl__elementwise_name(op));
  for (int k = 0; k < 3; k++) free(operands[k]);
  free(y);
}

TEST(elementwise_modes_change_no_bit) {
  each_elementwise(check_modes);
}

/* Computed with mpmath at 30 digits: argument, value. */
TEST(reference_against_constants) {
  static const struct {
    sl__elementwise op;
    double x, y;
  } golden[] = {
      {SL__EW_exp, 1.25, 3.4903429574618413761},
      {SL__EW_expm1, -0.03125, -0.030766765523655918152},
      {SL__EW_log, 7.5, 2.0149030205422647566},
      {SL__EW_log1p, 0.0078125, 0.0077821404420549489475},
      {SL__EW_tanh, 0.625, 0.554599722349382294},
      {SL__EW_sigmoid, -2.5, 0.075858180021243551193},
      {SL__EW_softplus, -1.5, 0.2014132779827524095},
      {SL__EW_sin, 29.5, -0.94103140834295356408},
      {SL__EW_cos, 29.5, -0.33831921097105524153},
      {SL__EW_erf, 0.75, 0.7111556336535151316},
      {SL__EW_lgamma, 0.125, 2.0194183575537963453},
      {SL__EW_lgamma, 33.5, 83.302425502950053443},
      {SL__EW_digamma, 0.125, -8.3884926632958548678},
      {SL__EW_digamma, 12.25, 2.4641546551853689558},
      {SL__EW_digamma, -0.75, -2.8941202000429320748},
      {SL__EW_sinh, 1.75, 2.7904143662776426551},
      {SL__EW_cosh, -1.75, 2.9641883097280877818},
      {SL__EW_asinh, 0.375, 0.36672460423013676549},
      {SL__EW_atan, -1.25, -0.89605538457134395617},
      {SL__EW_trigamma, 0.125, 65.388133444988034473},
      {SL__EW_trigamma, 12.25, 0.085055142988163208079},
      {SL__EW_trigamma, -0.75, 18.975106932284888517},
      {SL__EW_lgamma, -1.25, 1.3664317612369762345},
  };
  const sl__kernels *tables[TABLES];
  tables_of(SL_F64, tables);
  for (size_t i = 0; i < sizeof golden / sizeof golden[0]; i++) {
    double y;
    tables[0]->elementwise[golden[i].op](1, &y, &golden[i].x, NULL, NULL, 0, 0);
    if (!CHECK_CLOSE(y, golden[i].y, 4e-16)) printf("  %s\n", sl__elementwise_name(golden[i].op));
  }
}

/* Both have fused multiply-add, and the compiler fuses the same expressions. */
TEST(avx2_and_avx512_agree_elementwise) {
  enum { N = 600 };
  for (int t = 0; t < 2; t++) {
    const sl_dtype type = both_types[t];
    const sl__kernels *narrow = table_named(type, "avx2"), *wide = table_named(type, "avx512");
    if (!narrow || !wide) SKIP("this processor has no AVX-512");
    void *one = numbers(type, N, 0, 0), *two = numbers(type, N, 0, 0), *operands[3];
    for (int op = 0; op < SL__EW_COUNT; op++) {
      for (int k = 0; k < 3; k++)
        operands[k] = numbers(type, N, intervals[op].low, intervals[op].high);
      narrow->elementwise[op](N, one, operands[0], operands[1], operands[2], 0, 0.3);
      wide->elementwise[op](N, two, operands[0], operands[1], operands[2], 0, 0.3);
      check_same(sl__elementwise_name((sl__elementwise)op), type, N, one, two);
      for (int k = 0; k < 3; k++) free(operands[k]);
    }
    free(one), free(two);
  }
}
