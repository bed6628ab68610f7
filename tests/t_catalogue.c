/* Every registered flow (catalogue.h) at several dims, with and without context: both maps,
 * log-determinants and gradients at three sizes of parameters (flow_checks.h), far out, and in
 * float32. */
#include "catalogue.h"

/* The dims at which a formula is tried; a kind may refuse one feature, or an odd number. */
static const int32_t dims[] = {2, 1, 4};
enum { DIMS = sizeof dims / sizeof dims[0] };

static void check_formula(const char *formula, const sl__kind *kind) {
  (void)kind;
  char message[256] = "";
  int fitting = 0;
  for (int i = 0; i < DIMS; i++) {
    if (UNDER_SANITIZER && fitting > 0) break; /* one dim of each */
    if (!fits(formula, dims[i], message, sizeof message)) continue;
    fitting++;
    check_case(&(flow_case){formula, dims[i], 0}, true);
    if (dims[i] == 2 && fits_with_context(formula, 2, 2, message, sizeof message))
      check_case(&(flow_case){formula, dims[i], 2}, true);
  }
  if (!CHECK(fitting > 0)) printf("  %s: %s\n", formula, message);
}

TEST(maps_and_gradients) {
  check_fewer(DIMS, 1, "dims of each flow, with context");
  CHECK(for_every_formula(check_formula) > 20);
}

/* ---- far out ---- */

/* Either the way there and back agrees as far as the map lets it, or the number on the way cannot
 * be represented; nothing is NaN but what comes of an infinity. */
static void check_far(const char *formula, const sl__kind *kind) {
  (void)kind;
  enum { DIM = 2 };
  static const double places[ROWS][DIM] = {{1e3, -1e3}, {-1e3, 1e3}, {0, 1e3},
                                           {100, 100},  {-30, 0.1},  {0, 0}};
  char message[256];
  fixture f;
  bool singular = strstr(formula, "power") != NULL; /* at 0 */
  if (!fits(formula, DIM, message, sizeof message)) return;
  if (!fixture_open(&f, formula, DIM, 0, SL_F64)) return;
  int layers = f.flow->chain.count, failures = check_failures;
  for (int size = 1; size <= 2; size++) {
    fixture_perturb(&f, size == 1 ? 0.3 : 3, 17);
    for (int piece = 0; piece < layers; piece++) {
      fixture_range(&f, piece, piece + 1);
      for (int i = 0; i < 2 * ROWS; i++) {
        int there = i < ROWS ? FIXTURE_SAMPLE_MAP : FIXTURE_LOG_PROB_MAP;
        int back = i < ROWS ? FIXTURE_LOG_PROB_MAP : FIXTURE_SAMPLE_MAP;
        const double *at = places[i % ROWS];
        double value[DIM], log_det;
        if (singular && (at[0] == 0 || at[1] == 0)) continue;
        if (!fixture_map(&f, there, 1, at, NULL, value, &log_det)) break;
        if (!CHECK(!isnan(log_det) && !isnan(value[0]) && !isnan(value[1])))
          printf("  layer %d at %g, %g: %g, %g, log_det %g\n", piece + 1, at[0], at[1], value[0],
                 value[1], log_det);
        if (isfinite(log_det) && all_finite(value, DIM) && !strstr(formula, "circular"))
          check_round_trips(&f, 1, at, NULL, there, back, 1e-10 * (1 + fabs(at[0]) + fabs(at[1])));
      }
    }
    if (check_failures > failures) printf("  in %s, parameters of size %d\n", formula, size);
  }
  fixture_close(&f);
}

TEST(far_out) {
  for_every_formula(check_far);
}

/* ---- float32 ---- */

/* How far rounding at x, and inside a map that works as carefully as its own size, may move each of
 * its values. */
static void narrow_bound(const near_point *at, const double *x, const double *y, double epsilon,
                         double *bound) {
  for (int i = 0; i < at->dim; i++) {
    bound[i] = 1 + fabs(y[i]);
    for (int j = 0; j < at->dim; j++)
      bound[i] += fabs(at->jacobian[i * at->dim + j]) * (1 + fabs(x[j]));
    bound[i] *= epsilon;
  }
}

/* A base alone: its density and the slopes of that. */
static void compare_bases(fixture *wide, fixture *narrow, sample_points *p) {
  const int32_t dim = wide->flow->dim, count = ROWS * dim;
  double exact[ROWS], found[ROWS], dx[ROWS * MOST_DIM], dx32[ROWS * MOST_DIM];
  double *gradient = calloc((size_t)wide->flow->size + 1, sizeof *gradient);
  if (!CHECK(gradient != NULL)) return;
  for (int k = 0; k < count; k++) p->x[k] = (double)(float)p->x[k];
  if (fixture_log_prob(wide, ROWS, p->x, NULL, exact) &&
      fixture_log_prob(narrow, ROWS, p->x, NULL, found) &&
      fixture_gradient(wide, ROWS, p->x, NULL, gradient, dx) &&
      fixture_gradient(narrow, ROWS, p->x, NULL, gradient, dx32)) {
    for (int r = 0; r < ROWS; r++)
      CHECK(found[r] == exact[r] || CHECK_CLOSE(found[r], exact[r], 1e-5 * (1 + fabs(exact[r]))));
    for (int k = 0; k < count; k++) CHECK_CLOSE(dx32[k], dx[k], 1e-5 * (10 + fabs(dx[k])));
  }
  free(gradient);
}

