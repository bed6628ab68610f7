/* Splines against plain scalar code written from the papers, at knots, edges and far out; circular
 * ones and flows with angles, whose densities must close over the seam; networks that read
 * sines. */
#include "flow_differences.h"

/* Where the circular transformer may stand. */
#define CIRCLE "uniform(low=-3.141592653589793,high=3.141592653589793)-"
#define PI     3.14159265358979323846

/* ---- splines from their papers, one number at a time ---- */

typedef enum spline_kind { RQS, LRS, LINEAR, CIRCULAR } spline_kind;

enum { MOST_BINS = 16 };
typedef struct plain {
  spline_kind kind;
  int bins;
  double bound, shift;
  double x[MOST_BINS + 1], y[MOST_BINS + 1], slope[MOST_BINS + 1], lambda[MOST_BINS];
} plain;

/* Knots: shares by softmax, at least 1e-3 each. */
static void place_knots(const double *raw, int bins, double bound, double *knots) {
  double sum = 0, at = -bound;
  for (int k = 0; k < bins; k++) sum += exp(raw[k]);
  for (int k = 0; k < bins; k++) {
    knots[k] = at;
    at += 2 * bound * (1e-3 + (1 - 1e-3 * bins) * exp(raw[k]) / sum);
  }
  knots[bins] = bound;
}

static double plain_slope(double raw) {
  return 1e-3 + log1p(exp(raw + log(expm1(1 - 1e-3))));
}

static plain plain_new(spline_kind kind, int bins, double bound, bool learned, const double *raw) {
  plain p = {.kind = kind, .bins = bins, .bound = bound};
  const double *slopes = raw + 2 * bins;
  if (kind == LINEAR) {
    for (int k = 0; k <= bins; k++) p.x[k] = -bound + 2 * bound * k / bins;
    place_knots(raw, bins, bound, p.y);
    p.slope[0] = learned ? plain_slope(raw[bins]) : 1;
    p.slope[bins] = learned ? plain_slope(raw[bins + 1]) : 1;
    return p;
  }
  place_knots(raw, bins, bound, p.x);
  place_knots(raw + bins, bins, bound, p.y);
  p.slope[0] = p.slope[bins] = 1;
  if (kind == CIRCULAR) {
    for (int k = 0; k < bins; k++) p.slope[k] = plain_slope(slopes[k]);
    p.slope[bins] = p.slope[0];
    p.shift = raw[3 * bins] * bound / PI;
    return p;
  }
  int first = learned ? 0 : 1, count = learned ? bins + 1 : bins - 1;
  for (int k = 0; k < count; k++) p.slope[first + k] = plain_slope(slopes[k]);
  for (int k = 0; kind == LRS && k < bins; k++)
    p.lambda[k] = 0.025 + 0.95 / (1 + exp(-slopes[count + k]));
  return p;
}

/* Durkan et al. 2019, eqs. 4, 5. */
static double plain_quadratic(const plain *p, int k, double x, double *derivative) {
  double width = p->x[k + 1] - p->x[k], height = p->y[k + 1] - p->y[k], s = height / width;
  double t = (x - p->x[k]) / width, d0 = p->slope[k], d1 = p->slope[k + 1];
  double den = s + (d1 + d0 - 2 * s) * t * (1 - t);
  *derivative = s * s * (d1 * t * t + 2 * s * t * (1 - t) + d0 * (1 - t) * (1 - t)) / (den * den);
  return p->y[k] + height * (s * t * t + d0 * t * (1 - t)) / den;
}

/* Dolatabadi et al. 2020, eqs. 6 to 9, with the weight of knot k equal to 1. */
static double plain_linear_rational(const plain *p, int k, double x, double *derivative) {
  double width = p->x[k + 1] - p->x[k], height = p->y[k + 1] - p->y[k];
  double d0 = p->slope[k], d1 = p->slope[k + 1], l = p->lambda[k];
  double y0 = p->y[k], y1 = p->y[k + 1], phi = (x - p->x[k]) / width;
  double w0 = 1, w1 = sqrt(d0 / d1) * w0;
  double ym = ((1 - l) * w0 * y0 + l * w1 * y1) / ((1 - l) * w0 + l * w1);
  double wm = (l * w0 * d0 + (1 - l) * w1 * d1) * width / height;
  if (phi <= l) {
    double den = w0 * (l - phi) + wm * phi;
    *derivative = l * w0 * wm * (ym - y0) / (den * den) / width;
    return (w0 * y0 * (l - phi) + wm * ym * phi) / den;
  }
  double den = wm * (1 - phi) + w1 * (phi - l);
  *derivative = (1 - l) * wm * w1 * (y1 - ym) / (den * den) / width;
  return (wm * ym * (1 - phi) + w1 * y1 * (phi - l)) / den;
}

