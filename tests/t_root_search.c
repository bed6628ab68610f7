/* The search for roots, on functions in plain C: it finds what bisection finds, on every instruction
 * set, and how often it evaluates them is counted. */
#include "root_families.h"

enum { LANES = 256, BRACKETS = 5 };
static const char *const bracket_names[BRACKETS] = {"wide", "wide, uneven", "narrow", "beside",
                                                    "away"};

static void draw_bracket(int kind, double root, double *low, double *high) {
  const double width = kind == 1 ? 1000 : uniform(0.01, 2);
  *low = kind == 0 ? -500 : kind == 3 ? root + 0.1 : kind == 4 ? root - 30 : 0;
  *high = kind == 0 ? 500 : kind == 3 ? root + 0.2 : kind == 4 ? root - 29 : 0;
  if (kind == 1 || kind == 2) {
    *low = root - width * uniform(0, 1);
    *high = *low + width;
  }
}

/* One block of lanes; returns how often the functions were evaluated. */
static int search(const sl__kernels *table, sl_dtype type, const family *f, double (*q)[3], void *x,
                  const void *y, const void *low, const void *high) {
  void *state = numbers(type, LANES * SL__ROOT_STATE, 0, 0);
  void *value = numbers(type, LANES, 0, 0), *slope = numbers(type, LANES, 0, 0);
  table->root_begin(1, LANES, LANES, state, x, y, low, high);
  int evaluations = 0;
  for (int64_t left = 1; left > 0 && evaluations < 200; evaluations++) {
    for (int i = 0; i < LANES; i++) {
      set(type, value, i, f->value(q[i], get(type, x, i)));
      set(type, slope, i, f->slope(q[i], get(type, x, i)));
    }
    left = table->root_step(LANES, state, x, y, value, slope);
  }
  table->root_end(LANES, state, x);
  free(state), free(value), free(slope);
  return evaluations;
}

typedef struct tally {
  double mean;
  int most, worst_lane;
  double worst;
} tally;

static tally try_search(const sl__kernels *table, sl_dtype type, const family *f, int bracket) {
  enum { BLOCKS = 12 };
  static double q[LANES][3], root[LANES];
  tally t = {0};
  void *x = numbers(type, LANES, 0, 0), *y = numbers(type, LANES, 0, 0);
  void *low = numbers(type, LANES, 0, 0), *high = numbers(type, LANES, 0, 0);
  for (int block = 0; block < BLOCKS; block++) {
    for (int i = 0; i < LANES; i++) {
      draw_parameters(q[i], i);
      make_valid(f, q[i]);
      root[i] = draw_root(f, i);
      double a, b;
      draw_bracket(bracket, root[i], &a, &b);
      set(type, y, i, f->value(q[i], root[i]));
      set(type, low, i, a);
      set(type, high, i, b);
    }
    const int evaluations = search(table, type, f, q, x, y, low, high);
    t.mean += (double)evaluations / BLOCKS;
    if (evaluations > t.most) t.most = evaluations;
    for (int i = 0; i < LANES; i++) {
      const double wanted = get(type, y, i), found = get(type, x, i);
      const double true_root = bisect(f, q[i], wanted, -1e4, 1e4);
      const double off =
          fabs(found - true_root) / allowance(f, q[i], true_root, wanted, epsilon_of(type));
      if (!(off <= t.worst)) t.worst = off;
    }
  }
  free(x), free(y), free(low), free(high);
  return t;
}

/* Of the slowest of 256 lanes: on the whole, and in the worst of blocks. Where rounding inside f is
 * coarse in spacings of x, only bisection tells (log odds near 0). */
static const double mean_evaluations[BRACKETS] = {12.5, 12.5, 12.5, 12.5, 23};
static const int most_evaluations[BRACKETS] = {24, 24, 24, 16, 26};

