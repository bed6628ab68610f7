/* Every base density, because it is registered: density against a plain formula and, for mixtures
 * of flows, against the flows of their components built apart; mass by quadrature; draws against
 * the quadrature's cumulative distribution and entropy; gradients of densities and draws against
 * differences. And inverse(formula) against the formula itself. */
#include "flow_fixture.h"
#include "flow/base/parts.h"
#include "flow/formula.h"

#define HALF_LOG_TWO_PI 0.91893853320467274178
#define PI              3.14159265358979323846

typedef void (*visit_base)(const char *text, const sl__kind *kind);

/* Calls visit for every example of every base. */
static void for_every_base(visit_base visit) {
  int count = 0, visited = 0;
  const sl__kind *const *kinds = sl__kinds(&count);
  for (int i = 0; i < count; i++) {
    if (!sl__kind_is_base(kinds[i])) continue;
    for (int k = 0; kinds[i]->examples[k]; k++, visited++) {
      int failures = check_failures;
      visit(kinds[i]->examples[k], kinds[i]);
      if (check_failures > failures) printf("  in %s\n", kinds[i]->examples[k]);
    }
  }
  CHECK(visited >= 12);
}

/* ---- densities by plain formulas ---- */

/* The numbers of parameter "base.NAME". */
static const double *numbers(const fixture *f, const char *name) {
  for (int i = 0; i < f->flow->parameter_count; i++) {
    const char *full = f->flow->parameters[i].name;
    if (strncmp(full, "base.", 5) == 0 && strcmp(full + 5, name) == 0)
      return f->vector + f->flow->parameters[i].offset;
  }
  CHECK(false);
  printf("  no parameter base.%s\n", name);
  return NULL;
}

static double argument(const fixture *f, const char *name) {
  const sl__kind *kind = f->flow->base.kind;
  for (int i = 0; i < kind->argument_count; i++)
    if (strcmp(kind->arguments[i].name, name) == 0) return f->flow->base.arguments[i].real;
  return NAN;
}

static double softplus(double x) {
  return fmax(x, 0) + log1p(exp(-fabs(x)));
}

static double log_sum_exp(const double *a, int count) {
  double most = -INFINITY, sum = 0;
  for (int i = 0; i < count; i++) most = fmax(most, a[i]);
  for (int i = 0; i < count; i++) sum += exp(a[i] - most);
  return most == -INFINITY ? most : most + log(sum);
}

static double plain_normal(const fixture *f, const double *z) {
  double sum = 0;
  for (int k = 0; k < f->flow->dim; k++) sum -= z[k] * z[k] / 2 + HALF_LOG_TWO_PI;
  return sum;
}

static double plain_student(const fixture *f, const double *z) {
  double sum = 0;
  for (int k = 0; k < f->flow->dim; k++) {
    double df = argument(f, "df");
    if (f->flow->size > 0) df = 1 + softplus(numbers(f, "rho")[k]);
    sum += lgamma((df + 1) / 2) - lgamma(df / 2) - log(PI * df) / 2;
    sum -= (df + 1) / 2 * log1p(z[k] * z[k] / df);
  }
  return sum;
}

static double plain_laplace(const fixture *f, const double *z) {
  double sum = 0;
  for (int k = 0; k < f->flow->dim; k++) sum -= fabs(z[k]) + log(2);
  return sum;
}

static double plain_logistic(const fixture *f, const double *z) {
  double sum = 0;
  for (int k = 0; k < f->flow->dim; k++) sum -= 2 * log(2 * cosh(z[k] / 2));
  return sum;
}

static double plain_uniform(const fixture *f, const double *z) {
  double low = argument(f, "low"), high = argument(f, "high");
  for (int k = 0; k < f->flow->dim; k++)
    if (z[k] < low || z[k] > high) return -INFINITY;
  return -f->flow->dim * log(high - low);
}

/* Forward substitution; below may be NULL. */
static double plain_factored(int dim, const double *mean, const double *log_diagonal,
                             const double *below, const double *z) {
  double noise[8], sum = 0;
  for (int row = 0; row < dim; row++) {
    noise[row] = z[row] - mean[row];
    for (int column = 0; below && column < row; column++)
      noise[row] -= below[row * (row - 1) / 2 + column] * noise[column];
    noise[row] /= exp(log_diagonal[row]);
    sum -= noise[row] * noise[row] / 2 + log_diagonal[row] + HALF_LOG_TWO_PI;
  }
  return sum;
}

static double plain_gaussian(const fixture *f, const double *z) {
  const double *below = f->flow->dim > 1 ? numbers(f, "below") : NULL;
  return plain_factored(f->flow->dim, numbers(f, "mean"), numbers(f, "log_diagonal"), below, z);
}

static double plain_gaussian_mixture(const fixture *f, const double *z) {
  int dim = f->flow->dim, count = (int)argument(f, "components");
  const double *logits = numbers(f, "logits");
  bool full = dim > 1 && !strstr(f->flow->base_formula, "diagonal");
  double terms[16];
  for (int i = 0; i < count; i++) {
    const double *below = full ? numbers(f, "below") + i * (dim * (dim - 1) / 2) : NULL;
    terms[i] = logits[i] + plain_factored(dim, numbers(f, "means") + i * dim,
                                          numbers(f, "log_diagonals") + i * dim, below, z);
  }
  return log_sum_exp(terms, count) - log_sum_exp(logits, count);
}

