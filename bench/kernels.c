/* How close the kernels come to what the processor can do: products against a loop of nothing but
 * fused multiply-adds, run in turn with them since clocks wander; the others in nanoseconds per
 * number. Medians.
 *
 *   cmake --build build --target bench && build/bench_kernels [rounds]
 *   SLUICE_CPU=avx2 build/bench_kernels         the same for another table
 *
 * Products are those of a layer of `out` outputs and `in` inputs on a block of rows, operands in
 * the second-level cache: forward [out][in] x [in][rows]; dX: the transposed weights x
 * [out][rows]; dW: [out][rows] x [in][rows] transposed. Runs are spaced by an odd number of cache
 * lines, as the planner does. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/os.h"
#include "kernels/kernels.h"
#if defined(__x86_64__)
#include <immintrin.h>
#endif

enum { MOST_ROUNDS = 1000, PEAK_STEPS = 2000, ALIGNMENT = 64 };

static int compare_doubles(const void *a, const void *b) {
  const double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static double median(double *values, int count) {
  qsort(values, (size_t)count, sizeof *values, compare_doubles);
  return values[count / 2];
}

/* ---- the peak: floating-point operations of PEAK_STEPS steps of independent fused multiply-adds
 * ---- */

#if defined(__x86_64__)
__attribute__((target("avx512f"), noinline)) static double peak_512(bool is_double,
                                                                    volatile float *sink) {
  __m512 s[16];
  __m512d d[16];
  const __m512 x = _mm512_set1_ps(1.0000001f);
  const __m512d y = _mm512_set1_pd(1.0000001);
  for (int i = 0; i < 16; i++) s[i] = x, d[i] = y;
  if (is_double) {
    for (int k = 0; k < PEAK_STEPS; k++) {
#pragma GCC unroll 16
      for (int i = 0; i < 16; i++) d[i] = _mm512_fmadd_pd(d[i], y, y);
    }
  } else {
    for (int k = 0; k < PEAK_STEPS; k++) {
#pragma GCC unroll 16
      for (int i = 0; i < 16; i++) s[i] = _mm512_fmadd_ps(s[i], x, x);
    }
  }
  for (int i = 0; i < 16; i++)
    *sink = _mm512_reduce_add_ps(s[i]) + (float)_mm512_reduce_add_pd(d[i]);
  return 2.0 * PEAK_STEPS * 16 * (is_double ? 8 : 16);
}

__attribute__((target("avx2,fma"), noinline)) static double peak_256(bool is_double,
                                                                     volatile float *sink) {
  __m256 s[12];
  __m256d d[12];
  const __m256 x = _mm256_set1_ps(1.0000001f);
  const __m256d y = _mm256_set1_pd(1.0000001);
  for (int i = 0; i < 12; i++) s[i] = x, d[i] = y;
  if (is_double) {
    for (int k = 0; k < PEAK_STEPS; k++) {
#pragma GCC unroll 12
      for (int i = 0; i < 12; i++) d[i] = _mm256_fmadd_pd(d[i], y, y);
    }
  } else {
    for (int k = 0; k < PEAK_STEPS; k++) {
#pragma GCC unroll 12
      for (int i = 0; i < 12; i++) s[i] = _mm256_fmadd_ps(s[i], x, x);
    }
  }
  for (int i = 0; i < 12; i++) {
    float lanes[8];
    double wide[4];
    _mm256_storeu_ps(lanes, s[i]);
    _mm256_storeu_pd(wide, d[i]);
    *sink = lanes[0] + (float)wide[0];
  }
  return 2.0 * PEAK_STEPS * 12 * (is_double ? 4 : 8);
}
#endif

/* Operations per second now, of the vectors that the table uses; 0 where there is no such loop. */
static double peak(const sl__kernels *table) {
  volatile float sink;
  double operations = 0;
  const double start = sl__os_seconds();
#if defined(__x86_64__)
  const bool is_double = table->element_size == 8;
  if (strcmp(table->name, "avx512") == 0) operations = peak_512(is_double, &sink);
  if (strcmp(table->name, "avx2") == 0) operations = peak_256(is_double, &sink);
#endif
  (void)sink, (void)table;
  return operations / (sl__os_seconds() - start);
}

/* ---- memory with something in it ---- */

static void *filled(const sl__kernels *table, int64_t count) {
  const size_t bytes =
      (size_t)(count * table->element_size) / ALIGNMENT * ALIGNMENT + 2 * ALIGNMENT;
  void *memory = aligned_alloc(ALIGNMENT, bytes);
  if (!memory) exit(1);
  memset(memory, 0, bytes);
  const sl__random_key key = {.seed = 1, .stream = SL__STREAM_TEST};
  table->random_uniform(key, 0, 0, 1, count, count, memory);
  return memory;
}

