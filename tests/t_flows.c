/* Every bijector, because it is registered, and a list of formulas, in float64: round trips both
 * ways, log-determinants of both directions against each other and against the dense Jacobian by
 * central differences, gradients of log_prob against central differences, float32 against float64;
 * at starting values, at parameters of ordinary trained size (N(0, 0.3^2) added) and at ten times
 * that.
 *
 * At ten times trained size a flow of several layers is chaotic: it loses more digits than float64
 * has, whoever computes it. There layers are tested one by one. Tolerances follow from the map
 * itself: rounding at one end, amplified by the Jacobian, and what differences cannot tell; a count
 * keeps them from being so wide that the tests say nothing. */
#include "flow_checks.h"
#include "nn/network.h"

static const flow_case cases[] = {
    {"scale-loc", 3, 0},
    {"scale(exp)-loc-standardize", 2, 0},
    {"permute(3:1:4:2)-loc", 4, 0},
    {"(lu-scale)*2", 4, 0},
    {"lu(no)", 3, 0},
    {"coupling(affine,hidden=16x16)*4", 2, 0},
    {"coupling(affine,hidden=16x8,scale=tanh,net=separate,activation=tanh)*3", 5, 0},
    {"coupling(affine,mask=half,hidden=16,blocks=2)*3", 5, 0},
    {"coupling(affine,mask=10110,hidden=8)-coupling(rqs,mask=01001,hidden=8)", 5, 0},
    {"coupling(rqs,mask=000)", 3, 0},
    {"coupling(rqs,hidden=12x12)*3", 3, 0},
    {"coupling(rqs,hidden=12,bins=2,net=separate)*2", 2, 0},
    {"coupling(rqs,hidden=12,bins=5,bound=2.5,tails=learned,activation=softplus)*2", 4, 0},
    {"coupling(rqs,hidden=12)*3", 4, 2},
    {"coupling(affine)", 1, 0},
    {"coupling(rqs,hidden=8)", 1, 3},
    {"maf(hidden=16x16)-reverse-maf(hidden=16)", 4, 0},
    {"maf(hidden=3)*2", 6, 0},
    {"maf(hidden=12,blocks=2)", 5, 0},
    {"maf(affine,hidden=9,scale=tanh)", 4, 0},
    {"maf(rqs,hidden=16x12,bins=4)*2", 3, 0},
    {"maf(rqs,hidden=16,blocks=1,tails=learned)", 4, 2},
    {"maf(hidden=5x20)", 4, 3},
    {"maf", 1, 0},
    {"maf(rqs,hidden=8)", 1, 2},
    {"iaf(hidden=16x16)-permute-iaf(hidden=12)", 4, 0},
    {"iaf(rqs,hidden=12)", 3, 1},
    {"coupling(lrs,hidden=12,sines=2)*2", 3, 2},
    {"coupling(affine,hidden=12,sines=1,net=separate)*2", 4, 0},
    {"maf(lrs,hidden=12,bins=4,tails=learned,sines=1)-reverse-maf(hidden=8,sines=2)", 3, 1},
    {"iaf(rqs,hidden=12,blocks=1,sines=2)", 3, 0},
    {"elementwise(rqs,bins=5,tails=learned)-elementwise(lrs,bound=3)", 3, 0},
    {"lu-coupling(rqs,hidden=12)-lu-maf(hidden=10)-standardize", 4, 0},
};
enum { CASES = sizeof cases / sizeof cases[0] };

/* ---- the walks ---- */

TEST(formulas) {
  for (int i = 0; i < CASES; i++) check_case(&cases[i], false);
}

TEST(every_activation) {
  const sl__activation *activation;
  for (int64_t i = 0; (activation = sl__activation_at(i)) != NULL; i++) {
    char formula[96];
    snprintf(formula, sizeof formula, "coupling(hidden=8x8,activation=%s)*2", activation->name);
    check_case(&(flow_case){formula, 3, 0}, false);
    snprintf(formula, sizeof formula, "maf(hidden=8,blocks=1,activation=%s)", activation->name);
    check_case(&(flow_case){formula, 3, 0}, false);
  }
}

