/* Chains that stayed where next to no mass is, and what happens to them. */
#include <math.h>
#include "check.h"
#include "infer/robust/explore.h"
#include "vi_fixture.h"

enum { CHAINS = 4, DRAWS = 200, DIM = 2 };

typedef struct place {
  double log_density, at, sd, correlation;
} place;

static double chains_x[CHAINS * DRAWS * DIM];

/* One divergence of the first chain, two of the second ... */
static sl__exploration explored(const place places[CHAINS]) {
  sl__exploration e = {.dim = DIM, .chain_count = CHAINS, .chains = {CHAINS * DRAWS, chains_x}};
  for (int c = 0; c < CHAINS; c++) {
    const place *p = &places[c];
    e.stays[c] = (sl__stay){p->log_density, c + 1};
    e.divergences += c + 1;
    for (int r = 0; r < DRAWS; r++) {
      const sl__random_key key = {1, SL__STREAM_TEST, (uint32_t)c};
      const double a = sl__random_normal(key, (uint64_t)r, 0);
      const double b = sl__random_normal(key, (uint64_t)r, 1), rho = p->correlation;
      double *x = chains_x + (c * DRAWS + r) * DIM;
      x[0] = p->at + p->sd * a;
      x[1] = p->at + p->sd * (rho * a + sqrt(1 - rho * rho) * b);
    }
  }
  return e;
}

static const place usual = {-1, 0, 1, 0};

TEST(chains_beneath_a_low_summit_go) {
  const sl__exploration before = explored((place[]){usual, {-13, 50, 1, 0}, usual, {-9, 70, 1, 0}});
  const double last = chains_x[(4 * DRAWS - 1) * DIM];
  sl__exploration e = before;
  CHECK(sl__exploration_drop_idle(&e) == 1);
  CHECK(e.chain_count == 3 && e.chains.rows == 3 * DRAWS);
  CHECK(e.divergences == before.divergences - 2);
  CHECK(e.stays[1].divergences == 3 && e.stays[2].log_density == -9);
  CHECK(chains_x[(3 * DRAWS - 1) * DIM] == last);
}

/* exp(-12) of the room, by its sides or by its diagonal. */
TEST(their_room_counts_as_well) {
  sl__exploration e = explored((place[]){usual, usual, {-1, 9, exp(-6), 0}, usual});
  CHECK(sl__exploration_drop_idle(&e) == 1);
  e = explored((place[]){usual, usual, usual, {-1, 9, 1, sqrt(-expm1(-24))}});
  CHECK(sl__exploration_drop_idle(&e) == 1);
  e = explored((place[]){usual, usual, usual, {11, 9, exp(-6), 0}});
  CHECK(sl__exploration_drop_idle(&e) == 0);
}

TEST(others_stay) {
  const place idle = {-20, 50, 1, 0}, still = {-20, 50, 0, 0};
  sl__exploration e = explored((place[]){usual, usual, usual, idle});
  e.chains_agree = true;
  CHECK(sl__exploration_drop_idle(&e) == 0);
  e = explored((place[]){usual, idle, idle, idle}); /* one chain alone shows nothing */
  CHECK(sl__exploration_drop_idle(&e) == 0 && e.chain_count == CHAINS);
  e = explored((place[]){usual, usual, still, usual});
  CHECK(sl__exploration_drop_idle(&e) == 0);
}

/* The mean of -(x^2 + y^2) / 2. */
TEST(exploring_notes_how_high_its_chains_were) {
  sl_context *context = vi_context(1);
  sl__target *target;
  sl__arena arena;
  sl__exploration e;
  sl__arena_open(&arena, context);
  CHECK_OK(context, sl__target_expression(context, "-0.5*(x^2+y^2)", "x,y", &target));
  const sl__explore_options options = {.seed = 1, .end = INFINITY};
  CHECK_OK(context, sl__explore(context, target, &options, &arena, &e));
  CHECK(e.chain_count >= 4);
  for (int64_t c = 0; c < e.chain_count; c++) CHECK_CLOSE(e.stays[c].log_density, -1, 0.3);
  sl__target_free(target);
  sl__arena_close(&arena);
  sl_context_free(context);
}
