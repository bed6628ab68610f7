/* Matrix products of every table that this processor can run: against the reference table, with all
 * strides and flags and in every cutting; and the tables against each other, bit by bit. */
#include "kernel_numbers.h"

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
  void *initial = product.c, *got = numbers(type, c_size, 0, 0),
       *again = numbers(type, c_size, 0, 0);
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
  if (!CHECK(good && same_bits && untouched)) {
    printf("  %s f%d (%d, %d, %d) a %d %d%s%s%s%s%s\n", table->name, (int)size_of(type) * 8,
           (int)product.m, (int)product.n, (int)product.k, (int)product.a_row,
           (int)product.a_column, product.b_transposed ? " transposed" : "",
           product.bias ? " bias" : "", product.accumulate ? " accumulate" : "",
           product.k_end ? " k range" : "", product.n_end ? " n range" : "");
  }
  free(got), free(again), free(wanted);
}

/* One shape with every combination of strides, transposition, bias, accumulation and known
 * zeros. */
static void check_product_shape(const sl__kernels *table, const sl__kernels *reference,
                                sl_dtype type, shape s, unsigned flags_step) {
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
        .m = s.m,
        .n = s.n,
        .k = s.k,
        .a = a,
        .a_row = a_by_columns ? 1 : s.k + 1,
        .a_column = a_by_columns ? s.m + 1 : 1,
        .b = b,
        .b_row = transposed ? k_run : run,
        .b_transposed = transposed,
        .c = c,
        .c_row = c_row,
        .bias = flags & 4 ? bias : NULL,
        .accumulate = flags & 8,
    };
    for (int64_t m = 0; m < s.m; m++) {
      k_begin[m] = (int32_t)(m * s.k / (2 * s.m));
      k_end[m] = (int32_t)(s.k - (s.m - 1 - m) * s.k / (2 * s.m));
      n_end[m] = (int32_t)((m + 1) * s.n / (s.m + 1));
      if (!(flags & 16)) continue;
      for (int64_t k = 0; k < s.k; k++) { /* zeros outside the range, as promised */
        if (k < k_begin[m] || k >= k_end[m])
          set(type, a, m * product.a_row + k * product.a_column, 0);
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
  static const shape full[] = {{1, 1, 1},    {1, 1, 40},  {2, 3, 5},    {4, 4, 16},   {5, 17, 3},
                               {14, 32, 20}, {15, 33, 2}, {29, 31, 33}, {40, 40, 40}, {3, 40, 100},
                               {33, 2, 37},  {28, 64, 1}, {7, 16, 0}};
  static const shape some[] = {
      {100, 112, 256}, {17, 50, 500}, {500, 5, 17}, {256, 1, 256}, {20, 40, 1023}};
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
/* Few rows along k, with room behind them: what lies there counts for nothing, whatever it is. */
static void check_room(const sl__kernels *table, const sl__kernels *reference, sl_dtype type) {
  enum { MOST = 5, LEAD = 112 };
  (void)reference;
  for (int64_t m = 1; m <= MOST; m++) {
    for (int64_t n = 1; n <= MOST; n++) {
      for (int64_t k = 97; k <= LEAD; k += 3) {
        void *a = numbers(type, m * LEAD, -1, 1), *b = numbers(type, n * LEAD, -1, 1);
        for (int64_t i = 0; i < (m + n) * LEAD; i++)
          if (i % LEAD >= k)
            set(type, i < m * LEAD ? a : b, i < m * LEAD ? i : i - m * LEAD, (double)NAN);
        void *apart = numbers(type, MOST * MOST, 2, 3), *got = numbers(type, MOST * MOST, 2, 3);
        sl__product product = {.m = m,
                               .n = n,
                               .k = k,
                               .a = a,
                               .a_row = LEAD,
                               .a_column = 1,
                               .b = b,
                               .b_row = LEAD,
                               .b_transposed = true,
                               .c = apart,
                               .c_row = n};
        run_product(table, &product, 1000000);
        product.room = LEAD;
        product.c = got;
        run_product(table, &product, 1000000);
        CHECK(memcmp(got, apart, (size_t)(m * n) * size_of(type)) == 0);
        double sum = 0;
        for (int64_t i = 0; i < k; i++)
          sum += get(type, a, (m - 1) * LEAD + i) * get(type, b, (n - 1) * LEAD + i);
        CHECK_CLOSE(get(type, got, m * n - 1), sum, 200 * epsilon_of(type));
        free(a), free(b), free(apart), free(got);
      }
    }
  }
}

/* Runs that a small product is added to. */
static void check_base(const sl__kernels *table, const sl__kernels *reference, sl_dtype type) {
  enum { RUN = 48 };
  for (int64_t m = 1; m <= 4; m++) {
    for (int64_t k = 1; k <= 8; k++) {
      for (int64_t n = 1; n <= RUN; n += n < 6 ? 1 : 7) {
        void *a = numbers(type, m * k, -1, 1), *b = numbers(type, k * RUN, -1, 1);
        void *base = numbers(type, m * RUN, -1, 1), *bias = numbers(type, m, -1, 1);
        void *c = numbers(type, m * RUN, -1, 1);
        sl__product product = {.m = m,
                               .n = n,
                               .k = k,
                               .a = a,
                               .a_row = n % 2 ? k : 1,
                               .a_column = n % 2 ? 1 : m,
                               .b = b,
                               .b_row = RUN,
                               .c = c,
                               .c_row = RUN,
                               .bias = n % 3 ? bias : NULL,
                               .base = base,
                               .base_row = RUN};
        compare_product(table, reference, type, product, m * RUN);
        free(a), free(b), free(base), free(bias), free(c);
      }
    }
  }
}

TEST(products_with_room) {
  each_table(check_room);
}
TEST(products_added_to_runs) {
  each_table(check_base);
}
TEST(products) {
  each_table(check_products);
}

/* ---- AVX2 against AVX-512: the same bits, since nothing is reduced across a register ---- */

TEST(avx2_and_avx512_agree_on_sums) {
  enum { N = 600, M = 30, DEPTH = 300, WIDTH = 40 };
  for (int t = 0; t < 2; t++) {
    const sl_dtype type = both_types[t];
    const sl__kernels *narrow = table_named(type, "avx2"), *wide = table_named(type, "avx512");
    if (!narrow || !wide) SKIP("this processor has no AVX-512");
    void *one = numbers(type, M * 48, 0, 0), *two = numbers(type, M * 48, 0, 0);
    void *a = numbers(type, M * DEPTH, -1, 1), *b = numbers(type, DEPTH * (DEPTH + 16), -1, 1);
    for (int transposed = 0; transposed < 2; transposed++) {
      for (int64_t n = 1; n <= WIDTH; n += 13) {
        sl__product product = {.m = M,
                               .n = n,
                               .k = DEPTH,
                               .a = a,
                               .a_row = DEPTH,
                               .a_column = 1,
                               .b = b,
                               .b_row = transposed ? DEPTH : 48,
                               .b_transposed = transposed,
                               .c_row = 48};
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
    narrow->random_normal(key, 0, 1, 1, N, N, one);
    wide->random_normal(key, 0, 1, 1, N, N, two);
    check_same("random_normal", type, N, one, two);
    free(one), free(two), free(a), free(b);
  }
}
