/* Facts about columns, on columns made to have them. */
#include "check.h"
#include "base/context.h"
#include "base/random.h"
#include "infer/infer.h"

enum { ROWS = 3000 };
static const sl__random_key key = {7, SL__STREAM_TEST, 0};

static double normal(int row) {
  return sl__random_normal(key, (uint64_t)row, 0);
}

static sl_context *open_context(void) {
  sl_context *context = NULL;
  CHECK(sl_context_new(NULL, &context) == SL_OK);
  return context;
}

static sl__column_facts look_at(double (*make)(int row)) {
  static double data[ROWS];
  sl__column_facts facts = {0};
  sl_context *context = open_context();
  for (int r = 0; r < ROWS; r++) data[r] = make(r);
  CHECK(sl__column_look(context, ROWS, 1, data, &facts) == SL_OK);
  sl_context_free(context);
  return facts;
}

static double integers(int r) {
  return nearbyint(20 * normal(r));
}
static double prices(int r) {
  return nearbyint(100 * (50 + 5 * normal(r))) / 100;
}
static double prices_as_float32(int r) {
  return (float)prices(r);
}
static double twentieths(int r) {
  return 0.05 * nearbyint(10 * normal(r));
}
static double standardised(int r) {
  return (integers(r) - 0.3217) / 19.8731;
}
/* Gaps of 2 and 3 only: the spacing, 1, never occurs. */
static double two_and_three(int r) {
  return (const double[]){0, 2, 5, 7, 10}[r % 5];
}
static double far_outlier(int r) {
  return r == 99 ? 1e6 : integers(r);
}
static double thirds(int r) {
  return nearbyint(6 * normal(r)) / 3;
}
static double continuous(int r) {
  return normal(r);
}
static double continuous_float32(int r) {
  return (float)normal(r);
}
static double many_zeros(int r) {
  return r % 3 == 0 ? 0 : normal(r);
}

TEST(lattices) {
  const struct {
    double (*make)(int row);
    double spacing;
  } cases[] = {{integers, 1},
               {prices, 0.01},
               {prices_as_float32, 0.01},
               {twentieths, 0.05},
               {standardised, 1 / 19.8731},
               {two_and_three, 1},
               {far_outlier, 1},
               {thirds, 1.0 / 3},
               {continuous, 0},
               {continuous_float32, 0},
               {many_zeros, 0}};
  for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++) {
    const sl__column_facts facts = look_at(cases[k].make);
    if (!CHECK(fabs(facts.lattice - cases[k].spacing) <= 1e-6 * cases[k].spacing))
      printf("  case %zu: %.12g against %.12g\n", k, facts.lattice, cases[k].spacing);
    CHECK(!facts.constant && facts.bad_row == -1);
  }
}

/* Six digits, whatever the size: finer below 1 than above. The search for a spacing must end. */
TEST(six_digits) {
  enum { DIM = 64 };
  static double data[ROWS * DIM];
  for (uint64_t i = 0; i < ROWS * DIM; i++) {
    double sum = 0;
    for (uint32_t k = 0; k < 3; k++) sum += sl__random_uniform(key, i, 2 * k + 4);
    const double digit = sum < 0.1 ? 1e-7 : sum < 1 ? 1e-6 : 1e-5;
    data[i] = nearbyint(sum / digit) * digit;
  }
  sl_context *context = open_context();
  sl__column_facts facts[DIM];
  CHECK(sl__column_look(context, ROWS, DIM, data, facts) == SL_OK);
  for (int i = 0; i < DIM; i++) CHECK(facts[i].lattice < 1e-4);
  sl_context_free(context);
}

TEST(ties) {
  CHECK(look_at(continuous).tied == 0);
  CHECK_CLOSE(look_at(many_zeros).tied, 1.0 / 3, 1e-12);
  CHECK(look_at(two_and_three).tied == 1);
}

static double far_away(int r) {
  return 1e9 + (r % 2 == 0 ? 1 : -1);
}
static double same(int r) {
  return (void)r, 0.1;
}

TEST(moments) {
  sl__column_facts facts = look_at(far_away);
  CHECK(facts.mean == 1e9 && facts.sd == 1);
  CHECK(facts.minimum == 1e9 - 1 && facts.maximum == 1e9 + 1);
  facts = look_at(same);
  CHECK(facts.constant && facts.sd == 0 && facts.mean == 0.1 && facts.lattice == 0);
}

TEST(bad_rows_and_other_columns) {
  enum { DIM = 5 };
  static double data[ROWS * DIM];
  for (int i = 0; i < ROWS * DIM; i++) data[i] = i % DIM == 4 ? i / DIM : normal(i);
  data[17 * DIM + 1] = NAN;
  data[30 * DIM + 1] = NAN;
  data[2999 * DIM + 3] = -INFINITY;
  sl_context *context = open_context();
  sl__column_facts facts[DIM];
  CHECK(sl__column_look(context, ROWS, DIM, data, facts) == SL_OK);
  CHECK_INTEGER(facts[0].bad_row, -1);
  CHECK_INTEGER(facts[1].bad_row, 17);
  CHECK_INTEGER(facts[2].bad_row, -1);
  CHECK_INTEGER(facts[3].bad_row, 2999);
  CHECK(facts[4].minimum == 0 && facts[4].maximum == ROWS - 1);
  CHECK(sl__column_look(context, 0, DIM, data, facts) == SL_BAD_ARGUMENT);
  sl_context_free(context);
}
