/* What holds for any flow: round trips both ways, log-determinants of both directions against the
 * dense Jacobian by differences and by the engine, gradients of both maps by everything that goes
 * in against differences.
 *
 * Tolerances follow from the map itself: rounding at one end, amplified by the Jacobian, and what
 * differences cannot tell; a count keeps them from being so wide that the tests say nothing. At ten
 * times trained size a flow of several layers is chaotic: it loses more digits than float64 has,
 * whoever computes it. There layers are tested one by one. */
#ifndef SL_TESTS_FLOW_CHECKS_H
#define SL_TESTS_FLOW_CHECKS_H
#include "flow_differences.h"

enum { ROWS = 6 };

typedef struct flow_case {
  const char *formula;
  int32_t dim, context_dim;
} flow_case;

/* Where the maps are tried: x of the data's side, z of the base's, [ROWS][dim]; those that a map
 * cannot reach are replaced by ones that it can. */
typedef struct sample_points {
  double x[ROWS * MOST_DIM], z[ROWS * MOST_DIM], c[ROWS * MOST_DIM];
} sample_points;

static inline sample_points points_for(const flow_case *now) {
  sample_points p = {0};
  fixture_points(p.x, ROWS * now->dim, 1.3, 3);
  fixture_points(p.c, ROWS * now->context_dim, 1, 4);
  for (int k = 0; k < now->dim; k++) p.x[k] *= 4; /* one row far out: in the tails of splines */
  bool circle = strstr(now->formula, "circular") != NULL; /* the line is mapped to one period */
  for (int k = 0; circle && k < ROWS * now->dim; k++) p.x[k] = 3 * tanh(p.x[k] / 3);
  memcpy(p.z, p.x, sizeof p.z);
  return p;
}

/* How many comparisons were tight enough to mean something. */
static int tight, loose;

static inline void count_bound(double bound) {
  if (bound < 1e-3)
    tight++;
  else
    loose++;
}

/* How an uncertainty of `rounding` in y shows in what `back` makes of it: its own Jacobian and
 * slope of the log-determinant there, and those that follow from `there` at x. Where a map is steep
 * on a smaller scale than the steps of differences, its inverse is flat and tells. */
static inline void amplify(const near_point *at_x, const near_point *at_y, const double *rounding,
                           double *value_bound, double *det_bound) {
  int dim = at_x->dim;
  double inverse[MOST_DIM * MOST_DIM];
  invert(at_x->jacobian, dim, inverse);
  for (int j = 0; j < dim; j++) {
    double slope = 0;
    for (int i = 0; i < dim; i++) {
      slope += fabs(at_x->log_det_slope[i] * inverse[i * dim + j]);
      value_bound[i] += rounding[j] * fabs(at_y->jacobian[i * dim + j]);
      value_bound[i] += rounding[j] * fabs(inverse[i * dim + j]);
    }
    *det_bound += rounding[j] * (fabs(at_y->log_det_slope[j]) + slope);
  }
}

/* From x by `there` to y and by `back` to x again: y is uncertain by some rounding, which `back`
 * amplifies. */
static inline void check_row_round_trip(fixture *f, const double *x, const double *c, int there,
                                        int back, double tolerance) {
  int dim = f->flow->dim;
  double y[MOST_DIM], again[MOST_DIM], rounding[MOST_DIM], there_det, back_det;
  double value_bound[MOST_DIM] = {0}, det_bound = tolerance;
  near_point at_x, at_y;
  if (!fixture_map(f, there, 1, x, c, y, &there_det)) return;
  if (!fixture_map(f, back, 1, y, c, again, &back_det)) return;
  if (!look_around(f, there, x, c, &at_x) || !look_around(f, back, y, c, &at_y)) return;
  for (int i = 0; i < dim; i++) {
    rounding[i] = 1 + fabs(y[i]);
    for (int j = 0; j < dim; j++) rounding[i] += fabs(at_x.jacobian[i * dim + j] * x[j]);
    rounding[i] *= 100 * EPSILON;
  }
  amplify(&at_x, &at_y, rounding, value_bound, &det_bound);
  bool tells = isfinite(det_bound);
  for (int i = 0; i < dim; i++) tells &= isfinite(value_bound[i]);
  if (!tells) { /* y is rounded to the edge of what `there` can reach: nothing leads back */
    loose++;
    return;
  }
  count_bound(det_bound);
  CHECK_CLOSE(back_det, -there_det, det_bound);
  for (int i = 0; i < dim; i++) {
    count_bound(value_bound[i]);
    CHECK_CLOSE(again[i], x[i], tolerance + value_bound[i]);
  }
}

/* A row of the support: x itself, or where the map from there is -infinity, what the other direction
 * makes of it. False if that leaves it too. */
