/* Small linear algebra and differential equations of every table that this processor can run,
 * against the reference table. */
#include "kernel_numbers.h"

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

static void check_linear_algebra(const sl__kernels *table, const sl__kernels *reference,
                                 sl_dtype type) {
  static const int64_t lane_counts[] = {1, 5, 16, 100};
  for (int64_t n = 1; n <= 9; n++) {
    for (int s = 0; s < 4; s++) {
      const int64_t lanes = lane_counts[s], m = n % 3 + 1, tall = n + 2;
      void *a = matrix(type, n, lanes), *got = numbers(type, tall * n * lanes, 0, 1);
      void *wanted = numbers(type, tall * n * lanes, 0, 1), *r = numbers(type, n * n * lanes, 0, 1);
      void *wanted_r = numbers(type, n * n * lanes, 0, 1), *b = numbers(type, n * m * lanes, -1, 1);
      void *scratch = numbers(type, (tall * n + tall + n) * lanes, 0, 1);
      for (int64_t i = 0; i < n;
           i++) { /* symmetric for Cholesky; the first lane, for n > 2, not definite */
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
        reference->triangular_solve(n, m, lanes, t_lanes, wanted, a, b, flags & 1, flags & 2,
                                    flags & 4);
        agree(table, "triangular_solve", n * m * lanes, got, wanted, 2000);
        memcpy(got, b, (size_t)(n * m * lanes) * size_of(type));
        table->triangular_solve(n, m, lanes, t_lanes, got, a, got, flags & 1, flags & 2, flags & 4);
        agree(table, "triangular_solve in place", n * m * lanes, got, wanted, 2000);
      }
      free(a);
      a = numbers(type, tall * n * lanes, -1, 1);
      table->qr(tall, n, lanes, got, r, a, scratch);
      reference->qr(tall, n, lanes, wanted, wanted_r, a, scratch);
      agree(table, "qr: q", tall * n * lanes, got, wanted,
            4000); /* as ill-conditioned as they come */
      agree(table, "qr: r", n * n * lanes, r, wanted_r, 100);
      free(a), free(got), free(wanted), free(r), free(wanted_r), free(b), free(scratch);
    }
  }
}
TEST(linear_algebra) {
  each_table(check_linear_algebra);
}

/* Every mixture of runs and numbers, with rows and columns where they are or the other way round. */
static void check_matrices(const sl__kernels *table, const sl__kernels *reference, sl_dtype type) {
  static const int64_t shapes[][4] = {{1, 1, 1, 1},  {4, 1, 37, 1}, {23, 1, 9, 1}, {3, 1, 50, 1},
                                      {7, 70, 5, 1}, {2, 3, 4, 16}, {5, 2, 3, 37}, {3, 3, 8, 64},
                                      {9, 5, 2, 1},  {1, 6, 7, 32}};
  for (size_t s = 0; s < sizeof shapes / sizeof shapes[0]; s++) {
    const int64_t m = shapes[s][0], n = shapes[s][1], k = shapes[s][2], lanes = shapes[s][3];
    void *a = numbers(type, m * k * lanes, -1, 1), *b = numbers(type, k * n * lanes, -1, 1);
    void *got = numbers(type, m * n * lanes, 0, 1), *wanted = numbers(type, m * n * lanes, 0, 1);
    for (int flags = 0; flags < 16; flags++) {
      sl__matrices x = {.m = m, .n = n, .k = k, .lanes = lanes, .y = got, .a = a, .b = b};
      x.a_lanes = flags & 1 ? lanes : 1;
      x.b_lanes = flags & 2 ? lanes : 1;
      x.a_row = flags & 4 ? k : 1, x.a_column = flags & 4 ? 1 : m;
      x.b_row = flags & 8 ? n : 1, x.b_column = flags & 8 ? 1 : k;
      table->multiply_matrices(&x);
      x.y = wanted;
      reference->multiply_matrices(&x);
      agree(table, "multiply_matrices", m * n * lanes, got, wanted, 2 * (double)k);
    }
    free(a), free(b), free(got), free(wanted);
  }
}
TEST(products_of_small_matrices) {
  each_table(check_matrices);
}
/* ---- differential equations ---- */

