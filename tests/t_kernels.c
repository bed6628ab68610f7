/* Every kernel of every table that this processor can run, against the reference table (plain
 * loops over libm in wider precision); the reference's own functions against constants computed
 * elsewhere (mpmath, 30 digits). */
#include <float.h>
#include <stdint.h>
#include "base/os.h"
#include "check.h"
#include "kernels/kernels.h"

enum { TABLES = 8, LONGEST = 70, SAMPLES = 3000 };
static const sl_dtype both_types[2] = {SL_F32, SL_F64};

/* ---- numbers of either type, kept as doubles by the tests ---- */

static double get(sl_dtype type, const void *array, int64_t i) {
  return type == SL_F32 ? (double)((const float *)array)[i] : ((const double *)array)[i];
}

static void set(sl_dtype type, void *array, int64_t i, double value) {
  if (type == SL_F32) ((float *)array)[i] = (float)value;
  else ((double *)array)[i] = value;
}

static size_t size_of(sl_dtype type) { return type == SL_F32 ? sizeof(float) : sizeof(double); }

static double epsilon_of(sl_dtype type) { return type == SL_F32 ? FLT_EPSILON : DBL_EPSILON; }

/* Units in the last place between two numbers; 0 for two NaNs. */
static double distance(sl_dtype type, double got, double wanted) {
  if (got == wanted || (got != got && wanted != wanted)) return 0;
  if (!isfinite(got) || !isfinite(wanted)) {
    const double most = type == SL_F32 ? FLT_MAX : DBL_MAX; /* overflow may come an ulp early or late */
    if (fabs(got) >= most * (1 - 4 * epsilon_of(type)) && fabs(wanted) >= most * (1 - 4 * epsilon_of(type))
        && got * wanted > 0) {
      return 1;
    }
    return HUGE_VAL;
  }
  int exponent;
  frexp(wanted, &exponent);
  const int lowest = type == SL_F32 ? FLT_MIN_EXP : DBL_MIN_EXP;
  if (exponent < lowest) exponent = lowest;
  return fabs(got - wanted) / ldexp(1, exponent - (type == SL_F32 ? FLT_MANT_DIG : DBL_MANT_DIG));
}

static uint64_t state = 88172645463325252u;
static double uniform(double low, double high) { /* xorshift64 */
  state ^= state << 13;
  state ^= state >> 7;
  state ^= state << 17;
  return low + (high - low) * ((double)(state >> 11) * 0x1p-53);
}

static void *numbers(sl_dtype type, int64_t n, double low, double high) {
  void *array = aligned_alloc(64, ((size_t)n * size_of(type) / 64 + 2) * 64);
  for (int64_t i = 0; i < n; i++) set(type, array, i, uniform(low, high));
  return array;
}

static int tables_of(sl_dtype type, const sl__kernels *tables[TABLES]) {
  return sl__kernels_all(sl__os_cpu_features(), type, tables);
}

/* Largest |got - wanted| / max(1, |wanted|) in units of the type's epsilon. */
static double worst(sl_dtype type, int64_t n, const void *got, const void *wanted) {
  double most = 0;
  for (int64_t i = 0; i < n; i++) {
    const double a = get(type, got, i), b = get(type, wanted, i);
    if (a == b || (a != a && b != b)) continue;
    const double error = fabs(a - b) / (fabs(b) > 1 ? fabs(b) : 1) / epsilon_of(type);
    if (!(error <= most)) most = error;
  }
  return most;
}

/* ---- elementwise ---- */

