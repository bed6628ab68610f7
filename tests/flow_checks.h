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
typedef struct round_trip {
  double x[MOST_DIM], y[MOST_DIM], again[MOST_DIM], there_det, back_det;
} round_trip;

static inline void check_row_round_trip(const round_trip *row, const near_point *at_x,
                                        const near_point *at_y, double tolerance) {
  int dim = at_x->dim;
  double rounding[MOST_DIM], value_bound[MOST_DIM] = {0}, det_bound = tolerance;
  for (int i = 0; i < dim; i++) {
    rounding[i] = 1 + fabs(row->y[i]);
    for (int j = 0; j < dim; j++) rounding[i] += fabs(at_x->jacobian[i * dim + j] * row->x[j]);
    rounding[i] *= 100 * EPSILON;
  }
  amplify(at_x, at_y, rounding, value_bound, &det_bound);
  bool tells = isfinite(det_bound);
  for (int i = 0; i < dim; i++) tells &= isfinite(value_bound[i]);
  if (!tells) { /* y is rounded to the edge of what `there` can reach: nothing leads back */
    loose++;
    return;
  }
  count_bound(det_bound);
  CHECK_CLOSE(row->back_det, -row->there_det, det_bound);
  for (int i = 0; i < dim; i++) {
    count_bound(value_bound[i]);
    CHECK_CLOSE(row->again[i], row->x[i], tolerance + value_bound[i]);
  }
}

/* The same for several rows; at_x [rows] is what `there` does near x. */
static inline void check_round_trips_near(fixture *f, int rows, const double *x, const double *c,
                                          int there, int back, double tolerance,
                                          const near_point *at_x) {
  const int dim = f->flow->dim;
  double y[ROWS * MOST_DIM], again[ROWS * MOST_DIM], there_det[ROWS], back_det[ROWS];
  near_point at_y[ROWS];
  if (!fixture_map(f, there, rows, x, c, y, there_det) ||
      !fixture_map(f, back, rows, y, c, again, back_det) ||
      !look_around_rows(f, back, rows, y, c, at_y))
    return;
  for (int r = 0; r < rows; r++) {
    round_trip row = {.there_det = there_det[r], .back_det = back_det[r]};
    const size_t size = (size_t)dim * sizeof *x;
    memcpy(row.x, x + r * dim, size);
    memcpy(row.y, y + r * dim, size);
    memcpy(row.again, again + r * dim, size);
    check_row_round_trip(&row, &at_x[r], &at_y[r], tolerance);
  }
}

static inline void check_round_trips(fixture *f, int rows, const double *x, const double *c,
                                     int there, int back, double tolerance) {
  near_point at_x[ROWS];
  if (look_around_rows(f, there, rows, x, c, at_x))
    check_round_trips_near(f, rows, x, c, there, back, tolerance, at_x);
}

/* Rows of the support: where the map from x is -infinity, what the other direction makes of it.
 * False if that leaves it too. */
static inline bool move_inside(fixture *f, bool sampling, int rows, double *x, const double *c) {
  int there = sampling ? FIXTURE_SAMPLE_MAP : FIXTURE_LOG_PROB_MAP;
  int back = sampling ? FIXTURE_LOG_PROB_MAP : FIXTURE_SAMPLE_MAP;
  const int dim = f->flow->dim;
  double value[ROWS * MOST_DIM], moved[ROWS * MOST_DIM], log_det[ROWS], back_det[ROWS];
  bool good = true, outside = false;
  if (!fixture_map(f, there, rows, x, c, value, log_det)) return false;
  for (int r = 0; r < rows; r++) outside |= log_det[r] == -INFINITY;
  if (outside && !fixture_map(f, back, rows, x, c, moved, back_det)) return false;
  for (int r = 0; r < rows; r++) {
    if (log_det[r] != -INFINITY) continue;
    if (back_det[r] == -INFINITY)
      good = false;
    else
      memcpy(x + r * dim, moved + r * dim, (size_t)dim * sizeof *x);
  }
  return good;
}

/* Moves all points of a case inside. */
static inline void move_all_inside(fixture *f, sample_points *p) {
  CHECK(move_inside(f, false, ROWS, p->x, p->c));
  CHECK(move_inside(f, true, ROWS, p->z, p->c));
}

/* The log-determinant of a row against the dense Jacobian, by differences and by the engine. */
static inline void check_row_log_det(const near_point *at, const double *exact, double log_det) {
  double inverse[MOST_DIM * MOST_DIM], doubt, dense = log_det_near(at, &doubt);
  if (isfinite(doubt)) {
    count_bound(doubt);
    CHECK_CLOSE(dense, log_det, 1e-8 + doubt);
  } else {
    loose++; /* the differences reach over an edge */
  }
  /* Cancellation in the dense determinant is the dense determinant's. */
  double size = 0, smallest = 0;
  dense = invert(exact, at->dim, inverse);
  for (int i = 0; i < at->dim * at->dim; i++) {
    size = fmax(size, fabs(exact[i]));
    smallest = fmax(smallest, fabs(inverse[i]));
  }
  CHECK_CLOSE(dense, log_det, 1e-9 + 1e3 * EPSILON * at->dim * size * smallest);
}

