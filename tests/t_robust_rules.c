/* The rules of the verdict: from a report that nothing stands against, each refuses by itself. */
#include <math.h>
#include <string.h>
#include "infer/robust/attempt.h"
#include "vi_fixture.h"

/* A report that nothing stands against. */
static sl__robust_report faultless(void) {
  return (sl__robust_report){.scores = {.rows = 20000,
                                        .elbo = -3.01,
                                        .elbo_se = 0.001,
                                        .log_evidence = -3,
                                        .log_evidence_se = 0.001,
                                        .khat = 0.3,
                                        .khat_threshold = 0.7,
                                        .ess = 19000,
                                        .largest_weight = 0.001},
                             .upper_bound = -2.99,
                             .upper_bound_se = 0.001,
                             .ess_forward = 0.95,
                             .bridge = -3,
                             .bridge_se = 0.001,
                             .tempered = -3.02,
                             .tempered_se = 0.01,
                             .missed = 0.001,
                             .mean_gap = 0.02,
                             .sd_gap = 0.02,
                             .rhat = 1.002,
                             .divergences = 0,
                             .chain_draws = 8000,
                             .dim = 2,
                             .effective = 4000,
                             .climbs = 68,
                             .particles = 4096,
                             .chains = 8,
                             .tempered_accept = 0.8,
                             .tempered_complete = true,
                             .chains_agree = true};
}

static bool objects(const sl__robust_report *report, const char *words) {
  char text[600] = "";
  const bool against = sl__robust_object(report, text, sizeof text);
  const bool tells = strstr(text, words) != NULL;
  if (against && !tells) fprintf(stderr, "wanted \"%s\", got \"%s\"\n", words, text);
  return against && tells;
}

TEST(a_faultless_report_is_certified) {
  char text[600];
  sl__robust_report r = faultless();
  CHECK(!sl__robust_object(&r, text, sizeof text));
  sl__robust_verdict(&r);
  CHECK(r.certified && strncmp(r.verdict, "certified: ", 11) == 0);
  CHECK(strstr(r.verdict, "; 68 climbs, 4096 particles and 8 chains looked for modes, but a narrow "
                          "or rare one within or far from what they saw may stay unseen"));
  r.particles = 0;
  sl__robust_verdict(&r);
  CHECK(strstr(r.verdict, "; 68 climbs and 8 chains looked"));
  r.climbs = r.particles = r.chains = 1;
  sl__robust_verdict(&r);
  CHECK(strstr(r.verdict, "; 1 climb, 1 particle and 1 chain looked"));
}

/* Points are strewn in few dimensions only, which the certificate says where they are more. */
TEST(a_search_without_strewn_points_says_so) {
  static const char words[] = "may stay unseen; in more than 12 dimensions no points are strewn";
  sl__robust_report r = faultless();
  r.dim = 12;
  sl__robust_verdict(&r);
  CHECK(r.certified && !strstr(r.verdict, "strewn"));
  r.dim = 13;
  sl__robust_verdict(&r);
  CHECK(r.certified && strstr(r.verdict, words));
  CHECK_TEXT(strstr(r.verdict, words), words); /* to its end */
}

/* From the faultless report, one number at a time, just within its bound and just beyond it. */
#define REFUSES(field, good, bad, words)      \
  do {                                        \
    char text[600];                           \
    sl__robust_report r = faultless();        \
    r.field = good;                           \
    CHECK(!sl__robust_object(&r, text, 600)); \
    r.field = bad;                            \
    CHECK(objects(&r, words));                \
    sl__robust_verdict(&r);                   \
    CHECK(!r.certified);                      \
  } while (0)

TEST(every_rule_refuses_alone) {
  REFUSES(exploration_cut, false, true, "cut short");
  REFUSES(scores.lost, 0, 1, "no finite weight");
  REFUSES(rhat, 1.049, 1.051, "chains disagree");
  REFUSES(divergences, 80, 81, "diverged");
  REFUSES(effective, 101, 99, "99 independent draws");
  REFUSES(scores.khat, 0.69, 0.71, "Pareto k-hat");
  REFUSES(scores.largest_weight, 0.0512, 0.0513, "carries 5.1 % of all weight");
  REFUSES(missed, 0.009, 0.011, "hardly reaches");
  REFUSES(ess_forward, 0.11, 0.09, "as the exploration sees it");
  REFUSES(upper_bound, -3.03, -3.04, "above its upper bound");
  REFUSES(bridge, -2.97, -2.96, "by bridge sampling");
  REFUSES(bridge, -3.03, -3.04, "by bridge sampling");
  REFUSES(tempered, -2.925, -2.915, "by tempering");
  REFUSES(tempered_se, 0.19, 0.21, "cannot say whether a part is missing");
  REFUSES(stray_mean_gap, 0.14, 0.15, "a rare part is missing");
  REFUSES(own_mean_gap, 0.14, 0.16, "weights move it by");
  REFUSES(own_sd_gap, 0.13, 0.15, "weights move it by");
  REFUSES(parameter_mean_gap, 0.14, 0.16, "on the scale of the parameters");
  REFUSES(parameter_sd_gap, 0.13, 0.15, "on the scale of the parameters");
  REFUSES(scores.elbo, -3.039, -3.041, "below the log evidence");
}

