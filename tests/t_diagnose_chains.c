/* Diagnostics of chains against numbers that ArviZ 0.23 computed of the same draws, and where they
 * say nothing. */
#include "diagnose_fixture.h"

enum { MEASURES = 14 };

typedef struct golden {
  recipe of;
  /* R-hat, ESS: bulk, tail, mean, median; Monte Carlo errors: mean, sd, median, 5 % quantile; mean,
   * sd, quantiles of 5, 50 and 95 %. */
  double expected[MEASURES];
} golden;

static const golden cases[] = {
    {{4, 251, 0.6, 0, 0, 0, 1},
     {1.00338629041257, 287.575406937502, 528.111364103658, 289.181995477971, 402.736304923095,
      0.0206246575936899, 0.00859408575514652, 0.026361217649211, 0.0336392556518288,
      0.0175581245700757, 0.350729561553128, -0.550641512242568, 0.0267040689258053,
      0.575522618802215}},
    {{2, 100, -0.5, 0, 0, 0, 2},
     {0.997202197874553, 460.205999132796, 217.909166677033, 460.205999132796, 292.706537356607,
      0.0153777616495852, 0.0165676884336899, 0.0140571267289795, 0.0436660960698192,
      0.00632310044699857, 0.329890085180785, -0.49427841865007, -0.000960957276204544,
      0.565752555823819}},
    {{4, 200, 0.9, 0.3, 0.2, 0, 3},
     {1.0669152121928, 53.856465466466, 118.266744824874, 52.6122283775747, 63.1251683445471,
      0.122379077859831, 0.047580316662442, 0.147884095104171, 0.0898559328378248,
      0.423208098825242, 0.887667919606347, -0.95929045532767, 0.419644027190066,
      1.83190487894919}},
    {{4, 120, 0.3, 0, 0, 0.4, 4},
     {1.01519852502427, 238.799548859547, 356.906304090197, 239.844772238635, 299.548062057185,
      0.0512197244689614, 0.0222155964433505, 0, 0, -0.535416666666667, 0.793235909469795, -2, -1,
      1}},
    {{1, 60, 0.5, 0, 0, 0, 5},
     {1.07616304622181, 28.5439364641221, 37.5485541648684, 27.9298425496613, 39.6702911259208,
      0.0639742143120838, 0.0422177449554285, 0.0647976610810994, 0.0925117502136001,
      -0.134223054687364, 0.338095355348103, -0.613174615081761, -0.160420490248227,
      0.417609869448939}},
    {{4, 50, 1, 0, 0, 0, 6},
     {2.60970735402274, 5.33116578350223, 20.1702180117229, 4.9503032880976, 5.18954014192695,
      1.00599445258604, 0.464397929398952, 1.18797139324142, 0.288104965324302, -0.186434659289117,
      2.23826492764503, -4.10431327696654, 0.0280949569239622, 2.63485038960182}},
    {{3, 37, 0.2, 0, 0.5, 0, 7},
     {1.10384129969345, 56.4048426614364, 44.0048789412697, 56.7417147710707, 67.534676513084,
      0.0669163203946523, 0.0758363397629548, 0.0799161037626443, 0.155483456736663,
      -0.0414964188776704, 0.504061212822873, -0.803014701702213, -0.0679856628412079,
      0.805090954262949}},
    {{2, 8, 0.2, 0, 0, 0, 9},
     {1.05954884115945, 19.2659197224948, 19.2659197224948, 19.2659197224948, 19.2659197224948,
      0.0772269920286443, 0.0310360525091171, 0.225099514588959, 0.0975674713566471,
      -0.0273964237885164, 0.338972130254921, -0.473689502442752, -0.0305874261879669,
      0.448144661445002}},
};

static void measure(sl_context *context, const sl__series *series, double out[MEASURES]) {
  sl__summary_row row;
  CHECK_OK(context, sl__rhat(context, series, &out[0]));
  CHECK_OK(context, sl__ess_bulk(context, series, &out[1]));
  CHECK_OK(context, sl__ess_tail(context, series, &out[2]));
  CHECK_OK(context, sl__ess_mean(context, series, &out[3]));
  CHECK_OK(context, sl__ess_quantile(context, series, 0.5, &out[4]));
  CHECK_OK(context, sl__mcse_mean(context, series, &out[5]));
  CHECK_OK(context, sl__mcse_sd(context, series, &out[6]));
  CHECK_OK(context, sl__mcse_quantile(context, series, 0.5, &out[7]));
  CHECK_OK(context, sl__mcse_quantile(context, series, 0.05, &out[8]));
  CHECK_OK(context, sl__summarise(context, series, 1, 0, &row));
  out[9] = row.mean;
  out[10] = row.sd;
  out[11] = row.q5;
  out[12] = row.q50;
  out[13] = row.q95;
}