static inline bool move_inside(fixture *f, bool sampling, double *x, const double *c) {
  int there = sampling ? FIXTURE_SAMPLE_MAP : FIXTURE_LOG_PROB_MAP;
  int back = sampling ? FIXTURE_LOG_PROB_MAP : FIXTURE_SAMPLE_MAP;
  double value[MOST_DIM], moved[MOST_DIM], log_det;
  if (!fixture_map(f, there, 1, x, c, value, &log_det)) return false;
  if (log_det != -INFINITY) return true;
  if (!fixture_map(f, back, 1, x, c, moved, &log_det) || log_det == -INFINITY) return false;
  memcpy(x, moved, (size_t)f->flow->dim * sizeof *x);
  return true;
}

/* Moves all points of a case inside; those of the base's side that cannot be are zero then. */
static inline void move_all_inside(fixture *f, sample_points *p) {
  int dim = f->flow->dim, context_dim = f->flow->context_dim;
  for (int r = 0; r < ROWS; r++) {
    const double *c = p->c + r * context_dim;
    CHECK(move_inside(f, false, p->x + r * dim, c));
    CHECK(move_inside(f, true, p->z + r * dim, c));
  }
}

static inline void check_row_log_det(fixture *f, const double *x, const double *c, bool sampling) {
  near_point at;
  double value[MOST_DIM], inverse[MOST_DIM * MOST_DIM], exact[MOST_DIM * MOST_DIM], log_det, doubt;
  int which = sampling ? FIXTURE_SAMPLE_MAP : FIXTURE_LOG_PROB_MAP;
  if (!fixture_map(f, which, 1, x, c, value, &log_det) || !look_around(f, which, x, c, &at)) return;
  double dense = log_det_near(&at, &doubt);
  if (isfinite(doubt)) {
    count_bound(doubt);
    CHECK_CLOSE(dense, log_det, 1e-8 + doubt);
  } else {
    loose++; /* the differences reach over an edge */
  }
  if (!fixture_jacobian(f, sampling, x, c, exact)) return;
  /* Cancellation in the dense determinant is the dense determinant's. */
  double size = 0, smallest = 0;
  dense = invert(exact, at.dim, inverse);
  for (int i = 0; i < at.dim * at.dim; i++) {
    size = fmax(size, fabs(exact[i]));
    smallest = fmax(smallest, fabs(inverse[i]));
  }
  CHECK_CLOSE(dense, log_det, 1e-9 + 1e3 * EPSILON * at.dim * size * smallest);
}

static inline void check_maps(fixture *f, const sample_points *p, double tolerance) {
  for (int r = 0; r < ROWS; r++) {
    const double *x = p->x + r * f->flow->dim, *z = p->z + r * f->flow->dim;
    const double *c = p->c + r * f->flow->context_dim;
    check_row_round_trip(f, x, c, FIXTURE_LOG_PROB_MAP, FIXTURE_SAMPLE_MAP, tolerance);
    check_row_round_trip(f, z, c, FIXTURE_SAMPLE_MAP, FIXTURE_LOG_PROB_MAP, tolerance);
    check_row_log_det(f, x, c, false);
    check_row_log_det(f, z, c, true);
  }
}

/* d fixture_sum / d *at, by differences of fourth order; *doubt: how far they may be off. */
static inline double slope_at(fixture *f, bool sampling, const sample_points *p, double *at,
                              double *doubt) {
  static const double steps[6] = {1, -1, 2, -2, 4, -4};
  static const double fine[6] = {8, -8, -1, 1, 0, 0}, coarse[6] = {0, 0, 4, -4, -0.5, 0.5};
  double kept = *at, h = 2e-5 * fmax(1, fabs(kept)), at_h = 0, at_2h = 0, most = 0;
  for (int s = 0; s < 6; s++) {
    *at = kept + h * steps[s];
    double sum = fixture_sum(f, sampling, ROWS, sampling ? p->z : p->x, p->c);
    at_h += fine[s] * sum / (12 * h);
    at_2h += coarse[s] * sum / (12 * h);
    most = fmax(most, fabs(sum));
  }
  *at = kept;
  *doubt = fabs(at_h - at_2h) + 30 * EPSILON * most / h;
  return at_h;
}

static inline void check_slope(fixture *f, bool sampling, const sample_points *p, double *at,
                               double found, double tolerance, const char *name, int64_t k) {
  double doubt, wanted = slope_at(f, sampling, p, at, &doubt);
  if (!isfinite(doubt)) {
    loose++;
    return;
  }
  count_bound(doubt / (1 + fabs(wanted)));
  if (!CHECK_CLOSE(found, wanted, tolerance * (1 + fabs(wanted)) + 3 * doubt))
    printf("  %s: by %s[%lld]\n", sampling ? "sample" : "log_prob", name, (long long)k);
}

