/* Incomplete beta functions with their derivatives by both shapes: the continued fraction DLMF
 * 8.17.22 by Lentz's method, derivatives carried along (Boik and Robison-Cox 1998); beyond the
 * mean, the same of the other tail. */
#include "kernels/special.h"

#include <float.h>

#include "kernels/maths_special_f64.h"

#define HALF_LOG_TWO_PI 0.91893853320467274178

enum { MAX_TERMS = 100000 };

/* A point asked by its odds. */
typedef struct point {
  double a, b;
  double x, y; /* x + y = 1 */
  double log_x, log_y;
} point;

static point point_at(double a, double b, double odds) {
  const double inverse = 1 / odds;
  return (point){a,
                 b,
                 odds < 1 ? odds / (1 + odds) : 1 / (1 + inverse),
                 1 / (1 + odds),
                 -log1p_of_f64(inverse),
                 -log1p_of_f64(odds)};
}

static point other_tail(point p) {
  return (point){p.b, p.a, p.y, p.x, p.log_y, p.log_x};
}

/* x s / a = 1 + this; and the same of y with b: where a and b are large, x is close to a / s. */
static double excess(double x, double y, double a, double b) {
  return (x * b - y * a) / a;
}

static double log_term(point p) {
  const double a = p.a, b = p.b, s = a + b;
  if (a < 10 || b < 10) return a * p.log_x + b * p.log_y - sl__special_log_beta(a, b);
  return a * sl__special_log1p_less(excess(p.x, p.y, a, b)) +
         b * sl__special_log1p_less(excess(p.y, p.x, b, a)) + 0.5 * log_of_f64(a * (b / s)) -
         HALF_LOG_TWO_PI -
         (sl__special_stirling_rest(a) + sl__special_stirling_rest(b) -
          sl__special_stirling_rest(s));
}

double sl__special_log_beta_term(double a, double b, double odds) {
  if (!(a > 0) || !(b > 0) || !(odds >= 0)) return (double)NAN;
  if (odds == 0 || odds == HUGE_VAL) return -HUGE_VAL;
  return log_term(point_at(a, b, odds));
}

/* log(x) - digamma(a) + digamma(a + b) */
static double term_by_shape(point p) {
  const double a = p.a, b = p.b, t = excess(p.x, p.y, a, b);
  const double log_ratio = magnitude_f64(t) < 0.5 ? log1p_of_f64(t) : p.log_x + log1p_of_f64(b / a);
  return log_ratio + sl__special_log_less_digamma(a) - sl__special_log_less_digamma(a + b);
}

/* A number with its derivatives by a and by b. */
typedef struct dual {
  double value, by_a, by_b;
} dual;

/* One step of a fraction, 1 + top * d or 1 + top / c, kept from 0. */
static dual one_plus_product(dual top, dual d) {
  const double value = 1 + top.value * d.value;
  return (dual){magnitude_f64(value) < DBL_MIN ? DBL_MIN : value,
                top.by_a * d.value + top.value * d.by_a, top.by_b * d.value + top.value * d.by_b};
}

static dual reciprocal(dual d) {
  const double value = 1 / d.value, slope = -value * value;
  return (dual){value, slope * d.by_a, slope * d.by_b};
}

/* The numerators of the fraction: -(a + m)(a + b + m) x / ((a + 2m)(a + 2m + 1)), and
 * m (b - m) x / ((a + 2m - 1)(a + 2m)). */
static dual odd_top(point p, double m) {
  const double a = p.a, b = p.b, low = a + 2 * m, high = low + 1;
  const double scale = p.x / (low * high), f = (a + m) / low, g = (a + b + m) / high;
  const double value = -f * g * p.x;
  const double by_a = -scale * ((a + b + m) + (a + m)) - value * (1 / low + 1 / high);
  return (dual){value, by_a, -scale * (a + m)};
}

static dual even_top(point p, double m) {
  const double high = p.a + 2 * m, low = high - 1;
  const double scale = m * p.x / low / high, value = scale * (p.b - m);
  return (dual){value, -value * (1 / low + 1 / high), scale};
}