static double plain_inside(const plain *p, double x, double *derivative) {
  int k = 0;
  while (k < p->bins - 1 && x >= p->x[k + 1]) k++;
  if (p->kind == LRS) return plain_linear_rational(p, k, x, derivative);
  if (p->kind != LINEAR) return plain_quadratic(p, k, x, derivative);
  *derivative = (p->y[k + 1] - p->y[k]) / (p->x[k + 1] - p->x[k]);
  return p->y[k] + (x - p->x[k]) * *derivative;
}

/* From data to noise, with log dz/dx. */
static double plain_map(const plain *p, double x, double *log_slope) {
  double derivative = 1, y;
  int edge = x > 0 ? p->bins : 0;
  if (p->kind == CIRCULAR) {
    y = plain_inside(p, remainder(x - p->shift, 2 * p->bound), &derivative);
  } else if (fabs(x) > p->bound) {
    derivative = p->slope[edge];
    y = p->x[edge] + derivative * (x - p->x[edge]);
  } else {
    y = plain_inside(p, x, &derivative);
  }
  *log_slope = log(derivative);
  return y;
}

/* ---- one spline with its numbers ---- */

typedef struct spline_case {
  const char *formula;
  spline_kind kind;
  int bins;
  double bound;
  bool learned;
} spline_case;

static const spline_case splines[] = {
    {"elementwise(rqs)", RQS, 8, 4, false},
    {"elementwise(rqs,bins=3,bound=2.5,tails=learned)", RQS, 3, 2.5, true},
    {"elementwise(lrs)", LRS, 8, 4, false},
    {"elementwise(lrs,bins=2,bound=0.5)", LRS, 2, 0.5, false},
    {"elementwise(lrs,bins=5,bound=3,tails=learned)", LRS, 5, 3, true},
    {"elementwise(linear)", LINEAR, 8, 4, false},
    {"elementwise(linear,bins=7,bound=1.5,tails=learned)", LINEAR, 7, 1.5, true},
    {CIRCLE "elementwise(circular)", CIRCULAR, 8, PI, false},
    {"uniform(low=-180,high=180)-elementwise(circular,bins=5,period=360)", CIRCULAR, 5, 180, false},
};
enum { CASES = sizeof splines / sizeof splines[0] };
static const double amplitudes[] = {0.3, 3};

static double on_circle(const plain *p, double difference) {
  return p->kind == CIRCULAR ? remainder(difference, 2 * p->bound) : difference;
}

TEST(zeros_are_the_identity) {
  static const double x[] = {0, 0.1, -0.3, 0.49, 1.4, -2.9, 3.1, -1e3, 1e3};
  enum { POINTS = sizeof x / sizeof x[0] };
  for (int i = 0; i < CASES; i++) {
    fixture f;
    double z[POINTS], log_det[POINTS];
    if (!fixture_open(&f, splines[i].formula, 1, 0, SL_F64)) return;
    plain p = {.kind = splines[i].kind, .bound = splines[i].bound};
    for (int which = FIXTURE_LOG_PROB_MAP; which <= FIXTURE_SAMPLE_MAP; which++) {
      if (!fixture_map(&f, which, POINTS, x, NULL, z, log_det)) break;
      for (int k = 0; k < POINTS; k++) {
        CHECK_CLOSE(on_circle(&p, z[k] - x[k]), 0, 1e-12);
        CHECK_CLOSE(log_det[k], 0, 1e-13);
      }
    }
    fixture_close(&f);
  }
}

/* Points all over: in the box, on its edges and every knot and one ulp beside them, far out. */
enum { SPREAD = 301, MOST_POINTS = SPREAD + 3 * (MOST_BINS + 1) + 4 };
static int points_of(const plain *p, double *x) {
  int count = 0;
  for (int k = 0; k < SPREAD; k++) x[count++] = 1.3 * p->bound * (2.0 * k / (SPREAD - 1) - 1);
  for (int k = 0; k <= p->bins; k++) {
    double knot = p->x[k] + p->shift;
    x[count++] = knot;
    x[count++] = nextafter(knot, INFINITY);
    x[count++] = nextafter(knot, -INFINITY);
  }
  x[count++] = 1e3;
  x[count++] = -1e3;
  x[count++] = nextafter(p->bound, 0);
  x[count++] = nextafter(-p->bound, 0);
  return count;
}

/* How far the logarithm of the slope may be off where knots are known to a few ulp: as far as it
 * changes there; at a jump the slopes on both sides are right. */
