/* Whether chains stayed apart because there are modes: a valley in the population, and nothing else
 * that chains disagree in. */
#include "infer/robust/explore.h"
#include "vi_fixture.h"

enum { SEGMENTS = 8, ROWS = 2000, DIM = 3, HALF = ROWS / 2 };

static double normal_of(uint64_t row, uint32_t feature) {
  return sl__random_normal((sl__random_key){5, 0, 0}, row, feature);
}

/* Chains of two segments that stay at -3 and 3; a population of one normal density, or of two. */
TEST(a_valley_is_seen_where_there_is_one) {
  static double x[ROWS], y[ROWS];
  sl_context *context = vi_context(1);
  for (int apart = 0; apart < 2; apart++) {
    for (uint64_t r = 0; r < ROWS; r++) {
      const double side = r < HALF ? -1.5 : 1.5, z = normal_of(r, 0);
      x[r] = apart ? 2 * side + z : 2 * z;
      y[r] = 2 * side + 0.5 * z;
    }
    bool found = !apart;
    CHECK_OK(context, sl__confirm_modes(context, &(sl__draws){ROWS, x}, &(sl__draws){ROWS, y}, 1,
                                        SEGMENTS, &found));
    CHECK(found == (apart == 1));
  }
  sl_context_free(context);
}

typedef struct scene {
  double x[ROWS * DIM], y[ROWS * DIM]; /* population, chains */
} scene;

/* Two modes that differ by `by` in each coordinate; segment s of the chains is off by drift[s]. */
static void fill(scene *s, const double by[DIM], double drift[SEGMENTS][DIM]) {
  for (uint64_t r = 0; r < ROWS; r++)
    for (uint32_t i = 0; i < DIM; i++) {
      const double side = r < HALF ? -0.5 : 0.5;
      s->x[r * DIM + i] = side * by[i] + normal_of(r, i);
      s->y[r * DIM + i] = side * by[i] + drift[r * SEGMENTS / ROWS][i] + normal_of(r + ROWS, i);
    }
}

static bool confirm(sl_context *context, const scene *s) {
  bool found = false;
  CHECK_OK(context, sl__confirm_modes(context, &(sl__draws){ROWS, (double *)s->x},
                                      &(sl__draws){ROWS, (double *)s->y}, DIM, SEGMENTS, &found));
  return found;
}

/* Two modes explain what is along the line between them alone. */
TEST(crawling_beside_the_line_is_not_excused_by_modes) {
  static scene s;
  sl_context *context = vi_context(1);
  const double by[DIM] = {20, 20, 0};
  double drift[SEGMENTS][DIM] = {{0}};
  fill(&s, by, drift);
  CHECK(confirm(context, &s));
  for (int k = 0; k < SEGMENTS; k++) drift[k][2] = k % 2 ? 0.3 : -0.3;
  fill(&s, by, drift);
  CHECK(confirm(context, &s)); /* that much is chance where chains remember long */
  for (int k = 0; k < SEGMENTS; k++) drift[k][2] = k % 2 ? 1 : -1;
  fill(&s, by, drift);
  CHECK(!confirm(context, &s));
  sl_context_free(context);
}

/* A mode off the line is a valley in a margin. */
TEST(modes_beside_the_line_are_excused) {
  static scene s;
  sl_context *context = vi_context(1);
  const double by[DIM] = {8, 0, 0};
  double drift[SEGMENTS][DIM] = {{0}};
  for (int k = 0; k < SEGMENTS; k++) drift[k][1] = k % 2 ? 3 : -3;
  fill(&s, by, drift);
  for (uint64_t r = 0; r < ROWS; r++) s.x[r * DIM + 1] += r % 2 ? 3 : -3;
  CHECK(confirm(context, &s));
  sl_context_free(context);
}

static bool confirm_margins(sl_context *context, scene *s, double rhats[DIM]) {
  bool found = false;
  const sl__exploration e = {
      .dim = DIM, .particles = {ROWS, s->x}, .chains = {ROWS, s->y}, .rhats = rhats};
  CHECK_OK(context, sl__confirm_margins(context, &e, SL__GOOD_RHAT, SEGMENTS, &found));
  return found;
}

/* Every coordinate in which chains disagree needs a valley; others need none. */
TEST(every_margin_that_disagrees_has_a_valley) {
  static scene s;
  sl_context *context = vi_context(1);
  const double by[DIM] = {8, 6, 0};
  double drift[SEGMENTS][DIM] = {{0}};
  fill(&s, by, drift);
  CHECK(confirm_margins(context, &s, (double[]){2, 2, 1}));
  CHECK(confirm_margins(context, &s, (double[]){2, 2, SL__GOOD_RHAT}));
  CHECK(!confirm_margins(context, &s, (double[]){2, 2, 1.04}));
  CHECK(!confirm_margins(context, &s, (double[]){1, 1, 2}));
  CHECK(!confirm_margins(context, &s, (double[]){2, 2, (double)NAN}));
  sl_context_free(context);
}