/* Each component is a flow of its own; `apart` gets its numbers. */
static double plain_mixture(const fixture *f, const double *z) {
  int count = (int)argument(f, "components");
  const double *logits = numbers(f, "logits");
  double terms[16];
  fixture apart;
  const char *formula = f->flow->base.arguments[1].text;
  if (!fixture_open(&apart, formula, f->flow->dim, 0, SL_F64)) return NAN;
  for (int i = 0; i < count; i++) {
    for (int p = 0; p < apart.flow->parameter_count; p++) {
      const sl__parameter *to = &apart.flow->parameters[p];
      char name[160];
      snprintf(name, sizeof name, "%d.%s", i + 1, to->name);
      const double *from = numbers(f, name);
      if (!from) return NAN;
      memcpy(apart.vector + to->offset, from, (size_t)sl__shape_count(to->shape) * sizeof *from);
    }
    if (!fixture_log_prob(&apart, 1, z, NULL, &terms[i])) return NAN;
    terms[i] += logits[i];
  }
  fixture_close(&apart);
  return log_sum_exp(terms, count) - log_sum_exp(logits, count);
}

static const struct {
  const char *name;
  double (*density)(const fixture *f, const double *z);
} plain[] = {
    {"normal", plain_normal},
    {"student", plain_student},
    {"laplace", plain_laplace},
    {"logistic", plain_logistic},
    {"uniform", plain_uniform},
    {"gaussian", plain_gaussian},
    {"gaussian_mixture", plain_gaussian_mixture},
    {"mixture", plain_mixture},
};

static void check_density(const char *text, const sl__kind *kind) {
  enum { POINTS = 12, MOST_FEATURES = 4 };
  double z[POINTS * MOST_FEATURES], log_prob[POINTS];
  double (*density)(const fixture *, const double *) = NULL;
  for (size_t i = 0; i < sizeof plain / sizeof plain[0]; i++)
    if (strcmp(plain[i].name, kind->name) == 0) density = plain[i].density;
  if (!CHECK(density != NULL)) return;
  for (int32_t dim = 1; dim <= MOST_FEATURES; dim++) {
    for (int size = 0; size < 3; size++) {
      fixture f;
      if (!fixture_open(&f, text, dim, 0, SL_F64)) return;
      fixture_perturb(&f, size == 2 ? 3 : 0.3 * size, 29);
      fixture_points(z, POINTS * dim, 1.3, 5);
      for (int k = 0; k < dim; k++) z[k] = k % 2 ? -1e3 : 1e3;
      for (int k = 0; k < dim; k++) z[dim + k] = 0.25;
      if (fixture_log_prob(&f, POINTS, z, NULL, log_prob))
        for (int r = 0; r < POINTS; r++) CHECK_CLOSE(log_prob[r], density(&f, z + r * dim), 1e-11);
      fixture_close(&f);
    }
  }
}

TEST(densities_by_plain_formulas) {
  for_every_base(check_density);
}

/* ---- quadrature: mass, distribution, entropy ---- */

/* A grid of n points per axis at sinh(u), u evenly spaced in -reach .. reach: by the trapezium rule
 * the mass, the mean of log p, and the cumulative distribution of every coordinate. */
enum { LINE = 60001, PLANE = 801 };
typedef struct quadrature {
  int n;
  double step, reach, mass, mean;
  double cumulative[2][LINE]; /* at the points, half of their own cell included */
} quadrature;

static double point_at(const quadrature *q, int i) {
  return sinh(-q->reach + q->step * i);
}

static bool integrate(fixture *f, quadrature *q) {
  int dim = f->flow->dim, n = q->n = dim == 1 ? LINE : PLANE;
  static double z[2 * LINE], log_prob[LINE];
  q->reach = dim == 1 ? 24 : 14;
  q->step = 2 * q->reach / (n - 1);
  q->mass = q->mean = 0;
  memset(q->cumulative, 0, sizeof q->cumulative);
  for (int line = 0; line < (dim == 1 ? 1 : n); line++) {
    double across = dim == 1 ? 1 : q->step * cosh(-q->reach + q->step * line);
    for (int i = 0; i < n; i++) {
      z[dim * i] = point_at(q, i);
      if (dim == 2) z[2 * i + 1] = point_at(q, line);
    }
    if (!fixture_log_prob(f, n, z, NULL, log_prob)) return false;
    for (int i = 0; i < n; i++) {
      if (log_prob[i] == -INFINITY) continue;
      double cell = exp(log_prob[i]) * across * q->step * cosh(-q->reach + q->step * i);
      q->mass += cell;
      if (cell > 0) q->mean += cell * log_prob[i];
      q->cumulative[0][i] += cell;
      q->cumulative[1][line] += cell;
    }
  }
  for (int k = 0; k < dim; k++) {
    double sum = 0;
    for (int i = 0; i < n; i++) {
      double cell = q->cumulative[k][i];
      q->cumulative[k][i] = sum + cell / 2;
      sum += cell;
    }
  }
  return true;
}

/* By linear interpolation between points. */
static double distribution(const quadrature *q, int k, double z) {
  double at = (asinh(z) + q->reach) / q->step;
  if (at <= 0) return 0;
  if (at >= q->n - 1) return 1;
  int i = (int)at;
  return q->cumulative[k][i] + (at - i) * (q->cumulative[k][i + 1] - q->cumulative[k][i]);
}

