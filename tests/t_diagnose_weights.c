/* Pareto smoothing against ArviZ 0.23, resampling by frequencies, log evidence of Gaussians. */
#include "base/random.h"
#include "diagnose_fixture.h"

/* ---- Pareto smoothing ---- */

static const struct {
  int count;
  double scale, relative_efficiency; /* log ratios are exponential of this scale */
  uint64_t seed;
  double expected[5]; /* k-hat, ESS, largest, smallest and eighth normalised log weight */
} cases[] = {
    {1000,
     0.3,
     1,
     11,
     {0.29827012722786, 863.363863415566, -5.2849187787337, -7.24093360746627, -7.19022538204423}},
    {1000,
     0.9,
     1,
     12,
     {0.791703561163921, 87.0717419274578, -2.83492924377524, -8.52402944189298,
      -6.69375702297534}},
    {200,
     0.6,
     0.5,
     13,
     {0.777041360001619, 50.0566840582256, -2.23281391163094, -6.17796654818645,
      -5.66270966000878}},
    {50,
     0.2,
     1,
     14,
     {-0.124979615205348, 47.0957127929769, -3.37950803079104, -4.11909395306871,
      -4.05688947218426}},
    {5000,
     1.5,
     1,
     15,
     {1.27689016369841, 21.486087071689, -2.19455463012187, -12.8532119814634, -4.36510068125954}},
    {30,
     0.4,
     1,
     16,
     {0.524794265790763, 26.415366562036, -2.49109299759518, -3.77530328734442, -3.29774997013179}},
};

static double *exponential(int count, double scale, uint64_t seed) {
  double *x = malloc((size_t)count * sizeof *x);
  for (int i = 0; x && i < count; i++) x[i] = -scale * log(1 - lcg_uniform(&seed));
  return x;
}

TEST(psis_golden_numbers) {
  sl_context *context = open_context(1);
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    double *w = exponential(cases[i].count, cases[i].scale, cases[i].seed), largest = -INFINITY,
           smallest = INFINITY, sum = 0;
    REQUIRE(w);
    sl__psis out;
    CHECK_OK(context,
             sl__psis_smooth(context, cases[i].count, w, cases[i].relative_efficiency, w, &out));
    for (int k = 0; k < cases[i].count; k++) {
      largest = fmax(largest, w[k]);
      smallest = fmin(smallest, w[k]);
      sum += exp(w[k]);
    }
    CHECK_CLOSE(out.khat, cases[i].expected[0], 1e-9);
    CHECK_CLOSE(out.ess, cases[i].expected[1], 1e-9);
    CHECK_CLOSE(largest, cases[i].expected[2], 1e-9);
    CHECK_CLOSE(smallest, cases[i].expected[3], 1e-9);
    CHECK_CLOSE(w[7], cases[i].expected[4], 1e-9);
    CHECK_CLOSE(sum, 1, 1e-12);
    free(w);
  }
  sl_context_free(context);
}

TEST(psis_edges) {
  sl_context *context = open_context(1);
  double w[100];
  sl__psis out;
  for (int i = 0; i < 100; i++) w[i] = -1e5;
  CHECK_OK(context, sl__psis_smooth(context, 100, w, 1, w, &out)); /* equal: nothing to smooth */
  CHECK(out.khat == INFINITY && out.tail == 0);
  CHECK_CLOSE(out.ess, 100, 1e-12);
  CHECK_CLOSE(out.log_mean, -1e5, 1e-15);
  CHECK_CLOSE(w[50], -log(100), 1e-15);
  for (int i = 0; i < 100; i++) w[i] = i < 50 ? -INFINITY : 1e5 + sin(i);
  CHECK_OK(context, sl__psis_smooth(context, 100, w, 1, w, &out));
  CHECK(isfinite(out.khat) && out.ess > 1 && out.ess <= 50 && w[0] == -INFINITY && w[99] < 0);
  CHECK_OK(context, sl__psis_smooth(context, 1, w + 99, 1, NULL, &out));
  CHECK(out.khat == INFINITY && out.ess == 1);
  for (int i = 0; i < 100; i++) w[i] = -INFINITY;
  CHECK(sl__psis_smooth(context, 100, w, 1, w, &out) == SL_NUMERIC);
  w[3] = NAN;
  CHECK(sl__psis_smooth(context, 100, w, 1, w, &out) == SL_NUMERIC);
  CHECK(strstr(sl_error(context), "ratio 4 of 100 is NaN"));
  CHECK_CLOSE(sl__khat_threshold(100), 0.5, 1e-15);
  CHECK_CLOSE(sl__khat_threshold(1000000), 0.7, 1e-15);
  sl_context_free(context);
}