static bool slope_agrees(const plain *p, double x, double found, double tolerance) {
  double ulps = 8 * EPSILON * (fabs(x) + p->bound), here, below, above;
  plain_map(p, x, &here);
  plain_map(p, x - ulps, &below);
  plain_map(p, x + ulps, &above);
  double low = fmin(here, fmin(below, above)), high = fmax(here, fmax(below, above));
  tolerance += high - low < 1e-3 ? high - low : 0;
  return found >= low - tolerance && found <= high + tolerance;
}

TEST(splines_are_those_of_the_papers) {
  for (int i = 0; i < CASES; i++) {
    const spline_case *now = &splines[i];
    fixture f;
    if (!fixture_open(&f, now->formula, 1, 0, SL_F64)) return;
    for (int a = 0; a < 2; a++) {
      double x[MOST_POINTS], z[MOST_POINTS], log_det[MOST_POINTS];
      double again[MOST_POINTS], back[MOST_POINTS];
      int failures = check_failures;
      fixture_perturb(&f, amplitudes[a], 5 + (uint64_t)i);
      plain p = plain_new(now->kind, now->bins, now->bound, now->learned, f.vector);
      int count = points_of(&p, x);
      if (!fixture_map(&f, FIXTURE_LOG_PROB_MAP, count, x, NULL, z, log_det)) break;
      if (!fixture_map(&f, FIXTURE_SAMPLE_MAP, count, z, NULL, again, back)) break;
      for (int k = 0; k < count; k++) {
        double log_slope, wanted = plain_map(&p, x[k], &log_slope);
        double rounding = 1e-13 * (fabs(x[k]) + p.bound) * (1 + exp(log_slope));
        CHECK_CLOSE(on_circle(&p, z[k] - wanted), 0, rounding);
        CHECK(slope_agrees(&p, x[k], log_det[k], 1e-10));
        /* The inverse: rounding of z shows as 1 / slope of it, no more. */
        CHECK_CLOSE(on_circle(&p, again[k] - x[k]), 0, 1e-10 + rounding * exp(-log_slope));
        CHECK(slope_agrees(&p, again[k], -back[k], 1e-9));
      }
      if (check_failures > failures) printf("  in %s, %g\n", now->formula, amplitudes[a]);
    }
    fixture_close(&f);
  }
}

/* Round trips from either side, and in float32. */
static void check_round_trip(const spline_case *now, double amplitude, sl_dtype type) {
  enum { POINTS = 8 };
  double x[POINTS] = {0.4, -0.3, 0.9, -1, 0.77, 1.01, 1e3, -1e3};
  double tolerance = type == SL_F32 ? 1e-4 : 1e-10, ulp = type == SL_F32 ? 6e-8 : 1.2e-16;
  fixture f;
  if (!fixture_open(&f, now->formula, 1, 0, type)) return;
  fixture_perturb(&f, amplitude, 31);
  plain p = {.kind = now->kind, .bound = now->bound};
  for (int k = 0; k < 6; k++) x[k] *= now->bound;
  for (int k = 0; type == SL_F32 && k < POINTS; k++) x[k] = (double)(float)x[k];
  for (int which = FIXTURE_LOG_PROB_MAP; which <= FIXTURE_SAMPLE_MAP; which++) {
    int other = which == FIXTURE_LOG_PROB_MAP ? FIXTURE_SAMPLE_MAP : FIXTURE_LOG_PROB_MAP;
    double y[POINTS], again[POINTS], there[POINTS], back[POINTS];
    if (!fixture_map(&f, which, POINTS, x, NULL, y, there)) break;
    if (!fixture_map(&f, other, POINTS, y, NULL, again, back)) break;
    for (int k = 0; k < POINTS; k++) {
      double size = fabs(x[k]) + p.bound + fabs(y[k]);
      double bound = tolerance * size + 20 * ulp * size * (1 + exp(-there[k]));
      CHECK(isfinite(there[k]) && isfinite(back[k]));
      CHECK_CLOSE(on_circle(&p, again[k] - x[k]), 0, bound);
    }
  }
  fixture_close(&f);
}

TEST(round_trips) {
  for (int i = 0; i < CASES; i++) {
    for (int a = 0; a < 2; a++) {
      int failures = check_failures;
      check_round_trip(&splines[i], amplitudes[a], SL_F64);
      check_round_trip(&splines[i], amplitudes[a], SL_F32);
      if (check_failures > failures) printf("  in %s, %g\n", splines[i].formula, amplitudes[a]);
    }
  }
}