static int ascending(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

/* Kolmogorov and Smirnov's distance of coordinate k, times sqrt(count): beyond 1.95 once in
 * 1,000. */
static double ks_distance(const quadrature *q, int k, double *sorted, int count) {
  double most = 0;
  qsort(sorted, (size_t)count, sizeof *sorted, ascending);
  for (int i = 0; i < count; i++) {
    double level = distribution(q, k, sorted[i]);
    most = fmax(most, fmax(level - (double)i / count, (double)(i + 1) / count - level));
  }
  return most * sqrt(count);
}

/* The draws' mean of log p against the quadrature's: it tells of dependence between coordinates,
 * which their own distributions do not. */
static void check_draws(fixture *f, const quadrature *q) {
  enum { DRAWS = 100000 };
  int dim = f->flow->dim;
  double *z = calloc((size_t)DRAWS * 4, sizeof *z);
  if (!CHECK(z != NULL)) return;
  double *log_prob = z + 2 * DRAWS, *sorted = z + 3 * DRAWS, mean = 0, squares = 0;
  if (fixture_map(f, FIXTURE_SAMPLE, DRAWS, NULL, NULL, z, log_prob)) {
    for (int k = 0; k < dim; k++) {
      for (int i = 0; i < DRAWS; i++) sorted[i] = z[dim * i + k];
      double found = ks_distance(q, k, sorted, DRAWS);
      if (!CHECK(found < 1.95)) printf("  coordinate %d of %d: %g\n", k + 1, dim, found);
    }
    for (int i = 0; i < DRAWS; i++) mean += log_prob[i] / DRAWS;
    for (int i = 0; i < DRAWS; i++) squares += (log_prob[i] - mean) * (log_prob[i] - mean);
    if (!CHECK(fabs(mean - q->mean / q->mass) < 1e-4 + 4 * sqrt(squares) / DRAWS))
      printf("  mean of log p %g against %g\n", mean, q->mean);
  }
  free(z);
}

/* At starting values and at large ones. In the plane, large stays within what the grid resolves. */
static void check_mass_and_draws(const char *text, const sl__kind *kind) {
  static quadrature q;
  bool has_edges = strcmp(kind->name, "uniform") == 0;
  bool has_kinks = strcmp(kind->name, "laplace") == 0;
  if (strcmp(text, "mixture(3,scale-loc)") == 0) /* of widths that the grid resolves */
    text = "mixture(3,scale(jitter=0)-loc(jitter=0))";
  for (int32_t dim = 1; dim <= 2; dim++) {
    for (int large = 0; large < 2; large++) {
      fixture f;
      if (!fixture_open(&f, text, dim, 0, SL_F64)) return;
      if (large && f.flow->size == 0) {
        fixture_close(&f);
        continue;
      }
      fixture_perturb(&f, !large ? 0 : dim == 1 ? 3 : 0.8, 31);
      if (integrate(&f, &q)) {
        /* Half a cell at each end of a cube; the square of a cell where there is a kink. */
        double bound = has_edges ? 3 * q.step : has_kinks ? q.step * q.step : 1e-6;
        if (!CHECK_CLOSE(q.mass, 1, bound))
          printf("  %d dimensions, %s\n", dim, large ? "large" : "starting values");
        if (!has_edges || dim == 1) check_draws(&f, &q);
      }
      fixture_close(&f);
    }
  }
}

TEST(mass_is_one_and_draws_follow_the_density) {
  for_every_base(check_mass_and_draws);
}

/* ---- gradients ---- */

enum { ROWS = 5, MOST_DIM = 3, CONTEXT = 2, MOST = 128 };

typedef struct drawing {
  sl__program *program;
  sl__workspace *workspace;
} drawing;

/* The sum over rows and coordinates of weighted draws, and its gradient by all parameters. */
static sl_status build_drawing(fixture *f, sl__graph *g, drawing *d) {
  sl__flow *flow = f->flow;
  sl_node c = flow->context_dim > 0 ? op_input(g, flow->type, sl__shape1(flow->context_dim)) : 0;
  sl_node z = flow->base.kind->draw(&flow->base, g, SL__STREAM_BASE, c), outputs[MOST + 1],
          wrt[MOST];
  double weight[MOST_DIM] = {1, -0.7, 0.4};
  sl_node sum =
      op_sum_all(g, op_multiply(g, z, op_constant(g, flow->type, sl__shape1(flow->dim), weight)));
  int count = flow->parameter_count;
  if (!CHECK(count <= MOST)) return SL_UNSUPPORTED;
  for (int i = 0; i < count; i++)
    wrt[i] = op_parameter(g, flow->type, flow->parameters[i].shape, flow->parameters[i].offset);
  outputs[0] = op_sum_rows(g, sum);
  SL__TRY(sl__gradient(g, sum, count, wrt, outputs + 1));
  SL__TRY(sl__program_new(f->context, g, count + 1, outputs, &d->program));
  return sl__workspace_new(f->context, d->program, ROWS, &d->workspace);
}

/* gradient [flow->size] may be NULL. */
static double run_drawing(fixture *f, const drawing *d, const double *c, double *gradient) {
  double sum = NAN;
  sl__sink sinks[MOST + 1] = {{.data = &sum, .type = SL_F64}};
  for (int i = 0; i < f->flow->parameter_count; i++)
    sinks[i + 1] = (sl__sink){.data = gradient ? gradient + f->flow->parameters[i].offset : NULL,
                              .type = SL_F64};
  sl__feed feed = {.data = c, .type = SL_F64};
  sl__run run = {.rows = ROWS,
                 .parameters = f->vector,
                 .feeds = &feed,
                 .sinks = sinks,
                 .key = {5, SL__STREAM_TEST, 3}};
  CHECK_OK(f->context, sl__program_run(f->context, d->program, d->workspace, &run));
  return sum;
}

typedef struct scored {
  fixture *f;
  const drawing *d; /* NULL: the density */
  double z[ROWS * MOST_DIM], c[ROWS * CONTEXT];
} scored;

static double value_of(scored *s) {
  double log_prob[ROWS], sum = 0;
  if (s->d) return run_drawing(s->f, s->d, s->c, NULL);
  if (!fixture_log_prob(s->f, ROWS, s->z, s->c, log_prob)) return NAN;
  for (int r = 0; r < ROWS; r++) sum += log_prob[r];
  return sum;
}

/* By *at, by differences of fourth order. */
static double slope(scored *s, double *at) {
  static const double steps[4] = {1, -1, 2, -2}, weights[4] = {8, -8, -1, 1};
  double kept = *at, h = 1e-5 * fmax(1, fabs(kept)), sum = 0;
  for (int i = 0; i < 4; i++) {
    *at = kept + h * steps[i];
    sum += weights[i] * value_of(s);
  }
  *at = kept;
  return sum / (12 * h);
}

static void check_parameter_slopes(scored *s, const double *gradient) {
  const sl__flow *flow = s->f->flow;
  double size = 1 + fabs(value_of(s));
  for (int i = 0; i < flow->parameter_count; i++) {
    const sl__parameter *p = &flow->parameters[i];
    int64_t count = sl__shape_count(p->shape);
    for (int64_t k = 0; k < count; k += 1 + count / 8) {
      double wanted = slope(s, &s->f->vector[p->offset + k]);
      if (!CHECK_CLOSE(gradient[p->offset + k], wanted, 1e-8 * size))
        printf("  %s: %s[%lld]\n", s->d ? "draws" : "density", p->name, (long long)k);
    }
  }
}

static void check_gradients_at(fixture *f) {
  int32_t dim = f->flow->dim;
  double dz[ROWS * MOST_DIM], *gradient = calloc((size_t)f->flow->size + 1, sizeof *gradient);
  scored s = {.f = f};
  fixture_points(s.z, ROWS * dim, 0.7, 5);
  fixture_points(s.c, ROWS * CONTEXT, 1, 6);
  for (int k = 0; k < dim; k++) s.z[k] = 0.3; /* one row inside the unit cube */
  if (!CHECK(gradient != NULL)) return;
  /* Differences of infinities are nothing: outside its cube a uniform density is checked alone. */
  if (isfinite(value_of(&s)) && fixture_gradient(f, ROWS, s.z, s.c, gradient, dz)) {
    check_parameter_slopes(&s, gradient);
    for (int k = 0; k < ROWS * dim; k++)
      CHECK_CLOSE(dz[k], slope(&s, &s.z[k]), 1e-8 * (1 + fabs(value_of(&s))));
  }
  drawing d = {0};
  sl__graph *g = NULL;
  if (CHECK_OK(f->context, sl__graph_new(f->context, &g)) &&
      CHECK_OK(f->context, build_drawing(f, g, &d))) {
    s.d = &d;
    run_drawing(f, &d, s.c, gradient);
    check_parameter_slopes(&s, gradient);
    /* The choice of a component gives weights no gradient. */
    for (int i = 0; i < f->flow->parameter_count; i++)
      if (strcmp(f->flow->parameters[i].name, "base.logits") == 0)
        for (int64_t k = 0; k < sl__shape_count(f->flow->parameters[i].shape); k++)
          CHECK(gradient[f->flow->parameters[i].offset + k] == 0);
  }
  sl__graph_free(g);
  sl__workspace_free(d.workspace);
  sl__program_free(d.program);
  free(gradient);
}

static void check_gradients(const char *text, const sl__kind *kind) {
  (void)kind;
  for (int32_t dim = 1; dim <= MOST_DIM; dim++) {
    bool is_trained = true; /* else a context is refused: nothing reads it */
    for (int conditional = 0; conditional < 2 && is_trained; conditional++) {
      for (int size = 0; size < 2; size++) {
        fixture f;
        if (!fixture_open(&f, text, dim, conditional ? CONTEXT : 0, SL_F64)) return;
        is_trained = f.flow->trainable > 0;
        fixture_perturb(&f, size == 0 ? 0 : 0.5, 37);
        int failures = check_failures;
        check_gradients_at(&f);
        if (check_failures > failures)
          printf("  dim %d, %s context, size %d\n", dim, conditional ? "with" : "without", size);
        fixture_close(&f);
      }
    }
  }
}

TEST(gradients_of_densities_and_draws) {
  for_every_base(check_gradients);
}

/* In a conditional flow the numbers of a base follow the context. */
TEST(contexts_reach_bases) {
  static const char *const texts[] = {"student(learn=true)", "gaussian", "gaussian_mixture(3)",
                                      "gaussian_mixture(3,covariance=diagonal)",
                                      "mixture(2,scale-loc)"};
  for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
    fixture f;
    double z[4] = {2, -5, 2, -5}, c[4] = {0.5, 1, -1, 2}, log_prob[2];
    if (!fixture_open(&f, texts[i], 2, CONTEXT, SL_F64)) return;
    fixture_perturb(&f, 0.5, 37);
    if (fixture_log_prob(&f, 2, z, c, log_prob) && !CHECK(fabs(log_prob[0] - log_prob[1]) > 1e-3))
      printf("  in %s: %g and %g\n", texts[i], log_prob[0], log_prob[1]);
    fixture_close(&f);
  }
}