TEST(golden_numbers) {
  sl_context *context = open_context(1);
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    double *x = make_chains(&cases[i].of), out[MEASURES];
    REQUIRE(x);
    sl__series series = series_of(&cases[i].of, x);
    measure(context, &series, out);
    for (int k = 0; k < MEASURES; k++)
      if (!CHECK_CLOSE(out[k], cases[i].expected[k], 1e-9))
        printf("  case %zu, measure %d\n", i, k);
    free(x);
  }
  sl_context_free(context);
}

/* Parameters in turn behind one another, chains interleaved: the same numbers by strides, on any
 * number of threads. */
TEST(summary_of_a_table) {
  enum { CHAINS = 3, DRAWS = 41, PARAMETERS = 9 };
  static double table[DRAWS][CHAINS][PARAMETERS], plain[CHAINS][DRAWS];
  sl__summary_row rows[3][PARAMETERS];
  uint64_t state = 5;
  for (int d = 0; d < DRAWS; d++)
    for (int c = 0; c < CHAINS; c++)
      for (int p = 0; p < PARAMETERS; p++) table[d][c][p] = lcg_uniform(&state) * (p + 1);
  sl__series first = {CHAINS, DRAWS, &table[0][0][0], PARAMETERS, CHAINS * PARAMETERS};
  for (int threads = 1; threads <= 3; threads++) {
    sl_context *context = open_context(threads);
    CHECK_OK(context, sl__summarise(context, &first, PARAMETERS, 1, rows[threads - 1]));
    sl_context_free(context);
    for (int p = 0; p < PARAMETERS; p++) /* all that stands before the padding */
      CHECK(memcmp(&rows[threads - 1][p], &rows[0][p], offsetof(sl__summary_row, constant)) == 0);
  }
  sl_context *context = open_context(1);
  for (int p = 0; p < PARAMETERS; p++) {
    double rhat, bulk, tail, error;
    for (int c = 0; c < CHAINS; c++)
      for (int d = 0; d < DRAWS; d++) plain[c][d] = table[d][c][p];
    sl__series series = {CHAINS, DRAWS, &plain[0][0], DRAWS, 1};
    CHECK_OK(context, sl__rhat(context, &series, &rhat));
    CHECK_OK(context, sl__ess_bulk(context, &series, &bulk));
    CHECK_OK(context, sl__ess_tail(context, &series, &tail));
    CHECK_OK(context, sl__mcse_mean(context, &series, &error));
    CHECK(rows[0][p].rhat == rhat && rows[0][p].ess_bulk == bulk && rows[0][p].ess_tail == tail);
    CHECK(rows[0][p].mcse_mean == error);
  }
  sl_context_free(context);
}

TEST(series_that_say_nothing) {
  sl_context *context = open_context(1);
  double values[40], out;
  sl__summary_row row;
  for (int i = 0; i < 40; i++) values[i] = 0.1;
  sl__series series = {2, 20, values, 20, 1};
  CHECK_OK(context, sl__rhat(context, &series, &out));
  CHECK(isnan(out));
  CHECK_OK(context, sl__summarise(context, &series, 1, 0, &row));
  CHECK(row.constant && row.mean == 0.1 && row.sd == 0 && row.q5 == 0.1 && row.q95 == 0.1);
  CHECK(isnan(row.rhat) && isnan(row.ess_bulk) && isnan(row.ess_tail) && isnan(row.mcse_mean));

  /* One chain that stands still beside one that moves: no agreement. */
  for (int i = 0; i < 20; i++) values[i] = sin(i * i);
  CHECK_OK(context, sl__summarise(context, &series, 1, 0, &row));
  CHECK(!row.constant && row.rhat > 1.01 && row.ess_bulk > 0);

  values[7] = NAN;
  values[8] = INFINITY;
  CHECK_OK(context, sl__summarise(context, &series, 1, 0, &row));
  CHECK(row.non_finite == 2 && isnan(row.mean) && isnan(row.rhat) && !row.constant);
  CHECK_OK(context, sl__mcse_quantile(context, &series, 0.5, &out));
  CHECK(isnan(out));

  sl__series three = {1, 3, values, 3, 1};
  CHECK_OK(context, sl__summarise(context, &three, 1, 0, &row));
  CHECK(isfinite(row.mean) && isfinite(row.sd) && row.q50 == values[0]);
  CHECK(isnan(row.rhat) && isnan(row.ess_bulk) && isnan(row.mcse_mean));
  sl__series single = {1, 1, values, 1, 1};
  CHECK_OK(context, sl__summarise(context, &single, 1, 0, &row));
  CHECK(row.mean == values[0] && isnan(row.rhat));
  sl__series none = {1, 0, values, 1, 1};
  CHECK(sl__summarise(context, &none, 1, 0, &row) == SL_BAD_ARGUMENT);
  sl_context_free(context);
}

