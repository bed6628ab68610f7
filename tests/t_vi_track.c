/* Trackers: what they record against what the run shows, their files; and Sobol noise: every
 * coordinate evenly filled, pairs of the first two as well, other points at other steps. */
#include "io/io.h"
#include "vi_fixture.h"

/* ---- trackers ---- */

typedef struct notes {
  sl__vi_track *track;
  double loss[40], weight[40], slope[40];
} notes;

static sl_status twice_the_loss(void *user, const sl__vi_progress *now, double *values) {
  (void)user;
  values[0] = 2 * now->loss;
  return SL_OK;
}

static bool note(void *user, const sl__vi_progress *now) {
  notes *n = user;
  n->loss[now->step - 1] = now->loss;
  n->weight[now->step - 1] = ((const double *)now->parameters)[1];
  n->slope[now->step - 1] = ((const double *)now->gradient)[1];
  return sl__vi_track_step(n->track, now) == SL_OK;
}

TEST(a_tracker_records_what_is_shown) {
  sl_context *context = vi_context(1);
  sl__target *target = vi_target(context, 2, vi_crooked);
  vi_flow f = vi_make_flow(context, "scale-loc", 2);
  notes n = {0};
  sl__vi_term term;
  sl__vi_options options;
  sl__vi_report report;
  REQUIRE_OK(context,
             sl__vi_track_new(context, f.flow,
                              "loss,layers.?.r*,gradient:layers.1.rho@4=t_vi_track.csv", &n.track));
  const char *const names[] = {"twice"};
  const sl__vi_function twice = {.call = twice_the_loss, .count = 1, .names = names};
  REQUIRE_OK(context, sl__vi_track_function(n.track, &twice));
  sl__vi_defaults(&options, &term);
  options.steps = 40;
  options.progress = note;
  options.user = &n;
  CHECK_OK(context, sl__vi_fit(context, f.flow, f.vector, target, &options, &report));
  CHECK_INTEGER(sl__vi_track_rows(n.track), 10);
  REQUIRE(sl__vi_track_columns(n.track) == 7); /* step, loss, rho, its gradient, twice */
  CHECK_TEXT(sl__vi_track_name(n.track, 3), "layers.1.rho[2]");
  CHECK_TEXT(sl__vi_track_name(n.track, 5), "gradient:layers.1.rho[2]");
  CHECK_OK(context, sl__vi_track_write(n.track));
  sl__table table;
  REQUIRE_OK(context, sl__table_read(context, "t_vi_track.csv", NULL, &table));
  REQUIRE(table.rows == 10 && table.columns == 7 && table.names);
  CHECK_TEXT(table.names[6], "twice");
  for (int r = 0; r < 10; r++) {
    const double *row = (const double *)table.data + 7 * r;
    const int at = 4 * r + 3;
    CHECK(row[0] == at + 1 && row[1] == n.loss[at] && row[6] == 2 * n.loss[at]);
    CHECK(row[3] == n.weight[at] && row[5] == n.slope[at]);
  }
  sl__table_close(&table);
  remove("t_vi_track.csv");
  sl__vi_track_free(n.track);
  vi_free_flow(context, &f);
  sl__target_free(target);
  sl_context_free(context);
}

TEST(specs_that_mean_nothing_are_refused) {
  static const char *const specs[] = {"lose",  "loss@0",     "loss@x",
                                      "loss=", "loss=l.txt", "gradient:none"};
  sl_context *context = vi_context(1);
  vi_flow f = vi_make_flow(context, "scale-loc", 2);
  for (size_t k = 0; k < sizeof specs / sizeof specs[0]; k++) {
    sl__vi_track *track;
    CHECK(sl__vi_track_new(context, f.flow, specs[k], &track) == SL_BAD_ARGUMENT && !track);
  }
  vi_free_flow(context, &f);
  sl_context_free(context);
}

/* ---- Sobol ---- */

static double normal_cdf(double x) {
  return 0.5 * erfc(-x / sqrt(2.0));
}

TEST(sobol_points_fill_evenly) {
  enum { ROWS = 256 };
  static double x[ROWS * SL__SOBOL_DIMS], other[ROWS * SL__SOBOL_DIMS];
  const sl__random_key key = {7, SL__STREAM_TEST, 3}, later = {7, SL__STREAM_TEST, 4};
  sl__sobol_normal(key, ROWS, SL__SOBOL_DIMS, SL__SOBOL_DIMS, 1, x);
  sl__sobol_normal(later, ROWS, SL__SOBOL_DIMS, 1, ROWS, other);
  for (int d = 0; d < SL__SOBOL_DIMS; d++) { /* one point in each of 256 equal parts */
    int count[ROWS] = {0};
    double moved = 0;
    for (int r = 0; r < ROWS; r++) {
      count[(int)(normal_cdf(x[r * SL__SOBOL_DIMS + d]) * ROWS)]++;
      moved += fabs(x[r * SL__SOBOL_DIMS + d] - other[d * ROWS + r]);
    }
    for (int i = 0; i < ROWS; i++) CHECK_INTEGER(count[i], 1);
    CHECK(moved > 1);
  }
  for (int split = 0; split <= 8; split++) { /* ... and in each of 2^split x 2^(8 - split) boxes */
    int count[ROWS] = {0};
    const int wide = 1 << split, high = ROWS / wide;
    for (int r = 0; r < ROWS; r++)
      count[(int)(normal_cdf(x[r * SL__SOBOL_DIMS]) * wide) * high +
            (int)(normal_cdf(x[r * SL__SOBOL_DIMS + 1]) * high)]++;
    for (int i = 0; i < ROWS; i++) CHECK_INTEGER(count[i], 1);
  }
}

/* Over scramblings each point is normal. */
TEST(sobol_points_are_normal) {
  double sum = 0, squares = 0, x[3 * 2];
  for (uint32_t step = 0; step < 4000; step++) {
    sl__sobol_normal((sl__random_key){1, SL__STREAM_TEST, step}, 3, 2, 2, 1, x);
    sum += x[5];
    squares += x[5] * x[5];
  }
  CHECK_CLOSE(sum / 4000, 0, 0.07);
  CHECK_CLOSE(squares / 4000, 1, 0.1);
}