TEST(search_finds_what_bisection_finds) {
  for (int t = 0; t < 2; t++) {
    const sl__kernels *tables[TABLES];
    const int count = tables_of(both_types[t], tables);
    for (int k = 0; k < KINDS; k++) {
      for (int bracket = 0; bracket < BRACKETS; bracket++) {
        const sl__kernels *table = tables[count - 1];
        const tally found = try_search(table, both_types[t], &families[k], bracket);
        const bool good = found.worst <= 1 && found.most <= most_evaluations[bracket] &&
                          found.mean <= mean_evaluations[bracket];
        CHECK(good);
        if (!good || getenv("SLUICE_TEST_VERBOSE")) {
          printf("  f%d %-12s %-13s slowest lane of a block %4.1f, at most %2d; off by %.2f\n",
                 (int)size_of(both_types[t]) * 8, families[k].name, bracket_names[bracket],
                 found.mean, found.most, found.worst);
        }
      }
    }
  }
}

/* Kinks anywhere: also beside the root, with slopes that say nothing of what lies beyond. The root
 * is bracketed, or the value is y's to rounding; a lane that is not done is not a number. */
TEST(search_is_not_fooled_by_kinks) {
  enum { BLOCKS = 12 };
  static double q[LANES][3];
  const family f = {"stairs", stairs, stairs_slope, NULL, 100};
  for (int t = 0; t < 2; t++) {
    const sl_dtype type = both_types[t];
    const sl__kernels *tables[TABLES];
    const sl__kernels *table = tables[tables_of(type, tables) - 1];
    void *x = numbers(type, LANES, 0, 0), *y = numbers(type, LANES, 0, 0);
    void *low = numbers(type, LANES, 0, 0), *high = numbers(type, LANES, 0, 0);
    int most = 0;
    for (int i = 0; i < BLOCKS * BRACKETS * LANES; i++) {
      const int lane = i % LANES, bracket = i / LANES % BRACKETS;
      draw_parameters(q[lane], i);
      make_valid(&f, q[lane]);
      /* a third of them within a hair of a kink */
      const double kink = round(uniform(-9, 9)) / STAIRS / (i % 2 + 1);
      const double root = i % 3 ? draw_root(&f, i) : kink * (1 + uniform(-4, 4) * epsilon_of(type));
      double a, b;
      draw_bracket(bracket, root, &a, &b);
      set(type, y, lane, stairs(q[lane], root));
      set(type, low, lane, a);
      set(type, high, lane, b);
      if (lane < LANES - 1) continue;
      const int evaluations = search(table, type, &f, q, x, y, low, high);
      if (evaluations > most) most = evaluations;
      for (int k = 0; k < LANES; k++) {
        const double found = get(type, x, k), wanted = get(type, y, k), e = epsilon_of(type);
        const double near = 8 * e * fabs(found);
        const double rounding = 4 * e * (fabs(wanted) + fabs(q[k][2]) + 20 * q[k][0]);
        const bool is_root = stairs(q[k], found - near) <= wanted + rounding &&
                             stairs(q[k], found + near) >= wanted - rounding;
        if (!CHECK(is_root))
          printf("  f%d %s: %.9g at %.9g, not %.9g\n", (int)size_of(type) * 8,
                 bracket_names[bracket], stairs(q[k], found), found, wanted);
      }
    }
    CHECK(most <= 64);
    if (getenv("SLUICE_TEST_VERBOSE")) printf("  stairs: at most %d\n", most);
    free(x), free(y), free(low), free(high);
  }
}

static void check_table(const sl__kernels *table, const sl__kernels *reference, sl_dtype type) {
  (void)reference;
  for (int k = 0; k < KINDS; k++) {
    const tally found = try_search(table, type, &families[k], 0);
    if (!CHECK(found.worst <= 1)) printf("  %s, %s\n", table->name, families[k].name);
  }
}

TEST(search_of_every_instruction_set) {
  each_table(check_table);
  const sl__kernels *tables[TABLES]; /* the reference: bisection by another hand than the test's */
  tables_of(SL_F64, tables);
  check_table(tables[0], tables[0], SL_F64);
}
