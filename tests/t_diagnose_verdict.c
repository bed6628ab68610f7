/* The words on a run: what is named first, and advice that was followed already is not repeated. */
#include "check.h"
#include "infer/diagnose/diagnose.h"

enum { CHAINS = 4 };

typedef struct judged {
  bool trusted;
  char text[1024];
} judged;

static judged judge_several(double adapt_delta, bool preconditioned, int64_t divergences, int still,
                            int64_t trajectories) {
  static const char *const names[] = {"mu"};
  const sl__summary_row row = {.rhat = still > 0 ? 1.5 : 1.0, .ess_bulk = 4000, .ess_tail = 4000};
  bool is_still[CHAINS] = {false};
  for (int i = 0; i < still; i++) is_still[CHAINS - 1 - i] = true;
  const sl__run_facts facts = {.chains = CHAINS,
                               .draws = 1000,
                               .parameters = 1,
                               .rows = &row,
                               .names = names,
                               .divergences = divergences,
                               .max_treedepth = -1,
                               .preconditioned = preconditioned,
                               .still = is_still,
                               .adapt_delta = adapt_delta,
                               .trajectories = trajectories};
  judged out;
  out.trusted = sl__run_verdict(&facts, out.text, sizeof out.text);
  return out;
}

static judged judge(double adapt_delta, bool preconditioned, int64_t divergences, int still) {
  return judge_several(adapt_delta, preconditioned, divergences, still, 1);
}

static bool says(const judged *j, const char *words) {
  return strstr(j->text, words) != NULL;
}

TEST(a_chain_that_stands_still_comes_first) {
  const judged one = judge(0.8, false, 1000, 1), two = judge(0.8, false, 1000, 2);
  CHECK(!one.trusted && !two.trusted);
  CHECK(strstr(one.text, "Not to be trusted: chain 4 did not move in its 1000 draws: ") ==
        one.text);
  CHECK(says(&two, "2 of 4 chains, the first of them chain 3, did not move in their 1000 draws"));
  CHECK(says(&one, "R-hat up to 1.50") && says(&one, "25.00 %"));
  CHECK(!says(&one, "sluice mix") && !says(&one, "several modes"));
  const judged none = judge(0.8, false, 0, 0);
  CHECK(none.trusted && !says(&none, "move"));
}

TEST(divergences_of_several_trajectories_are_draws) {
  const judged one = judge(0.8, false, 40, 0), four = judge_several(0.8, false, 40, 0, 4);
  CHECK(says(&one, "40 of 4000 draws diverged (1.00 %), so part of"));
  CHECK(says(&four, "40 of 4000 draws diverged (1.00 %; a draw counts if any of its 4 trajectories "
                    "did), so part of"));
}

static judged judge_facts(sl__run_facts facts, double rhat) {
  static const char *const names[] = {"mu"};
  const sl__summary_row row = {.rhat = rhat, .ess_bulk = 4000, .ess_tail = 4000};
  judged out;
  facts.draws = 1000;
  facts.parameters = 1;
  facts.rows = &row;
  facts.names = names;
  facts.max_treedepth = -1;
  out.trusted = sl__run_verdict(&facts, out.text, sizeof out.text);
  return out;
}

TEST(one_chain_disagrees_with_itself) {
  const judged one = judge_facts((sl__run_facts){.chains = 1}, 1.5);
  CHECK(!one.trusted && says(&one, "the halves of the one chain disagree on 1 of 1 parameters"));
  CHECK(says(&one, "several chains") && !says(&one, "different places"));
  const judged two = judge_facts((sl__run_facts){.chains = 2}, 1.5);
  CHECK(says(&two, "chains disagree on 1 of 1") && says(&two, "different places"));
}

TEST(a_program_that_refuses_points_is_quoted) {
  const sl__run_facts facts = {
      .chains = 4, .divergences = 20, .refused = 7, .refusal = "m.stan:1:2: scale is nan"};
  const judged j = judge_facts(facts, 1);
  CHECK(says(&j,
             " In 7 of the 20 divergences the log density was -inf, first as the program refuses "
             "the point (m.stan:1:2: scale is nan); declare"));
  sl__run_facts few = facts, wordless = facts;
  few.refused = 1;
  wordless.refusal = "";
  const judged a = judge_facts(few, 1), b = judge_facts(wordless, 1);
  CHECK(!says(&a, "-inf") && !says(&b, "-inf"));
}

TEST(advice_that_was_followed_is_not_repeated) {
  const judged unknown = judge(0, false, 3, 0), usual = judge(0.8, false, 3, 0);
  CHECK(says(&unknown,
             "missing; raise --adapt-delta (0.95, 0.99), halve steps there (--halvings 8), "
             "sample in"));
  CHECK(strcmp(unknown.text, usual.text) == 0);
  const judged careful = judge(0.95, false, 3, 0), strict = judge(0.99, false, 3, 0);
  CHECK(says(&careful, "raise --adapt-delta (0.99), halve steps"));
  CHECK(!says(&strict, "--adapt-delta"));
  CHECK(says(&strict, "missing; halve steps there (--halvings 8), sample in a fitted flow's space "
                      "(--precondition auto), or write"));
  const judged in_flow = judge(0.8, true, 3, 0), both = judge(0.99, true, 3, 0);
  CHECK(says(&in_flow,
             "raise --adapt-delta (0.95, 0.99), halve steps there (--halvings 8), or write"));
  CHECK(says(&both, "missing; halve steps there (--halvings 8), or write the narrow"));
  const sl__run_facts done = {
      .chains = 4, .divergences = 3, .preconditioned = true, .halves = true, .adapt_delta = 0.99};
  const judged all = judge_facts(done, 0);
  CHECK(says(&all, "missing; write the narrow"));
  const judged still = judge(0.99, false, 0, 1);
  CHECK(says(&still, "did not move") && !says(&still, "--adapt-delta"));
}