/* The quantiles of a generalised Pareto distribution of known shape, many of them. */
TEST(pareto_fit_finds_the_shape) {
  enum { COUNT = 4000 };
  static double x[COUNT], work[2 * (30 + 64)];
  const double shapes[] = {-0.4, 0.1, 0.5, 1.2};
  for (int s = 0; s < 4; s++) {
    const double k = shapes[s];
    double shape, scale;
    for (int i = 0; i < COUNT; i++) x[i] = 3 * (pow(1 - (i + 0.5) / COUNT, -k) - 1) / k;
    sl__pareto_fit(COUNT, x, work, &shape, &scale);
    CHECK_CLOSE(shape, (COUNT * k + 5) / (COUNT + 10), 0.01);
    CHECK_CLOSE(scale, 3, 0.05);
  }
}

/* ---- resampling ---- */

TEST(resampling) {
  enum { COUNT = 6, WANTED = 60000 };
  sl_context *context = open_context(1);
  const double share[COUNT] = {0.05, 0, 0.25, 0.4, 0.1, 0.2};
  double log_weight[COUNT];
  static int64_t index[WANTED];
  for (int i = 0; i < COUNT; i++) log_weight[i] = log(share[i]) + 700;
  sl__random_key key = {9, SL__STREAM_RESAMPLE, 0};
  for (int how = SL__RESAMPLE_STRATIFIED; how <= SL__RESAMPLE_MULTINOMIAL; how++) {
    int64_t times[COUNT] = {0};
    REQUIRE_OK(context,
               sl__resample(context, (sl__resampling)how, key, COUNT, log_weight, WANTED, index));
    for (int i = 0; i < WANTED; i++) times[index[i]]++;
    for (int i = 1; i < WANTED; i++) CHECK(index[i] >= index[i - 1]);
    for (int i = 0; i < COUNT; i++) {
      /* Strata leave at most the two ends of a run to chance. */
      const double sd = sqrt(WANTED * share[i] * (1 - share[i]));
      CHECK(fabs((double)times[i] - WANTED * share[i]) <=
            (how == SL__RESAMPLE_STRATIFIED ? 2 : 4 * sd));
    }
  }
  /* First of three without repetition: as often as its share; none twice, none of weight 0. */
  int64_t first[COUNT] = {0};
  for (uint32_t step = 0; step < 20000; step++) {
    key.step = step;
    REQUIRE_OK(context,
               sl__resample(context, SL__RESAMPLE_DISTINCT, key, COUNT, log_weight, 3, index));
    CHECK(index[0] != index[1] && index[1] != index[2] && index[0] != index[2]);
    CHECK(index[0] != 1 && index[1] != 1 && index[2] != 1);
    first[index[0]]++;
  }
  for (int i = 0; i < COUNT; i++)
    CHECK(fabs((double)first[i] - 20000 * share[i]) <= 4 * sqrt(20000 * share[i] * (1 - share[i])));
  CHECK(sl__resample(context, SL__RESAMPLE_DISTINCT, key, COUNT, log_weight, 6, index) ==
        SL_BAD_ARGUMENT);
  for (int i = 0; i < COUNT; i++) log_weight[i] = -INFINITY;
  CHECK(sl__resample(context, SL__RESAMPLE_STRATIFIED, key, COUNT, log_weight, 3, index) ==
        SL_BAD_ARGUMENT);
  sl_context_free(context);
}

/* ---- log evidence ---- */

/* p = exp(3 - x'x / 2) in two dimensions, so log Z = 3 + log(2 pi); q normal of another width. */
static double log_ratio(const double x[2], double width) {
  const double square = x[0] * x[0] + x[1] * x[1];
  const double log_q = -0.5 * square / (width * width) - 2 * log(width) - log(2 * M_PI);
  return 3 - 0.5 * square - log_q;
}

static void draw_ratios(uint32_t stream, uint32_t step, int count, double sd, double width,
                        double *ratio) {
  sl__random_key key = {4, stream, step};
  for (int i = 0; i < count; i++) {
    const double x[2] = {sd * sl__random_normal(key, (uint64_t)i, 0),
                         sd * sl__random_normal(key, (uint64_t)i, 1)};
    ratio[i] = log_ratio(x, width);
  }
}