/* ---- far out, and in float32 ---- */

static void check_far(const char *text, const sl__kind *kind) {
  (void)kind;
  static const double places[ROWS] = {1e3, -1e3, 30, 1, 0};
  for (int type = 0; type < 2; type++) {
    fixture f;
    if (!fixture_open(&f, text, 2, 0, type == 0 ? SL_F64 : SL_F32)) return;
    double z[ROWS * 2], dz[ROWS * 2], log_prob[ROWS];
    double *gradient = calloc((size_t)f.flow->size + 1, sizeof *gradient);
    for (int k = 0; k < 2 * ROWS; k++) z[k] = places[k / 2];
    if (gradient && fixture_log_prob(&f, ROWS, z, NULL, log_prob) &&
        fixture_gradient(&f, ROWS, z, NULL, gradient, dz)) {
      bool outside = false;
      for (int r = 0; r < ROWS; r++) {
        CHECK(!isnan(log_prob[r]) && log_prob[r] < 10);
        outside = outside || log_prob[r] == -INFINITY;
      }
      CHECK(outside == (strstr(text, "uniform") != NULL));
      for (int k = 0; k < 2 * ROWS; k++) CHECK(isfinite(dz[k]));
      for (int64_t k = 0; k < f.flow->size; k++) CHECK(isfinite(gradient[k]));
    }
    free(gradient);
    fixture_close(&f);
  }
}

