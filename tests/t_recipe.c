/* The default policy: whatever the rows and columns, it chooses a flow that can be built; and it
 * says and does the right thing with rounded and tied columns, offsets and splits. */
#include "check.h"
#include "infer/recipe.h"

static sl_context *new_context(void) {
  sl_context_options options = {.size = sizeof options, .threads = 1};
  sl_context *context = NULL;
  sl_context_new(&options, &context);
  return context;
}

TEST(every_choice_can_be_built) {
  const int64_t rows[] = {20, 200, 501, 5000, 20000, 200000, 100000000};
  const int32_t dims[] = {1, 2, 3, 6, 43, 100};
  sl_context *context = new_context();
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
    for (size_t k = 0; k < sizeof dims / sizeof *dims; k++)
      for (int32_t context_dim = 0; context_dim < 3; context_dim += 2) {
        sl__recipe recipe;
        sl__recipe_choose(rows[i], dims[k], context_dim, &recipe);
        sl__flow *flow = NULL;
        CHECK_OK(context, sl__flow_new(context,
                                       &(sl__flow_plan){.formula = recipe.formula,
                                                        .dim = dims[k],
                                                        .context_dim = context_dim,
                                                        .type = SL_F32,
                                                        .seed = 0},
                                       &flow));
        CHECK(recipe.steps > 0 && recipe.batch > 0 && recipe.valid_every > 0 && recipe.rate > 0);
        CHECK(sl__optimiser_find(recipe.optimiser) && sl__schedule_find(recipe.schedule));
        if (flow) sl__flow_free(context, flow);
      }
  sl_context_free(context);
}

enum { ROWS = 600 };

static sl__prepared prepare(sl_context *context, const double *x, int64_t columns,
                            const sl_fit_options *options) {
  sl_fit_data data = {.size = sizeof data, .x = sl_in_f64(x, ROWS, columns)};
  sl__prepared prepared = {0};
  CHECK_OK(context, sl__prepare(context, &data, options, NULL, &prepared));
  return prepared;
}

TEST(columns_are_seen_for_what_they_are) {
  static double x[ROWS * 4];
  sl_context *context = new_context();
  sl__random_key key = {1, SL__STREAM_TEST, 0};
  for (int row = 0; row < ROWS; row++) {
    double u = sl__random_uniform(key, (uint64_t)row, 0);
    x[4 * row] = u;                                                          /* continuous */
    x[4 * row + 1] = floor(20 * u) * 0.25;                                   /* quarters */
    x[4 * row + 2] = row % 2 ? 0 : sl__random_normal(key, (uint64_t)row, 1); /* half of it zero */
    x[4 * row + 3] = 1e9 + sl__random_normal(key, (uint64_t)row, 2);
  }
  sl_fit_options options;
  sl__fit_options_default(&options);
  sl__prepared seen = prepare(context, x, 4, &options);
  REQUIRE(seen.noise_width != NULL);
  CHECK(seen.noise_width[0] == 0 && seen.noise_width[3] == 0);
  CHECK_CLOSE(seen.noise_width[1] * seen.sd[1], 0.25, 1e-9);
  CHECK(seen.noise_width[2] > 0 && seen.noise_width[2] < 0.2);
  CHECK(strstr(seen.notes, "column 2 is rounded to multiples of 0.25") != NULL);
  CHECK(strstr(seen.notes, "column 3 has many ties") != NULL);
  CHECK(strstr(seen.notes, "column 4 varies little") != NULL && seen.type == SL_F64);

  /* Standardised by the training rows, whose mean is 0 and mean square 1 then. */
  CHECK_INTEGER(seen.train_rows + seen.valid_rows + seen.test_rows, ROWS);
  for (int column = 0; column < 4; column++) {
    double sum = 0, squares = 0;
    for (int64_t row = 0; row < seen.train_rows; row++) {
      double value = ((const double *)seen.train_x)[row * 4 + column];
      sum += value / (double)seen.train_rows;
      squares += value * value / (double)seen.train_rows;
    }
    CHECK_CLOSE(sum, 0, 1e-6);
    CHECK_CLOSE(squares, 1, 1e-6);
  }
  sl__prepared_close(&seen);

  options.dequantize = 0;
  seen = prepare(context, x, 4, &options);
  CHECK(seen.noise_width == NULL);
  sl__prepared_close(&seen);
  sl_context_free(context);
}

/* Every row goes to exactly one of the three sets, by the seed. */
TEST(the_split_is_a_partition) {
  static double x[ROWS];
  static int seen_rows[ROWS];
  sl_context *context = new_context();
  for (int row = 0; row < ROWS; row++) x[row] = row;
  sl_fit_options options;
  sl__fit_options_default(&options);
  options.valid_fraction = 0.2;
  options.precision = SL_F64;
  sl__prepared split = prepare(context, x, 1, &options);
  CHECK_INTEGER(split.valid_rows, ROWS / 5);
  CHECK_INTEGER(split.test_rows, ROWS / 10);
  const void *sets[] = {split.train_x, split.valid_x, split.test_x};
  const int64_t rows[] = {split.train_rows, split.valid_rows, split.test_rows};
  double moved = 0;
  for (int k = 0; k < 3; k++)
    for (int64_t i = 0; i < rows[k]; i++) {
      double value = ((const double *)sets[k])[i] * split.sd[0] + split.mean[0];
      int row = (int)lrint(value);
      REQUIRE(row >= 0 && row < ROWS);
      seen_rows[row]++;
      moved += k == 0 ? fabs(value - (double)i) : 0;
    }
  for (int row = 0; row < ROWS; row++) CHECK_INTEGER(seen_rows[row], 1);
  CHECK(moved > ROWS); /* at random, not the first ones */
  sl__prepared_close(&split);
  sl_context_free(context);
}

/* Integers 0..9 in two columns, spread by noise as wide as their steps, are uniform on a square
 * of area 100: no honest density of them scores more than -log 100, and a fit comes near. */
TEST(dequantised_scores_are_honest) {
  static double x[ROWS * 2];
  sl_context *context = new_context();
  sl__random_key key = {2, SL__STREAM_TEST, 0};
  for (int i = 0; i < ROWS * 2; i++) x[i] = floor(10 * sl__random_uniform(key, (uint64_t)i, 0));
  sl_fit_data data = {.size = sizeof data, .x = sl_in_f64(x, ROWS, 2)};
  sl_fit_options options;
  sl__fit_options_default(&options);
  options.steps = 400;
  options.test_fraction = 0.3;
  sl_fit_report report = {.size = sizeof report};
  sl__model *model = NULL;
  REQUIRE_OK(context, sl__fit_rows(context, &data, &options, &model, &report));
  CHECK(report.test.log_prob < -log(100) + 3 * report.test.se + 1e-3);
  CHECK(report.test.log_prob > -log(100) - 0.6);
  CHECK_CLOSE(model->noise_width[0], 1, 1e-9);
  sl__model_free(context, model);
  sl_context_free(context);
}