/* Numbers that make slopes extreme, and values at the ends of what float32 holds. */
TEST(finite_at_extremes) {
  static const double x[] = {0, 4, -4, 3.9999998, 1e3, -1e15, 1e30};
  enum { POINTS = sizeof x / sizeof x[0] };
  for (int i = 0; i < CASES; i++) {
    fixture f;
    double *gradient = NULL, dx[POINTS], z[POINTS], log_det[POINTS];
    if (!fixture_open(&f, splines[i].formula, 1, 0, SL_F32)) return;
    int failures = check_failures;
    fixture_perturb(&f, 40, 9);
    gradient = calloc((size_t)f.flow->size, sizeof *gradient);
    if (!CHECK(gradient != NULL)) return;
    for (int which = FIXTURE_LOG_PROB_MAP; which <= FIXTURE_SAMPLE_MAP; which++)
      if (fixture_map(&f, which, POINTS, x, NULL, z, log_det))
        for (int k = 0; k < POINTS; k++) CHECK(isfinite(z[k]) && isfinite(log_det[k]));
    /* |z|^2 overflows beyond the first five. */
    if (fixture_gradient(&f, 5, x, NULL, gradient, dx)) {
      for (int k = 0; k < 5; k++) CHECK(isfinite(dx[k]));
      for (int64_t k = 0; k < f.flow->size; k++) CHECK(isfinite(gradient[k]));
    }
    if (check_failures > failures) printf("  in %s\n", splines[i].formula);
    free(gradient);
    fixture_close(&f);
  }
}

/* ---- mass ---- */

/* The integral over a piece of the line of exp(log_det) p(z) dx, by midpoints: p the normal density
 * or, of a circle, the uniform one. */
static double mass_between(fixture *f, const plain *p, double low, double high) {
  enum { MIDPOINTS = 4096 };
  static double x[MIDPOINTS], z[MIDPOINTS], log_det[MIDPOINTS];
  double width = (high - low) / MIDPOINTS, sum = 0;
  for (int k = 0; k < MIDPOINTS; k++) x[k] = low + (k + 0.5) * width;
  if (!fixture_map(f, FIXTURE_LOG_PROB_MAP, MIDPOINTS, x, NULL, z, log_det)) return NAN;
  for (int k = 0; k < MIDPOINTS; k++) {
    double density = exp(-0.5 * z[k] * z[k]) / sqrt(2 * PI);
    if (p->kind == CIRCULAR) density = 1 / (2 * p->bound);
    sum += width * density * exp(log_det[k]);
  }
  return sum;
}

/* Between knots the map is smooth; outside, straight, so that mass ends at |z| = 9. */
TEST(masses_are_one) {
  for (int i = 0; i < CASES; i++) {
    const spline_case *now = &splines[i];
    for (int a = 0; a < 2; a++) {
      fixture f;
      if (!fixture_open(&f, now->formula, 1, 0, SL_F64)) return;
      fixture_perturb(&f, amplitudes[a], 12);
      plain p = plain_new(now->kind, now->bins, now->bound, now->learned, f.vector);
      double sum = 0, last = p.bins;
      for (int k = 0; k < last; k++)
        sum += mass_between(&f, &p, p.x[k] + p.shift, p.x[k + 1] + p.shift);
      if (p.kind != CIRCULAR) {
        sum += mass_between(&f, &p, -p.bound - 9 / p.slope[0], -p.bound);
        sum += mass_between(&f, &p, p.bound, p.bound + 9 / p.slope[p.bins]);
      }
      if (!CHECK_CLOSE(sum, 1, 1e-4)) printf("  %s, %g\n", now->formula, amplitudes[a]);
      fixture_close(&f);
    }
  }
}

/* ---- flows with angles ---- */

static bool open_periodic(fixture *f, const char *formula, int32_t dim, int32_t periodic,
                          int32_t context_dim, sl_dtype type) {
  if (!fixture_open(f, "loc", 1, 0, type)) return false;
  sl__flow_free(f->context, f->flow);
  free(f->vector);
  free(f->narrow);
  const sl__flow_plan plan = {.formula = formula,
                              .dim = dim,
                              .context_dim = context_dim,
                              .periodic = periodic,
                              .type = type,
                              .seed = 3};
  if (!CHECK_OK(f->context, sl__flow_new(f->context, &plan, &f->flow))) return false;
  f->last = f->flow->chain.count;
  f->vector = calloc((size_t)f->flow->size, sizeof *f->vector);
  f->narrow = calloc((size_t)f->flow->size, sizeof *f->narrow);
  return CHECK(f->vector && f->narrow);
}

typedef struct periodic_case {
  const char *formula;
  int32_t dim, periodic, context_dim;
} periodic_case;
static const periodic_case periodic_cases[] = {
    {"loc", 1, 1, 0},
    {"loc", 1, 1, 2},
    {"loc", 3, 3, 0},
    {"coupling(rqs,hidden=8)*2", 2, 1, 0},
    {"maf(affine,hidden=8)", 2, 1, 2},
    {"maf(hidden=12)-reverse-maf(rqs,hidden=8)", 4, 2, 1},
};
enum { PERIODIC_CASES = sizeof periodic_cases / sizeof periodic_cases[0], ROWS = 6 };