TEST(finite_far_out) {
  for_every_base(check_far);
}

static void check_float32(const char *text, const sl__kind *kind) {
  (void)kind;
  enum { POINTS = 64, DIM = 3 };
  fixture wide, narrow;
  double z[POINTS * DIM], a[POINTS], b[POINTS];
  if (!fixture_open(&wide, text, DIM, 0, SL_F64)) return;
  if (!fixture_open(&narrow, text, DIM, 0, SL_F32)) return;
  fixture_perturb(&narrow, 0.3, 17);
  for (int64_t k = 0; k < narrow.flow->size; k++)
    wide.vector[k] = narrow.vector[k] = (double)(float)narrow.vector[k];
  fixture_points(z, POINTS * DIM, 1.3, 3);
  for (int k = 0; k < POINTS * DIM; k++) z[k] = (double)(float)(k < DIM ? 100 * z[k] : z[k]);
  if (fixture_log_prob(&wide, POINTS, z, NULL, a) && fixture_log_prob(&narrow, POINTS, z, NULL, b))
    for (int r = 0; r < POINTS; r++) CHECK_CLOSE(b[r], a[r], 1e-5);
  double *draws = calloc((size_t)20000 * 8, sizeof *draws);
  if (CHECK(draws != NULL) &&
      fixture_map(&narrow, FIXTURE_SAMPLE, 20000, NULL, NULL, draws, draws + 80000) &&
      fixture_map(&wide, FIXTURE_SAMPLE, 20000, NULL, NULL, draws + 100000, draws + 60000))
    for (int k = 0; k < 20000 * DIM; k++) CHECK(isfinite(draws[k]) && isfinite(draws[100000 + k]));
  free(draws);
  fixture_close(&wide);
  fixture_close(&narrow);
}

TEST(float32_agrees_with_float64) {
  for_every_base(check_float32);
}

/* The normaliser holds its digits where log Gamma has many before the point. */
TEST(student_with_many_degrees_is_normal) {
  fixture f;
  double z = 0.7, log_prob = 0;
  if (!fixture_open(&f, "student(df=1e6)", 1, 0, SL_F32)) return;
  if (fixture_log_prob(&f, 1, &z, NULL, &log_prob))
    CHECK_CLOSE(log_prob, -z * z / 2 - HALF_LOG_TWO_PI, 3e-6);
  fixture_close(&f);
}

/* Where no component reaches, density and gradients say so without a NaN. */
TEST(a_mixture_of_boxes_has_an_outside) {
  sl_context *context = NULL;
  sl__graph *g = NULL;
  sl__program *program = NULL;
  sl__workspace *workspace = NULL;
  REQUIRE(sl_context_new(NULL, &context) == SL_OK);
  REQUIRE_OK(context, sl__graph_new(context, &g));
  sl_node a = op_input(g, SL_F64, sl__scalar_shape()), b = op_input(g, SL_F64, sl__scalar_shape());
  double even[2] = {0, 0};
  sl_node logits = op_constant(g, SL_F64, sl__shape1(2), even), both[2] = {a, b}, slopes[2];
  sl_node mixed = sl__mix(g, logits, 2, both);
  REQUIRE_OK(context, sl__gradient(g, mixed, 2, both, slopes));
  sl_node outputs[3] = {mixed, slopes[0], slopes[1]};
  REQUIRE_OK(context, sl__program_new(context, g, 3, outputs, &program));
  REQUIRE_OK(context, sl__workspace_new(context, program, 3, &workspace));
  double first[3] = {-INFINITY, -INFINITY, 1}, second[3] = {-INFINITY, 2, 1}, out[3][3];
  sl__feed feeds[2] = {{.data = first, .type = SL_F64}, {.data = second, .type = SL_F64}};
  sl__sink sinks[3];
  for (int i = 0; i < 3; i++) sinks[i] = (sl__sink){.data = out[i], .type = SL_F64};
  sl__run run = {.rows = 3, .feeds = feeds, .sinks = sinks};
  REQUIRE_OK(context, sl__program_run(context, program, workspace, &run));
  CHECK(out[0][0] == -INFINITY && out[1][0] == 0 && out[2][0] == 0);
  CHECK_CLOSE(out[0][1], 2 - log(2), 1e-15);
  CHECK(out[1][1] == 0 && out[2][1] == 1);
  CHECK_CLOSE(out[0][2], 1, 1e-15);
  CHECK_CLOSE(out[1][2], 0.5, 1e-15);
  sl__workspace_free(workspace);
  sl__program_free(program);
  sl__graph_free(g);
  sl_context_free(context);
}

