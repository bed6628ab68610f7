/* The linear layers against plain linear algebra: their dense matrix, taken by differences (which
 * are exact for a linear map up to rounding), factored here with pivots, must tell the same
 * log-determinant; each direction must undo the other, far out and at ten times trained size;
 * rotations must be orthogonal to rounding. */
#include "flow_checks.h"

extern const sl__kind sl__bijector_lu;
enum { MOST = 64, POINTS = 5, FAR = 2 * MOST };

/* ---- plain linear algebra ---- */

typedef struct dense {
  int dim;
  double matrix[MOST * MOST], bias[MOST], inverse[MOST * MOST];
  double log_det; /* log |det matrix| */
  bool negative;  /* det < 0 */
} dense;

static void swap_rows(long double *a, int columns, int i, int j) {
  for (int k = 0; k < columns && i != j; k++) {
    long double kept = a[i * columns + k];
    a[i * columns + k] = a[j * columns + k];
    a[j * columns + k] = kept;
  }
}

/* Gauss-Jordan with pivots on [matrix, I]. */
static void factor(dense *d) {
  static long double a[MOST * 2 * MOST];
  int n = d->dim, columns = 2 * n;
  d->log_det = 0;
  d->negative = false;
  for (int i = 0; i < n; i++)
    for (int j = 0; j < n; j++) {
      a[i * columns + j] = d->matrix[i * n + j];
      a[i * columns + n + j] = i == j;
    }
  for (int k = 0; k < n; k++) {
    int pivot = k;
    for (int i = k + 1; i < n; i++)
      if (fabsl(a[i * columns + k]) > fabsl(a[pivot * columns + k])) pivot = i;
    swap_rows(a, columns, k, pivot);
    long double scale = a[k * columns + k];
    d->log_det += (double)logl(fabsl(scale));
    d->negative ^= (scale < 0) != (pivot != k);
    for (int j = 0; j < columns; j++) a[k * columns + j] /= scale;
    for (int i = 0; i < n; i++) {
      long double times = a[i * columns + k];
      for (int j = k; j < columns && i != k; j++) a[i * columns + j] -= times * a[k * columns + j];
    }
  }
  for (int i = 0; i < n; i++)
    for (int j = 0; j < n; j++) d->inverse[i * n + j] = (double)a[i * columns + n + j];
}

/* matrix and bias of a direction, from its values at +-16 times every unit vector. */
static bool take_dense(fixture *f, int which, dense *d) {
  static double x[FAR * MOST], y[FAR * MOST], log_det[FAR];
  const double h = 16;
  int n = d->dim = f->flow->dim;
  memset(x, 0, sizeof x);
  for (int k = 0; k < n; k++) {
    x[2 * k * n + k] = h;
    x[(2 * k + 1) * n + k] = -h;
  }
  if (!fixture_map(f, which, 2 * n, x, NULL, y, log_det)) return false;
  for (int i = 0; i < n; i++) {
    d->bias[i] = (y[i] + y[n + i]) / 2;
    for (int k = 0; k < n; k++)
      d->matrix[i * n + k] = (y[2 * k * n + i] - y[(2 * k + 1) * n + i]) / (2 * h);
  }
  factor(d);
  return true;
}

/* The largest entry of |inverse| |matrix|: how rounding grows. */
static double condition(const dense *d) {
  double most = 0;
  for (int i = 0; i < d->dim; i++)
    for (int j = 0; j < d->dim; j++) {
      double sum = 0;
      for (int k = 0; k < d->dim; k++)
        sum += fabs(d->inverse[i * d->dim + k] * d->matrix[k * d->dim + j]);
      most = fmax(most, sum);
    }
  return most;
}

/* ---- log-determinants and round trips ---- */

/* What rounding at the far end, epsilon (|matrix| |x| + |bias|), is at the near end. */
static double rounding_at(const dense *d, const double *x, int i) {
  double sum = 0;
  for (int k = 0; k < d->dim; k++) {
    double size = fabs(d->bias[k]);
    for (int j = 0; j < d->dim; j++) size += fabs(d->matrix[k * d->dim + j] * x[j]);
    sum += fabs(d->inverse[i * d->dim + k]) * size;
  }
  return sum;
}

typedef struct precision {
  sl_dtype type;
  double epsilon, round_trip;
} precision;
static const precision precisions[2] = {{SL_F64, EPSILON, 1e-10}, {SL_F32, 1.2e-7, 1e-4}};

