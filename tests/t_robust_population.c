/* How many particles a tempered population has: where those of the first know too little of log Z
 * for a certificate, there are more. */
#include <math.h>
#include "infer/robust/population.h"
#include "infer/robust/rules.h"
#include "robust_fixture.h"

enum { USUAL = 4096, TIMES = 5 /* the first, and four times as many */ };

/* Explores as far as the population, beside chains that agree, or do not. */
static void lead(const char *density, bool agree, sl__exploration *e) {
  sl_context *context = vi_context(1);
  sl__target *target;
  sl__arena arena;
  REQUIRE_OK(context, sl__target_expression(context, density, "x,y", &target));
  sl__arena_open(&arena, context);
  *e = (sl__exploration){.dim = 2, .chains_agree = agree};
  sl__explore_options options = {.seed = 1, .end = INFINITY};
  sl__limits limits = {.options = &options, .exploration = e};
  CHECK_OK(context, sl__explore_temper(context, target, &limits, &arena, e));
  CHECK(e->tempered_complete);
  CHECK_INTEGER(e->wide.rows, e->particles.rows);
  sl__arena_close(&arena);
  sl__target_free(target);
  sl_context_free(context);
}

/* A spike that a few particles come to, on the slope of a wide mode of less mass. */
static const char spike[] =
    "log_sum_exp(-0.5*(square(x)+square(y)),6+log(10^3)-500*(square(x-2)+square(y-2)))";

TEST(a_population_that_knows_too_little_is_led_again) {
  sl__exploration e;
  lead(spike, true, &e);
  CHECK_INTEGER(e.led, TIMES * USUAL);
  CHECK_INTEGER(e.particles.rows, (TIMES - 1) * USUAL);
}

TEST(one_that_knows_enough_is_not) {
  sl__exploration e;
  lead("-0.5*(square(x)+square(y))", true, &e);
  CHECK(e.smc.log_evidence_se <= SL__MOST_TEMPERED_SE);
  CHECK_INTEGER(e.led, USUAL);
}

/* Chains that disagree refuse the fit whatever the population knows, or its size is chosen for it. */
TEST(beside_chains_that_disagree_one_is_all) {
  sl__exploration e;
  lead(spike, false, &e);
  CHECK_INTEGER(e.led, USUAL);
}
