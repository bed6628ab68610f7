/* Exploring again through a flow: right where the flow is about right, refused where it is not. */
#include <math.h>
#include <string.h>
#include "flow/model.h"
#include "infer/robust/attempt.h"
#include "vi_fixture.h"

enum { DIM = 4, ROWS = 400 };

typedef struct scene {
  sl_context *context;
  sl__arena arena;
  sl__target *target;
  sl__robust_options options;
  sl__robust_report report;
  sl__exploration exploration;
  sl__model *model;
  sl__robust run;
  double mean[DIM], sd[DIM];
} scene;

/* Half of what is known is at `from`, half at `to`, and the flow is a unit normal around 0. */
static void open_scene(scene *s, const char *density, double from, double to) {
  *s = (scene){.context = vi_context(1)};
  sl__arena_open(&s->arena, s->context);
  CHECK_OK(s->context, sl__target_expression(s->context, density, "a,b,c,d", &s->target));
  sl__robust_defaults(&s->options);
  s->exploration = (sl__exploration){.dim = DIM, .rhat = 2, .mean = s->mean, .sd = s->sd};
  sl__draws *buffer = &s->exploration.buffer;
  *buffer = (sl__draws){ROWS, sl__arena_take(&s->arena, ROWS * DIM, sizeof(double))};
  const sl__random_key key = {1, 2, 3};
  for (int r = 0; r < ROWS; r++)
    for (int i = 0; i < DIM; i++)
      buffer->x[r * DIM + i] = (i > 0          ? 0
                                : r < ROWS / 2 ? from
                                               : to) +
                               0.3 * sl__random_normal(key, (uint64_t)r, (uint32_t)i);
  for (int i = 0; i < DIM; i++) s->sd[i] = 1;
  s->run = (sl__robust){.context = s->context,
                        .target = s->target,
                        .options = &s->options,
                        .exploration = &s->exploration,
                        .arena = &s->arena,
                        .report = &s->report,
                        .type = SL_F64};
  const sl__plan_of_attempt plan = {.layers = "elementwise(rqs)"};
  CHECK_OK(s->context, sl__robust_start(&s->run, &plan, NULL, &s->model));
}

static void close_scene(scene *s) {
  sl__model_free(s->context, s->model);
  sl__target_free(s->target);
  sl__arena_close(&s->arena);
  sl_context_free(s->context);
}

static bool walk(scene *s, const sl__robust_report *judged) {
  bool adopted;
  CHECK_OK(s->context, sl__robust_walk(&s->run, s->model, judged, &adopted));
  return adopted;
}

TEST(chains_that_agree_take_the_place_of_what_was_known) {
  scene s;
  const sl__robust_report judged = {.missed = 0.001};
  open_scene(&s, "-0.5*((a-1)^2/4 + b^2 + (c-a)^2 + d^2/9)", 0, 1);
  s.run.drivers = "0001"; /* of what was known */
  CHECK(walk(&s, &judged) && !s.run.drivers);
  const sl__exploration *e = &s.exploration;
  CHECK(e->chains_agree && e->walked && e->rhat < 1.03 && e->buffer.rows == 8000);
  const double mean[DIM] = {1, 0, 1, 0}, sd[DIM] = {2, 1, sqrt(5), 3};
  for (int i = 0; i < DIM; i++) {
    CHECK_CLOSE(e->mean[i], mean[i], 0.08 * sd[i]);
    CHECK_CLOSE(e->sd[i], sd[i], 0.06 * sd[i]);
  }
  CHECK(s.report.gradient_evaluations > 8000);
  close_scene(&s);
}

TEST(modes_that_no_chain_leaves_are_refused) {
  scene s;
  const sl__robust_report judged = {.missed = 0.001};
  open_scene(&s, "log_sum_exp(-0.5*(a-20)^2, -0.5*(a+20)^2) - 0.5*(b^2+c^2+d^2)", -20, 20);
  CHECK(!walk(&s, &judged));
  CHECK(!s.exploration.chains_agree && s.exploration.buffer.rows == ROWS);
  close_scene(&s);
}

/* Three old chains around 0, where the flow and the population are, and one at `last`. */
static void add_chains(scene *s, double last) {
  enum { OLD = 4, EACH = 250 };
  sl__exploration *e = &s->exploration;
  const sl__random_key key = {4, 5, 6};
  e->chain_count = OLD;
  e->chains = (sl__draws){OLD * EACH, sl__arena_take(&s->arena, OLD * EACH * DIM, sizeof(double))};
  for (int r = 0; r < OLD * EACH; r++)
    for (int i = 0; i < DIM; i++)
      e->chains.x[r * DIM + i] = (i == 0 && r >= (OLD - 1) * EACH ? last : 0) +
                                 sl__random_normal(key, (uint64_t)r, (uint32_t)i);
}

/* Chains that begin at 0 agree, and say nothing of the 30 % that one of the old chains was in. */
TEST(chains_that_forget_a_place_are_refused) {
  static const char density[] =
      "log_sum_exp(log(0.7)-0.5*a^2, log(0.3)-0.5*(a-10)^2) - 0.5*(b^2+c^2+d^2)";
  static const double places[] = {10, 1};
  for (int k = 0; k < 2; k++) {
    scene s;
    const sl__robust_report judged = {.missed = 0};
    open_scene(&s, density, 0, 0);
    add_chains(&s, places[k]);
    CHECK(walk(&s, &judged) == (places[k] == 1));
    CHECK(s.exploration.buffer.rows == (places[k] == 1 ? 8000 : ROWS));
    close_scene(&s);
  }
}

/* Trajectories of a hundred steps, in a valley that bends: 8 x 1,500 of these are not gone. */
TEST(a_walk_that_takes_too_long_is_given_up) {
  scene s;
  const sl__robust_report judged = {.missed = 0.001};
  open_scene(&s, "-0.5*(a^2/100+1e4*(b-a^2)^2+c^2+d^2)", 0, 0);
  CHECK(!walk(&s, &judged));
  CHECK(s.report.gradient_evaluations >= 384000 && s.report.gradient_evaluations < 400000);
  CHECK(s.exploration.buffer.rows == ROWS);
  close_scene(&s);
}

/* A flow that does not reach what was found is no way to find it again; modes that are known to be
 * apart, or chains that agree, need no walk. */
TEST(there_is_no_walk_without_need) {
  scene s;
  sl__robust_report judged = {.missed = 0.02};
  open_scene(&s, "-0.5*(a^2+b^2+c^2+d^2)", 0, 0);
  CHECK(!walk(&s, &judged));
  judged.missed = 0;
  s.exploration.modes_confirmed = true;
  CHECK(!walk(&s, &judged));
  s.exploration.modes_confirmed = false;
  s.exploration.chains_mix = true;
  CHECK(!walk(&s, &judged));
  s.exploration.chains_mix = false;
  CHECK(walk(&s, &judged) && s.exploration.chains_mix);
  close_scene(&s);
}
