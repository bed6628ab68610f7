/* Densities of samples: Gaussian kernels on a grid, each value shared between its neighbouring nodes
 * (Wand 1994, J. Comp. Graph. Stat. 3, 433). The width starts from that which is right for a normal
 * density (Silverman 1986, equations 3.31 and 4.14) and is made narrower as long as each value is
 * thereby better predicted from all others (leave-one-out likelihood: Duin 1976, IEEE Trans. Comp.
 * C-25, 1175): what has several modes keeps them. */
#include <math.h>
#include <string.h>
#include "plot/numbers.h"

enum { FACTORS = 6 };
static const double factors[FACTORS] = {1, 0.75, 0.55, 0.4, 0.3, 0.2};
static const double kernel_ends = 4; /* in widths */

/* The smaller of the standard deviation and what quartiles say of it. */
static sl_status spread(sl_context *context, const sl__numbers *x, double *out) {
  static const double probabilities[] = {0.25, 0.75};
  double quartiles[2], sum = 0, squares = 0, count = 0;
  SL__TRY(sl__quantiles(context, x, 2, probabilities, quartiles));
  for (int64_t r = 0; r < x->count; r++) {
    const double value = x->values[r * x->stride];
    if (!isfinite(value)) continue;
    count++;
    const double off = value - sum;
    sum += off / count; /* Welford: the running mean */
    squares += off * (value - sum);
  }
  const double sd = sqrt(squares / fmax(count, 1)), middle = (quartiles[1] - quartiles[0]) / 1.349;
  *out = middle > 0 && middle < sd ? middle : sd;
  return SL_OK;
}

/* An axis of the grid. Beyond an end of the support there is no density: what the kernel of a value
 * has there comes back mirrored at the end (Silverman 1986, section 2.10). */
typedef struct axis {
  sl__range range, support;
  double step, width;
  double *kernel;        /* [nodes] by the distance of two nodes, in steps */
  double *own;           /* [nodes] what a value at a node adds there itself */
  double *mirror;        /* [2][2 nodes] by the sum of two nodes' distances from the grid's end */
  int first[2], last[2]; /* of mirror, at the low and at the high end; none: last < first */
  int reach;
} axis;

/* A grid of one or two axes of the same number of nodes. */
typedef struct smoothing {
  int nodes, lines;                /* lines: 1, or nodes in the plane */
  double *counts, *density, *work; /* [lines][nodes] */
  axis axis[2];
  double values; /* how many there are, on the grid or not */
} smoothing;

/* A Gaussian's density; one that is narrower than the grid sees fills a step. */
static double kernel_at(const axis *a, double off, double width) {
  const double pi = acos(-1);
  return fmin(exp(-0.5 * off * off / (width * width)) / (width * sqrt(2 * pi)), 1 / a->step);
}

/* Of the low end (0) or the high one (1): the mirror image of a node stands so far from another. */
static void fill_mirror(axis *a, int end, double width, int nodes) {
  const double beyond = end == 0 ? a->range.low - a->support.low : a->support.high - a->range.high;
  a->first[end] = 0;
  a->last[end] = -1;
  if (!isfinite(beyond)) return;
  const double first = ceil((-kernel_ends * width - 2 * beyond) / a->step);
  const double last = floor((kernel_ends * width - 2 * beyond) / a->step);
  a->first[end] = (int)fmax(0, fmin(first, 2 * nodes));
  a->last[end] = (int)fmax(-1, fmin(last, 2 * nodes - 2));
  for (int k = a->first[end]; k <= a->last[end]; k++)
    a->mirror[2 * end * nodes + k] = kernel_at(a, k * a->step + 2 * beyond, width);
}

static double mirrored(const axis *a, int end, int nodes, int k) {
  return k >= a->first[end] && k <= a->last[end] ? a->mirror[2 * end * nodes + k] : 0;
}

/* Kernels of unit integral. */
static void fill_kernel(axis *a, double width, int nodes) {
  a->reach = (int)fmin(kernel_ends * width / a->step, nodes - 1);
  for (int k = 0; k <= a->reach; k++) a->kernel[k] = kernel_at(a, k * a->step, width);
  for (int end = 0; end < 2; end++) fill_mirror(a, end, width, nodes);
  for (int i = 0; i < nodes; i++)
    a->own[i] =
        a->kernel[0] + mirrored(a, 0, nodes, 2 * i) + mirrored(a, 1, nodes, 2 * (nodes - 1 - i));
}

static bool is_supported(const axis *a, int i, int nodes) {
  const double x = sl__node_at(a->range, i, nodes), rounding = 1e-6 * a->step;
  return x >= a->support.low - rounding && x <= a->support.high + rounding;
}

/* What the mirror images at an end give to the node i away from it; from: of the node at the end,
 * the others `stride` apart. */
static double sum_mirrored(const axis *a, int end, int nodes, int i, const double *from,
                           int stride) {
  double sum = 0;
  const int first = a->first[end] > i ? a->first[end] - i : 0;
  const int last = a->last[end] - i < nodes - 1 ? a->last[end] - i : nodes - 1;
  for (int j = first; j <= last; j++) sum += a->mirror[2 * end * nodes + i + j] * from[j * stride];
  return sum;
}