/* A few entries of every parameter, all of the points, all of the context. */
static inline void check_slopes(fixture *f, bool sampling, sample_points *p, double tolerance) {
  sl__flow *flow = f->flow;
  double *gradient = calloc((size_t)flow->size + 1, sizeof *gradient);
  double by_x[ROWS * MOST_DIM], by_c[ROWS * MOST_DIM], *points = sampling ? p->z : p->x;
  if (!gradient || !fixture_slopes(f, sampling, ROWS, points, p->c, gradient, by_x, by_c)) {
    free(gradient);
    return;
  }
  for (int i = 0; i < flow->parameter_count; i++) {
    const sl__parameter *parameter = &flow->parameters[i];
    int64_t count = sl__shape_count(parameter->shape);
    int64_t columns = parameter->shape.dims > 0 ? count / parameter->shape.size[0] : 1;
    for (int64_t k = 0; k < count; k += 1 + count / 3) {
      double *at = &f->vector[parameter->offset + k], found = gradient[parameter->offset + k];
      bool masked = parameter->extent && k % columns >= parameter->extent[k / columns];
      if (masked)
        CHECK(found == 0);
      else
        check_slope(f, sampling, p, at, found, tolerance, parameter->name, k);
    }
  }
  for (int k = 0; k < ROWS * flow->dim; k++)
    check_slope(f, sampling, p, &points[k], by_x[k], tolerance, "the value", k);
  for (int k = 0; k < ROWS * flow->context_dim; k++)
    check_slope(f, sampling, p, &p->c[k], by_c[k], tolerance, "the context", k);
  free(gradient);
}

static inline bool all_finite(const double *a, int count) {
  for (int i = 0; i < count; i++)
    if (!isfinite(a[i])) return false;
  return true;
}

/* ---- mass ---- */

/* Sum over a grid of n points per axis of exp(log_prob) times the cell. The points are sinh(u), u
 * evenly spaced in -reach .. reach: dense where flows put their mass, and reaching far out where few
 * may have put some. */
static inline double fixture_mass(fixture *f, int n, double reach) {
  int dim = f->flow->dim;
  double h = 2 * reach / (n - 1), sum = 0;
  double *x = calloc((size_t)n, 8 * sizeof *x);
  if (!CHECK(x != NULL)) return NAN;
  double *c = x + 2 * n, *log_prob = x + 6 * n;
  for (int line = 0; line < (dim == 1 ? 1 : n); line++) {
    double v = -reach + h * line, across = dim == 1 ? 1 : h * cosh(v);
    for (int i = 0; i < n; i++) {
      x[i * dim] = sinh(-reach + h * i);
      if (dim == 2) x[2 * i + 1] = sinh(v);
    }
    if (!fixture_log_prob(f, n, x, c, log_prob)) break;
    for (int i = 0; i < n; i++) {
      /* Powers of what is far out overflow; there is no mass there. */
      if (isnan(log_prob[i]) && fmax(fabs(x[i * dim]), fabs(x[i * dim + dim - 1])) > 1e3) continue;
      sum += exp(log_prob[i]) * h * cosh(-reach + h * i) * across;
    }
  }
  free(x);
  return sum;
}

/* ---- one flow, at three sizes of parameters ---- */

static const struct {
  const char *name;
  double amplitude, round_trip, gradient;
  bool layer_by_layer;
} sizes[] = {
    {"starting values", 0, 1e-12, 1e-7, false},
    {"trained size", 0.3, 1e-11, 1e-7, false},
    {"ten times trained size", 3, 1e-9, 1e-6, true},
};

static inline void check_case(const flow_case *now, bool layer_by_layer) {
  fixture f;
  if (!fixture_open(&f, now->formula, now->dim, now->context_dim, SL_F64)) return;
  int layers = f.flow->chain.count;
  for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++) {
    bool single = layer_by_layer || sizes[s].layer_by_layer;
    int failures = check_failures, pieces = single ? layers : 1;
    fixture_perturb(&f, sizes[s].amplitude, 17);
    tight = loose = 0;
    for (int piece = 0; piece < pieces; piece++) {
      fixture_range(&f, piece, pieces == 1 ? layers : piece + 1);
      sample_points p = points_for(now);
      move_all_inside(&f, &p);
      check_maps(&f, &p, sizes[s].round_trip);
      check_slopes(&f, false, &p, sizes[s].gradient);
      check_slopes(&f, true, &p, sizes[s].gradient);
    }
    CHECK(loose <= tight);
    if (check_failures > failures)
      printf("  in %s, dim %d, context %d, %s; %d tight, %d loose\n", now->formula, now->dim,
             now->context_dim, sizes[s].name, tight, loose);
  }
  fixture_close(&f);
}

#endif
