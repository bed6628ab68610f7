/* The places that are strewn reach the basin of a narrow mode, also past a small one that is in
 * sight, and none leads astray where there is one summit. Which mode a place belongs to is worked
 * out here, from the densities. */
#include "base/random.h"
#include "check.h"
#include "context.h"
#include "infer/robust/search.h"

enum { DIM = 6, CHAINS = 4, DRAWS = 100, SEEDS = 6 };
#define NAMES "a,b,c,d,e,f"
#define WIDE                                                         \
  "normal_lpdf(a | 0, 1) + normal_lpdf(b | 0, 1) + normal_lpdf(c | " \
  "0, 1) + normal_lpdf(d | 0, 1) + normal_lpdf(e | 0, 1) + normal_lpdf(f | 0, 1)"
#define NARROW                                                           \
  "normal_lpdf(a | 8, 0.3) + normal_lpdf(b | 8, 0.3) + normal_lpdf(c | " \
  "8, 0.3) + normal_lpdf(d | 8, 0.3) + normal_lpdf(e | 8, 0.3) + normal_lpdf(f | 8, 0.3)"

#define DECOY                                                          \
  "normal_lpdf(a | -12, 1) + normal_lpdf(b | 0, 1) + normal_lpdf(c | " \
  "0, 1) + normal_lpdf(d | 0, 1) + normal_lpdf(e | 0, 1) + normal_lpdf(f | 0, 1)"
#define BOTH "log_mix(0.5, " WIDE ", " NARROW ")"
/* A ten-millionth of the mass, as wide as the wide mode, and farther out than the narrow one. */
#define ALL_THREE "log_mix(1e-7, " DECOY ", " BOTH ")"

/* Chains that were in the wide mode only, whose moments are known. */
typedef struct seen {
  double draws[CHAINS * DRAWS * DIM], means[CHAINS * DIM], mean[DIM], sd[DIM];
  double summits[SL__MOST_SUMMITS * DIM];
  sl__exploration e;
  sl__been been;
} seen;

static void see_wide_mode(seen *s) {
  const sl__random_key key = {77, 0, 0};
  *s = (seen){.e = {.dim = DIM, .chain_count = CHAINS}};
  for (int r = 0; r < CHAINS * DRAWS; r++)
    for (int i = 0; i < DIM; i++)
      s->draws[r * DIM + i] = sl__random_normal(key, (uint64_t)r, (uint32_t)i);
  for (int i = 0; i < DIM; i++) s->sd[i] = 1;
  s->e.chains = (sl__draws){CHAINS * DRAWS, s->draws};
  s->been = (sl__been){&s->e, s->means, s->mean, s->sd, s->summits, 0};
}

/* decoy: that its summit is known. */
static bool strew_round(const char *log_density, uint64_t seed, int round, bool decoy, seen *s,
                        sl__strewn_places *out) {
  sl_context *context = context_of(1);
  sl__target *target = NULL;
  sl__density *density = NULL;
  see_wide_mode(s);
  if (decoy) s->summits[0] = -12;
  s->been.count = decoy;
  const bool good =
      CHECK_OK(context, sl__target_expression(context, log_density, NAMES, &target)) &&
      CHECK_OK(context, sl__density_new(context, target, 0, true, &density)) &&
      CHECK_OK(context, sl__been_strew(context, density, seed, round, NULL, &s->been, out));
  sl__density_free(density);
  sl__target_free(target);
  sl_context_free(context);
  return good;
}

static bool strew(const char *log_density, uint64_t seed, seen *s, sl__strewn_places *out) {
  return strew_round(log_density, seed, 0, false, s, out);
}

/* Beside that of the wide mode; the decoy's is no part of it. */
static bool is_in_narrow_basin(const double *x) {
  double wide = 0, narrow = -DIM * log(0.3);
  const double decoy = log(2e-7) - 12 * x[0] - 72; /* more than of the wide mode */
  for (int i = 0; i < DIM; i++) {
    wide -= x[i] * x[i] / 2;
    narrow -= (x[i] - 8) * (x[i] - 8) / (2 * 0.3 * 0.3);
  }
  return narrow > wide && narrow > wide + decoy;
}

static int count_narrow(const sl__strewn_places *places) {
  int within = 0;
  for (int k = places->rising; k < places->rising + places->astray; k++)
    within += is_in_narrow_basin(places->first + k * DIM);
  return within;
}

TEST(a_place_in_the_basin_of_a_narrow_mode_is_taken) {
  double first[SL__MOST_STREWN * DIM];
  for (int seed = 0; seed < SEEDS; seed++) {
    seen s;
    sl__strewn_places places = {.first = first};
    if (strew(BOTH, (uint64_t)seed, &s, &places)) CHECK(count_narrow(&places) > 0);
  }
}

/* A small mode stands out more than the narrow one, among all as far from the chains; once its
 * summit is known, it no longer does. */
TEST(a_known_summit_hides_no_narrow_mode) {
  double first[SL__MOST_STREWN * DIM];
  int hidden = 0;
  for (int seed = 0; seed < SEEDS; seed++) {
    seen s;
    sl__strewn_places places = {.first = first};
    if (!strew(ALL_THREE, (uint64_t)seed, &s, &places)) continue;
    hidden += count_narrow(&places) == 0;
    if (strew_round(ALL_THREE, (uint64_t)seed, 1, true, &s, &places))
      CHECK(count_narrow(&places) > 0);
  }
  CHECK(hidden > 0); /* or the decoy is none */
}

TEST(nothing_leads_astray_from_one_summit) {
  double first[SL__MOST_STREWN * DIM];
  seen s;
  sl__strewn_places places = {.first = first};
  if (strew(WIDE, 1, &s, &places)) {
    CHECK_INTEGER(places.rising, 0);
    CHECK_INTEGER(places.astray, 0);
  }
}

/* As the ends of climbs are that came to different summits. */
TEST(places_are_apart_from_each_other) {
  double first[SL__MOST_STREWN * DIM];
  seen s;
  sl__strewn_places places = {.first = first};
  /* many summits */
  if (!strew("5 * (cos(2 * a) + cos(2 * b) + cos(2 * c) + cos(2 * d) + cos(2 * e) + cos(2 * f))"
             " - 0.1 * (square(a) + square(b) + square(c) + square(d) + square(e) + square(f))",
             2, &s, &places))
    return;
  CHECK(places.rising > 0 && places.rising <= SL__MOST_RISING);
  CHECK(places.astray > 0 && places.astray <= SL__MOST_ASTRAY);
  for (int k = places.rising; k < places.rising + places.astray; k++)
    for (int other = places.rising; other < k; other++) {
      double most = 0;
      for (int i = 0; i < DIM; i++)
        most = fmax(most, fabs(first[k * DIM + i] - first[other * DIM + i]));
      CHECK(most > 4);
    }
}