/* On a grid of one period, and of the line for the feature that is no angle. */
static double joint_mass(fixture *f) {
  enum { ACROSS = 3000, TURNS = 1024 };
  static double x[ACROSS * 2], log_prob[ACROSS], condition[ACROSS * 2];
  double sum = 0, width = 40.0 / ACROSS;
  for (int k = 0; k < ACROSS * f->flow->context_dim; k++) condition[k] = k % 2 ? -0.8 : 0.3;
  int lines = f->flow->dim == 1 ? 1 : TURNS / 4;
  for (int line = 0; line < lines; line++) {
    for (int k = 0; k < ACROSS; k++) {
      x[f->flow->dim * k] = f->flow->dim == 1 ? -PI + 2 * PI * k / ACROSS : -20 + width * k;
      if (f->flow->dim == 2) x[2 * k + 1] = -PI + 2 * PI * line / lines;
    }
    if (!fixture_log_prob(f, ACROSS, x, condition, log_prob)) return NAN;
    for (int k = 0; k < ACROSS; k++) sum += exp(log_prob[k]);
  }
  return sum * 2 * PI / (f->flow->dim == 1 ? ACROSS : lines / width);
}

TEST(angles_have_mass_one) {
  for (int i = 0; i < PERIODIC_CASES; i++) {
    const periodic_case *now = &periodic_cases[i];
    fixture f;
    if (now->dim > 2) continue;
    if (!open_periodic(&f, now->formula, now->dim, now->periodic, now->context_dim, SL_F64)) return;
    fixture_perturb(&f, 0.1, 8); /* in networks of 64 units, enough for slopes of 1/10 to 10 */
    if (!CHECK_CLOSE(joint_mass(&f), 1, 1e-3)) printf("  %s, dim %d\n", now->formula, now->dim);
    fixture_close(&f);
  }
}

/* The density does not notice whole turns, and closes over the seam with its slopes. */
static void check_turns(const periodic_case *now, double amplitude, sl_dtype type) {
  static const double turns[ROWS] = {0, 1, -1, 7, -40, 159};
  double x[ROWS * MOST_DIM], c[ROWS * 2], log_prob[ROWS], point[MOST_DIM], dx[ROWS * MOST_DIM];
  double tolerance = type == SL_F32 ? 2e-2 : 1e-9;
  fixture f;
  if (!open_periodic(&f, now->formula, now->dim, now->periodic, now->context_dim, type)) return;
  fixture_perturb(&f, amplitude, 19);
  double *gradient = calloc((size_t)f.flow->size, sizeof *gradient);
  int rest = now->dim - now->periodic;
  fixture_points(point, now->dim, 1, 2);
  for (int seam = 0; seam < 2; seam++) {
    for (int r = 0; r < ROWS; r++) {
      for (int k = 0; k < now->dim; k++)
        x[r * now->dim + k] =
            (k >= rest && seam ? PI : point[k]) + (k < rest ? 0 : 2 * PI * turns[r]);
      for (int k = 0; k < now->context_dim; k++) c[r * now->context_dim + k] = 0.5 - k;
    }
    if (!gradient || !fixture_log_prob(&f, ROWS, x, c, log_prob)) break;
    if (!fixture_gradient(&f, ROWS, x, c, gradient, dx)) break;
    for (int r = 1; r < ROWS; r++) {
      CHECK_CLOSE(log_prob[r], log_prob[0], tolerance);
      for (int k = 0; type == SL_F64 && k < now->dim; k++)
        CHECK_CLOSE(dx[r * now->dim + k], dx[k], 1e-6 * (1 + fabs(dx[k])));
    }
  }
  free(gradient);
  fixture_close(&f);
}

TEST(densities_close_over_the_seam) {
  for (int i = 0; i < PERIODIC_CASES; i++) {
    int failures = check_failures;
    check_turns(&periodic_cases[i], 0.3, SL_F64);
    check_turns(&periodic_cases[i], 0.3, SL_F32);
    if (check_failures > failures)
      printf("  %s, dim %d\n", periodic_cases[i].formula, periodic_cases[i].dim);
  }
}

/* Both maps, each other's inverses up to whole turns; log-determinants by differences; densities
 * from maps; samples with their densities. */