TEST(stuck_between_halves) { /* two chains that agree with each other, not with themselves */
  sl_context *context = open_context(1);
  double values[2][200], out;
  uint64_t state = 3;
  for (int c = 0; c < 2; c++)
    for (int d = 0; d < 200; d++) values[c][d] = lcg_uniform(&state) + (d >= 100);
  sl__series series = {2, 200, &values[0][0], 200, 1};
  CHECK_OK(context, sl__rhat(context, &series, &out));
  CHECK(out > 1.5);
  sl_context_free(context);
}

TEST(energy_fraction) { /* sum of squared steps over sum of squared deviations, by hand */
  const double energy[] = {1, 9, 3, 9, 2, 9, 6, 9};
  CHECK_CLOSE(sl__ebfmi(4, 1, energy, 2), (4.0 + 1 + 16) / (4.0 + 0 + 1 + 9), 1e-15);
  const double flat[] = {2, 2, 2};
  CHECK(isnan(sl__ebfmi(3, 1, flat, 1)) && isnan(sl__ebfmi(3, 8, flat, 1)));
}

/* Every k-th value of an autoregression tells what all of its values do. */
TEST(energy_fraction_of_several_trajectories) {
  enum { STEPS = 8 * 20000 };
  static double energy[STEPS];
  uint64_t state = 5;
  for (int i = 1; i < STEPS; i++) energy[i] = 0.9 * energy[i - 1] + lcg_uniform(&state) - 0.5;
  for (int k = 1; k <= 8; k++) {
    const double fraction = sl__ebfmi(STEPS / k, k, energy, k);
    if (!CHECK(fabs(fraction - 0.2) < 0.01)) printf("  %d: %g\n", k, fraction);
  }
  const double opposed[] = {1, -1, 1, -1, 1, -1, 1, -1, 1, -1, 1, -1};
  CHECK(sl__ebfmi(12, 1, opposed, 1) > 3 && sl__ebfmi(12, 4, opposed, 1) == 2);
}

/* Far apart, energies are as good as independent whether they are slow or not, and noise in what is
 * left of their correlation would be taken for either; very slow ones still show. */
TEST(energy_fraction_of_draws_far_apart) {
  enum { DRAWS = 1000, APART = 64 };
  static double energy[DRAWS * APART], slow[DRAWS * APART];
  uint64_t state = 6;
  for (int i = 1; i < DRAWS * APART; i++) {
    const double step = lcg_uniform(&state) - 0.5;
    energy[i] = 0.8 * energy[i - 1] + step;
    slow[i] = 0.995 * slow[i - 1] + step;
  }
  CHECK(fabs(sl__ebfmi(DRAWS, APART, slow, APART) - 0.01) < 0.003);
  CHECK(isnan(sl__ebfmi(DRAWS, APART, energy, APART)));
  CHECK(fabs(sl__ebfmi(DRAWS * APART / 4, 4, energy, 4) - 0.4) < 0.01);
}

/* A summary is in the units of its draws, however large or small these are. */
TEST(summary_in_extreme_units) {
  static const double units[] = {1, 1e160, 1e-300, 1e307};
  const recipe of = {4, 251, 0.6, 0, 0, 0, 1};
  sl_context *context = open_context(1);
  double *x = make_chains(&of);
  if (!x) return;
  const double *expected = cases[0].expected;
  double before = 1;
  for (size_t u = 0; u < sizeof units / sizeof *units; u++) {
    for (int i = 0; i < of.chains * of.draws; i++) x[i] = x[i] / before * units[u];
    before = units[u];
    const sl__series series = series_of(&of, x);
    sl__summary_row row;
    double error = 0;
    REQUIRE_OK(context, sl__summarise(context, &series, 1, 1, &row));
    REQUIRE_OK(context, sl__mcse_quantile(context, &series, 0.5, &error));
    CHECK_CLOSE(row.rhat, expected[0], 1e-10);
    CHECK_CLOSE(row.ess_bulk, expected[1], 1e-6);
    CHECK_CLOSE(row.mcse_mean / units[u], expected[5], 1e-10);
    CHECK_CLOSE(row.mcse_sd / units[u], expected[6], 1e-10);
    CHECK_CLOSE(error / units[u], expected[7], 1e-10);
    CHECK_CLOSE(row.mean / units[u], expected[9], 1e-10);
    CHECK_CLOSE(row.sd / units[u], expected[10], 1e-10);
    CHECK_CLOSE(row.q5 / units[u], expected[11], 1e-10);
    CHECK_CLOSE(row.q95 / units[u], expected[13], 1e-10);
  }
  free(x);
  sl_context_free(context);
}