static int within, beyond; /* comparisons as tight as promised, and those that rounding widened */

static void check_round_trip(fixture *f, int there, int back, const dense *d,
                             const precision *now) {
  static double x[POINTS * MOST], y[POINTS * MOST], again[POINTS * MOST];
  double there_det[POINTS], back_det[POINTS];
  int n = d->dim;
  fixture_points(x, POINTS * n, 1.5, 5);
  for (int k = 0; k < n; k++) x[k] *= 500; /* up to about 1e3 */
  for (int k = 0; k < POINTS * n; k++) x[k] = (double)(float)x[k];
  if (!fixture_map(f, there, POINTS, x, NULL, y, there_det)) return;
  if (!fixture_map(f, back, POINTS, y, NULL, again, back_det)) return;
  for (int r = 0; r < POINTS; r++) {
    double size = 1;
    for (int i = 0; i < n; i++) size = fmax(size, fabs(x[r * n + i]));
    CHECK_CLOSE(back_det[r], -there_det[r], 1e-12);
    for (int i = 0; i < n; i++) {
      double rounding = 4 * now->epsilon * rounding_at(d, x + r * n, i);
      *(rounding < now->round_trip * size ? &within : &beyond) += 1;
      CHECK_CLOSE(again[r * n + i], x[r * n + i], now->round_trip * size + rounding);
    }
  }
}

static void check_log_det(fixture *f, int which, const dense *d, const precision *now) {
  double x[MOST] = {0}, y[MOST], log_det;
  if (!fixture_map(f, which, 1, x, NULL, y, &log_det)) return;
  CHECK(!d->negative || f->flow->chain.layers[0].kind == &sl__bijector_lu); /* lu: P may be odd */
  CHECK_CLOSE(log_det, d->log_det, 1e2 * now->epsilon * (d->dim + condition(d)));
}

static void check_layer(const char *formula, int dim, double amplitude, const precision *now) {
  static dense d[2];
  fixture f;
  int failures = check_failures;
  if (!fixture_open(&f, formula, dim, 0, now->type)) return;
  fixture_perturb(&f, amplitude, 31);
  if (take_dense(&f, FIXTURE_LOG_PROB_MAP, &d[0]) && take_dense(&f, FIXTURE_SAMPLE_MAP, &d[1])) {
    check_log_det(&f, FIXTURE_LOG_PROB_MAP, &d[0], now);
    check_log_det(&f, FIXTURE_SAMPLE_MAP, &d[1], now);
    check_round_trip(&f, FIXTURE_LOG_PROB_MAP, FIXTURE_SAMPLE_MAP, &d[0], now);
    check_round_trip(&f, FIXTURE_SAMPLE_MAP, FIXTURE_LOG_PROB_MAP, &d[1], now);
  }
  if (check_failures > failures)
    printf("  in %s, dim %d, amplitude %g, %s\n", formula, dim, amplitude,
           now->type == SL_F32 ? "float32" : "float64");
  fixture_close(&f);
}

static const char *const formulas[] = {
    "triangular", "triangular(upper)",  "triangular(positive=softplus)",
    "orthogonal", "orthogonal(random)", "lowrank",
    "lowrank(1)", "lowrank(rank=100)",  "actnorm",
    "batchnorm",  "inverse(lowrank)",
};
static const int dims[4] = {1, 2, 8, MOST};

TEST(maps_and_determinants_are_those_of_the_dense_matrix) {
  static const double amplitudes[3] = {0, 0.3, 3};
  for (size_t k = 0; k < sizeof formulas / sizeof formulas[0]; k++)
    for (int i = 0; i < 4; i++)
      for (int a = 0; a < 3; a++)
        for (int p = 0; p < 2; p++)
          check_layer(formulas[k], dims[i], amplitudes[a], &precisions[p]);
  /* Only where an own scale of each feature, e^(3 N(0, 1)), is mixed with the others'. */
  if (!CHECK(beyond < within / 10)) printf("  %d within, %d beyond\n", within, beyond);
}

/* Entries of the size that training at dim 64 has; at 3 its substitution loses every digit, as its
 * format, which is older than triangular's, has no 1 / sqrt(dim). */
TEST(lu) {
  for (int i = 0; i < 4; i++)
    for (int p = 0; p < 2; p++) check_layer("lu", dims[i], i == 3 ? 0.03 : 0.3, &precisions[p]);
}

/* ---- structure ---- */