TEST(a_bound_that_is_not_declared_is_told_of) {
  sl__robust_report r = faultless();
  r.scores.elbo = -INFINITY;
  CHECK(objects(&r, "real<lower=0> x; in a Stan program"));
  r.scores.elbo = NAN;
  CHECK(objects(&r, "the ELBO is not a finite number"));
}

/* Of a base that was asked for, heavier tails may be what it has too much of already. */
TEST(advice_fits_a_base_that_was_given) {
  sl__robust_report r = faultless();
  r.scores.khat = 0.71;
  CHECK(objects(&r, "try a larger flow or a base with heavier tails"));
  r.flow_given = true;
  CHECK(objects(&r, "try a larger flow or a base with heavier tails"));
  r.base_given = true;
  CHECK(objects(&r, "try a larger flow or another base"));
  r.flow_given = false;
  CHECK(objects(&r, "try it without a base of your own"));
}

/* Tails that may be missed are an error of the log evidence, and so of the distance from it. */
TEST(a_certificate_says_how_well_the_evidence_is_known) {
  sl__robust_report r = faultless();
  sl__robust_verdict(&r);
  CHECK(strstr(r.verdict, "certified: 0.0100 nats from the log evidence (known to 0.0010), "));
  r.tail_missed = 0.003; /* less than three of its errors */
  r.tail_missed_se = 0.004;
  sl__robust_verdict(&r);
  CHECK(strstr(r.verdict, "certified: 0.0100 nats from the log evidence (known to 0.0051), "));
}

TEST(an_exploration_that_did_not_end_is_refused) {
  sl__robust_report r = faultless();
  r.tempered_complete = r.chains_agree = false;
  CHECK(objects(&r, "did not end"));
}

/* Chains that disagree are forgiven where modes are apart, and then tempering must agree. */
TEST(separate_modes_are_an_excuse_for_chains) {
  char text[600];
  sl__robust_report r = faultless();
  r.rhat = 1.8;
  r.chains_agree = false;
  r.dim = 4;
  CHECK(objects(&r, "chains disagree"));
  r.modes_confirmed = true;
  CHECK(!sl__robust_object(&r, text, sizeof text));
  r.dim = 20;
  r.tempered_accept = 0.4;
  r.tempered = -3.5;
  CHECK(objects(&r, "by tempering"));
  r.chains_agree = true; /* nor are its moves good enough to speak against chains */
  CHECK(!sl__robust_object(&r, text, sizeof text));
}

/* Chains that agree are what the flow is judged by: a population that found less is wrong itself. */
TEST(a_population_that_found_less_says_nothing_beside_chains) {
  char text[600];
  sl__robust_report r = faultless();
  r.tempered = -3.5;
  CHECK(!sl__robust_object(&r, text, sizeof text));
  r.tempered = -2.5;
  CHECK(objects(&r, "by tempering"));
  r.population_within = true; /* more mass, but nowhere else */
  CHECK(!sl__robust_object(&r, text, sizeof text));
  r.chains_agree = false;
  r.modes_confirmed = true;
  CHECK(objects(&r, "by tempering"));
  r.tempered = -3.5;
  CHECK(objects(&r, "by tempering"));
}