static inline void check_log_dets(fixture *f, const double *x, const double *c, bool sampling,
                                  const near_point *at) {
  const int dim = f->flow->dim;
  double value[ROWS * MOST_DIM], log_det[ROWS], exact[ROWS * MOST_DIM * MOST_DIM];
  if (!fixture_map(f, sampling ? FIXTURE_SAMPLE_MAP : FIXTURE_LOG_PROB_MAP, ROWS, x, c, value,
                   log_det) ||
      !fixture_jacobian(f, sampling, ROWS, x, c, exact))
    return;
  for (int r = 0; r < ROWS; r++) {
    double jacobian[MOST_DIM * MOST_DIM];
    for (int i = 0; i < dim; i++)
      memcpy(jacobian + i * dim, exact + (i * ROWS + r) * dim, (size_t)dim * sizeof *exact);
    check_row_log_det(&at[r], jacobian, log_det[r]);
  }
}

static inline void check_maps(fixture *f, const sample_points *p, double tolerance) {
  for (int sampling = 0; sampling < 2; sampling++) {
    int there = sampling ? FIXTURE_SAMPLE_MAP : FIXTURE_LOG_PROB_MAP;
    int back = sampling ? FIXTURE_LOG_PROB_MAP : FIXTURE_SAMPLE_MAP;
    const double *x = sampling ? p->z : p->x;
    near_point at[ROWS];
    if (!look_around_rows(f, there, ROWS, x, p->c, at)) return;
    check_round_trips_near(f, ROWS, x, p->c, there, back, tolerance, at);
    check_log_dets(f, x, p->c, sampling, at);
  }
}

/* ---- gradients of fixture_sums ---- */

static inline bool check_slope(const double *sums, double h, double found, double tolerance) {
  double doubt, wanted = stencil_slope(sums, h, 30 * EPSILON, &doubt);
  if (!isfinite(doubt)) {
    loose++;
    return true;
  }
  count_bound(doubt / (1 + fabs(wanted)));
  return CHECK_CLOSE(found, wanted, tolerance * (1 + fabs(wanted)) + 3 * doubt);
}

/* By everything that goes in per row: by_x [ROWS][dim] or, if by_context, by_c
 * [ROWS][context_dim]; all the moved rows are lanes of one run. */
static inline void check_input_slopes(fixture *f, bool sampling, bool by_context,
                                      const sample_points *p, const double *found,
                                      double tolerance) {
  enum { MOST = ROWS * MOST_DIM * STENCIL };
  static double x[MOST * MOST_DIM], c[MOST * MOST_DIM], sums[MOST];
  const int dim = f->flow->dim, context_dim = f->flow->context_dim;
  const int width = by_context ? context_dim : dim;
  const double *points = sampling ? p->z : p->x, *moved = by_context ? p->c : points;
  if (width == 0) return;
  for (int lane = 0; lane < ROWS * width * STENCIL; lane++) {
    int entry = lane / STENCIL, row = entry / width;
    memcpy(x + lane * dim, points + row * dim, (size_t)dim * sizeof *x);
    memcpy(c + lane * context_dim, p->c + row * context_dim, (size_t)context_dim * sizeof *c);
    double *at = by_context ? &c[lane * width + entry % width] : &x[lane * width + entry % width];
    *at += 2e-5 * fmax(1, fabs(*at)) * stencil_steps[lane % STENCIL];
  }
  if (!fixture_sums(f, sampling, ROWS * width * STENCIL, x, c, sums)) return;
  for (int k = 0; k < ROWS * width; k++)
    if (!check_slope(sums + STENCIL * k, 2e-5 * fmax(1, fabs(moved[k])), found[k], tolerance))
      printf("  %s: by %s[%d]\n", sampling ? "sample" : "log_prob",
             by_context ? "the context" : "the value", k);
}

/* Along a direction that moves every entry of a parameter but those that are masked, whose gradient
 * is zero: one wrong entry is off by as much as if it had been moved alone. */