static double *tensor(fixture *f, const char *name) {
  for (int i = 0; i < f->flow->parameter_count; i++)
    if (strcmp(f->flow->parameters[i].name, name) == 0)
      return f->vector + f->flow->parameters[i].offset;
  printf("no parameter %s\n", name);
  CHECK(false);
  exit(1);
}

static void start_at_identity(const char *formula, int dim) {
  fixture f;
  double x[8], y[8], log_det;
  fixture_points(x, dim, 3, 1);
  if (!fixture_open(&f, formula, dim, 0, SL_F64)) return;
  if (fixture_map(&f, FIXTURE_LOG_PROB_MAP, 1, x, NULL, y, &log_det)) {
    for (int k = 0; k < dim; k++) CHECK_CLOSE(y[k], x[k], 1e-15);
    CHECK(fabs(log_det) < 1e-15);
  }
  fixture_close(&f);
}

TEST(layers_start_at_the_identity) {
  for (size_t k = 0; k < sizeof formulas / sizeof formulas[0]; k++)
    for (int i = 0; i < 3; i++)
      if (!strstr(formulas[k], "random") && !strstr(formulas[k], "batchnorm"))
        start_at_identity(formulas[k], dims[i]);
}

/* z = s * (x + N x / sqrt(dim)) + bias from the parameters by name. */
TEST(triangular_is_its_formula) {
  enum { DIM = 5 };
  for (int upper = 0; upper <= 1; upper++) {
    fixture f;
    double x[DIM], z[DIM], log_det;
    fixture_points(x, DIM, 2, 9);
    if (!fixture_open(&f, upper ? "triangular(upper)" : "triangular", DIM, 0, SL_F64)) return;
    fixture_perturb(&f, 0.7, 3);
    const double *scale = tensor(&f, "layers.1.scale"), *bias = tensor(&f, "layers.1.bias"),
                 *next = tensor(&f, "layers.1.triangle");
    if (!fixture_map(&f, FIXTURE_LOG_PROB_MAP, 1, x, NULL, z, &log_det)) return;
    for (int i = 0; i < DIM; i++) {
      double sum = x[i];
      for (int j = 0; j < DIM; j++)
        if (upper ? j > i : j < i) sum += *next++ * x[j] / sqrt(DIM);
      CHECK_CLOSE(z[i], exp(scale[i]) * sum + bias[i], 1e-13);
      log_det -= scale[i];
    }
    CHECK_CLOSE(log_det, 0, 1e-13);
    CHECK_INTEGER(f.flow->trainable, 2 * DIM + DIM * (DIM - 1) / 2);
    fixture_close(&f);
  }
}

/* The largest entry of |Q' Q - I|, Q by its columns. */
static double orthogonality(fixture *f) {
  static double x[MOST * MOST], y[MOST * MOST], log_det[MOST];
  int n = f->flow->dim;
  double most = 0;
  for (int k = 0; k < n * n; k++) x[k] = k / n == k % n;
  if (!fixture_map(f, FIXTURE_LOG_PROB_MAP, n, x, NULL, y, log_det)) return NAN;
  for (int i = 0; i < n; i++) {
    CHECK(log_det[i] == 0);
    for (int j = 0; j < n; j++) {
      double sum = -(double)(i == j);
      for (int k = 0; k < n; k++) sum += y[i * n + k] * y[j * n + k];
      if (!(fabs(sum) <= most)) most = fabs(sum); /* NaN stays */
    }
  }
  return most;
}

TEST(rotations_are_orthogonal_to_rounding) {
  for (int i = 0; i < 4; i++) {
    fixture f;
    if (!fixture_open(&f, "orthogonal", dims[i], 0, SL_F64)) return;
    fixture_perturb(&f, 3, 8);
    CHECK(orthogonality(&f) < 1e-13);
    /* Directions that are nearly one and the same, of very different lengths. */
    double *directions = tensor(&f, "layers.1.directions");
    for (int k = 0; k < dims[i] * dims[i]; k++)
      directions[k] = pow(10, k / dims[i] % 7 - 3) * (cos(k % dims[i]) + 1e-6 * directions[k]);
    CHECK(orthogonality(&f) < 1e-13);
    memset(directions, 0, (size_t)(dims[i] * dims[i]) * sizeof *directions);
    CHECK(orthogonality(&f) < 1e-13);
    fixture_close(&f);
    if (!fixture_open(&f, "orthogonal", dims[i], 0, SL_F32)) return;
    fixture_perturb(&f, 3, 8);
    CHECK(orthogonality(&f) < 2e-6);
    fixture_close(&f);
  }
}