static void check_periodic_maps(const periodic_case *now) {
  double x[ROWS * MOST_DIM], z[ROWS * MOST_DIM], again[ROWS * MOST_DIM], c[ROWS * 2];
  double there[ROWS], back[ROWS], log_prob[ROWS];
  int dim = now->dim, rest = dim - now->periodic;
  fixture f;
  if (!open_periodic(&f, now->formula, dim, now->periodic, now->context_dim, SL_F64)) return;
  fixture_perturb(&f, 0.1, 21);
  fixture_points(x, ROWS * dim, 1.2, 2);
  fixture_points(c, ROWS * now->context_dim, 1, 4);
  if (!fixture_map(&f, FIXTURE_LOG_PROB_MAP, ROWS, x, c, z, there)) return;
  if (!fixture_map(&f, FIXTURE_SAMPLE_MAP, ROWS, z, c, again, back)) return;
  if (!fixture_log_prob(&f, ROWS, x, c, log_prob)) return;
  for (int r = 0; r < ROWS; r++) {
    double density = -now->periodic * log(2 * PI) + there[r], doubt;
    for (int k = 0; k < dim; k++) {
      double off = again[r * dim + k] - x[r * dim + k], *at = &z[r * dim + k];
      if (k >= rest) CHECK(*at >= -PI && *at <= PI);
      if (k < rest) density -= 0.5 * (*at * *at + log(2 * PI));
      CHECK_CLOSE(k < rest ? off : remainder(off, 2 * PI), 0, 1e-10);
    }
    CHECK_CLOSE(log_prob[r], density, 1e-12);
    CHECK_CLOSE(back[r], -there[r], 1e-9);
    near_point near;
    if (!look_around(&f, FIXTURE_LOG_PROB_MAP, x + r * dim, c + r * now->context_dim, &near))
      return;
    double dense = log_det_near(&near, &doubt);
    CHECK_CLOSE(dense, there[r], 1e-7 + doubt);
  }
  if (fixture_map(&f, FIXTURE_SAMPLE, ROWS, NULL, c, x, there) &&
      fixture_log_prob(&f, ROWS, x, c, log_prob))
    for (int r = 0; r < ROWS; r++) CHECK_CLOSE(there[r], log_prob[r], 1e-9);
  fixture_close(&f);
}

TEST(maps_of_flows_with_angles) {
  for (int i = 0; i < PERIODIC_CASES; i++) {
    int failures = check_failures;
    check_periodic_maps(&periodic_cases[i]);
    if (check_failures > failures)
      printf("  %s, dim %d\n", periodic_cases[i].formula, periodic_cases[i].dim);
  }
}

/* Gradients of the joint density, by differences. */
TEST(gradients_of_flows_with_angles) {
  for (int i = 0; i < PERIODIC_CASES; i++) {
    const periodic_case *now = &periodic_cases[i];
    double x[MOST_DIM], c[2] = {0.4, -0.2}, dx[MOST_DIM], plus, minus;
    fixture f;
    if (!open_periodic(&f, now->formula, now->dim, now->periodic, now->context_dim, SL_F64)) return;
    fixture_perturb(&f, 0.3, 23);
    fixture_points(x, now->dim, 1, 6);
    double *gradient = calloc((size_t)f.flow->size, sizeof *gradient);
    REQUIRE(gradient && fixture_gradient(&f, 1, x, c, gradient, dx));
    for (int64_t k = 0; k < f.flow->size; k += 1 + f.flow->size / 150) {
      double kept = f.vector[k], h = 1e-5;
      if (kept == 0) continue; /* behind a mask */
      f.vector[k] = kept + h;
      fixture_log_prob(&f, 1, x, c, &plus);
      f.vector[k] = kept - h;
      fixture_log_prob(&f, 1, x, c, &minus);
      f.vector[k] = kept;
      CHECK_CLOSE(gradient[k], (plus - minus) / (2 * h), 1e-7);
    }
    free(gradient);
    fixture_close(&f);
  }
}

/* Uniform noise of the angles has nothing in common with the normal noise of the rest. */
TEST(noise_of_angles_is_their_own) {
  enum { MANY = 20000 };
  fixture f;
  if (!open_periodic(&f, "loc", 2, 1, 0, SL_F64)) return;
  sl__flow_initialise(f.flow, f.vector);
  double *x = calloc(MANY * 3, sizeof *x), sum[5] = {0};
  REQUIRE(x && fixture_map(&f, FIXTURE_SAMPLE, MANY, NULL, NULL, x, x + 2 * MANY));
  for (int r = 0; r < MANY; r++) {
    double a = x[2 * r], b = x[2 * r + 1] / PI;
    sum[0] += a * b;
    sum[1] += (a * a - 1) * b;
    sum[2] += (a * a - 1) * (b * b - 1.0 / 3);
    sum[3] += a * (b * b - 1.0 / 3);
    sum[4] += (a * a - 1) * cos(PI * b);
  }
  for (int k = 0; k < 5; k++) CHECK(fabs(sum[k]) < 5 * sqrt(MANY));
  free(x);
  fixture_close(&f);
}