TEST(float32_agrees_with_float64) {
  for (int i = 0; i < CASES; i++) {
    const flow_case *now = &cases[i];
    fixture wide, narrow;
    if (!fixture_open(&wide, now->formula, now->dim, now->context_dim, SL_F64)) return;
    if (!fixture_open(&narrow, now->formula, now->dim, now->context_dim, SL_F32)) return;
    fixture_perturb(&narrow, 0.3, 17);
    for (int64_t k = 0; k < narrow.flow->size; k++)
      wide.vector[k] = narrow.vector[k] = (double)(float)narrow.vector[k];
    sample_points p = points_for(now);
    for (int k = 0; k < ROWS * now->dim; k++) p.x[k] = (double)(float)p.x[k];
    double a[ROWS], b[ROWS], za[ROWS * MOST_DIM], zb[ROWS * MOST_DIM];
    int failures = check_failures;
    if (fixture_log_prob(&wide, ROWS, p.x, p.c, a) && fixture_log_prob(&narrow, ROWS, p.x, p.c, b))
      for (int r = 0; r < ROWS; r++) CHECK_CLOSE(b[r], a[r], 1e-4);
    if (fixture_map(&wide, FIXTURE_SAMPLE_MAP, ROWS, p.x, p.c, za, a) &&
        fixture_map(&narrow, FIXTURE_SAMPLE_MAP, ROWS, p.x, p.c, zb, b))
      for (int k = 0; k < ROWS * now->dim; k++) CHECK_CLOSE(zb[k], za[k], 1e-4);
    if (check_failures > failures) printf("  in %s\n", now->formula);
    fixture_close(&wide);
    fixture_close(&narrow);
  }
}

/* Far out, and on the edges of splines' boxes, everything stays finite, gradients too. */
TEST(finite_everywhere) {
  static const double places[ROWS] = {4, -4, 4 * (1 + 2.3e-16), 1e4, -1e4, 0};
  for (int i = 0; i < CASES; i++) {
    const flow_case *now = &cases[i];
    fixture f;
    if (!fixture_open(&f, now->formula, now->dim, now->context_dim, SL_F64)) return;
    fixture_perturb(&f, 0.3, 17);
    double x[ROWS * MOST_DIM], c[ROWS * MOST_DIM] = {0}, dx[ROWS * MOST_DIM], log_prob[ROWS];
    double *gradient = calloc((size_t)f.flow->size + 1, sizeof *gradient);
    for (int k = 0; k < ROWS * now->dim; k++) x[k] = places[k / now->dim];
    int failures = check_failures;
    if (gradient && fixture_log_prob(&f, ROWS, x, c, log_prob)) CHECK(all_finite(log_prob, ROWS));
    if (gradient && fixture_gradient(&f, ROWS, x, c, gradient, dx)) {
      CHECK(all_finite(dx, ROWS * now->dim));
      CHECK(all_finite(gradient, (int)f.flow->size));
    }
    if (check_failures > failures) printf("  in %s\n", now->formula);
    free(gradient);
    fixture_close(&f);
  }
}

/* A sample comes with its own log density. */
TEST(samples_know_their_density) {
  for (int i = 0; i < CASES; i++) {
    const flow_case *now = &cases[i];
    fixture f;
    if (!fixture_open(&f, now->formula, now->dim, now->context_dim, SL_F64)) return;
    fixture_perturb(&f, 0.3, 17);
    sample_points p = points_for(now);
    double x[ROWS * MOST_DIM], told[ROWS], scored[ROWS];
    int failures = check_failures;
    if (fixture_map(&f, FIXTURE_SAMPLE, ROWS, p.x, p.c, x, told) &&
        fixture_log_prob(&f, ROWS, x, p.c, scored))
      for (int r = 0; r < ROWS; r++) CHECK_CLOSE(told[r], scored[r], 1e-9);
    if (check_failures > failures) printf("  in %s\n", now->formula);
    fixture_close(&f);
  }
}