/* ---- starting from data ---- */

/* Three clusters, far apart, of sizes 3 : 2 : 1. */
static void draw_clusters(int64_t rows, double *values) {
  static const double centre[3][2] = {{-3, 1}, {2, 2}, {0.5, -3}};
  fixture_points(values, rows * 2, 0.1, 12);
  for (int64_t r = 0; r < rows; r++) {
    const double *at = centre[r % 6 < 3 ? 0 : r % 6 < 5 ? 1 : 2];
    for (int k = 0; k < 2; k++) values[2 * r + k] = at[k] + (1 + k) * values[2 * r + k];
  }
}

static void check_look(const char *text, sl_dtype type) {
  enum { DATA = 12000 };
  fixture f;
  double *values = calloc((size_t)DATA * 3, sizeof *values), before = 0, after = 0;
  if (!CHECK(values != NULL) || !fixture_open(&f, text, 2, 0, type)) return;
  double *log_prob = values + 2 * DATA;
  draw_clusters(DATA, values);
  values[0] = NAN; /* a row that the chain did not reach */
  const sl__kind *kind = f.flow->base.kind;
  void *vector = type == SL_F32 ? (void *)f.narrow : (void *)f.vector;
  if (fixture_log_prob(&f, DATA, values, NULL, log_prob))
    for (int r = 1; r < DATA; r++) before += log_prob[r] / DATA;
  REQUIRE_OK(f.context, kind->look(f.context, &f.flow->base, vector, DATA, values, true));
  for (int64_t k = 0; k < f.flow->size && type == SL_F32; k++) f.vector[k] = (double)f.narrow[k];
  if (fixture_log_prob(&f, DATA, values, NULL, log_prob))
    for (int r = 1; r < DATA; r++) after += log_prob[r] / DATA;
  /* The entropy of such data: of the choice, and of a normal density of scales 0.1 and 0.2. */
  double choice = -log(3. / 6) * 3 / 6 - log(2. / 6) * 2 / 6 - log(1. / 6) / 6;
  CHECK_CLOSE(after, -choice - 1 - 2 * HALF_LOG_TWO_PI - log(0.1 * 0.2), 0.03);
  CHECK(after > before + 1);
  fixture again;
  if (fixture_open(&again, text, 2, 0, type)) {
    void *second = type == SL_F32 ? (void *)again.narrow : (void *)again.vector;
    kind->look(again.context, &again.flow->base, second, DATA, values, true);
    size_t size = type == SL_F32 ? sizeof(float) : sizeof(double);
    CHECK(memcmp(vector, second, (size_t)f.flow->size * size) == 0);
    /* Too few rows, or a later look: nothing changes. */
    kind->look(again.context, &again.flow->base, second, 2, values, true);
    kind->look(again.context, &again.flow->base, second, DATA, values, false);
    CHECK(memcmp(vector, second, (size_t)f.flow->size * size) == 0);
    fixture_close(&again);
  }
  fixture_close(&f);
  free(values);
}

TEST(a_gaussian_mixture_starts_from_clusters) {
  check_look("gaussian_mixture(3)", SL_F64);
  check_look("gaussian_mixture(3,covariance=diagonal)", SL_F32);
}

/* ---- inverse ---- */

/* Copies numbers between flows whose chains have the same layers in opposite orders. */
static void copy_reversed(const fixture *from, fixture *to) {
  int count = from->flow->chain.count;
  for (int i = 0; i < from->flow->parameter_count; i++) {
    const sl__parameter *p = &from->flow->parameters[i];
    char name[160], *rest = NULL;
    long layer = strtol(p->name + strlen("layers."), &rest, 10);
    snprintf(name, sizeof name, "layers.%ld%s", count + 1 - layer, rest);
    bool found = false;
    for (int k = 0; k < to->flow->parameter_count; k++) {
      const sl__parameter *q = &to->flow->parameters[k];
      if (strcmp(q->name, name) != 0 || sl__shape_count(q->shape) != sl__shape_count(p->shape))
        continue;
      found = true;
      memcpy(to->vector + q->offset, from->vector + p->offset,
             (size_t)sl__shape_count(p->shape) * sizeof *to->vector);
    }
    if (!CHECK(found)) printf("  no %s\n", name);
  }
}