TEST(partial_ranges_leave_angles_alone) {
  fixture f;
  if (!open_periodic(&f, "maf(hidden=6)*2", 3, 1, 0, SL_F64)) return;
  fixture_perturb(&f, 0.3, 4);
  double x[3] = {0.3, -0.4, 2}, middle[3], z[3], whole[3], det[3];
  REQUIRE(fixture_map(&f, FIXTURE_LOG_PROB_MAP, 1, x, NULL, whole, &det[0]));
  fixture_range(&f, 1, 2);
  REQUIRE(fixture_map(&f, FIXTURE_LOG_PROB_MAP, 1, x, NULL, middle, &det[1]));
  fixture_range(&f, 0, 1);
  REQUIRE(fixture_map(&f, FIXTURE_LOG_PROB_MAP, 1, middle, NULL, z, &det[2]));
  CHECK(middle[2] == x[2] && z[2] == x[2] && whole[2] != x[2]);
  for (int k = 0; k < 2; k++) CHECK_CLOSE(z[k], whole[k], 1e-14);
  fixture_close(&f);
}

TEST(refuses_more_angles_than_features) {
  sl_context *context = NULL;
  sl__flow *flow = NULL;
  REQUIRE(sl_context_new(NULL, &context) == SL_OK);
  const sl__flow_plan plan = {.formula = "loc", .dim = 2, .periodic = 3, .type = SL_F64};
  CHECK(sl__flow_new(context, &plan, &flow) == SL_BAD_ARGUMENT);
  CHECK(strstr(sl_error(context), "3 periodic features of 2") != NULL);
  sl_context_free(context);
}

/* ---- networks that read sines ---- */

static const double *tensor(const fixture *f, const char *name) {
  for (int i = 0; i < f->flow->parameter_count; i++)
    if (strcmp(f->flow->parameters[i].name, name) == 0)
      return f->vector + f->flow->parameters[i].offset;
  printf("no parameter %s\n", name);
  CHECK(false);
  exit(1);
}

/* maf of three features, two frequencies, one column of context, seven hidden units: weights as
 * full matrices, masked by degrees. */
TEST(a_masked_network_reads_sines) {
  enum { HIDDEN = 7, COLUMNS = 5, IN = 1 + 3 * COLUMNS };
  fixture f;
  if (!fixture_open(&f, "maf(affine,hidden=7,sines=2,activation=tanh)", 3, 1, SL_F64)) return;
  fixture_perturb(&f, 0.4, 14);
  double x[3] = {0.7, -1.3, 0.2}, c = 0.6, z[3], log_det, in[IN], hidden[HIDDEN], sum = 0;
  REQUIRE(fixture_map(&f, FIXTURE_LOG_PROB_MAP, 1, x, &c, z, &log_det));
  const double *w0 = tensor(&f, "layers.1.net.0.weight"), *b0 = tensor(&f, "layers.1.net.0.bias");
  const double *w1 = tensor(&f, "layers.1.net.1.weight"), *b1 = tensor(&f, "layers.1.net.1.bias");
  in[0] = c;
  for (int k = 0; k < 3; k++) {
    const double columns[COLUMNS] = {x[k], sin(0.5 * x[k]), sin(6.3 * x[k]), cos(0.5 * x[k]),
                                     cos(6.3 * x[k])};
    memcpy(in + 1 + k * COLUMNS, columns, sizeof columns);
  }
  for (int i = 0; i < HIDDEN; i++) {
    int degree = i * 3 / HIDDEN;
    hidden[i] = b0[i];
    for (int k = 0; k < IN; k++) {
      bool seen = k < 1 + degree * COLUMNS;
      CHECK((w0[i * IN + k] != 0) == seen);
      if (seen) hidden[i] += w0[i * IN + k] * in[k];
    }
    hidden[i] = tanh(hidden[i]);
  }
  for (int d = 0; d < 3; d++) {
    double out[2];
    for (int q = 0; q < 2; q++) {
      out[q] = b1[2 * d + q];
      for (int i = 0; i < HIDDEN; i++)
        if (i * 3 / HIDDEN <= d) out[q] += w1[(2 * d + q) * HIDDEN + i] * hidden[i];
    }
    double s = out[1] / (1 + fabs(out[1]) / log(1000));
    CHECK_CLOSE(z[d], (x[d] - out[0]) * exp(-s), 1e-12);
    sum -= s;
  }
  CHECK_CLOSE(log_det, sum, 1e-12);
  fixture_close(&f);
}