/* One row from x there and back in float32: back to 1e-4, and what the map makes of rounding; there,
 * if it is to be compared, against float64. */
static bool check_narrow_row(fixture *wide, fixture *narrow, const double *x, int there, int back,
                             bool compare) {
  const double rounding = 50 * 0x1p-23;
  const int dim = wide->flow->dim;
  double y[MOST_DIM], y32[MOST_DIM], x32[MOST_DIM], det, det32, det_back, bound[MOST_DIM];
  near_point at, at_y, at_y32; /* a map may bend between y and y32 */
  if (!fixture_map(wide, there, 1, x, NULL, y, &det) ||
      !fixture_map(narrow, there, 1, x, NULL, y32, &det32) ||
      !fixture_map(narrow, back, 1, y32, NULL, x32, &det_back) ||
      !look_around(wide, there, x, NULL, &at) || !look_around(wide, back, y, NULL, &at_y) ||
      !look_around(wide, back, y32, NULL, &at_y32))
    return false;
  if (det == -INFINITY || det32 == -INFINITY || det_back == -INFINITY)
    return true; /* rounded to the edge: nothing leads back */
  narrow_bound(&at, x, y, rounding, bound);
  for (int k = 0; k < dim && compare; k++) CHECK_CLOSE(y32[k], y[k], bound[k]);
  double value_bound[MOST_DIM] = {0}, det_bound = 1e-4;
  amplify(&at, &at_y, bound, value_bound, &det_bound);
  amplify(&at, &at_y32, bound, value_bound, &det_bound);
  for (int k = 0; k < dim; k++) {
    count_bound(value_bound[k] / (1 + fabs(x[k])));
    CHECK_CLOSE(x32[k], x[k], 1e-4 + value_bound[k]);
  }
  return true;
}

static void check_narrow_layer(fixture *wide, fixture *narrow, const flow_case *now, bool compare) {
  sample_points p = points_for(now);
  const int32_t dim = now->dim;
  move_all_inside(wide, &p);
  for (int i = 0; i < 2 * ROWS; i++) {
    int there = i < ROWS ? FIXTURE_SAMPLE_MAP : FIXTURE_LOG_PROB_MAP;
    int back = i < ROWS ? FIXTURE_LOG_PROB_MAP : FIXTURE_SAMPLE_MAP;
    double *x = (i < ROWS ? p.z : p.x) + (i % ROWS) * dim;
    for (int k = 0; k < dim; k++) x[k] = (double)(float)x[k];
    if (!check_narrow_row(wide, narrow, x, there, back, compare)) return;
  }
}

/* At trained size, and at nearly two and ten times that, where networks magnify the rounding of their own
 * sums, so that only ways there and back are compared. Most of these have to be tight, but for ten
 * times: maps of networks are too steep there for the digits of float32. */
static void check_float32(const char *formula, const sl__kind *kind) {
  (void)kind;
  static const double amplitudes[] = {0.3, 0.5, 3};
  enum { DIM = 4, SIZES = sizeof amplitudes / sizeof amplitudes[0] };
  char message[256];
  fixture wide, narrow;
  int32_t dim = fits(formula, DIM, message, sizeof message) ? DIM : 2;
  if (!fits(formula, dim, message, sizeof message)) return;
  const flow_case now = {formula, dim, 0};
  if (!fixture_open(&wide, formula, dim, 0, SL_F64)) return;
  if (!fixture_open(&narrow, formula, dim, 0, SL_F32)) return;
  int layers = wide.flow->chain.count;
  for (int size = 0; size < SIZES; size++) {
    int failures = check_failures;
    tight = loose = 0;
    fixture_perturb(&narrow, amplitudes[size], 17);
    for (int64_t k = 0; k < narrow.flow->size; k++)
      wide.vector[k] = narrow.vector[k] = (double)(float)narrow.vector[k];
    sample_points around = points_for(&now);
    if (layers == 0) compare_bases(&wide, &narrow, &around);
    for (int piece = 0; piece < layers; piece++) {
      fixture_range(&wide, piece, piece + 1);
      fixture_range(&narrow, piece, piece + 1);
      check_narrow_layer(&wide, &narrow, &now, size == 0);
    }
    CHECK(size < 2 ? loose <= tight : tight > 0 || layers == 0);
    if (check_failures > failures)
      printf("  in %s, parameters of size %g; %d tight, %d loose\n", formula, amplitudes[size],
             tight, loose);
  }
  fixture_close(&wide);
  fixture_close(&narrow);
}

TEST(float32) {
  for_every_formula(check_float32);
}
