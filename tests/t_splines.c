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