/* log I_x(a, b) for x below about the mean. */
static dual log_fraction(point p) {
  dual c = {1, 0, 0}, d = reciprocal(one_plus_product(odd_top(p, 0), c)), h = {d.value, 0, 0};
  h.by_a = d.by_a / d.value;
  h.by_b = d.by_b / d.value;
  for (int k = 1; k < MAX_TERMS; k++) {
    dual change = {1, 0, 0};
    for (int half = 0; half < 2; half++) {
      const dual top = half ? odd_top(p, k) : even_top(p, k);
      d = reciprocal(one_plus_product(top, d));
      c = one_plus_product(top, reciprocal(c));
      change.value *= d.value * c.value;
      change.by_a += d.by_a / d.value + c.by_a / c.value;
      change.by_b += d.by_b / d.value + c.by_b / c.value;
    }
    h.value *= change.value;
    h.by_a += change.by_a;
    h.by_b += change.by_b;
    if (magnitude_f64(change.value - 1) < DBL_EPSILON &&
        magnitude_f64(change.by_a) <= DBL_EPSILON * (1 + magnitude_f64(h.by_a)) &&
        magnitude_f64(change.by_b) <= DBL_EPSILON * (1 + magnitude_f64(h.by_b)))
      break;
  }
  const double outer_a =
      p.a < 10 ? p.log_x - digamma_of_positive_f64(p.a + 1) + digamma_of_positive_f64(p.a + p.b)
               : term_by_shape(p) - 1 / p.a;
  return (dual){log_term(p) + log_of_f64(h.value / p.a), outer_a + h.by_a,
                term_by_shape(other_tail(p)) + h.by_b};
}

sl__beta_tails sl__special_beta_tails(double a, double b, double odds) {
  sl__beta_tails t = {.lower = (double)NAN};
  if (!(a > 0) || !(b > 0) || !(odds >= 0) || a + b == HUGE_VAL) {
    t.upper = t.log_lower = t.log_upper = t.log_lower_by_first = t.log_lower_by_second = t.lower;
    return t;
  }
  if (odds == 0) return (sl__beta_tails){.upper = 1, .log_lower = -HUGE_VAL};
  if (odds == HUGE_VAL) return (sl__beta_tails){.lower = 1, .log_upper = -HUGE_VAL};
  const point here = point_at(a, b, odds);
  if (here.x < (a + 1) / (a + b + 2)) {
    const dual log_lower = log_fraction(here);
    t.log_lower = log_lower.value;
    t.log_lower_by_first = log_lower.by_a;
    t.log_lower_by_second = log_lower.by_b;
    t.lower = exp_of_f64(t.log_lower);
    t.upper = 1 - t.lower;
    t.log_upper = log1p_of_f64(-t.lower);
  } else {
    const dual log_upper = log_fraction(other_tail(here));
    t.log_upper = log_upper.value;
    t.upper = exp_of_f64(t.log_upper);
    t.lower = 1 - t.upper;
    t.log_lower = log1p_of_f64(-t.upper);
    const double ratio = t.lower > 0 ? -t.upper / t.lower : 0;
    t.log_lower_by_first = ratio * log_upper.by_b;
    t.log_lower_by_second = ratio * log_upper.by_a;
  }
  return t;
}

double sl__special_inc_beta(double a, double b, double x) {
  if (!(x >= 0 && x <= 1)) return (double)NAN;
  return sl__special_beta_tails(a, b, x < 1 ? x / (1 - x) : HUGE_VAL).lower;
}

/* By bisection: increasing in x; 1100 halvings go from 1 to below the smallest double. */
double sl__special_inv_inc_beta(double a, double b, double p) {
  if (!(a > 0) || !(b > 0) || !(p >= 0 && p <= 1)) return (double)NAN;
  double low = 0, high = 1;
  for (int i = 0; i < 1100; i++) {
    const double middle = low + (high - low) / 2;
    if (middle <= low || middle >= high) break;
    if (sl__special_inc_beta(a, b, middle) < p) {
      low = middle;
    } else {
      high = middle;
    }
  }
  return p == 0 ? 0 : high;
}