/* A coupling layer's network of one kept feature, straight from the formula of its inputs. */
TEST(a_plain_network_reads_sines) {
  enum { COLUMNS = 9, HIDDEN = 3 };
  fixture f;
  if (!fixture_open(&f, "coupling(affine,hidden=3,sines=4,activation=tanh)", 2, 0, SL_F64)) return;
  fixture_perturb(&f, 0.4, 14);
  double x[2] = {0.7, -1.3}, z[2], log_det, in[COLUMNS] = {x[1]}, out[2];
  REQUIRE(fixture_map(&f, FIXTURE_LOG_PROB_MAP, 1, x, NULL, z, &log_det));
  const double *w0 = tensor(&f, "layers.1.net.0.weight"), *b0 = tensor(&f, "layers.1.net.0.bias");
  const double *w1 = tensor(&f, "layers.1.net.1.weight"), *b1 = tensor(&f, "layers.1.net.1.bias");
  for (int k = 0; k < 4; k++) {
    in[1 + k] = sin(0.5 * pow(12.6, k / 3.0) * x[1]);
    in[5 + k] = cos(0.5 * pow(12.6, k / 3.0) * x[1]);
  }
  for (int q = 0; q < 2; q++) {
    out[q] = b1[q];
    for (int i = 0; i < HIDDEN; i++) {
      double a = b0[i];
      for (int k = 0; k < COLUMNS; k++) a += w0[i * COLUMNS + k] * in[k];
      out[q] += w1[q * HIDDEN + i] * tanh(a);
    }
  }
  double s = out[1] / (1 + fabs(out[1]) / log(1000));
  CHECK_CLOSE(z[0], (x[0] - out[0]) * exp(-s), 1e-12);
  CHECK_CLOSE(log_det, -s, 1e-12);
  CHECK(z[1] == x[1]);
  fixture_close(&f);
}

/* Features see those before them only, and the way back, feature by feature, meets the pass. */
TEST(sines_keep_the_order) {
  static const struct {
    const char *formula;
    int32_t context_dim;
    bool circular;
  } flows[] = {
      {"maf(rqs,hidden=24x24,sines=3)", 0, false},
      {"maf(lrs,hidden=20,blocks=1,sines=1)", 2, false},
      {"iaf(affine,hidden=16,sines=2)", 0, false},
      {CIRCLE "maf(circular,hidden=16)", 1, true},
      {CIRCLE "maf(circular,hidden=16,sines=3)", 0, true},
  };
  for (size_t i = 0; i < sizeof flows / sizeof flows[0]; i++) {
    fixture f;
    if (!fixture_open(&f, flows[i].formula, 5, flows[i].context_dim, SL_F64)) return;
    bool sampling = flows[i].formula[0] == 'i';
    fixture_perturb(&f, 0.3, 17);
    double x[5] = {0.3, -0.8, 1.1, 0.2, -0.5}, c[2] = {0.2, -0.4}, y[5], again[5], det[2];
    int pass = sampling ? FIXTURE_SAMPLE_MAP : FIXTURE_LOG_PROB_MAP;
    int walk = sampling ? FIXTURE_LOG_PROB_MAP : FIXTURE_SAMPLE_MAP;
    near_point at;
    if (look_around(&f, pass, x, c, &at))
      for (int a = 0; a < 5; a++)
        for (int b = 0; b < 5; b++) CHECK((at.jacobian[5 * a + b] == 0) == (b > a));
    if (fixture_map(&f, pass, 1, x, c, y, &det[0]) &&
        fixture_map(&f, walk, 1, y, c, again, &det[1]))
      for (int k = 0; k < 5; k++)
        CHECK_CLOSE(flows[i].circular ? remainder(again[k] - x[k], 2 * PI) : again[k] - x[k], 0,
                    1e-10);
    CHECK_CLOSE(det[1], -det[0], 1e-10);
    fixture_close(&f);
  }
}

/* sines=0 of a circle means 2: a network must tell an angle somehow. */
TEST(circles_are_read_as_sines) {
  static const char *const formulas[] = {CIRCLE "coupling(circular,hidden=4)",
                                         CIRCLE "coupling(circular,hidden=4,sines=5)"};
  static const int columns[] = {4, 10};
  for (int i = 0; i < 2; i++) {
    fixture f;
    if (!fixture_open(&f, formulas[i], 2, 0, SL_F64)) return;
    for (int k = 0; k < f.flow->parameter_count; k++)
      if (strstr(f.flow->parameters[k].name, "net.0.weight"))
        CHECK_INTEGER(f.flow->parameters[k].shape.size[1], columns[i]);
    fixture_close(&f);
  }
}