/* to[i] = sum over j of kernel(i, j) from[j], along a line of nodes `stride` apart. */
static void convolve(const axis *a, int nodes, int stride, const double *from, double *to) {
  for (int i = 0; i < nodes; i++) {
    const int reach = a->reach, after = nodes - 1 - i;
    double sum = a->kernel[0] * from[i * stride];
    for (int k = 1; k <= (i < reach ? i : reach); k++) sum += a->kernel[k] * from[(i - k) * stride];
    for (int k = 1; k <= (after < reach ? after : reach); k++)
      sum += a->kernel[k] * from[(i + k) * stride];
    sum += sum_mirrored(a, 0, nodes, i, from, stride);
    sum += sum_mirrored(a, 1, nodes, after, from + (nodes - 1) * stride, -stride);
    to[i * stride] = is_supported(a, i, nodes) ? sum : 0;
  }
}

/* Fills density for widths times factor; gives the leave-one-out log likelihood. */
static double smooth_by(smoothing *s, double factor) {
  const int nodes = s->nodes;
  const bool plane = s->lines > 1;
  double *rows = plane ? s->work : s->density;
  for (int k = 0; k <= plane; k++) fill_kernel(&s->axis[k], factor * s->axis[k].width, nodes);
  for (int j = 0; j < s->lines; j++)
    convolve(&s->axis[0], nodes, 1, s->counts + j * nodes, rows + j * nodes);
  for (int i = 0; plane && i < nodes; i++)
    convolve(&s->axis[1], nodes, nodes, s->work + i, s->density + i);
  double sum = 0;
  for (int i = 0; i < nodes * s->lines; i++) {
    const double own = s->axis[0].own[i % nodes] * (plane ? s->axis[1].own[i / nodes] : 1);
    if (s->counts[i] > 0) sum += s->counts[i] * log(fmax(s->density[i] - own, 1e-300));
    s->density[i] /= s->values;
  }
  return sum;
}

static void choose_width(smoothing *s) {
  int best = 0;
  double most = -INFINITY;
  for (int k = 0; k < FACTORS; k++) {
    const double likelihood = smooth_by(s, factors[k]);
    if (!(likelihood > most)) break;
    most = likelihood;
    best = k;
  }
  smooth_by(s, factors[best]);
}

/* One value to the nodes beside it: index and share of the lower one. */
static bool split_value(double value, sl__range range, int nodes, int *below, double *share) {
  const double at = (value - range.low) / (range.high - range.low) * (nodes - 1);
  if (!(at >= 0 && at <= nodes - 1)) return false;
  *below = at >= nodes - 1 ? nodes - 2 : (int)at;
  *share = 1 - (at - *below);
  return true;
}

static sl_status begin(sl_context *context, sl__arena *arena, int axes, const sl__numbers *const *x,
                       const sl__range *ranges, smoothing *s) {
  const size_t count = (size_t)(s->nodes * s->lines), nodes = (size_t)s->nodes;
  s->values = (double)x[0]->count;
  for (int k = 0; k < axes; k++) {
    axis *a = &s->axis[k];
    double sd;
    SL__TRY(spread(context, x[k], &sd));
    a->range = ranges[k];
    a->support = sl__bounds_of(x[k]);
    a->step = (ranges[k].high - ranges[k].low) / (s->nodes - 1);
    a->width = axes == 1 ? 0.9 * sd * pow(s->values, -0.2) : sd * pow(s->values, -1.0 / 6);
    if (!(a->width > 0)) a->width = a->step;
    a->kernel = sl__arena_take(arena, nodes, sizeof(double));
    a->own = sl__arena_take(arena, nodes, sizeof(double));
    a->mirror = sl__arena_take(arena, 4 * nodes, sizeof(double));
    if (!a->kernel || !a->own || !a->mirror) return SL_NO_MEMORY;
  }
  s->counts = sl__arena_take(arena, count, sizeof(double));
  s->work = sl__arena_take(arena, count, sizeof(double));
  return s->counts && s->work ? SL_OK : SL_NO_MEMORY;
}

sl_status sl__smooth_line(sl_context *context, const sl__numbers *x, sl__range range, int nodes,
                          double *density) {
  sl__arena arena;
  smoothing s = {.nodes = nodes, .lines = 1, .density = density};
  sl__arena_open(&arena, context);
  const sl_status status = begin(context, &arena, 1, &x, &range, &s);
  for (int64_t r = 0; r < x->count && status == SL_OK; r++) {
    int i;
    double share;
    if (!split_value(x->values[r * x->stride], range, nodes, &i, &share)) continue;
    s.counts[i] += share;
    s.counts[i + 1] += 1 - share;
  }
  if (status == SL_OK) choose_width(&s);
  sl__arena_close(&arena);
  return status;
}

sl_status sl__smooth_plane(sl_context *context, const sl__numbers *x, const sl__numbers *y,
                           sl__range range_x, sl__range range_y, int nodes, double *density) {
  const sl__numbers *const both[] = {x, y};
  const sl__range ranges[] = {range_x, range_y};
  sl__arena arena;
  smoothing s = {.nodes = nodes, .lines = nodes, .density = density};
  sl__arena_open(&arena, context);
  const sl_status status = begin(context, &arena, 2, both, ranges, &s);
  for (int64_t r = 0; r < x->count && status == SL_OK; r++) {
    int i, j;
    double p, q;
    if (!split_value(x->values[r * x->stride], range_x, nodes, &i, &p) ||
        !split_value(y->values[r * y->stride], range_y, nodes, &j, &q))
      continue;
    double *corner = s.counts + j * nodes + i;
    corner[0] += p * q;
    corner[1] += (1 - p) * q;
    corner[nodes] += p * (1 - q);
    corner[nodes + 1] += (1 - p) * (1 - q);
  }
  if (status == SL_OK) choose_width(&s);
  sl__arena_close(&arena);
  return status;
}
