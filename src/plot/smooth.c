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

/* A grid of one or two axes of the same number of nodes. */
typedef struct smoothing {
  int nodes, lines;                /* lines: 1, or nodes in the plane */
  double *counts, *density, *work; /* [lines][nodes] */
  double *kernel;                  /* [2][nodes] */
  double step[2], width[2];
  double values; /* how many there are, on the grid or not */
} smoothing;

/* kernel [nodes] at so many steps off, of unit integral. */
static int fill_kernel(double step, double width, int nodes, double *kernel) {
  const double pi = acos(-1);
  int reach = (int)(kernel_ends * width / step);
  if (reach > nodes - 1) reach = nodes - 1;
  for (int k = 0; k <= reach; k++) {
    const double off = k * step / width;
    kernel[k] = exp(-0.5 * off * off) / (width * sqrt(2 * pi));
  }
  if (width < 0.5 * step) kernel[0] = 1 / step; /* narrower than the grid sees */
  return reach;
}

/* to[i] = sum of kernel(|i - j|) from[j], along a line of nodes `stride` apart. */
static void convolve(int nodes, int stride, int reach, const double *kernel, const double *from,
                     double *to) {
  for (int i = 0; i < nodes; i++) {
    double sum = kernel[0] * from[i * stride];
    const int below = i < reach ? i : reach, above = nodes - 1 - i < reach ? nodes - 1 - i : reach;
    for (int k = 1; k <= below; k++) sum += kernel[k] * from[(i - k) * stride];
    for (int k = 1; k <= above; k++) sum += kernel[k] * from[(i + k) * stride];
    to[i * stride] = sum;
  }
}

/* Fills density for widths times factor; gives the leave-one-out log likelihood. */
static double smooth_by(const smoothing *s, double factor) {
  const int nodes = s->nodes;
  double *kernel_y = s->kernel + nodes, own;
  const int reach = fill_kernel(s->step[0], factor * s->width[0], nodes, s->kernel);
  own = s->kernel[0];
  double *rows = s->lines > 1 ? s->work : s->density;
  for (int j = 0; j < s->lines; j++)
    convolve(nodes, 1, reach, s->kernel, s->counts + j * nodes, rows + j * nodes);
  if (s->lines > 1) {
    const int reach_y = fill_kernel(s->step[1], factor * s->width[1], nodes, kernel_y);
    own *= kernel_y[0];
    for (int i = 0; i < nodes; i++)
      convolve(nodes, nodes, reach_y, kernel_y, s->work + i, s->density + i);
  }
  double sum = 0;
  for (int i = 0; i < nodes * s->lines; i++) {
    if (s->counts[i] > 0) sum += s->counts[i] * log(fmax(s->density[i] - own, 1e-300));
    s->density[i] /= s->values;
  }
  return sum;
}

static void choose_width(const smoothing *s) {
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
  const size_t count = (size_t)(s->nodes * s->lines);
  s->values = (double)x[0]->count;
  for (int a = 0; a < axes; a++) {
    double sd;
    SL__TRY(spread(context, x[a], &sd));
    s->step[a] = (ranges[a].high - ranges[a].low) / (s->nodes - 1);
    s->width[a] = axes == 1 ? 0.9 * sd * pow(s->values, -0.2) : sd * pow(s->values, -1.0 / 6);
    if (!(s->width[a] > 0)) s->width[a] = s->step[a];
  }
  s->counts = sl__arena_take(arena, count, sizeof(double));
  s->work = sl__arena_take(arena, count, sizeof(double));
  s->kernel = sl__arena_take(arena, 2 * (size_t)s->nodes, sizeof(double));
  return s->counts && s->work && s->kernel ? SL_OK : SL_NO_MEMORY;
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
