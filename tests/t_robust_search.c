/* Modes that no chain comes to are found, and what has no summit is not taken for one. */
#include "base/random.h"
#include "check.h"
#include "context.h"
#include "infer/robust/explore.h"

enum { MOST_DIM = 6, CHAINS = 4, DRAWS = 100 };

typedef struct explored {
  sl_context *context;
  sl__target *target;
  sl__arena arena;
  sl__exploration e;
} explored;

static bool explore(const char *density, const char *names, uint64_t seed, explored *x) {
  const sl__explore_options options = {.seed = seed, .end = INFINITY};
  x->context = context_of(2);
  sl__arena_open(&x->arena, x->context);
  return CHECK_OK(x->context, sl__target_expression(x->context, density, names, &x->target)) &&
         CHECK_OK(x->context, sl__explore(x->context, x->target, &options, &x->arena, &x->e));
}

static void close_all(explored *x) {
  sl__arena_close(&x->arena);
  sl__target_free(x->target);
  sl_context_free(x->context);
}

/* Halves at 0 and at 2.5, 25 of their deviations apart, in one of five coordinates: chains that
 * start within 2 of 0 may all come to the same, and a population that is led there dies elsewhere. */
TEST(a_half_that_no_chain_came_to_is_found) {
  const int seeds = check_fewer(6, 1, "seeds");
  for (int seed = 0; seed < seeds; seed++) {
    explored x;
    if (explore("log_mix(0.5, normal_lpdf(a | 0, 0.1), normal_lpdf(a | 2.5, 0.1))"
                " + normal_lpdf(b | 0, 0.1) + normal_lpdf(c | 0, 0.1) + normal_lpdf(d | 0, 0.1)"
                " + normal_lpdf(e | 0, 0.1)",
                "a,b,c,d,e", (uint64_t)seed, &x)) {
      CHECK(!x.e.chains_agree && x.e.modes_confirmed);
      CHECK_CLOSE(x.e.smc.log_evidence, 0, 0.2);
      double share = 0;
      for (int64_t r = 0; r < x.e.particles.rows; r++)
        share += (x.e.particles.x[r * x.e.dim] > 1.25) / (double)x.e.particles.rows;
      CHECK_CLOSE(share, 0.5, 0.1);
    }
    close_all(&x);
  }
}

/* A half that is narrower, in all coordinates aside: its basin is a small part of the places about,
 * so that climbs from random points often miss it. */
TEST(a_narrower_half_is_found) {
  const int seeds = check_fewer(3, 1, "seeds");
  for (int seed = 0; seed < seeds; seed++) {
    explored x;
    if (explore(
            "log_mix(0.5, normal_lpdf(a | 0, 1) + normal_lpdf(b | 0, 1) + normal_lpdf(c | 0, 1),"
            " normal_lpdf(a | 6, 0.3) + normal_lpdf(b | 6, 0.3) + normal_lpdf(c | 6, 0.3))",
            "a,b,c", (uint64_t)seed, &x)) {
      CHECK(!x.e.chains_agree && x.e.modes_confirmed);
      CHECK(x.e.climbs > 68); /* and from strewn points */
      CHECK_CLOSE(x.e.smc.log_evidence, 0, 0.2);
    }
    close_all(&x);
  }
}

/* A twentieth, twenty deviations away. */
TEST(a_small_far_mode_is_found) {
  explored x;
  if (explore(
          "log_mix(0.95, normal_lpdf(a | 0, 1), normal_lpdf(a | 20, 1)) + normal_lpdf(b | 0, 1)",
          "a,b", 1, &x)) {
    CHECK(!x.e.chains_agree && x.e.modes_confirmed);
    CHECK_CLOSE(x.e.smc.log_evidence, 0, 0.1);
    /* its share is known by the ancestors that are left, also in two dimensions */
    CHECK_CLOSE(x.e.effective, 1 / (x.e.smc.log_evidence_se * x.e.smc.log_evidence_se), 1e-6);
    CHECK(x.e.effective < (double)x.e.particles.rows);
    CHECK(x.e.climbs >= 68 && x.e.led == x.e.particles.rows);
  }
  close_all(&x);
}

/* One that weighs nothing is let go of again, and one summit is no news. */
TEST(what_does_not_matter_is_left_out) {
  static const char *const densities[] = {
      "log_mix(0.999999999, normal_lpdf(a | 0, 1), normal_lpdf(a | 20, 1)) + normal_lpdf(b | 0, 1)",
      "normal_lpdf(a | 3, 1) + normal_lpdf(b | a, 0.1)",
      /* a funnel: its neck has no summit */
      "normal_lpdf(a | 0, 1) + normal_lpdf(b | 0, exp(a))",
  };
  for (int k = 0; k < 3; k++) {
    explored x;
    if (explore(densities[k], "a,b", 3, &x)) {
      double first[SL__MOST_FOUND * MOST_DIM];
      sl__search_report search;
      CHECK_INTEGER(x.e.chain_count, 8); /* from random points, and from the population */
      CHECK_OK(x.context,
               sl__exploration_search(x.context, x.target, 5, NULL, &x.e, first, &search));
      CHECK_INTEGER(search.found, k == 0 ? 1 : 0);
    }
    close_all(&x);
  }
}

/* ---- chains made by hand: of a standard normal density in six coordinates ---- */

/* (log(2 pi) + 1) / 2: of a coordinate, the mean of less log density. */
#define MEAN_FALL 1.4189385332046727
#define REST      " + normal_lpdf(d | 0, 1) + normal_lpdf(e | 0, 1) + normal_lpdf(f | 0, 1)"
#define AT(x, y, z) \
  "normal_lpdf(a | " x ", 1) + normal_lpdf(b | " y ", 1) + normal_lpdf(c | " z ", 1)" REST