static bool all_finite(const double *a, int count) {
  for (int i = 0; i < count; i++)
    if (!isfinite(a[i])) return false;
  return true;
}

/* Each direction of one against the other direction of the other: the same operations are done. */
static void check_swapped(fixture *f, fixture *g, int32_t dim, int32_t context_dim) {
  enum { POINTS = 8 };
  double x[POINTS * 4], c[POINTS * 2], a[POINTS * 4], b[POINTS * 4], a_det[POINTS], b_det[POINTS];
  static const int other[2] = {FIXTURE_SAMPLE_MAP, FIXTURE_LOG_PROB_MAP};
  fixture_points(x, POINTS * dim, 0.8, 5);
  fixture_points(c, POINTS * context_dim, 1, 6);
  for (int which = 0; which < 2; which++) {
    if (!fixture_map(f, which, POINTS, x, c, a, a_det)) return;
    if (!fixture_map(g, other[which], POINTS, x, c, b, b_det)) return;
    for (int k = 0; k < POINTS * dim; k++) CHECK_CLOSE(b[k], a[k], 1e-13);
    for (int r = 0; r < POINTS; r++) CHECK_CLOSE(b_det[r], a_det[r], 1e-13);
    /* And there and back in one of them. */
    if (!fixture_map(g, which, POINTS, b, c, a, a_det)) return;
    if (!all_finite(b_det, POINTS)) continue; /* some rows are out of reach */
    for (int k = 0; k < POINTS * dim; k++) CHECK_CLOSE(a[k], x[k], 1e-7);
    for (int r = 0; r < POINTS; r++) CHECK_CLOSE(a_det[r], -b_det[r], 1e-6);
  }
}

/* base: a density on what both directions can take, with its dash, or "". */
static void check_inverse(const char *base, const char *formula, int32_t dim, int32_t context_dim) {
  fixture f, g;
  int failures = check_failures;
  char straight[256], turned[256];
  snprintf(straight, sizeof straight, "%s%s", base, formula);
  snprintf(turned, sizeof turned, "%sinverse(%s)", base, formula);
  if (!fixture_open(&f, straight, dim, context_dim, SL_F64)) return;
  if (!fixture_open(&g, turned, dim, context_dim, SL_F64)) return;
  fixture_perturb(&f, 0.1, 41);
  copy_reversed(&f, &g);
  check_swapped(&f, &g, dim, context_dim);
  if (check_failures > failures) printf("  %s, dim %d\n", turned, dim);
  fixture_close(&f);
  fixture_close(&g);
}

static bool fits(const char *formula, int32_t dim) {
  sl_context *context = NULL;
  sl__flow *flow = NULL;
  if (sl_context_new(NULL, &context) != SL_OK) return false;
  const sl__flow_plan plan = {.formula = formula, .dim = dim, .type = SL_F64, .seed = 11};
  bool good = sl__flow_new(context, &plan, &flow) == SL_OK;
  sl__flow_free(context, flow);
  sl_context_free(context);
  return good;
}

TEST(inverse_exchanges_the_directions) {
  int count = 0, checked = 0;
  const sl__kind *const *kinds = sl__kinds(&count);
  for (int i = 0; i < count; i++) {
    if (sl__kind_is_base(kinds[i]) || !fits(kinds[i]->name, 2)) continue;
    check_inverse(kinds[i]->image ? "uniform(low=0.1,high=0.9)-" : "", kinds[i]->name, 2, 0);
    checked++;
  }
  CHECK(checked >= 8);
  check_inverse("", "scale-loc", 3, 0);
  check_inverse("", "(lu(no)-scale)*2-loc", 3, 0);
  check_inverse("", "permute(3:1:2)-maf(hidden=8)-scale(exp)-reverse", 3, 0);
  check_inverse("", "lu(no)-coupling(rqs,mask=10,hidden=8)-loc", 2, 2);
  check_inverse("", "iaf(affine,hidden=8)-(loc-lu(no))*3", 4, 1);
}

/* What a formula is expanded to; an inverted layer has a ' behind its name. */
static const struct {
  const char *formula, *layers;
} expansions[] = {
    {"loc-scale", "loc scale "},
    {"inverse(loc-scale)", "scale' loc' "},
    {"inverse(loc-scale)*2", "scale' loc' scale' loc' "},
    {"inverse(inverse(loc-scale))", "loc scale "},
    {"inverse(loc-inverse(scale-lu)-reverse)", "reverse' scale lu loc' "},
    {"inverse((loc-scale)*2-inverse(lu*2))-loc", "lu lu scale' loc' scale' loc' loc "},
    {"(inverse(loc*2)-scale)*2", "loc' loc' scale loc' loc' scale "},
};

TEST(inverse_reverses_the_order) {
  for (size_t i = 0; i < sizeof expansions / sizeof expansions[0]; i++) {
    fixture f;
    char text[128] = "";
    if (!fixture_open(&f, expansions[i].formula, 2, 0, SL_F64)) return;
    for (int k = 0; k < f.flow->chain.count; k++) {
      const sl__layer *layer = &f.flow->chain.layers[k];
      size_t used = strlen(text);
      snprintf(text + used, sizeof text - used, "%s%s ", layer->kind->name,
               layer->inverted ? "'" : "");
      CHECK_INTEGER(layer->index, k + 1);
    }
    CHECK_TEXT(text, expansions[i].layers);
    fixture_close(&f);
  }
}

