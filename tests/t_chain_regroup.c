/* Chains that start in a mode of next to no mass: they are moved, others are not. */
#include "check.h"
#include "infer/chain/regroup.h"
#include "infer/chain/sampler.h"
#include "infer/diagnose/diagnose.h"

static sl_context *new_context(void) {
  sl_context *context = NULL;
  const sl_context_options options = {.size = sizeof options, .threads = 1};
  if (sl_context_new(&options, &context) != SL_OK) abort();
  return context;
}

/* Of draws of a Gaussian of known height the mass is known: its integral. */
TEST(mass_of_a_gaussian) {
  enum { DIM = 3, COUNT = 20000 };
  sl_context *context = new_context();
  sl__arena arena;
  sl__arena_open(&arena, context);
  sl__visit visit;
  REQUIRE_OK(context, sl__visit_open(&arena, DIM, &visit));
  const double sd[DIM] = {0.1, 2, 30}, height = -7;
  for (int r = 0; r < COUNT; r++) {
    double q[DIM], gradient[DIM] = {0}, log_density = height;
    for (int i = 0; i < DIM; i++) {
      const double z =
          sl__random_normal((sl__random_key){5, SL__STREAM_TEST, 0}, (uint64_t)r, (uint32_t)i);
      q[i] = 4 + sd[i] * z;
      log_density -= 0.5 * z * z;
    }
    sl__visit_add(&visit, q, gradient, log_density);
  }
  CHECK(fabs(sl__visit_log_mass(&visit) - (height - 0.5 * DIM + log(0.1 * 2 * 30))) < 0.05);
  sl__visit_clear(&visit);
  const double q[DIM] = {1, 2, 3};
  for (int r = 0; r < 5; r++) sl__visit_add(&visit, q, q, 1000);
  CHECK(sl__visit_log_mass(&visit) == -INFINITY);
  sl__arena_close(&arena);
  sl_context_free(context);
}

TEST(who_goes_where) {
  int32_t donor[5];
  sl__regroup(5, 2, (const double[]){-100, 0, -INFINITY, -3, -13}, donor);
  CHECK_INTEGER(donor[0], 1);
  CHECK_INTEGER(donor[1], 1);
  CHECK_INTEGER(donor[2], 3);
  CHECK_INTEGER(donor[3], 3);
  CHECK_INTEGER(donor[4], 4);
  sl__regroup(2, 2, (const double[]){-INFINITY, -INFINITY}, donor);
  CHECK_INTEGER(donor[0], 0);
  CHECK_INTEGER(donor[1], 1);
}

/* ---- whole runs: two Gaussians far apart, the left one of this log mass beside the right one ---- */

typedef struct sides {
  int64_t left[4], right[4];
  double q[4][200];
} sides;

static sl_status take_side(void *user, const sl__sampler_draw *draw) {
  sides *s = user;
  int64_t *side = draw->q[0] < 0 ? s->left : s->right;
  side[draw->chain]++;
  s->q[draw->chain][draw->iteration] = draw->q[0];
  return SL_OK;
}

static sides run_two_modes(const char *density, sl__sampler_report *report) {
  sl_context *context = new_context();
  sl__target *target = NULL;
  if (sl__target_expression(context, density, "x", &target) != SL_OK) abort();
  sl__sampler_options options;
  sl__sampler_defaults(&options);
  options.draws = 200;
  const double first[4] = {-20, 20, -20, -20};
  sides s = {0};
  const sl__sampler_listener listener = {.draw = take_side, .user = &s};
  CHECK_OK(context, sl__sampler_run(context, target, &options, first, &listener, report));
  sl__target_free(target);
  sl_context_free(context);
  return s;
}

TEST(chains_leave_a_mode_without_mass) {
  sl__sampler_report report;
  const sides s =
      run_two_modes("log(exp(-40 - 0.5*(x+20)^2) + exp(-0.5*(x-20)^2) + 1e-200)", &report);
  for (int c = 0; c < 4; c++) CHECK_INTEGER(s.right[c], 200);
  CHECK_INTEGER(report.regrouped, 3);
}

static void check_rhat_is_bad(const sides *s) {
  sl_context *context = new_context();
  const sl__series series = {4, 200, &s->q[0][0], 200, 1};
  double rhat = 0;
  CHECK_OK(context, sl__rhat(context, &series, &rhat));
  CHECK(rhat > 1.5);
  sl_context_free(context);
}

/* Modes that share the mass keep their chains, whichever is the higher, and R-hat tells: the left
 * one is 500 times as wide and as low as the right one. */
TEST(chains_stay_in_modes_with_mass) {
  sl__sampler_report report;
  const sides s =
      run_two_modes("log(0.002*exp(-0.5*(x+20)^2) + exp(-0.5*((x-20)/0.002)^2) + 1e-200)", &report);
  for (int c = 0; c < 4; c++) CHECK_INTEGER(s.left[c], c == 1 ? 0 : 200);
  CHECK_INTEGER(report.regrouped, 0);
  check_rhat_is_bad(&s);
}

/* The rarer mode has a thousandth of the mass: still not next to none. */
TEST(chains_stay_in_a_rare_mode) {
  sl__sampler_report report;
  const sides s =
      run_two_modes("log(0.001*exp(-0.5*(x+20)^2) + exp(-0.5*(x-20)^2) + 1e-200)", &report);
  for (int c = 0; c < 4; c++) CHECK_INTEGER(s.left[c], c == 1 ? 0 : 200);
  CHECK_INTEGER(report.regrouped, 0);
  check_rhat_is_bad(&s);
}

/* ---- acceptance ---- */

/* Of a standard target, or of an expression in x. */
static double delta_of(const char *density, double careful_delta, double strict_delta) {
  sl_context *context = new_context();
  sl__target *target = NULL;
  if (sl__target_standard(context, density, &target) != SL_OK &&
      sl__target_expression(context, density, "x", &target) != SL_OK)
    abort();
  sl__sampler_options options;
  sl__sampler_report report;
  sl__sampler_defaults(&options);
  options.draws = 1;
  options.careful_delta = careful_delta;
  options.strict_delta = strict_delta;
  const sl__sampler_listener listener = {0};
  CHECK_OK(context, sl__sampler_run(context, target, &options, NULL, &listener, &report));
  sl__target_free(target);
  sl_context_free(context);
  return report.adapt_delta;
}

TEST(acceptance_is_raised_only_where_chains_diverge) {
  CHECK(delta_of("gaussian55", 0.95, 0.99) == 0.8);
  CHECK(delta_of("pot1", 0.7, 0) == 0.8);
  /* trajectories leave the box from which the density falls to nothing */
  CHECK(delta_of("0.1*log(1-x^2)", 0.95, 0) == 0.95);
  CHECK(delta_of("0.1*log(1-x^2)", 0.7, 0) == 0.8);
  CHECK(delta_of("0.1*log(1-x^2)", 0.95, 0.99) == 0.99);
}