/* The same bits on 1, 2 and 8 threads: densities, gradients (summed over many blocks) and
 * samples. */
static void check_threads(const char *formula, int32_t dim) {
  enum { MANY = 3000 };
  fixture f[3];
  static const int threads[3] = {1, 2, 8};
  double *x = calloc(MANY * MOST_DIM, sizeof *x), *out[3] = {NULL};
  fixture_points(x, MANY * dim, 1.3, 3);
  size_t numbers = 0;
  for (int i = 0; i < 3; i++) {
    if (!fixture_open_threads(&f[i], formula, dim, 0, SL_F32, threads[i])) return;
    fixture_perturb(&f[i], 0.3, 17);
    size_t size = (size_t)f[i].flow->size, values = (size_t)MANY * (size_t)dim;
    numbers = MANY + size + values + values + MANY;
    out[i] = calloc(numbers, sizeof **out);
    if (!CHECK(x && out[i])) return;
    double *gradient = out[i] + MANY, *dx = gradient + size, *samples = dx + values;
    fixture_log_prob(&f[i], MANY, x, NULL, out[i]);
    fixture_gradient(&f[i], MANY, x, NULL, gradient, dx);
    fixture_map(&f[i], FIXTURE_SAMPLE, MANY, x, NULL, samples, samples + values);
  }
  for (int i = 1; i < 3; i++)
    if (!CHECK(memcmp(out[i], out[0], numbers * sizeof **out) == 0))
      printf("  %s on %d threads\n", formula, threads[i]);
  for (int i = 0; i < 3; i++) {
    free(out[i]);
    fixture_close(&f[i]);
  }
  free(x);
}

TEST(same_bits_on_any_number_of_threads) {
  check_threads("lu-coupling(rqs,hidden=24)-coupling(affine,hidden=40x24,net=separate)", 5);
  check_threads("maf(affine,hidden=48x32)-reverse-maf(rqs,hidden=16,blocks=1)", 4);
  check_threads("coupling(affine,hidden=64x64)*2", 2);
}

/* z[i] of a maf, and x[i] of an iaf, depends on no feature after i, and on all before. */
TEST(autoregressive_order) {
  static const char *const formulas[2] = {"maf(rqs,hidden=24x24)",
                                          "iaf(affine,hidden=16,blocks=1)"};
  for (int i = 0; i < 2; i++) {
    fixture f;
    if (!fixture_open(&f, formulas[i], 5, 0, SL_F64)) return;
    fixture_perturb(&f, 0.3, 17);
    double x[5] = {0.3, -0.8, 1.1, 0.2, -0.5};
    near_point at;
    if (look_around(&f, i == 0 ? FIXTURE_LOG_PROB_MAP : FIXTURE_SAMPLE_MAP, x, NULL, &at))
      for (int a = 0; a < 5; a++)
        for (int b = 0; b < 5; b++) CHECK((at.jacobian[5 * a + b] == 0) == (b > a));
    fixture_close(&f);
  }
}

/* ---- densities integrate to 1 ---- */

/* Parameters of trained size in a network as small as these still make a density that a grid
 * resolves. */
static void check_mass(const char *formula, int dim, int context_dim) {
  fixture f;
  if (!fixture_open(&f, formula, dim, context_dim, SL_F64)) return;
  fixture_perturb(&f, 0.3, 23);
  if (!check_mass_is_one(&f, dim == 1 ? 20001 : 801, 8, 1e-3))
    printf("  %s in %d dimensions\n", formula, dim);
  fixture_close(&f);
}

TEST(densities_integrate_to_one) {
  check_mass("coupling(rqs,hidden=8,tails=learned)*2", 2, 0);
  check_mass("maf(rqs,hidden=8)-reverse-maf(hidden=8)", 2, 0);
  check_mass("coupling(rqs,hidden=8)*2", 2, 1);
  check_mass("iaf(rqs,hidden=4,bins=4)", 2, 0);
  check_mass("maf(rqs,hidden=8,tails=learned)", 1, 1);
}