/* ---- mixtures of flows ---- */

TEST(copies_of_a_mixture_start_apart) {
  fixture f;
  if (!fixture_open(&f, "mixture(3,loc-coupling(affine,hidden=8))", 2, 0, SL_F64)) return;
  CHECK_INTEGER(f.flow->chain.count, 0);
  for (int i = 0; i < f.flow->parameter_count; i++) {
    const sl__parameter *first = &f.flow->parameters[i];
    if (strncmp(first->name, "base.1.", 7) != 0) continue;
    char name[160];
    snprintf(name, sizeof name, "2.%s", first->name + 7);
    const double *second = numbers(&f, name);
    if (!second) continue;
    CHECK(memcmp(second, f.vector + first->offset,
                 (size_t)sl__shape_count(first->shape) * sizeof *second) != 0);
  }
  for (int i = 0; i < f.flow->parameter_count; i++) {
    const sl__layer *layer = f.flow->parameters[i].layer;
    if (strcmp(f.flow->parameters[i].name, "base.2.layers.1.loc") == 0)
      CHECK_TEXT(layer->title, "component 2, layer 1");
  }
  fixture_close(&f);
}

/* ---- whole models ---- */

static sl_array_in rows_of(const double *data, int64_t rows, int64_t columns) {
  return (sl_array_in){data, SL_F64, rows, columns, columns, 1};
}

/* Written and read again: the same texts and the same bits. */
static void check_file(sl_context *context, const char *formula, const char *base,
                       const char *want_formula, const char *want_base) {
  enum { POINTS = 16 };
  static const char *const path = "t_bases_model.safetensors";
  sl_flow *flow = NULL, *again = NULL;
  double x[POINTS * 2], a[POINTS], b[POINTS];
  fixture_points(x, POINTS * 2, 1.3, 3);
  for (int k = 0; k < POINTS * 2; k++) x[k] = fabs(x[k]) / 8;
  REQUIRE_OK(context, sl_flow_new(context, formula, base, 2, 0, SL_F32, 7, &flow));
  CHECK_TEXT(sl_flow_formula(flow), want_formula);
  CHECK_TEXT(sl_flow_base(flow), want_base);
  REQUIRE_OK(context, sl_flow_save(context, flow, path));
  REQUIRE_OK(context, sl_flow_load(context, path, &again));
  CHECK_TEXT(sl_flow_formula(again), want_formula);
  CHECK_TEXT(sl_flow_base(again), want_base);
  sl_array_in in = rows_of(x, POINTS, 2);
  sl_array_out out_a = {a, SL_F64, POINTS, 1, 1, 1}, out_b = {b, SL_F64, POINTS, 1, 1, 1};
  CHECK_OK(context, sl_flow_log_prob(context, flow, &in, NULL, &out_a));
  CHECK_OK(context, sl_flow_log_prob(context, again, &in, NULL, &out_b));
  CHECK(memcmp(a, b, sizeof a) == 0);
  CHECK(all_finite(a, POINTS));
  sl_flow_free(flow);
  sl_flow_free(again);
  remove(path);
}

TEST(bases_in_files) {
  sl_context *context = NULL;
  REQUIRE(sl_context_new(NULL, &context) == SL_OK);
  check_file(context, "student(df=3)", NULL, "standardize", "student(3)");
  check_file(context, "", "gaussian", "standardize", "gaussian");
  check_file(context, "uniform-loc(jitter=0)*2", NULL, "loc(0)*2-standardize", "uniform");
  check_file(context, "mixture(2, scale - loc) - inverse(lu-loc)", NULL,
             "inverse(lu-loc)-standardize", "mixture(2,scale-loc)");
  check_file(context, "maf(hidden=8)", "gaussian_mixture(3)", "maf(affine,hidden=8)-standardize",
             "gaussian_mixture(3)");
  check_file(context, "inverse(standardize)", "mixture(2,permute-inverse(coupling(hidden=4)))",
             "inverse(standardize)-standardize",
             "mixture(2,permute-inverse(coupling(affine,hidden=4)))");
  sl_context_free(context);
}

/* A base alone is a flow that can be fitted: three clusters by three components, to their
 * entropy. */
TEST(a_base_alone_is_fitted) {
  enum { DATA = 3000 };
  sl_context *context = NULL;
  sl_fit_options options;
  sl_fit_report report = {.size = sizeof report};
  sl_flow *flow = NULL;
  double *values = calloc((size_t)DATA * 2, sizeof *values);
  REQUIRE(values != NULL && sl_context_new(NULL, &context) == SL_OK);
  draw_clusters(DATA, values);
  sl_fit_options_default(&options, sizeof options);
  options.formula = "gaussian_mixture(3)";
  options.steps = 400;
  options.seed = 3;
  options.baselines = 0;
  sl_array_in in = rows_of(values, DATA, 2);
  sl_fit_data data = {.size = sizeof data, .x = in};
  if (CHECK_OK(context, sl_fit(context, &data, &options, &flow, &report))) {
    double choice = -log(3. / 6) * 3 / 6 - log(2. / 6) * 2 / 6 - log(1. / 6) / 6;
    double entropy = choice + 1 + 2 * HALF_LOG_TWO_PI + log(0.1 * 0.2);
    CHECK_CLOSE(report.train.log_prob, -entropy, 0.1);
  }
  sl_flow_free(flow);
  free(values);
  sl_context_free(context);
}