/* Eighths of a turn of the plane, a half and nearly a full one among them. */
TEST(every_rotation_is_reached) {
  for (int k = 1; k <= 7; k++) {
    fixture f;
    double angle = k * 0.785398163397448309616, x[2] = {1, 0}, y[2], log_det;
    if (!fixture_open(&f, "orthogonal", 2, 0, SL_F64)) return;
    const double directions[4] = {cos(angle / 2), sin(angle / 2), 0, 2};
    memcpy(tensor(&f, "layers.1.directions"), directions, sizeof directions);
    if (fixture_map(&f, FIXTURE_LOG_PROB_MAP, 1, x, NULL, y, &log_det)) {
      CHECK_CLOSE(y[0], cos(angle), 1e-14);
      CHECK_CLOSE(y[1], sin(angle), 1e-14);
    }
    fixture_close(&f);
  }
}

/* W D^-1 - I is symmetric, of rank k, and greater than -I. */
TEST(lowrank_is_a_diagonal_plus_low_rank) {
  enum { DIM = 8, RANK = 3 };
  static dense d;
  fixture f;
  if (!fixture_open(&f, "lowrank(3)", DIM, 0, SL_F64)) return;
  fixture_perturb(&f, 1, 6);
  const double *log_scale = tensor(&f, "layers.1.log_scale");
  const double *stretch = tensor(&f, "layers.1.stretch");
  if (!take_dense(&f, FIXTURE_LOG_PROB_MAP, &d)) return;
  double update[DIM * DIM], trace = 0, wanted = 0;
  for (int i = 0; i < DIM; i++)
    for (int j = 0; j < DIM; j++)
      update[i * DIM + j] = d.matrix[i * DIM + j] / exp(log_scale[j]) - (i == j);
  for (int i = 0; i < DIM; i++) {
    trace += update[i * DIM + i];
    for (int j = 0; j < i; j++) CHECK_CLOSE(update[i * DIM + j], update[j * DIM + i], 1e-13);
  }
  for (int k = 0; k < RANK; k++) wanted += expm1(stretch[k]);
  CHECK_CLOSE(trace, wanted, 1e-13);
  for (int k = 0; k < RANK; k++) { /* elimination by the largest element leaves nothing */
    int best = 0;
    for (int i = 1; i < DIM * DIM; i++)
      if (fabs(update[i]) > fabs(update[best])) best = i;
    double pivot = update[best], row[DIM], column[DIM];
    CHECK(fabs(pivot) > 1e-3);
    for (int i = 0; i < DIM; i++) {
      row[i] = update[best / DIM * DIM + i];
      column[i] = update[i * DIM + best % DIM];
    }
    for (int i = 0; i < DIM * DIM; i++) update[i] -= column[i / DIM] * row[i % DIM] / pivot;
  }
  for (int i = 0; i < DIM * DIM; i++) CHECK(fabs(update[i]) < 1e-13);
  fixture_close(&f);
}

/* ---- in chains, and with matrices of each row's own ---- */

TEST(chains) {
  check_case(&(flow_case){"lu-triangular-orthogonal-lowrank", 3, 0}, false);
  check_case(&(flow_case){"actnorm-inverse(lowrank(2)-orthogonal)-batchnorm", 4, 0}, false);
}

TEST(matrices_from_the_context) {
  static const flow_case cases[] = {
      {"lu-triangular-orthogonal-lowrank", 3, 1},
      {"orthogonal(random)-triangular(upper,positive=softplus)", 4, 2},
      {"lowrank(2)-actnorm-batchnorm", 5, 2},
      {"inverse(lowrank(2)-orthogonal)-lu", 1, 1},
  };
  for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++) {
    fixture f;
    int failures = check_failures;
    if (!fixture_open(&f, cases[k].formula, cases[k].dim, cases[k].context_dim, SL_F64)) return;
    fixture_perturb(&f, 0.2, 17);
    sample_points p = points_for(&cases[k]);
    tight = loose = 0;
    check_maps(&f, &p, 1e-10);
    check_slopes(&f, false, &p, 1e-7);
    check_slopes(&f, true, &p, 1e-7);
    CHECK(loose <= tight);
    if (check_failures > failures)
      printf("  in %s: %d tight, %d loose\n", cases[k].formula, tight, loose);
    fixture_close(&f);
  }
}
