/* Every base density, because it is registered: density against a plain formula and, for mixtures
 * of flows, against the flows of their components built apart; mass by quadrature; draws against
 * the quadrature's cumulative distribution and entropy; gradients of densities and draws against
 * differences. And inverse(formula) against the formula itself. */
#include "bases.h"

/* ---- densities by plain formulas ---- */

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