static void check_sums(const sl__kernels *table, const sl__kernels *reference, sl_dtype type,
                       int64_t features, int64_t lanes) {
  const int64_t size = features * lanes, most = SL__ODE_SUMMANDS;
  void *x = numbers(type, size, -1, 1), *k = numbers(type, most * size, -1, 1);
  void *step = numbers(type, lanes, 0, 1), *weights = numbers(type, most * lanes, -1, 1);
  void *got = numbers(type, size, 0, 1), *wanted = numbers(type, size, 0, 1);
  for (int count = 1; count <= most; count++) {
    for (int way = 0; way < 4; way++) {
      const void *from = way & 1 ? x : NULL, *by = way & 2 ? step : NULL;
      table->ode_sum(features, lanes, got, from, by, count, weights, k);
      reference->ode_sum(features, lanes, wanted, from, by, count, weights, k);
      agree(table, "ode_sum", size, got, wanted, 8);
    }
  }
  for (int64_t l = 0; l < lanes; l += 3) set(type, step, l, 0);
  table->ode_choose(features, lanes, got, step, x);
  reference->ode_choose(features, lanes, wanted, step, x);
  agree(table, "ode_choose", size, got, wanted, 8);
  for (int bad = 0; bad < 3; bad++) {
    if (bad) set(type, bad == 1 ? k : x, lanes / 2, bad == 1 ? (double)NAN : HUGE_VAL);
    const void *slope = (const char *)k + (size_t)size * size_of(type);
    table->ode_norm(features, lanes, got, k, x, slope, step, 1e-3, 1e-2);
    reference->ode_norm(features, lanes, wanted, k, x, slope, step, 1e-3, 1e-2);
    agree(table, "ode_norm", lanes, got, wanted, 8);
  }
  free(x), free(k), free(step), free(weights), free(got), free(wanted);
}

static void check_calls(const sl__kernels *table, const sl__kernels *reference, sl_dtype type,
                        int64_t features, int64_t lanes) {
  static const uint8_t some[] = {SL__EW_copy,   SL__EW_negate,   SL__EW_square, SL__EW_reciprocal,
                                 SL__EW_scale,  SL__EW_shift,    SL__EW_add,    SL__EW_subtract,
                                 SL__EW_divide, SL__EW_multiply, SL__EW_tanh,   SL__EW_minimum};
  enum { KINDS = sizeof some + 2 };
  const int64_t size = features * lanes;
  void *in[3], *got = numbers(type, size, 0, 1), *wanted = numbers(type, size, 0, 1);
  for (int k = 0; k < 3; k++) in[k] = numbers(type, 2 * size, 0.5, 1.5);
  for (int kind = 0; kind < KINDS; kind++) {
    const int e = kind < (int)sizeof some ? some[kind]
                  : kind == KINDS - 1     ? SL__EW_select
                                          : SL__EW_multiply_add;
    const int arity = kind < 6 || e == SL__EW_tanh ? 1 : kind < (int)sizeof some ? 2 : 3;
    for (int way = 0; way < 27; way++) { /* one run for all, one after another, or with gaps */
      for (int scalars = 0; scalars < (lanes > 1 ? 3 : 1); scalars++) {
        sl__runs_call call = {.elementwise = (uint8_t)e,
                              .scalars = (uint8_t)scalars,
                              .features = features,
                              .attribute = 0.7};
        const int64_t between[3] = {way % 3 * lanes, way / 3 % 3 * lanes, way / 9 * lanes};
        for (int k = 0; k < arity; k++) {
          call.operand[k] = in[k];
          call.between[k] = between[k];
        }
        call.scalars &= (uint8_t)((1u << arity) - 1);
        call.kernel = table->elementwise[e];
        call.y = got;
        table->ode_calls(lanes, 1, &call);
        call.kernel = reference->elementwise[e];
        call.y = wanted;
        reference->ode_calls(lanes, 1, &call);
        agree(table, "ode_calls", size, got, wanted, 4);
      }
    }
  }
  for (int k = 0; k < 3; k++) free(in[k]);
  free(got), free(wanted);
}

static void check_equations(const sl__kernels *table, const sl__kernels *reference, sl_dtype type) {
  for (int64_t features = 1; features < 20; features += 6) {
    for (int64_t lanes = 1; lanes <= SL__ODE_LANES; lanes += SL__ODE_LANES - 1) {
      check_sums(table, reference, type, features, lanes);
      check_calls(table, reference, type, features, lanes);
    }
  }
}
TEST(differential_equations) {
  each_table(check_equations);
}