/* ---- products ---- */

typedef enum direction { FORWARD, INPUT_GRADIENT, WEIGHT_GRADIENT } direction;
static const char *const direction_names[] = {"forward", "dX", "dW"};

typedef struct layer_product {
  sl__product product;
  void *weights, *inputs, *outputs, *bias, *scratch;
} layer_product;

static layer_product make_product(const sl__kernels *table, direction way, int64_t rows,
                                  int64_t out, int64_t in) {
  const int64_t line = ALIGNMENT / table->element_size;
  const int64_t lines = (rows + 15) / 16 * 16 / line, lead = (lines | 1) * line;
  layer_product l = {.weights = filled(table, out * in),
                     .inputs = filled(table, in * lead),
                     .outputs = filled(table, out * lead),
                     .bias = filled(table, out)};
  switch (way) {
    case FORWARD:
      l.product = (sl__product){.m = out,
                                .n = rows,
                                .k = in,
                                .a = l.weights,
                                .a_row = in,
                                .a_column = 1,
                                .b = l.inputs,
                                .b_row = lead,
                                .c = l.outputs,
                                .c_row = lead,
                                .bias = l.bias};
      break;
    case INPUT_GRADIENT:
      l.product = (sl__product){.m = in,
                                .n = rows,
                                .k = out,
                                .a = l.weights,
                                .a_row = 1,
                                .a_column = in,
                                .b = l.outputs,
                                .b_row = lead,
                                .c = l.inputs,
                                .c_row = lead};
      break;
    case WEIGHT_GRADIENT:
      l.product = (sl__product){.m = out,
                                .n = in,
                                .k = rows,
                                .a = l.outputs,
                                .a_row = lead,
                                .a_column = 1,
                                .b = l.inputs,
                                .b_row = lead,
                                .b_transposed = true,
                                .c = l.weights,
                                .c_row = in};
      break;
  }
  l.scratch = filled(table, (int64_t)table->product_scratch(&l.product) / table->element_size);
  return l;
}

static void free_product(layer_product *l) {
  free(l->weights), free(l->inputs), free(l->outputs), free(l->bias), free(l->scratch);
}

static void bench_product(const sl__kernels *table, direction way, int64_t rows, int64_t out,
                          int64_t in, int rounds) {
  double rates[MOST_ROUNDS], ratios[MOST_ROUNDS];
  layer_product l = make_product(table, way, rows, out, in);
  const int64_t units = table->product_units(&l.product);
  const double operations = 2.0 * (double)(rows * out * in);
  const int repeats = operations > 2e7 ? 1 : (int)(2e7 / operations) + 1;
  table->product_run(&l.product, 0, units, l.scratch);
  for (int round = 0; round < rounds; round++) {
    const double before = peak(table), start = sl__os_seconds();
    for (int i = 0; i < repeats; i++) table->product_run(&l.product, 0, units, l.scratch);
    rates[round] = repeats * operations / (sl__os_seconds() - start);
    const double after = peak(table), best = before > after ? before : after;
    ratios[round] = best > 0 ? rates[round] / best : 0;
  }
  const double rate = median(rates, rounds);
  printf("  %-8s rows %4d  %4d x %-4d %9.2f us %8.1f GF/s %6.1f %%\n", direction_names[way],
         (int)rows, (int)out, (int)in, operations / rate * 1e6, rate * 1e-9,
         100 * median(ratios, rounds));
  free_product(&l);
}

static void bench_products(const sl__kernels *table, int rounds) {
  static const int64_t shapes[][3] = {
      {112, 256, 256}, {256, 256, 256}, {256, 512, 512}, {112, 256, 1024},
      {128, 64, 64},   {256, 100, 100}, {112, 256, 2},   {112, 2, 256},
      {256, 43, 512},  {16, 256, 256},  {1, 256, 256},
  };
  printf("products, f%d: time, rate, share of the peak\n", (int)table->element_size * 8);
  for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
    for (int way = FORWARD; way <= WEIGHT_GRADIENT; way++) {
      bench_product(table, (direction)way, shapes[i][0], shapes[i][1], shapes[i][2], rounds);
    }
  }
}

/* ---- the others ---- */