TEST(what_is_not_a_number_is_refused) {
  static const double bad[] = {(double)NAN, (double)INFINITY, -(double)INFINITY};
  for (size_t k = 0; k < 3; k++) {
    sl__robust_report r = faultless();
    double *const numbers[] = {&r.scores.elbo,
                               &r.scores.elbo_se,
                               &r.scores.log_evidence,
                               &r.scores.log_evidence_se,
                               &r.scores.ess,
                               &r.scores.largest_weight,
                               &r.upper_bound,
                               &r.upper_bound_se,
                               &r.ess_forward,
                               &r.bridge,
                               &r.bridge_se,
                               &r.tempered,
                               &r.tempered_se,
                               &r.missed,
                               &r.mean_gap,
                               &r.sd_gap,
                               &r.stray_mean_gap,
                               &r.stray_sd_gap,
                               &r.stray_spread_gap,
                               &r.rhat,
                               &r.effective};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
      const double kept = *numbers[i];
      *numbers[i] = bad[k];
      const bool beyond = r.scores.elbo == -INFINITY; /* which has a cause of its own */
      CHECK(objects(&r, beyond ? "where the density is 0" : "is not a finite number"));
      *numbers[i] = kept;
    }
  }
  sl__robust_report r = faultless();
  r.scores.khat = (double)NAN;
  CHECK(objects(&r, "k-hat"));
}

/* In three dimensions or fewer a good population needs no chains; it is good by three numbers. */
TEST(a_good_population_is_an_excuse_for_chains) {
  char text[600];
  sl__robust_report good = faultless(), r;
  good.rhat = 1.8;
  good.chains_agree = false;
  good.dim = 3;
  good.tempered_se = 0.09;
  CHECK(!sl__robust_object(&good, text, sizeof text));
  r = good;
  r.dim = 4;
  CHECK(objects(&r, "chains disagree"));
  r = good;
  r.tempered_accept = 0.49;
  CHECK(objects(&r, "chains disagree"));
  r = good;
  r.tempered_se = 0.11;
  CHECK(objects(&r, "chains disagree"));
  r = good;
  r.tempered_complete = false;
  CHECK(objects(&r, "did not end"));
  r = good;
  r.tempered = -2.5;
  CHECK(objects(&r, "by tempering"));
}

/* What was lifted is said, and only then. */
TEST(an_excused_population_is_told_of) {
  static const char words[] = "; tempering claims 0.50 nats more, but nowhere else; 68 climbs";
  sl__robust_report r = faultless();
  r.population_within = true;
  r.tempered = -2.96; /* within its errors: nothing to excuse */
  sl__robust_verdict(&r);
  CHECK(r.certified && !strstr(r.verdict, "claims"));
  r.tempered = -2.5;
  sl__robust_verdict(&r);
  CHECK(r.certified && strstr(r.verdict, words) != NULL);
  r.tempered_accept = 0.4;
  r.dim = 20; /* it has no say there */
  sl__robust_verdict(&r);
  CHECK(!strstr(r.verdict, "claims"));
}

/* The longest sentence of a certificate, into what the public report has room for. */
TEST(a_certificate_fits_into_the_public_report) {
  sl__robust_report r = faultless();
  r.population_within = r.by_quartiles = true;
  r.tempered = 1000;
  r.mean_gap = r.sd_gap = 0.4;
  r.scores.ess = 0.96 * 20000;
  r.strays = 4;
  r.stray_sd_gap = 0.42;
  r.climbs = 116;
  r.particles = 16384;
  r.chains = 32;
  sl__robust_verdict(&r);
  CHECK(r.certified && strlen(r.verdict) <= 500);
  CHECK(strstr(r.verdict, "sd in a median and 49 % in the spread between quartiles, but for 4"));
  CHECK(strstr(r.verdict, "may stay unseen"));
  r.by_quartiles = false; /* which is of one dimension */
  r.dim = 100;
  sl__robust_verdict(&r);
  CHECK(r.certified && strlen(r.verdict) <= 500 && strstr(r.verdict, "no points are strewn"));
}

/* Where chains disagree, and weights have no mean, there may be no integral. */
TEST(what_may_have_no_integral_is_said) {
  static const char words[] = "the density's integral may be infinite";
  sl__robust_report r = faultless();
  r.rhat = 1.8;
  r.chains_agree = false;
  r.dim = 4;
  r.scores.khat = 0.99;
  sl__robust_verdict(&r);
  CHECK(!r.certified && !strstr(r.verdict, words));
  r.scores.khat = 1.01;
  CHECK(objects(&r, "chains disagree") && objects(&r, words));
  sl__robust_verdict(&r);
  CHECK(strstr(r.verdict, words));
  r.tempered_complete = false;
  CHECK(objects(&r, "did not end") && objects(&r, words));
}