typedef struct interval {
  double low, high;
} interval;
static const interval intervals[SL__EW_COUNT] = {
#define UNARY(name, low, high) {low, high},
#define BINARY(name, low, high) {low, high},
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
  {SL__EW_exp, 2, 2, 0},          {SL__EW_expm1, 2, 2, 0},     {SL__EW_log, 2, 2, 0},
  {SL__EW_log1p, 2, 2, 0},        {SL__EW_tanh, 3, 3, 0},      {SL__EW_sigmoid, 2.5, 3, 0},
  {SL__EW_softplus, 2, 3, 0},     {SL__EW_sin, 2, 2, 0},       {SL__EW_cos, 2, 2, 0},
  {SL__EW_erf, 1, 2, 0},          {SL__EW_lgamma, 1, 4, 2},    {SL__EW_digamma, 1, 8, 8},
  {SL__EW_power, 1, 5, 0},        {SL__EW_tanh_gate, 2, 2, 2}, {SL__EW_multiply_add, 1, 1, 0},
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
  return ulps <= (type == SL_F32 ? allowed.f32 : allowed.f64)
         || fabs(got - wanted) <= allowed.absolute * epsilon_of(type);
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
    const double product = b ? get(type, a, scalars & 1 ? 0 : i) * get(type, b, scalars & 2 ? 0 : i) : 0;
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

static void each_elementwise(void (*check)(const sl__kernels *, const sl__kernels *, sl_dtype,
                                           sl__elementwise)) {
  for (int t = 0; t < 2; t++) {
    const sl__kernels *tables[TABLES];
    const int count = tables_of(both_types[t], tables);
    for (int k = 1; k < count; k++) {
      for (int op = 0; op < SL__EW_COUNT; op++) {
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
  for (int i = 0; i < SAMPLES / 3; i++) { /* a third of them near 0 or, for log and its like, over all magnitudes */
    const double size = pow(10, uniform(-6, log10(range.high > 0 ? range.high : 1)));
    const double signed_size = range.low < 0 && i % 2 ? -size : size;
    if (signed_size > range.low) set(type, operands[0], 3 * i, signed_size);
  }
  for (int i = 0; i < 40; i++) set(type, operands[0], 7 * i, get(type, operands[1], 7 * i)); /* ties */
  double most = 0;
  compare(table, reference, type, op, SAMPLES, operands, 0, 0.3, &most);
  if (getenv("SLUICE_TEST_VERBOSE")) {
    printf("  %-8s f%d %-12s %.2f ulp\n", table->name, (int)size_of(type) * 8,
           sl__elementwise_name(op), most);
  }
  for (int k = 0; k < 3; k++) free(operands[k]);
}

TEST(elementwise_over_intervals) { each_elementwise(check_interval); }

static void check_special(const sl__kernels *table, const sl__kernels *reference, sl_dtype type,
                          sl__elementwise op) {
  const double least = type == SL_F32 ? 0x1p-149 : 0x1p-1074, normal = type == SL_F32 ? FLT_MIN : DBL_MIN;
  const double most = type == SL_F32 ? FLT_MAX : DBL_MAX;
  const double values[] = {
    0.0, -0.0, 1, -1, 0.5, -0.5, 2, -2, 3, -3, 0.75, 1.5, -1.5, -2.5, HUGE_VAL, -HUGE_VAL, (double)NAN,
    least, -least, normal, -normal, normal * 0.75, most, -most, most / 4, 1e-8, -1e-8, 1e-20, 1e10, 16, 40,
    -40, 88, 88.7, 88.73, 89, 90, -86, -87.3, -87.4, -100, -103, -104, -110, 708, 709.7, 709.8, 711,
    -707, -708.5, -740, -745.2, -750, 8, 7.999, 6, 5.999, 10.5, 100.5, 171.7, 1e5, 3.1415926535897931,
    1.5707963267948966, 1000, 4194304.5, 8388607.5, 0.99999994, 1.0000001, -0.99999994, 1.4616321, 0.1, 0.9,
  };
  enum { COUNT = sizeof values / sizeof values[0] };
  void *operands[3];
  for (int k = 0; k < 3; k++) operands[k] = numbers(type, COUNT * COUNT, 0, 1);
  const int arity = sl__elementwise_arity(op);
  const int n = arity == 1 ? COUNT : COUNT * COUNT;
  int filled = 0;
  for (int i = 0; i < n; i++) {
    const double a = values[i % COUNT], b = values[i / COUNT], c = values[(i * 7 + i / COUNT) % COUNT];
    if ((op == SL__EW_sin || op == SL__EW_cos) && isfinite(a) && fabs(a) > 1e6) continue;
    if (op == SL__EW_power && isfinite(a) && isfinite(b) && a != 0 && fabs(b * log(fabs(a))) > 40
        && fabs(b * log(fabs(a))) < 760) {
      continue; /* there the error bound grows: checked apart */
    }
    if (op == SL__EW_digamma && a < 0 && a == floor(a)) continue; /* a pole has no value */
    if (op == SL__EW_tanh_gate && (fabs(a) > 1 || fabs(b) > 1)) continue; /* 1 - a^2, a = tanh */
    set(type, operands[0], filled, a);
    set(type, operands[1], filled, b);
    set(type, operands[2], filled++, c);
  }
  double largest_error = 0;
  compare(table, reference, type, op, filled, operands, 0, 0.25, &largest_error);
  for (int k = 0; k < 3; k++) free(operands[k]);
}

TEST(elementwise_special_values) { each_elementwise(check_special); }

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
      for (int64_t i = 0; i < n; i += n > 20 ? 3 : 1) {
        char one[8] = {0};
        const char *at[3] = {NULL, NULL, NULL};
        for (int k = 0; k < arity; k++) at[k] = from[k] + (scalars >> k & 1 ? 0 : i) * size_of(type);
        table->elementwise[op](1, one, at[0], at[1], at[2], 0, 0.3);
        good = good && memcmp(one, to + i * size_of(type), size_of(type)) == 0;
      }
    }
  }
  table->elementwise[op](LONGEST, y, operands[0], operands[1], operands[2], 0, 0.3);
  table->elementwise[op](LONGEST, operands[0], operands[0], operands[1], operands[2], 0, 0.3);
  good = good && memcmp(y, operands[0], LONGEST * size_of(type)) == 0;
  if (!CHECK(good)) printf("  %s f%d %s\n", table->name, (int)size_of(type) * 8, sl__elementwise_name(op));
  for (int k = 0; k < 3; k++) free(operands[k]);
  free(y);
}

TEST(elementwise_modes_change_no_bit) { each_elementwise(check_modes); }

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

/* ---- reductions, scans, indices: odd shapes against the reference ---- */

/* Calls check(table, reference, type) for every table but the reference. */
static void each_table(void (*check)(const sl__kernels *, const sl__kernels *, sl_dtype)) {
  for (int t = 0; t < 2; t++) {
    const sl__kernels *tables[TABLES];
    const int count = tables_of(both_types[t], tables);
    for (int k = 1; k < count; k++) check(tables[k], tables[0], both_types[t]);
  }
}

static bool agree(const sl__kernels *table, const char *what, int64_t n, const void *got,
                  const void *wanted, double epsilons) {
  const sl_dtype type = table->element_size == 4 ? SL_F32 : SL_F64;
  const double error = worst(type, n, got, wanted);
  if (CHECK(error <= epsilons)) return true;
  printf("  %s f%d %s: %.3g epsilons\n", table->name, (int)table->element_size * 8, what, error);
  return false;
}

static void check_axis(const sl__kernels *table, const sl__kernels *reference, sl_dtype type) {
  static const int64_t shapes[][3] = {{1, 1, 1},  {3, 5, 1},   {2, 300, 1}, {1, 7, 16}, {3, 9, 33},
                                      {2, 40, 64}, {1, 3, 200}, {4, 1, 17},  {2, 0, 5}};
  for (size_t s = 0; s < sizeof shapes / sizeof shapes[0]; s++) {
    const int64_t outer = shapes[s][0], axis = shapes[s][1], inner = shapes[s][2];
    const int64_t all = outer * axis * inner, kept = outer * inner;
    void *x = numbers(type, all, -1, 1), *index = numbers(type, kept, -2, (double)axis + 1);
    void *got = numbers(type, all + kept, 0, 1), *wanted = numbers(type, all + kept, 0, 1);
    void *values = numbers(type, kept, -1, 1);
    table->sum_axis(outer, axis, inner, got, x);
    reference->sum_axis(outer, axis, inner, wanted, x);
    agree(table, "sum_axis", kept, got, wanted, 1 + (double)axis / 4);
    if (kept > 3) set(type, index, 3, (double)NAN);
    table->max_axis(outer, axis, inner, got, x);
    reference->max_axis(outer, axis, inner, wanted, x);
    agree(table, "max_axis", kept, got, wanted, 0);
    for (int reverse = 0; reverse < 2; reverse++) {
      table->cumulative_sum(outer, axis, inner, got, x, reverse);
      reference->cumulative_sum(outer, axis, inner, wanted, x, reverse);
      agree(table, "cumulative_sum", all, got, wanted, 1 + (double)axis / 2);
    }
    if (axis == 0) goto done;
    table->take(outer, axis, inner, got, x, index);
    reference->take(outer, axis, inner, wanted, x, index);
    agree(table, "take", kept, got, wanted, 0);
    table->put(outer, axis, inner, got, values, index);
    reference->put(outer, axis, inner, wanted, values, index);
    agree(table, "put", all, got, wanted, 0);
    set(type, x, all / 2, (double)NAN);
    table->search(outer, axis, inner, got, x, values);
    reference->search(outer, axis, inner, wanted, x, values);
    agree(table, "search", kept, got, wanted, 0);
    table->max_axis(outer, axis, inner, got, x);
    reference->max_axis(outer, axis, inner, wanted, x);
    agree(table, "max_axis of NaN", kept, got, wanted, 0);
  done:
    free(x), free(index), free(got), free(wanted), free(values);
  }
}
TEST(reductions_and_indices) { each_table(check_axis); }

static void check_rows(const sl__kernels *table, const sl__kernels *reference, sl_dtype type) {
  const int64_t lead = 272, features = 3;
  void *x = numbers(type, lead * features, -1, 1), *z = numbers(type, lead * features, -1, 1);
  for (int64_t rows = 0; rows <= lead; rows += rows < 70 ? 1 : 29) {
    void *got = numbers(type, features, -1, 1), *wanted = numbers(type, features, 0, 1);
    memcpy(wanted, got, features * size_of(type));
    for (int64_t f = 0; f < features; f++) { /* what lies in the padding must not matter */
      for (int64_t r = rows; r < lead; r++) set(type, x, f * lead + r, (double)NAN);
      for (int64_t r = 0; r < rows; r++) set(type, x, f * lead + r, uniform(-1, 1));
    }
    for (int accumulate = 0; accumulate < 2; accumulate++) {
      table->sum_rows(features, rows, lead, got, x, accumulate);
      reference->sum_rows(features, rows, lead, wanted, x, accumulate);
      agree(table, "sum_rows", features, got, wanted, 12);
      table->dot_rows(features, rows, lead, got, x, z, accumulate);
      reference->dot_rows(features, rows, lead, wanted, x, z, accumulate);
      agree(table, "dot_rows", features, got, wanted, 12);
    }
    const double squares = table->sum_squares(rows, z), true_squares = reference->sum_squares(rows, z);
    CHECK_CLOSE(squares, true_squares, 1e-14);
    free(got), free(wanted);
  }
  free(x), free(z);
}
TEST(sums_over_rows) { each_table(check_rows); }

static void check_transport(const sl__kernels *table, const sl__kernels *reference, sl_dtype type) {
  static const int64_t shapes[][2] = {{1, 1}, {2, 17}, {3, 16}, {17, 33}, {40, 5}, {16, 64}};
  for (size_t s = 0; s < sizeof shapes / sizeof shapes[0]; s++) {
    const int64_t features = shapes[s][0], rows = shapes[s][1], lead = (rows + 15) / 16 * 16;
    const int64_t row_stride = features + 3, size = (rows + 1) * row_stride;
    int64_t index[64];
    for (int64_t j = 0; j < rows; j++) index[j] = (j * 7 + 3) % rows;
    for (int t = 0; t < 2; t++) {
      const sl_dtype foreign = both_types[t];
      void *source = numbers(foreign, size, -9, 9), *target = numbers(foreign, size, 0, 1);
      void *wanted_target = numbers(foreign, size, 0, 1);
      void *got = numbers(type, features * lead, 0, 1), *wanted = numbers(type, features * lead, 0, 1);
      memcpy(wanted_target, target, (size_t)size * size_of(foreign));
      for (int turned = 0; turned < 2; turned++) { /* row-major and column-major */
        const int64_t step = turned ? 1 : row_stride, column_step = turned ? rows : 1;
        for (int with_index = 0; with_index < 2; with_index++) {
          const int64_t *chosen = with_index ? index : NULL;
          table->load_rows(features, rows, lead, got, source, foreign, step, column_step, chosen);
          reference->load_rows(features, rows, lead, wanted, source, foreign, step, column_step, chosen);
          agree(table, "load_rows", features * lead, got, wanted, 0);
        }
        table->store_rows(features, rows, lead, got, target, foreign, step, column_step);
        reference->store_rows(features, rows, lead, got, wanted_target, foreign, step, column_step);
        CHECK(memcmp(target, wanted_target, (size_t)size * size_of(foreign)) == 0);
      }
      if (foreign != type) {
        table->from_other(features * rows, got, source);
        reference->from_other(features * rows, wanted, source);
        agree(table, "from_other", features * rows, got, wanted, 0);
      }
      free(source), free(target), free(wanted_target), free(got), free(wanted);
    }
  }
}
TEST(rows_in_and_out) { each_table(check_transport); }

/* ---- linear algebra ---- */

/* A random [n][n][lanes], its diagonal pushed away from zero. */
static void *matrix(sl_dtype type, int64_t n, int64_t lanes) {
  void *a = numbers(type, n * n * lanes, -1, 1);
  for (int64_t i = 0; i < n; i++) {
    for (int64_t q = 0; q < lanes; q++) {
      const int64_t at = (i * n + i) * lanes + q;
      set(type, a, at, get(type, a, at) + (double)n);
    }
  }
  return a;
}

static void check_linear_algebra(const sl__kernels *table, const sl__kernels *reference, sl_dtype type) {
  static const int64_t lane_counts[] = {1, 5, 16, 100};
  for (int64_t n = 1; n <= 9; n++) {
    for (int s = 0; s < 4; s++) {
      const int64_t lanes = lane_counts[s], m = n % 3 + 1, tall = n + 2;
      void *a = matrix(type, n, lanes), *got = numbers(type, tall * n * lanes, 0, 1);
      void *wanted = numbers(type, tall * n * lanes, 0, 1), *r = numbers(type, n * n * lanes, 0, 1);
      void *wanted_r = numbers(type, n * n * lanes, 0, 1), *b = numbers(type, n * m * lanes, -1, 1);
      void *scratch = numbers(type, (tall * n + tall + n) * lanes, 0, 1);
      for (int64_t i = 0; i < n; i++) { /* symmetric for Cholesky; the first lane, for n > 2, not definite */
        for (int64_t j = 0; j < i; j++) {
          for (int64_t q = 0; q < lanes; q++) {
            set(type, a, (j * n + i) * lanes + q, get(type, a, (i * n + j) * lanes + q));
          }
        }
      }
      table->cholesky(n, lanes, got, a);
      reference->cholesky(n, lanes, wanted, a);
      agree(table, "cholesky", n * n * lanes, got, wanted, 16);
      set(type, a, (n * n - 1) * lanes, -1);
      table->cholesky(n, lanes, got, a);
      reference->cholesky(n, lanes, wanted, a);
      agree(table, "cholesky of indefinite", n * n * lanes, got, wanted, 16);
      CHECK(isnan(get(type, got, (n * n - 1) * lanes)));
      free(a);
      a = matrix(type, n, lanes);
      for (int flags = 0; flags < 16; flags++) {
        const int64_t t_lanes = flags & 8 ? 1 : lanes;
        table->triangular_solve(n, m, lanes, t_lanes, got, a, b, flags & 1, flags & 2, flags & 4);
        reference->triangular_solve(n, m, lanes, t_lanes, wanted, a, b, flags & 1, flags & 2, flags & 4);
        agree(table, "triangular_solve", n * m * lanes, got, wanted, 2000);
        memcpy(got, b, (size_t)(n * m * lanes) * size_of(type));
        table->triangular_solve(n, m, lanes, t_lanes, got, a, got, flags & 1, flags & 2, flags & 4);
        agree(table, "triangular_solve in place", n * m * lanes, got, wanted, 2000);
      }
      free(a);
      a = numbers(type, tall * n * lanes, -1, 1);
      table->qr(tall, n, lanes, got, r, a, scratch);
      reference->qr(tall, n, lanes, wanted, wanted_r, a, scratch);
      agree(table, "qr: q", tall * n * lanes, got, wanted, 4000); /* as ill-conditioned as they come */
      agree(table, "qr: r", n * n * lanes, r, wanted_r, 100);
      free(a), free(got), free(wanted), free(r), free(wanted_r), free(b), free(scratch);
    }
  }
}
TEST(linear_algebra) { each_table(check_linear_algebra); }

/* ---- random numbers ---- */

static void check_random(const sl__kernels *table, const sl__kernels *reference, sl_dtype type) {
  enum { ROWS = 20000 };
  const sl__random_key key = {.seed = 0x123456789ABCDEFu, .stream = SL__STREAM_TEST, .step = 77};
  void *got = numbers(type, ROWS, 0, 1), *wanted = numbers(type, ROWS, 0, 1);
  for (uint32_t feature = 0; feature < 4; feature++) {
    const uint64_t first = feature < 2 ? 5 : 0xFFFFFFF0u; /* the row number crosses 32 bits */
    const int64_t rows = feature < 2 ? ROWS : 100;
    table->random_normal(key, first, feature, rows, got);
    reference->random_normal(key, first, feature, rows, wanted);
    agree(table, "random_normal", rows, got, wanted, type == SL_F32 ? 4 : 16);
    char part[64 * sizeof(double)];
    for (int64_t n = 0; n <= 40; n++) { /* the same bits whatever the cutting */
      table->random_normal(key, first + (uint64_t)n, feature, n, part);
      CHECK(memcmp(part, (char *)got + n * size_of(type), n * size_of(type)) == 0);
    }
    table->random_uniform(key, first, feature, rows, got);
    reference->random_uniform(key, first, feature, rows, wanted);
    agree(table, "random_uniform", rows, got, wanted, 1);
    for (int64_t n = 0; n <= 40; n++) {
      table->random_uniform(key, first + (uint64_t)n, feature, n, part);
      CHECK(memcmp(part, (char *)got + n * size_of(type), n * size_of(type)) == 0);
    }
    double least = 1, most = 0;
    for (int64_t i = 0; i < rows; i++) {
      least = fmin(least, get(type, got, i));
      most = fmax(most, get(type, got, i));
    }
    CHECK(least > 0 && most <= 1);
  }
  free(got), free(wanted);
}
TEST(random_numbers) { each_table(check_random); }

/* ---- optimiser updates ---- */

static void check_updates(const sl__kernels *table, const sl__kernels *reference, sl_dtype type) {
  enum { LENGTH = 77 };
  void *g = numbers(type, LENGTH, -1, 1);
  for (int kind = 0; kind < 9; kind++) {
    void *state_of[2][3];
    for (int k = 0; k < 3; k++) { /* w, m, v; the last is a sum of squares */
      state_of[0][k] = numbers(type, LENGTH, k == 2 ? 0.1 : -1, 1);
      state_of[1][k] = numbers(type, LENGTH, 0, 1);
      memcpy(state_of[1][k], state_of[0][k], LENGTH * size_of(type));
    }
    for (int run = 0; run < 2; run++) {
      const sl__kernels *k = run ? reference : table;
      void *w = state_of[run][0], *m = state_of[run][1], *v = state_of[run][2];
      switch (kind) {
        case 0: k->update_sgd(LENGTH, w, g, m, 0.7, 0.01, 0.9, false, 0.1); break;
        case 1: k->update_sgd(LENGTH, w, g, m, 0.7, 0.01, 0.9, true, 0.1); break;
        case 2: k->update_sgd(LENGTH, w, g, NULL, 0.7, 0.01, 0, false, 0.1); break;
        case 3: k->update_adam(LENGTH, w, g, m, v, 0.7, 0.01, 0.9, 0.99, 1e-8, 0.5, 0.3, 0.02); break;
        case 4: k->update_rmsprop(LENGTH, w, g, v, m, 0.7, 0.01, 0.9, 1e-8, 0.5); break;
        case 5: k->update_rmsprop(LENGTH, w, g, v, NULL, 0.7, 0.01, 0.9, 1e-8, 0); break;
        case 6: k->update_adagrad(LENGTH, w, g, v, 0.7, 0.01, 1e-8); break;
        case 7: k->update_average(LENGTH, w, g, 0.99); break;
        default: k->update_sgd(LENGTH, w, g, NULL, 0.7, 0.01, 0.5, true, 0.1); break;
      }
    }
    for (int k = 0; k < 3; k++) {
      agree(table, "update", LENGTH, state_of[0][k], state_of[1][k], 4);
      free(state_of[0][k]), free(state_of[1][k]);
    }
  }
  free(g);
}
TEST(optimiser_updates) { each_table(check_updates); }

/* ---- products ---- */

typedef struct shape {
  int64_t m, n, k;
} shape;

/* Runs a product by units from the last to the first, `step` at a time. */
static void run_product(const sl__kernels *table, const sl__product *product, int64_t step) {
  void *scratch = aligned_alloc(64, (table->product_scratch(product) + 127) / 64 * 64);
  for (int64_t end = table->product_units(product); end > 0; end -= step) {
    table->product_run(product, end > step ? end - step : 0, end, scratch);
  }
  free(scratch);
}

/* One product, by one table and by the reference, in every cutting; C's surroundings must stay as
 * they are. */
static void compare_product(const sl__kernels *table, const sl__kernels *reference, sl_dtype type,
                            sl__product product, int64_t c_size) {
  const size_t bytes = (size_t)c_size * size_of(type);
  void *initial = product.c, *got = numbers(type, c_size, 0, 0), *again = numbers(type, c_size, 0, 0);
  void *wanted = numbers(type, c_size, 0, 0);
  memcpy(got, initial, bytes);
  memcpy(wanted, initial, bytes);
  product.c = wanted;
  run_product(reference, &product, 1000000);
  product.c = got;
  run_product(table, &product, 1000000);
  bool good = true, same_bits = true, untouched = true;
  for (int64_t i = 0; i < c_size; i++) {
    const int64_t row = i / product.c_row, column = i % product.c_row;
    const int64_t width = product.b_transposed ? product.n : (product.n + 15) / 16 * 16;
    const double x = get(type, got, i), y = get(type, wanted, i);
    if (row < product.m && column < product.n) {
      good = good && fabs(x - y) <= epsilon_of(type) * (8 + (double)product.k);
    } else if (row >= product.m || column >= width) {
      untouched = untouched && x == y;
    }
  }
  const int64_t steps[] = {1, 2, 3};
  for (int s = 0; s < 3; s++) {
    memcpy(again, initial, bytes);
    product.c = again;
    run_product(table, &product, steps[s]);
    same_bits = same_bits && memcmp(again, got, bytes) == 0;
  }
  if (!CHECK(good) | !CHECK(same_bits) | !CHECK(untouched)) {
    printf("  %s f%d (%d, %d, %d) a %d %d%s%s%s%s%s\n", table->name, (int)size_of(type) * 8, (int)product.m,
           (int)product.n, (int)product.k, (int)product.a_row, (int)product.a_column,
           product.b_transposed ? " transposed" : "", product.bias ? " bias" : "",
           product.accumulate ? " accumulate" : "", product.k_end ? " k range" : "",
           product.n_end ? " n range" : "");
  }
  free(got), free(again), free(wanted);
}

/* One shape with every combination of strides, transposition, bias, accumulation and known zeros. */
static void check_product_shape(const sl__kernels *table, const sl__kernels *reference, sl_dtype type,
                                shape s, unsigned flags_step) {
  const int64_t run = (s.n + 15) / 16 * 16 + 16, k_run = (s.k + 15) / 16 * 16 + 16;
  int32_t k_begin[600], k_end[600], n_end[600];
  for (unsigned flags = 0; flags < 128; flags += flags_step) {
    const bool a_by_columns = flags & 1, transposed = flags & 2, exact = flags & 64;
    if (exact && !transposed) continue;
    const int64_t c_row = exact ? s.n : run, c_size = s.m * c_row + 40;
    void *a = numbers(type, (s.m + 1) * (s.k + 1), -1, 1), *bias = numbers(type, s.m, -1, 1);
    void *b = numbers(type, transposed ? s.n * k_run + 16 : s.k * run + 16, -1, 1);
    void *c = numbers(type, c_size, -1, 1);
    sl__product product = {
      .m = s.m, .n = s.n, .k = s.k, .a = a, .a_row = a_by_columns ? 1 : s.k + 1,
      .a_column = a_by_columns ? s.m + 1 : 1, .b = b, .b_row = transposed ? k_run : run,
      .b_transposed = transposed, .c = c, .c_row = c_row, .bias = flags & 4 ? bias : NULL,
      .accumulate = flags & 8,
    };
    for (int64_t m = 0; m < s.m; m++) {
      k_begin[m] = (int32_t)(m * s.k / (2 * s.m));
      k_end[m] = (int32_t)(s.k - (s.m - 1 - m) * s.k / (2 * s.m));
      n_end[m] = (int32_t)((m + 1) * s.n / (s.m + 1));
      if (!(flags & 16)) continue;
      for (int64_t k = 0; k < s.k; k++) { /* zeros outside the range, as promised */
        if (k < k_begin[m] || k >= k_end[m]) set(type, a, m * product.a_row + k * product.a_column, 0);
      }
    }
    if (flags & 16) {
      product.k_begin = k_begin;
      product.k_end = k_end;
    }
    if (flags & 32) product.n_end = n_end;
    compare_product(table, reference, type, product, c_size);
    free(a), free(b), free(bias), free(c);
  }
}

static void check_products(const sl__kernels *table, const sl__kernels *reference, sl_dtype type) {
  static const shape full[] = {{1, 1, 1},   {1, 1, 40},  {2, 3, 5},    {4, 4, 16},   {5, 17, 3}, {14, 32, 20},
                               {15, 33, 2}, {29, 31, 33}, {40, 40, 40}, {3, 40, 100}, {33, 2, 37}, {28, 64, 1},
                               {7, 16, 0}};
  static const shape some[] = {{100, 112, 256}, {17, 50, 500}, {500, 5, 17}, {256, 1, 256}, {20, 40, 1023}};
  for (size_t i = 0; i < sizeof full / sizeof full[0]; i++) {
    check_product_shape(table, reference, type, full[i], 1);
  }
  for (size_t i = 0; i < sizeof some / sizeof some[0]; i++) {
    check_product_shape(table, reference, type, some[i], 13);
  }
  for (int64_t size = 1; size <= 40; size++) {
    const shape odd = {size, size * 7 % 41, size * 11 % 37 + 1};
    check_product_shape(table, reference, type, odd, 37);
  }
}
TEST(products) { each_table(check_products); }

/* ---- tables with fused multiply-add against each other: the same bits, since nothing is reduced
 * across a register ---- */

static const sl__kernels *table_named(sl_dtype type, const char *name) {
  const sl__kernels *tables[TABLES];
  const int count = tables_of(type, tables);
  for (int k = 0; k < count; k++) {
    if (strcmp(tables[k]->name, name) == 0) return tables[k];
  }
  return NULL;
}

static void check_same(const char *what, sl_dtype type, int64_t n, const void *a, const void *b) {
  if (CHECK(memcmp(a, b, (size_t)n * size_of(type)) == 0)) return;
  printf("  %s f%d differs between avx2 and avx512\n", what, (int)size_of(type) * 8);
}

TEST(avx2_and_avx512_give_the_same_bits) {
  enum { N = 600, M = 30, DEPTH = 300, WIDTH = 40 };
  for (int t = 0; t < 2; t++) {
    const sl_dtype type = both_types[t];
    const sl__kernels *narrow = table_named(type, "avx2"), *wide = table_named(type, "avx512");
    if (!narrow || !wide) SKIP("this processor has no AVX-512");
    void *one = numbers(type, M * 48, 0, 0), *two = numbers(type, M * 48, 0, 0), *operands[3];
    for (int op = 0; op < SL__EW_COUNT; op++) {
      for (int k = 0; k < 3; k++) operands[k] = numbers(type, N, intervals[op].low, intervals[op].high);
      narrow->elementwise[op](N, one, operands[0], operands[1], operands[2], 0, 0.3);
      wide->elementwise[op](N, two, operands[0], operands[1], operands[2], 0, 0.3);
      check_same(sl__elementwise_name((sl__elementwise)op), type, N, one, two);
      for (int k = 0; k < 3; k++) free(operands[k]);
    }
    void *a = numbers(type, M * DEPTH, -1, 1), *b = numbers(type, DEPTH * (DEPTH + 16), -1, 1);
    for (int transposed = 0; transposed < 2; transposed++) {
      for (int64_t n = 1; n <= WIDTH; n += 13) {
        sl__product product = {.m = M, .n = n, .k = DEPTH, .a = a, .a_row = DEPTH, .a_column = 1, .b = b,
                               .b_row = transposed ? DEPTH : 48, .b_transposed = transposed, .c_row = 48};
        product.c = one;
        run_product(narrow, &product, 1000);
        product.c = two;
        run_product(wide, &product, 1000);
        for (int64_t m = 0; m < M; m++) {
          check_same("product", type, n, (char *)one + m * 48 * size_of(type),
                     (char *)two + m * 48 * size_of(type));
        }
      }
    }
    narrow->dot_rows(3, 77, 80, one, a, b, false);
    wide->dot_rows(3, 77, 80, two, a, b, false);
    check_same("dot_rows", type, 3, one, two);
    const sl__random_key key = {.seed = 3, .stream = SL__STREAM_TEST};
    narrow->random_normal(key, 0, 1, N, one);
    wide->random_normal(key, 0, 1, N, two);
    check_same("random_normal", type, N, one, two);
    free(one), free(two), free(a), free(b);
  }
}