#define NARROW                                                           \
  "normal_lpdf(a | 8, 0.3) + normal_lpdf(b | 8, 0.3) + normal_lpdf(c | " \
  "8, 0.3) + normal_lpdf(d | 8, 0.3) + normal_lpdf(e | 8, 0.3) + normal_lpdf(f | 8, 0.3)"
#define HALVES              "log_mix(0.5, " AT("0", "0", "0") ", " NARROW ")"
#define BESIDE(small, rest) "log_mix(1e-7, " small ", " rest ")"

static bool search_from_wide(const char *density, uint64_t seed, double *first,
                             sl__search_report *out, int64_t *climbs) {
  static const sl__random_key key = {77, 0, 0};
  double draws[CHAINS * DRAWS * MOST_DIM];
  for (int r = 0; r < CHAINS * DRAWS; r++)
    for (int i = 0; i < MOST_DIM; i++)
      draws[r * MOST_DIM + i] = sl__random_normal(key, (uint64_t)r, (uint32_t)i);
  sl__exploration e = {.dim = MOST_DIM, .chain_count = CHAINS, .chains = {CHAINS * DRAWS, draws}};
  for (int c = 0; c < CHAINS; c++) e.stays[c].log_density = -MOST_DIM * MEAN_FALL;
  sl_context *context = context_of(1);
  sl__target *target = NULL;
  const bool good =
      CHECK_OK(context, sl__target_expression(context, density, "a,b,c,d,e,f", &target)) &&
      CHECK_OK(context, sl__exploration_search(context, target, seed, NULL, &e, first, out));
  sl__target_free(target);
  sl_context_free(context);
  *climbs = e.climbs;
  return good;
}

static bool holds_narrow(const sl__search_report *search, const double *first) {
  for (int k = 0; k < search->found; k++) {
    double off = 0;
    for (int i = 0; i < MOST_DIM; i++) off = fmax(off, fabs(first[k * MOST_DIM + i] - 8));
    if (off < 0.1) return true;
  }
  return false;
}

/* One, two and four small modes in sight, of which the last leave no room for another. */
TEST(summits_that_were_found_hide_no_other) {
  const int seeds = check_fewer(2, 1, "seeds");
  static const char *const densities[] = {
      BESIDE(AT("-12", "0", "0"), HALVES),
      BESIDE(AT("-12", "0", "0"), BESIDE(AT("0", "-12", "0"), HALVES)),
      BESIDE(AT("-12", "0", "0"),
             BESIDE(AT("0", "-12", "0"),
                    BESIDE(AT("0", "0", "-12"), BESIDE(AT("0", "12", "12"), HALVES)))),
  };
  for (int k = UNDER_SANITIZER ? 2 : 0; k < 3; k++)
    for (int seed = 0; seed < seeds; seed++) {
      double first[SL__MOST_FOUND * MOST_DIM];
      sl__search_report search;
      int64_t climbs;
      if (!search_from_wide(densities[k], (uint64_t)seed, first, &search, &climbs)) continue;
      CHECK(holds_narrow(&search, first));
      CHECK_INTEGER(search.found, k == 2 ? 4 : k + 2);
    }
}

TEST(without_news_there_is_one_round) {
  double first[SL__MOST_FOUND * MOST_DIM];
  sl__search_report search;
  int64_t climbs;
  if (search_from_wide(AT("0", "0", "0"), 0, first, &search, &climbs)) {
    CHECK_INTEGER(search.found, 0);
    CHECK_INTEGER(climbs, CHAINS + 64); /* none from strewn points */
  }
}

/* A half in the midst of the chains' draws, a thirtieth as wide: as its summit is near these, only
 * its height says that it is not theirs. A climb begins at 0 itself, where all climbs from farther
 * off may pass it by. */
TEST(a_spike_among_the_draws_is_found) {
#define SPIKE(x) "normal_lpdf(" x " | 0, 0.03)"
  static const char density[] = "log_mix(0.5, " AT("0", "0", "0") ", " SPIKE("a") " + " SPIKE(
      "b") " + " SPIKE("c") " + " SPIKE("d") " + " SPIKE("e") " + " SPIKE("f") ")";
  const int seeds = check_fewer(3, 1, "seeds");
  for (int seed = 0; seed < seeds; seed++) {
    double first[SL__MOST_FOUND * MOST_DIM];
    sl__search_report search;
    int64_t climbs;
    if (!search_from_wide(density, (uint64_t)seed, first, &search, &climbs)) continue;
    CHECK_INTEGER(search.found, 1);
    for (int i = 0; i < MOST_DIM && search.found > 0; i++) CHECK(fabs(first[i]) < 0.01);
  }
}

/* Halves again: chains in the wide one alone would agree, and know nothing of the other. */
TEST(chains_come_to_a_spike_among_them) {
  explored x;
  if (explore("log_mix(0.5, normal_lpdf(a | 0, 1) + normal_lpdf(b | 0, 1) + normal_lpdf(c | 0, 1)"
              " + normal_lpdf(d | 0, 1) + normal_lpdf(e | 0, 1), normal_lpdf(a | 0, 0.05)"
              " + normal_lpdf(b | 0, 0.05) + normal_lpdf(c | 0, 0.05) + normal_lpdf(d | 0, 0.05)"
              " + normal_lpdf(e | 0, 0.05))",
              "a,b,c,d,e", 0, &x))
    CHECK(!x.e.chains_agree);
  close_all(&x);
}