/* Moments beside the exploration's count unless all weights are about equal and reach everywhere. */
TEST(equal_weights_need_no_moments) {
  char text[600];
  sl__robust_report r = faultless();
  r.mean_gap = r.sd_gap = 0.2;
  r.scores.ess = 0.96 * 20000;
  r.scores.khat = 0.49;
  r.missed = 0.001;
  CHECK(!sl__robust_object(&r, text, sizeof text));
  const sl__robust_report good = r;
  sl__robust_verdict(&r);
  CHECK(strstr(r.verdict,
               "0.49, by its own weights; the exploration's moments differ by 0.20 sd in "
               "a mean and 22 % in an sd; 68 climbs"));
  r.mean_gap = 0.51;
  CHECK(objects(&r, "sd in a mean"));
  r = good;
  r.sd_gap = 0.41;
  CHECK(objects(&r, "in an sd"));
  r = good;
  r.missed = 0.0011;
  CHECK(objects(&r, "sd in a mean"));
  r = good;
  r.scores.ess = 0.94 * 20000;
  CHECK(objects(&r, "sd in a mean"));
  r = good;
  r.scores.khat = 0.51;
  CHECK(objects(&r, "sd in a mean"));
  r.sd_gap = 0.1;
  r.mean_gap = 0.14; /* 0.1, and what 4000 draws leave open */
  CHECK(!sl__robust_object(&r, text, sizeof text));
  r.mean_gap = 0.15;
  CHECK(objects(&r, "sd in a mean"));
  r.mean_gap = 0.1;
  r.sd_gap = 0.15;
  CHECK(objects(&r, "in an sd"));
}

/* Draws in tails that are heavy as the flow has them may be most of an sd by chance; not where they
 * move a mean, or a mean deviation, or where weights are uneven or places are missed. */
TEST(an_sd_in_heavy_tails_is_no_rare_part) {
  char text[600];
  sl__robust_report r = faultless();
  r.strays = 1;
  r.scores.ess = 0.96 * 20000;
  r.stray_sd_gap = r.stray_spread_gap = 0.14; /* alike, where tails are not heavy */
  CHECK(!sl__robust_object(&r, text, sizeof text));
  r.stray_sd_gap = r.stray_spread_gap = 0.15;
  CHECK(objects(&r, "a rare part is missing"));
  r.stray_sd_gap = 0.42;
  r.stray_spread_gap = 0.14;
  CHECK(!sl__robust_object(&r, text, sizeof text));
  sl__robust_verdict(&r);
  CHECK(strstr(r.verdict, "agree with it, but for 1 draw in heavy tails, worth 52 % of an sd; "
                          "68 climbs"));
  const sl__robust_report good = r;
  r.stray_spread_gap = 0.15;
  CHECK(objects(&r, "a rare part is missing"));
  r = good;
  r.stray_mean_gap = 0.15;
  CHECK(objects(&r, "a rare part is missing"));
  r = good;
  r.scores.ess = 0.94 * 20000;
  CHECK(objects(&r, "a rare part is missing"));
  r = good;
  r.missed = 0.0011;
  CHECK(objects(&r, "a rare part is missing"));
}

/* What another flow cannot mend is told apart from what it can. */
TEST(the_flow_is_not_blamed_for_the_exploration) {
  char text[600];
  sl__robust_report r = faultless();
  r.rhat = 1.8;
  r.divergences = 8000;
  r.effective = 10;
  r.tempered_se = 3;
  r.exploration_cut = true;
  CHECK(sl__robust_object(&r, text, sizeof text));
  CHECK(!sl__robust_object_to_flow(&r, text, sizeof text));
  r.scores.khat = 0.8;
  CHECK(sl__robust_object_to_flow(&r, text, sizeof text));
}

/* Gaps grow by less than the goal from each to the next; the last is not as good as the first. */
TEST(better_shares_cost_one_goal_at_most) {
  sl__robust_report a = faultless();
  a.dim = 20; /* the goal is 0.2 */
  a.modes_confirmed = true;
  a.own_mean_gap = 0.12;
  const double least = sl__robust_gap(&a);
  sl__robust_report b = a, c = a;
  b.scores.elbo -= 0.15;
  b.own_mean_gap = 0.08;
  c.scores.elbo -= 0.3;
  c.own_mean_gap = 0.04;
  CHECK(sl__robust_is_better(&b, &a, least) && !sl__robust_is_better(&a, &b, least));
  CHECK(!sl__robust_is_better(&c, &b, least) && sl__robust_is_better(&b, &c, least));
  CHECK(!sl__robust_is_better(&c, &a, least) && sl__robust_is_better(&a, &c, least));
  c.certified = true;
  CHECK(sl__robust_is_better(&c, &b, least) && !sl__robust_is_better(&b, &c, least));
}