static void bench_elementwise(const sl__kernels *table, int rounds) {
  enum { N = 2048, REPEATS = 20 };
  void *operands[3], *y = filled(table, N);
  for (int k = 0; k < 3; k++) operands[k] = filled(table, N);
  printf("elementwise, f%d: ns per number\n", (int)table->element_size * 8);
  for (int op = 0; op < SL__EW_COUNT; op++) {
    double times[MOST_ROUNDS];
    const int arity = sl__elementwise_arity((sl__elementwise)op);
    for (int round = 0; round < rounds; round++) {
      const double start = sl__os_seconds();
      for (int i = 0; i < REPEATS; i++) {
        table->elementwise[op](N, y, operands[0], arity > 1 ? operands[1] : NULL,
                               arity > 2 ? operands[2] : NULL, 0, 0.5);
      }
      times[round] = (sl__os_seconds() - start) / REPEATS / N * 1e9;
    }
    printf("  %-14s %6.3f%s", sl__elementwise_name((sl__elementwise)op), median(times, rounds),
           op % 4 == 3 ? "\n" : "");
  }
  printf("\n");
  free(y);
  for (int k = 0; k < 3; k++) free(operands[k]);
}

typedef enum other_kernel {
  RANDOM_NORMAL,
  RANDOM_UNIFORM,
  SUM_ROWS,
  DOT_ROWS,
  SUM_AXIS,
  TAKE,
  PUT,
  SEARCH,
  LOAD_ROWS,
  STORE_ROWS,
  ADAM,
  OTHER_COUNT
} other_kernel;

static void bench_others(const sl__kernels *table, int rounds) {
  enum { AXIS = 8, LANES = 256, N = AXIS * LANES, REPEATS = 20 };
  static const char *const names[] = {"random_normal", "random_uniform", "sum_rows",   "dot_rows",
                                      "sum_axis",      "take",           "put",        "search",
                                      "load_rows",     "store_rows",     "update_adam"};
  const sl__random_key key = {.seed = 5, .stream = SL__STREAM_TEST};
  const sl_dtype type = table->element_size == 4 ? SL_F32 : SL_F64;
  void *x = filled(table, N), *y = filled(table, N), *z = filled(table, N), *w = filled(table, N);
  printf("others, f%d: ns per number of the larger side\n", (int)table->element_size * 8);
  for (int kernel = 0; kernel < OTHER_COUNT; kernel++) {
    double times[MOST_ROUNDS];
    for (int round = 0; round < rounds; round++) {
      const double start = sl__os_seconds();
      for (int i = 0; i < REPEATS; i++) {
        switch ((other_kernel)kernel) {
          case RANDOM_NORMAL: table->random_normal(key, 0, 0, 1, N, N, y); break;
          case RANDOM_UNIFORM: table->random_uniform(key, 0, 0, 1, N, N, y); break;
          case SUM_ROWS: table->sum_rows(AXIS, LANES, LANES, y, x, false); break;
          case DOT_ROWS: table->dot_rows(AXIS, LANES, LANES, y, x, z, false); break;
          case SUM_AXIS: table->sum_axis(1, AXIS, LANES, y, x); break;
          case TAKE: table->take(1, AXIS, LANES, y, x, z); break;
          case PUT: table->put(1, AXIS, LANES, y, x, z); break;
          case SEARCH: table->search(1, AXIS, LANES, y, x, z); break;
          case LOAD_ROWS: table->load_rows(AXIS, LANES, LANES, y, x, type, AXIS, 1, NULL); break;
          case STORE_ROWS: table->store_rows(AXIS, LANES, LANES, x, y, type, AXIS, 1); break;
          case ADAM: table->update_adam(N, y, x, z, w, 1, 1e-3, 0.9, 0.999, 1e-8, 1, 1, 0); break;
          case OTHER_COUNT: break;
        }
      }
      times[round] = (sl__os_seconds() - start) / REPEATS / N * 1e9;
    }
    printf("  %-14s %6.3f%s", names[kernel], median(times, rounds), kernel % 4 == 3 ? "\n" : "");
  }
  printf("\n");
  free(x), free(y), free(z), free(w);
}

int main(int argc, char **argv) {
  int rounds = argc > 1 ? atoi(argv[1]) : 101;
  if (rounds < 1 || rounds > MOST_ROUNDS) rounds = 101;
  const unsigned features = sl__os_cpu_features();
  for (int type = 0; type < 2; type++) {
    const sl__kernels *table = sl__kernels_for(features, type == 0 ? SL_F32 : SL_F64);
    printf("table %s, peak %.1f GF/s\n", table->name, peak(table) * 1e-9);
    bench_products(table, rounds);
    bench_elementwise(table, rounds);
    bench_others(table, rounds);
  }
  return 0;
}
