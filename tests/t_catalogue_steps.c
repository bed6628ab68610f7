/* Every registered flow (catalogue.h) survives a thousand steps of an absurd size. */
#include "catalogue.h"
#include "infer/infer.h"

/* A base alone: densities, draws and gradients are numbers still. */
static void check_base(fixture *f) {
  const int32_t dim = f->flow->dim;
  sample_points p = points_for(&(flow_case){"", dim, 0});
  double log_prob[ROWS], drawn[ROWS * MOST_DIM], dx[ROWS * MOST_DIM];
  double *gradient = calloc((size_t)f->flow->size + 1, sizeof *gradient);
  bool has_edges = strcmp(f->flow->base.kind->name, "uniform") == 0;
  if (!CHECK(gradient != NULL)) return;
  if (fixture_map(f, FIXTURE_SAMPLE, ROWS, NULL, NULL, drawn, log_prob))
    CHECK(all_finite(drawn, ROWS * dim) && all_finite(log_prob, ROWS));
  double *x = has_edges ? drawn : p.x;
  if (fixture_log_prob(f, ROWS, x, NULL, log_prob)) CHECK(all_finite(log_prob, ROWS));
  if (fixture_gradient(f, ROWS, x, NULL, gradient, dx))
    CHECK(all_finite(gradient, (int)f->flow->size) && all_finite(dx, ROWS * dim));
  free(gradient);
}

/* Rows to fit: standard normal ones, half of them with a positive first feature; where the flow has
 * no density, as log has none of a negative number, its own draws in their place. */
static bool rows_inside(fixture *f, int rows, double *x) {
  const int32_t dim = f->flow->dim;
  double *drawn = calloc((size_t)(rows * (dim + 1)), sizeof *drawn), *density = drawn + rows * dim;
  bool good = CHECK(drawn != NULL);
  fixture_points(x, rows * dim, 1, 8);
  for (int r = 0; r < rows; r++) x[dim * r] = fabs(x[dim * r]); /* half empty */
  good = good && fixture_log_prob(f, rows, x, NULL, density);
  bool *is_out = calloc((size_t)rows, sizeof *is_out);
  good = good && CHECK(is_out != NULL);
  for (int r = 0; good && r < rows; r++) is_out[r] = !isfinite(density[r]);
  good = good && fixture_map(f, FIXTURE_SAMPLE, rows, NULL, NULL, drawn, density);
  for (int r = 0; good && r < rows; r++)
    if (is_out[r]) memcpy(x + r * dim, drawn + r * dim, (size_t)dim * sizeof *x);
  good = good && fixture_log_prob(f, rows, x, NULL, density) && CHECK(all_finite(density, rows));
  free(is_out);
  free(drawn);
  return good;
}

static int steps;

/* A thousand steps of Adam with rate 1 on a few rows: the flow is still a bijection, or the fit said
 * that it met something that is not finite. */
static void check_absurd(const char *formula, const sl__kind *kind) {
  (void)kind;
  enum { DIM = 2, DATA = 256 };
  char message[256];
  fixture f;
  if (!fits(formula, DIM, message, sizeof message)) return;
  if (!fixture_open(&f, formula, DIM, 0, SL_F64)) return;
  double *x = calloc(DATA * DIM, sizeof *x);
  if (!CHECK(x != NULL)) return;
  if (!rows_inside(&f, DATA, x)) printf("  in %s\n", formula);
  sl__mle_options options;
  sl__mle_defaults(&options);
  options.steps = steps;
  options.batch = 64;
  options.rate = 1;
  options.clip = 0;
  options.schedule = "constant";
  sl__mle_report report = {0};
  int failures = check_failures;
  sl_status status = sl__mle_fit(f.context, f.flow, f.vector, &(sl__mle_data){.rows = DATA, .x = x},
                                 &options, &report);
  CHECK(status == SL_OK || (status == SL_NUMERIC && report.trouble[0]));
  CHECK(report.steps - report.skipped >= steps / 10 * 9);
  CHECK(all_finite(f.vector, (int)f.flow->size));
  if (f.flow->chain.count == 0) check_base(&f);
  for (int piece = 0; piece < f.flow->chain.count; piece++) {
    sample_points p = points_for(&(flow_case){formula, DIM, 0});
    fixture_range(&f, piece, piece + 1);
    double value[ROWS * DIM], log_det[ROWS];
    int inside = 0;
    if (!fixture_map(&f, FIXTURE_SAMPLE_MAP, ROWS, p.z, NULL, value, log_det)) break;
    for (int r = 0; r < ROWS; r++) {
      CHECK(!isnan(log_det[r]));
      if (isfinite(log_det[r]) && all_finite(value + r * DIM, DIM))
        memmove(p.z + DIM * inside++, p.z + r * DIM, DIM * sizeof *p.z);
    }
    check_round_trips(&f, inside, p.z, NULL, FIXTURE_SAMPLE_MAP, FIXTURE_LOG_PROB_MAP, 1e-9);
  }
  if (check_failures > failures) printf("  in %s: %s\n", formula, report.trouble);
  free(x);
  fixture_close(&f);
}

TEST(a_thousand_absurd_steps) {
  steps = check_fewer(1000, 200, "steps");
  for_every_formula(check_absurd);
}