TEST(evidence_by_importance) {
  enum { COUNT = 2000, RUNS = 200 };
  sl_context *context = open_context(1);
  static double ratio[COUNT];
  const double truth = 3 + log(2 * M_PI);
  double squares = 0, variances = 0;
  for (uint32_t run = 0; run < RUNS; run++) {
    sl__evidence out;
    draw_ratios(SL__STREAM_TEST, run, COUNT, 1.3, 1.3, ratio);
    CHECK_OK(context, sl__evidence_importance(context, COUNT, ratio, &out));
    squares += (out.value - truth) * (out.value - truth) / RUNS;
    variances += out.se * out.se / RUNS;
  }
  CHECK(sqrt(squares / variances) > 0.85 && sqrt(squares / variances) < 1.15);
  CHECK(sqrt(variances) < 0.02);
  ratio[0] = NAN;
  sl__evidence out;
  CHECK(sl__evidence_importance(context, COUNT, ratio, &out) == SL_NUMERIC);
  sl_context_free(context);
}

TEST(evidence_by_bridge) {
  enum { CHAINS = 2, DRAWS = 400, COUNT = 1000, RUNS = 200 };
  sl_context *context = open_context(1);
  static double of_p[CHAINS * DRAWS], of_q[COUNT];
  const double truth = 3 + log(2 * M_PI);
  for (int wide = 0; wide < 2; wide++) {
    const double width = wide ? 1.5 : 0.6; /* too narrow: importance sampling would have no error */
    double squares = 0, variances = 0, bias = 0;
    for (uint32_t run = 0; run < RUNS; run++) {
      sl__evidence out;
      draw_ratios(SL__STREAM_TEST, 2 * run, CHAINS * DRAWS, 1, width, of_p);
      draw_ratios(SL__STREAM_TEST, 2 * run + 1, COUNT, width, width, of_q);
      sl__series series = {CHAINS, DRAWS, of_p, DRAWS, 1};
      CHECK_OK(context, sl__evidence_bridge(context, &series, COUNT, of_q, &out));
      CHECK(out.converged);
      bias += (out.value - truth) / RUNS;
      squares += (out.value - truth) * (out.value - truth) / RUNS;
      variances += out.se * out.se / RUNS;
    }
    CHECK(fabs(bias) < 4 * sqrt(squares / RUNS));
    CHECK(sqrt(squares / variances) > 0.85 && sqrt(squares / variances) < 1.15);
  }
  sl__evidence out;
  sl__series series = {CHAINS, DRAWS, of_p, DRAWS, 1};
  of_q[0] = -INFINITY; /* outside p's support: allowed */
  CHECK_OK(context, sl__evidence_bridge(context, &series, COUNT, of_q, &out));
  CHECK(out.converged);
  of_p[5] = -INFINITY;
  CHECK(sl__evidence_bridge(context, &series, COUNT, of_q, &out) == SL_NUMERIC);
  sl_context_free(context);
}

/* The bridge's estimate is the root of its estimating equation, found here by bisection. */
TEST(bridge_solves_its_equation) {
  enum { COUNT = 500 };
  sl_context *context = open_context(1);
  static double of_p[COUNT], of_q[COUNT], term[COUNT];
  draw_ratios(SL__STREAM_TEST, 1000, COUNT, 1, 1.4, of_p);
  draw_ratios(SL__STREAM_TEST, 1001, COUNT, 1.4, 1.4, of_q);
  sl__series series = {1, COUNT, of_p, COUNT, 1};
  sl__evidence out;
  REQUIRE_OK(context, sl__evidence_bridge(context, &series, COUNT, of_q, &out));
  double effective = COUNT, root = 0;
  for (int pass = 0; pass < 2; pass++) {
    double low = -20, high = 20;
    const double s_p = effective / (effective + COUNT), s_q = 1 - s_p;
    for (int i = 0; i < 80; i++) {
      double balance = 0;
      root = 0.5 * (low + high);
      for (int k = 0; k < COUNT; k++) {
        const double at_p = exp(of_p[k] - root), at_q = exp(of_q[k] - root);
        term[k] = 1 / (s_p * at_p + s_q);
        balance += at_q / (s_p * at_q + s_q) - term[k];
      }
      if (balance > 0)
        low = root;
      else
        high = root;
    }
    sl__series terms = {1, COUNT, term, COUNT, 1};
    REQUIRE_OK(context, sl__ess_mean(context, &terms, &effective));
    effective = fmin(effective, COUNT);
  }
  CHECK_CLOSE(out.value, root, 1e-8);
  sl_context_free(context);
}
