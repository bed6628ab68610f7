/* Flows found on the way: which one is taken, by doing its last or its best run again; and that the
 * search can be stopped wherever it is. */
#include "check.h"
#include "base/random.h"
#include "infer/chain/preconditioned.h"

/* As auto_precondition.c has them. */
enum { CHAINS = 8, WARMUP = 300, DRAWS = 500, FIRST_JUDGED = 3, MOST_ROUNDS = 10 };
static const double careful_delta = 0.9;

static const uint64_t seed = 5;

static sl_context *new_context(void) {
  sl_context *context = NULL;
  const sl_context_options options = {.size = sizeof options, .threads = 1};
  if (sl_context_new(&options, &context) != SL_OK) abort();
  return context;
}

typedef struct search {
  sl_context *context;
  sl__target *target;
  sl__model *model;
  double first[CHAINS];
  int64_t divergences[MOST_ROUNDS];
  sl__auto_report report;
} search;

static void note_round(void *user, int round, int64_t divergences) {
  ((search *)user)->divergences[round - 1] = divergences;
}

/* Of one coordinate, x. */
static void find_flow(const char *expression, search *s) {
  *s = (search){.context = new_context()};
  if (sl__target_expression(s->context, expression, "x", &s->target) != SL_OK) abort();
  sl__sampler_options options;
  sl__sampler_defaults(&options);
  options.chains = CHAINS;
  options.seed = seed;
  const sl__auto_listener listener = {.round = note_round, .user = s};
  CHECK_OK(s->context, sl__auto_precondition(s->context, s->target, &options, &s->model, s->first,
                                             &listener, &s->report));
}

static void close_search(search *s) {
  sl__model_free(s->context, s->model);
  sl__target_free(s->target);
  sl_context_free(s->context);
}

static sl_status keep_last(void *user, const sl__sampler_draw *draw) {
  ((double *)user)[draw->chain] = draw->q[0];
  return SL_OK;
}

/* The run of a round, from 0, in the space of the flow that was taken; last [CHAINS]: where its
 * chains end, in the target's space. */
static int64_t repeat_run(const search *s, int round, double *last) {
  sl__target *pulled = NULL;
  CHECK_OK(s->context, sl__target_preconditioned(s->context, s->target, s->model, &pulled));
  sl__sampler_options options;
  sl__sampler_report report = {0};
  sl__sampler_defaults(&options);
  options.chains = CHAINS;
  options.warmup = WARMUP;
  options.draws = DRAWS;
  options.adapt_delta = careful_delta;
  options.seed = sl__random_seed((sl__random_key){seed, SL__STREAM_PRECONDITION, (uint32_t)round});
  const sl__sampler_listener listener = {.draw = keep_last, .user = last};
  CHECK_OK(s->context, sl__sampler_run(s->context, pulled, &options, NULL, &listener, &report));
  CHECK_OK(s->context, sl__preconditioned_map(s->context, pulled, CHAINS, last, last));
  sl__target_free(pulled);
  return report.divergences;
}

/* The chains go on from where the second of them ended. */
TEST(a_clean_flow_is_one_of_two_clean_runs) {
  static search s;
  find_flow("-3*log(1 + x^2/5)", &s);
  CHECK(!s.report.diverges);
  const int round = s.report.rounds - 1;
  double last[CHAINS];
  CHECK_INTEGER(repeat_run(&s, round, last), 0);
  for (int c = 0; c < CHAINS; c++) CHECK_CLOSE(last[c], s.first[c], 1e-12);
  CHECK_INTEGER(repeat_run(&s, round - 1, last), 0);
  close_search(&s);
}

/* A wall that no flow takes away: the flow is one that was tried, and diverged least. */
TEST(of_flows_that_diverge_the_best_tried_is_taken) {
  static search s;
  find_flow("-0.5*x^2 - exp(400*(x-1))", &s);
  CHECK(s.report.diverges);
  CHECK_INTEGER(s.report.rounds, MOST_ROUNDS);
  int best = FIRST_JUDGED;
  for (int round = FIRST_JUDGED; round < MOST_ROUNDS; round++)
    if (s.divergences[round] < s.divergences[best]) best = round;
  CHECK(s.divergences[best] > 0);
  double last[CHAINS];
  CHECK_INTEGER(repeat_run(&s, best, last), s.divergences[best]);
  close_search(&s);
}

/* ---- stopping ---- */

typedef struct patience {
  int rounds, asked; /* asked: since the last round's end */
  int last_round, last_question;
  bool refused, asked_again;
} patience;

static void count_round(void *user, int round, int64_t divergences) {
  patience *p = user;
  (void)divergences;
  p->rounds = round;
  p->asked = 0;
}

static bool may_go_on(void *user) {
  patience *p = user;
  p->asked_again = p->asked_again || p->refused;
  p->asked++;
  p->refused = p->refused || (p->rounds >= p->last_round && p->asked >= p->last_question);
  return !p->refused;
}

/* It is asked in a run, once after it, and after each of the 1,000 and 500 steps of the fits. After
 * the fifth run, the second clean one of those judged, there is nothing else that would ask. */
TEST(it_stops_in_runs_and_fits_and_between) {
  static const struct {
    int round, question;
  } ends[] = {{0, 1},    {0, 3},    {1, 1},    {1, 2}, {1, 1001},
              {1, 1002}, {1, 1501}, {1, 1502}, {2, 1}, {5, 1}};
  for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
    search s = {.context = new_context()};
    if (sl__target_expression(s.context, "-0.5*x^2", "x", &s.target) != SL_OK) abort();
    sl__sampler_options options;
    sl__sampler_defaults(&options);
    options.chains = CHAINS;
    options.seed = seed;
    patience p = {.last_round = ends[i].round, .last_question = ends[i].question};
    const sl__auto_listener listener = {.round = count_round, .may_go_on = may_go_on, .user = &p};
    const sl_status status = sl__auto_precondition(s.context, s.target, &options, &s.model, s.first,
                                                   &listener, &s.report);
    CHECK_INTEGER(status, SL_STOPPED);
    CHECK_INTEGER(p.rounds, ends[i].round);
    CHECK_INTEGER(p.asked, ends[i].question);
    CHECK(!p.asked_again);
    CHECK(!s.model);
    close_search(&s);
  }
}