static inline void check_parameter_slope(fixture *f, bool sampling, const sample_points *p,
                                         const sl__parameter *parameter, const double *gradient,
                                         double tolerance) {
  const int64_t count = sl__shape_count(parameter->shape);
  const int64_t columns = parameter->shape.dims > 0 ? count / parameter->shape.size[0] : 1;
  const sl__random_key key = {29, SL__STREAM_TEST, (uint32_t)parameter->offset};
  const double h = 2e-5 / sqrt((double)count);
  double *at = f->vector + parameter->offset, *kept = calloc((size_t)count, 2 * sizeof *kept);
  double *direction = kept + count, found = 0, sums[STENCIL] = {0};
  if (!CHECK(kept != NULL)) return;
  memcpy(kept, at, (size_t)count * sizeof *kept);
  for (int64_t k = 0; k < count; k++) {
    const double u = 2 * sl__random_uniform(key, (uint64_t)k, 0) - 1;
    direction[k] = u + copysign(0.5, u);
    if (parameter->extent && k % columns >= parameter->extent[k / columns]) {
      CHECK(gradient[k] == 0);
      direction[k] = 0;
    }
    found += gradient[k] * direction[k];
  }
  for (int s = 0; s < STENCIL; s++) {
    double of_rows[ROWS] = {0};
    for (int64_t k = 0; k < count; k++) at[k] = kept[k] + h * stencil_steps[s] * direction[k];
    fixture_sums(f, sampling, ROWS, sampling ? p->z : p->x, p->c, of_rows);
    for (int r = 0; r < ROWS; r++) sums[s] += of_rows[r];
  }
  memcpy(at, kept, (size_t)count * sizeof *kept);
  free(kept);
  if (!check_slope(sums, h, found, tolerance))
    printf("  %s: by %s\n", sampling ? "sample" : "log_prob", parameter->name);
}

/* By all parameters, points and context. */
static inline void check_slopes(fixture *f, bool sampling, const sample_points *p,
                                double tolerance) {
  const sl__flow *flow = f->flow;
  double *gradient = calloc((size_t)flow->size + 1, sizeof *gradient);
  double by_x[ROWS * MOST_DIM], by_c[ROWS * MOST_DIM];
  if (CHECK(gradient != NULL) &&
      fixture_slopes(f, sampling, ROWS, sampling ? p->z : p->x, p->c, gradient, by_x, by_c)) {
    for (int i = 0; i < flow->parameter_count; i++)
      check_parameter_slope(f, sampling, p, &flow->parameters[i],
                            gradient + flow->parameters[i].offset, tolerance);
    check_input_slopes(f, sampling, false, p, by_x, tolerance);
    check_input_slopes(f, sampling, true, p, by_c, tolerance);
  }
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

/* The mass on n points per axis is 1. Quarter and half grids that agree, and say so, spare the whole
 * one. Sanitizers watch the memory, for which a quarter grid will do. */
static inline bool check_mass_is_one(fixture *f, int n, double reach, double tolerance) {
  double before = fixture_mass(f, n / 4 + 1, reach);
  if (UNDER_SANITIZER) return CHECK(before > 0);
  double mass = fixture_mass(f, n / 2 + 1, reach);
  if (!(fabs(mass - before) < tolerance && fabs(mass - 1) < tolerance))
    mass = fixture_mass(f, n, reach);
  return CHECK_CLOSE(mass, 1, tolerance);
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

enum { FLOW_SIZES = sizeof sizes / sizeof sizes[0] };

typedef struct bound_counts {
  int tight, loose;
} bound_counts;

/* Layers first .. last - 1 at one size, with programs that serve all sizes. */
static inline void check_range(fixture *f, const flow_case *now, int size, bound_counts *counts) {
  int failures = check_failures;
  tight = loose = 0;
  fixture_perturb(f, sizes[size].amplitude, 17);
  sample_points p = points_for(now);
  move_all_inside(f, &p);
  check_maps(f, &p, sizes[size].round_trip);
  check_slopes(f, false, &p, sizes[size].gradient);
  check_slopes(f, true, &p, sizes[size].gradient);
  if (check_failures > failures)
    printf("  in %s, dim %d, context %d, %s, layers %d to %d\n", now->formula, now->dim,
           now->context_dim, sizes[size].name, f->first + 1, f->last);
  counts[size].tight += tight;
  counts[size].loose += loose;
}

static inline void check_case(const flow_case *now, bool layer_by_layer) {
  fixture f;
  bound_counts counts[FLOW_SIZES] = {{0, 0}};
  if (!fixture_open(&f, now->formula, now->dim, now->context_dim, SL_F64)) return;
  for (int size = 0; size < FLOW_SIZES; size++)
    if (!layer_by_layer && !sizes[size].layer_by_layer) check_range(&f, now, size, counts);
  for (int piece = 0, layers = f.flow->chain.count; piece < layers; piece++) {
    fixture_range(&f, piece, piece + 1);
    for (int size = 0; size < FLOW_SIZES; size++)
      if (layer_by_layer || sizes[size].layer_by_layer) check_range(&f, now, size, counts);
  }
  for (int size = 0; size < FLOW_SIZES; size++)
    if (!CHECK(counts[size].loose <= counts[size].tight))
      printf("  in %s, dim %d, context %d, %s: %d tight, %d loose\n", now->formula, now->dim,
             now->context_dim, sizes[size].name, counts[size].tight, counts[size].loose);
  fixture_close(&f);
}

#endif
