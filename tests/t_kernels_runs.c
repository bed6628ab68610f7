/* Reductions, indexing, transport, lists, strips, random numbers and optimiser updates of every
 * table that this processor can run, at odd shapes against the reference table. */
#include "kernel_numbers.h"

static void check_axis(const sl__kernels *table, const sl__kernels *reference, sl_dtype type) {
  static const int64_t shapes[][3] = {{1, 1, 1},   {3, 5, 1},   {2, 300, 1}, {1, 7, 16}, {3, 9, 33},
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
TEST(reductions_and_indices) {
  each_table(check_axis);
}

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
      agree(table, "sum_rows", features, got, wanted, 32);
      table->dot_rows(features, rows, lead, got, x, z, accumulate);
      reference->dot_rows(features, rows, lead, wanted, x, z, accumulate);
      agree(table, "dot_rows", features, got, wanted, 32);
    }
    const double squares = table->sum_squares(rows, z),
                 true_squares = reference->sum_squares(rows, z);
    CHECK_CLOSE(squares, true_squares, 1e-14);
    free(got), free(wanted);
  }
  free(x), free(z);
}
TEST(sums_over_rows) {
  each_table(check_rows);
}

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
      void *got = numbers(type, features * lead, 0, 1),
           *wanted = numbers(type, features * lead, 0, 1);
      memcpy(wanted_target, target, (size_t)size * size_of(foreign));
      for (int turned = 0; turned < 2; turned++) { /* row-major and column-major */
        const int64_t step = turned ? 1 : row_stride, column_step = turned ? rows : 1;
        for (int with_index = 0; with_index < 2; with_index++) {
          const int64_t *chosen = with_index ? index : NULL;
          table->load_rows(features, rows, lead, got, source, foreign, step, column_step, chosen);
          reference->load_rows(features, rows, lead, wanted, source, foreign, step, column_step,
                               chosen);
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
TEST(rows_in_and_out) {
  each_table(check_transport);
}

/* A list gives the bits of its kernels, one after another, in place too. */
static void check_few(const sl__kernels *table, const sl__kernels *reference, sl_dtype type) {
  (void)reference;
  enum { MOST = 20 };
  for (int op = 0; op < SL__EW_COUNT; op++) {
    for (int64_t n = 1; n <= MOST; n += n < 9 ? 1 : 11) {
      for (uint8_t scalars = 0; scalars < 8; scalars++) {
        void *x = numbers(type, 3 * MOST, 0.1, 1), *got = numbers(type, MOST, 0, 1);
        void *wanted = numbers(type, MOST, 0, 1);
        const int arity = sl__elementwise_arity((sl__elementwise)op);
        const char *b = (char *)x + MOST * size_of(type), *c = b + MOST * size_of(type);
        sl__few few[2] = {{.kernel = table->elementwise[op],
                           .elementwise = (uint8_t)op,
                           .scalars = scalars,
                           .n = (int32_t)n,
                           .y = got,
                           .a = x,
                           .b = arity > 1 ? b : NULL,
                           .c = arity > 2 ? c : NULL,
                           .attribute = 0.37}};
        few[1] = few[0];
        const bool in_place = !(scalars & 1); /* of its own result */
        if (in_place) few[1].a = got;
        table->run_few(2, few);
        for (int k = 0; k < 2; k++)
          few[0].kernel(n, wanted, k && in_place ? wanted : x, few[0].b, few[0].c, scalars, 0.37);
        CHECK(memcmp(got, wanted, (size_t)n * size_of(type)) == 0);
        free(x), free(got), free(wanted);
      }
    }
  }
}
/* Operands that lie apart: the bits of the kernel, number by number. */
static void check_strided(const sl__kernels *table, const sl__kernels *reference, sl_dtype type) {
  (void)reference;
  enum { COUNT = 9, MOST = 3 * COUNT };
  for (int op = 0; op < SL__EW_COUNT; op++) {
    const int arity = sl__elementwise_arity((sl__elementwise)op);
    const size_t size = size_of(type);
    char *x = numbers(type, 3 * MOST, 0.1, 1);
    char *got = numbers(type, COUNT, 0, 1), *wanted = numbers(type, COUNT, 0, 1);
    const char *b = arity > 1 ? x + MOST * size : NULL, *c = arity > 2 ? x + 2 * MOST * size : NULL;
    const sl__few few = {.kernel = table->elementwise[op],
                         .elementwise = (uint8_t)op,
                         .is_strided = true,
                         .n = COUNT,
                         .stride = {2, 0, 3},
                         .y = got,
                         .a = x,
                         .b = b,
                         .c = c,
                         .attribute = 0.37};
    table->run_few(1, &few);
    for (size_t i = 0; i < COUNT; i++)
      few.kernel(1, wanted + i * size, x + 2 * i * size, b, c ? c + 3 * i * size : NULL, 0, 0.37);
    CHECK(memcmp(got, wanted, COUNT * size) == 0);
    free(x), free(got), free(wanted);
  }
}
/* Pieces, forwards or backwards: the bits of one call for each, which may read what the one before
 * it wrote. */
static void compare_pieces(const sl__kernels *table, sl_dtype type, int n, int apart) {
  enum { PIECES = 5, APART = 4, MOST = APART * (PIECES + 1) };
  const int first = apart > 0 ? 0 : PIECES;
  for (int op = 0; op < SL__EW_COUNT; op++) {
    for (uint8_t scalars = 0; scalars < 8; scalars++) {
      const int arity = sl__elementwise_arity((sl__elementwise)op);
      const size_t size = size_of(type);
      char *x = numbers(type, 2 * MOST, 0.1, 1);
      char *got = numbers(type, MOST, 0.1, 1), *wanted = numbers(type, MOST, 0.1, 1);
      memcpy(wanted, got, MOST * size);
      sl__few few = {.kernel = table->elementwise[op],
                     .elementwise = (uint8_t)op,
                     .scalars = scalars,
                     .pieces = PIECES,
                     .n = n,
                     .stride = {apart, 1, 0, apart},
                     .y = got + (first * APART + apart) * (int)size,
                     .a = got + first * APART * (int)size,
                     .b = arity > 1 ? x : NULL,
                     .c = arity > 2 ? x + MOST * size : NULL,
                     .attribute = 0.37};
      table->run_few(1, &few);
      for (int i = 0; i < PIECES; i++)
        few.kernel(n, wanted + (first * APART + (i + 1) * apart) * (int)size,
                   wanted + (first * APART + i * apart) * (int)size,
                   few.b ? x + i * (int)size : NULL, few.c, scalars, 0.37);
      CHECK(memcmp(got, wanted, MOST * size) == 0);
      free(x), free(got), free(wanted);
    }
  }
}
static void check_pieces(const sl__kernels *table, const sl__kernels *reference, sl_dtype type) {
  (void)reference;
  for (int n = 1; n <= 4; n++)
    for (int way = -1; way <= 1; way += 2) compare_pieces(table, type, n, way * 4);
}
TEST(lists_of_elementwise_operations) {
  each_table(check_few);
  each_table(check_strided);
  each_table(check_pieces);
}

/* ---- random numbers ---- */

/* Several features at once are what each of them is, and nothing is written between the runs. */
static void check_features(const sl__kernels *table, sl__random_key key, uint64_t first,
                           uint32_t feature, sl_dtype type) {
  enum { FEATURES = 3, ROWS = 100, LEAD = 112, ALL = FEATURES * LEAD };
  char together[ALL * sizeof(double)], one[LEAD * sizeof(double)];
  for (int uniform = 0; uniform < 2; uniform++) {
    void (*draw)(sl__random_key, uint64_t, uint32_t, int64_t, int64_t, int64_t, void *) =
        uniform ? table->random_uniform : table->random_normal;
    memset(together, 7, sizeof together);
    draw(key, first, feature, FEATURES, ROWS, LEAD, together);
    for (int64_t f = 0; f < FEATURES; f++) {
      memset(one, 7, sizeof one);
      draw(key, first, feature + (uint32_t)f, 1, ROWS, LEAD, one);
      CHECK(memcmp(together + f * LEAD * size_of(type), one, LEAD * (size_t)size_of(type)) == 0);
    }
  }
}

static void check_random(const sl__kernels *table, const sl__kernels *reference, sl_dtype type) {
  enum { ROWS = 20000 };
  const sl__random_key key = {.seed = 0x123456789ABCDEFu, .stream = SL__STREAM_TEST, .step = 77};
  void *got = numbers(type, ROWS, 0, 1), *wanted = numbers(type, ROWS, 0, 1);
  for (uint32_t feature = 0; feature < 4; feature++) {
    const uint64_t first = feature < 2 ? 5 : 0xFFFFFFF0u; /* the row number crosses 32 bits */
    const int64_t rows = feature < 2 ? ROWS : 100;
    table->random_normal(key, first, feature, 1, rows, rows, got);
    reference->random_normal(key, first, feature, 1, rows, rows, wanted);
    agree(table, "random_normal", rows, got, wanted, type == SL_F32 ? 4 : 16);
    char part[64 * sizeof(double)];
    for (int64_t n = 0; n <= 40; n++) { /* the same bits whatever the cutting */
      table->random_normal(key, first + (uint64_t)n, feature, 1, n, n, part);
      CHECK(memcmp(part, (char *)got + n * size_of(type), n * size_of(type)) == 0);
    }
    table->random_uniform(key, first, feature, 1, rows, rows, got);
    reference->random_uniform(key, first, feature, 1, rows, rows, wanted);
    agree(table, "random_uniform", rows, got, wanted, 1);
    for (int64_t n = 0; n <= 40; n++) {
      table->random_uniform(key, first + (uint64_t)n, feature, 1, n, n, part);
      CHECK(memcmp(part, (char *)got + n * size_of(type), n * size_of(type)) == 0);
    }
    check_features(table, key, first, feature, type);
    double least = 1, most = 0;
    for (int64_t i = 0; i < rows; i++) {
      least = fmin(least, get(type, got, i));
      most = fmax(most, get(type, got, i));
    }
    CHECK(least > 0 && most <= 1);
  }
  free(got), free(wanted);
}
TEST(random_numbers) {
  each_table(check_random);
}

/* ---- optimiser updates ---- */

static void check_updates(const sl__kernels *table, const sl__kernels *reference, sl_dtype type) {
  enum { LENGTH = 77 };
  void *g = numbers(type, LENGTH, -1, 1);
  for (int kind = 0; kind < 13; kind++) {
    void *state_of[2][3];
    for (int k = 0; k < 3; k++) { /* w, m, v; the last is a sum of squares */
      state_of[0][k] = numbers(type, LENGTH, k == 2 ? 0.1 : -1, 1);
      state_of[1][k] = numbers(type, LENGTH, 0, 1);
      memcpy(state_of[1][k], state_of[0][k], LENGTH * size_of(type));
    }
    void *squares[2] = {numbers(type, LENGTH, 0.1, 1), numbers(type, LENGTH, 0.1, 1)};
    memcpy(squares[1], squares[0], LENGTH * size_of(type));
    for (int run = 0; run < 2; run++) {
      const sl__kernels *k = run ? reference : table;
      void *w = state_of[run][0], *m = state_of[run][1], *v = state_of[run][2];
      switch (kind) {
        case 0: k->update_sgd(LENGTH, w, g, m, 0.7, 0.01, 0.9, false, 0.1); break;
        case 1: k->update_sgd(LENGTH, w, g, m, 0.7, 0.01, 0.9, true, 0.1); break;
        case 2: k->update_sgd(LENGTH, w, g, NULL, 0.7, 0.01, 0, false, 0.1); break;
        case 3:
          k->update_adam(LENGTH, w, g, m, v, 0.7, 0.01, 0.9, 0.99, 1e-8, 0.5, 0.3, 0.02);
          break;
        case 4: k->update_rmsprop(LENGTH, w, g, v, m, 0.7, 0.01, 0.9, 1e-8, 0.5); break;
        case 5: k->update_rmsprop(LENGTH, w, g, v, NULL, 0.7, 0.01, 0.9, 1e-8, 0); break;
        case 6: k->update_adagrad(LENGTH, w, g, v, 0.7, 0.01, 1e-8); break;
        case 7: k->update_average(LENGTH, w, g, 0.99); break;
        case 8: k->update_root(LENGTH, w, g, v, 0.7, 0.01, 0.9, 0.2, 1e-6); break;
        case 9: k->update_window(LENGTH, w, g, (void *[]){v, m}, 2, 1, 0.7, 0.01, 2); break;
        case 10: k->update_adadelta(LENGTH, w, g, v, squares[run], 0.7, 0.01, 0.9, 1e-6); break;
        case 11: k->update_adamax(LENGTH, w, g, m, v, 0.7, 0.01, 0.9, 0.99, 1e-8); break;
        default: k->update_sgd(LENGTH, w, g, NULL, 0.7, 0.01, 0.5, true, 0.1); break;
      }
    }
    for (int k = 0; k < 3; k++) {
      agree(table, "update", LENGTH, state_of[0][k], state_of[1][k], 4);
      free(state_of[0][k]), free(state_of[1][k]);
    }
    agree(table, "update", LENGTH, squares[0], squares[1], 4);
    free(squares[0]), free(squares[1]);
  }
  free(g);
}
TEST(optimiser_updates) {
  each_table(check_updates);
}

/* Strips of all shapes; sums in two pieces are sum_axis to the bit, in the same table. */
static void check_strips(const sl__kernels *table, const sl__kernels *reference, sl_dtype type) {
  static const int64_t shapes[][2] = {{512, 1}, {70, 1}, {3, 5},  {32, 16},
                                      {9, 48},  {8, 64}, {2, 272}};
  for (size_t s = 0; s < sizeof shapes / sizeof shapes[0]; s++) {
    const int64_t features = shapes[s][0], lanes = shapes[s][1], lead = lanes + 7, rows = 11;
    const int64_t sums = lanes == 1 ? SL__PARTIAL_SUMS : lanes;
    int32_t index[512];
    for (int64_t f = 0; f < features; f++) index[f] = (int32_t)((f * 5 + 2) % rows);
    void *x = numbers(type, features * lanes, -1, 1), *few = numbers(type, rows * lead, -1, 1);
    void *got = numbers(type, features * lanes, 0, 1),
         *wanted = numbers(type, features * lanes, 0, 1);
    void *to = numbers(type, rows * lead + sums, -1, 1),
         *wanted_to = numbers(type, rows * lead + sums, 0, 1);
    table->spread(features, lanes, got, x);
    reference->spread(features, lanes, wanted, x);
    agree(table, "spread", features * lanes, got, wanted, 0);
    table->gather_runs(features, lanes, got, few, lead, index);
    reference->gather_runs(features, lanes, wanted, few, lead, index);
    agree(table, "gather_runs", features * lanes, got, wanted, 0);
    memcpy(wanted_to, to, (size_t)(rows * lead + sums) * size_of(type));
    table->scatter_runs(features, lanes, to, lead, x, index);
    reference->scatter_runs(features, lanes, wanted_to, lead, x, index);
    agree(table, "scatter_runs", rows * lead, to, wanted_to, 2 + (double)features / 4);
    memset(to, 0, (size_t)sums * size_of(type));
    const int64_t first =
        lanes == 1 ? SL__PARTIAL_SUMS * (features / 2 / SL__PARTIAL_SUMS) : features / 2;
    table->add_strip(first, lanes, to, x);
    table->add_strip(features - first, lanes, to,
                     (char *)x + (size_t)(first * lanes) * size_of(type));
    if (lanes == 1) table->end_sum(to, to);
    table->sum_axis(1, features, lanes, got, x);
    CHECK(memcmp(to, got, (size_t)lanes * size_of(type)) == 0);
    free(x), free(few), free(got), free(wanted), free(to), free(wanted_to);
  }
}
TEST(strips) {
  each_table(check_strips);
}

/* Numbers near one; numbers whose product is far beyond what there is; then among the first a few
 * that have no logarithm, or are not normal: zero, a negative one, infinity, NaN, the least. */
static void check_sum_log(const sl__kernels *table, const sl__kernels *reference, sl_dtype type) {
  static const int64_t shapes[][3] = {{1, 8, 112}, {3, 5, 1},   {1, 64, 16}, {2, 65, 33},
                                      {1, 300, 7}, {2, 1, 200}, {2, 0, 5},   {2, 9, 80}};
  const double most = type == SL_F32 ? 87 : 708;
  const double odd[] = {0, -1, HUGE_VAL, (double)NAN, type == SL_F32 ? 0x1p-149 : 0x1p-1074};
  for (size_t s = 0; s < sizeof shapes / sizeof shapes[0]; s++) {
    const int64_t outer = shapes[s][0], axis = shapes[s][1], inner = shapes[s][2];
    const int64_t all = outer * axis * inner, kept = outer * inner;
    void *x = numbers(type, all, 0, 1);
    void *got = numbers(type, kept, 0, 1), *wanted = numbers(type, kept, 0, 1);
    for (int turn = 0; turn < 3; turn++) {
      const double far = turn == 1 ? most : 1e-3;
      for (int64_t i = 0; i < all; i++) set(type, x, i, exp(uniform(-far, far)));
      for (int64_t i = 0; turn == 2 && i < all; i += 1 + all / 7)
        set(type, x, i, odd[i % (int64_t)(sizeof odd / sizeof odd[0])]);
      table->sum_log_axis(outer, axis, inner, got, x);
      reference->sum_log_axis(outer, axis, inner, wanted, x);
      agree(table, "sum_log_axis", kept, got, wanted, 2 + (double)axis / 2);
    }
    free(x), free(got), free(wanted);
  }
}
TEST(sums_of_logarithms) {
  each_table(check_sum_log);
}
