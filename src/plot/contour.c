/* Contours by marching squares (Lorensen and Cline 1987 in the plane; the saddle decided by the mean
 * of its corners). The grid is framed by nodes below every level, so that each contour is a closed
 * curve; it runs with what is above the level on its left. Curves do not cross, so that painting
 * them from the largest to the smallest, each in the colour of what lies just inside, fills the
 * bands between levels without a seam. */
#include <math.h>
#include <stdlib.h>
#include "plot/numbers.h"

/* One level. Edge 2 n is from node n to its right neighbour, 2 n + 1 to its upper one. */
typedef struct tracing {
  int side; /* nodes of the framed grid along an axis */
  const double *density;
  double level;
  sl__range x, y;
  int32_t *next; /* [2 * side * side] edge that the contour comes to after this one; -1: none */
} tracing;

/* Outside the given grid lies nothing. */
static double value_at(const tracing *t, int i, int j) {
  const int nodes = t->side - 2;
  if (i < 1 || j < 1 || i > nodes || j > nodes) return -1;
  const double value = t->density[(j - 1) * nodes + i - 1];
  return isfinite(value) ? value : 0;
}

/* The corners go around counter-clockwise from the lower left; side k is from corner k to the next.
 * A contour enters the cell where going around leaves what is above, and the other way. */
static void trace_cell(const tracing *t, int i, int j) {
  const int32_t node = j * t->side + i;
  const int32_t sides[4] = {2 * node, 2 * (node + 1) + 1, 2 * (node + t->side), 2 * node + 1};
  const double corner[4] = {value_at(t, i, j), value_at(t, i + 1, j), value_at(t, i + 1, j + 1),
                            value_at(t, i, j + 1)};
  int32_t begin[2], end[2];
  int begins = 0, ends = 0;
  for (int k = 0; k < 4; k++) {
    const bool here = corner[k] >= t->level, there = corner[(k + 1) % 4] >= t->level;
    if (here && !there) begin[begins++] = sides[k];
    if (!here && there) end[ends++] = sides[k];
  }
  if (begins == 1) t->next[begin[0]] = end[0];
  if (begins < 2) return;
  /* A saddle: the contour turns around the two corners that are cut off. */
  const bool joined = 0.25 * (corner[0] + corner[1] + corner[2] + corner[3]) >= t->level;
  const bool first_above = corner[0] >= t->level;
  const int turn = joined == first_above ? 0 : 1;
  t->next[begin[0]] = end[turn];
  t->next[begin[1]] = end[1 - turn];
}

static double clamp_node(int i, int nodes) {
  return i < 0 ? 0 : i > nodes - 1 ? nodes - 1 : i;
}

/* Where the contour crosses an edge; on the frame that is the rim of the grid. */
static void place_crossing(const tracing *t, int32_t edge, double xy[2]) {
  const int i = edge / 2 % t->side, j = edge / 2 / t->side, nodes = t->side - 2;
  const int right = i + (edge % 2 == 0), up = j + (edge % 2 == 1);
  const double a = value_at(t, i, j), b = value_at(t, right, up);
  const double share = (t->level - a) / (b - a);
  const double x0 = clamp_node(i - 1, nodes), x1 = clamp_node(right - 1, nodes);
  const double y0 = clamp_node(j - 1, nodes), y1 = clamp_node(up - 1, nodes);
  xy[0] = t->x.low + (t->x.high - t->x.low) * (x0 + share * (x1 - x0)) / (nodes - 1);
  xy[1] = t->y.low + (t->y.high - t->y.low) * (y0 + share * (y1 - y0)) / (nodes - 1);
}

static double area_of(int64_t points, const double *xy) {
  double twice = 0;
  for (int64_t p = 0; p < points; p++) {
    const double *a = xy + 2 * p, *b = xy + 2 * (p + 1 < points ? p + 1 : 0);
    twice += (a[0] - xy[0]) * (b[1] - xy[1]) - (b[0] - xy[0]) * (a[1] - xy[1]);
  }
  return 0.5 * twice;
}

/* Takes the curves out of next; loop NULL: only counts them and their points. */
static void collect(const tracing *t, int level, int32_t *left, sl__loops *out) {
  const int32_t edges = 2 * t->side * t->side;
  for (int32_t e = 0; e < edges; e++) left[e] = t->next[e];
  for (int32_t e = 0; e < edges; e++) {
    const int64_t first = out->points;
    for (int32_t at = e; left[at] >= 0;) {
      const int32_t to = left[at];
      if (out->xy) place_crossing(t, at, out->xy + 2 * out->points);
      out->points++;
      left[at] = -1;
      at = to;
    }
    if (out->points == first) continue;
    if (out->loop)
      out->loop[out->count] = (sl__loop){.first = first,
                                         .points = out->points - first,
                                         .area = area_of(out->points - first, out->xy + 2 * first),
                                         .level = level};
    out->count++;
  }
}

static int larger_first(const void *a, const void *b) {
  const sl__loop *p = a, *q = b;
  const double x = fabs(p->area), y = fabs(q->area);
  if (x != y) return x < y ? 1 : -1;
  return p->level != q->level ? p->level - q->level : (p->first > q->first) - (p->first < q->first);
}

/* All levels, once to count and once to fill. */
static void trace_levels(tracing *t, int count, const double *levels, int32_t *left,
                         sl__loops *out) {
  out->count = out->points = 0;
  for (int k = 0; k < count; k++) {
    t->level = levels[k];
    for (int32_t e = 0; e < 2 * t->side * t->side; e++) t->next[e] = -1;
    for (int j = 0; j + 1 < t->side; j++)
      for (int i = 0; i + 1 < t->side; i++) trace_cell(t, i, j);
    collect(t, k, left, out);
  }
}

sl_status sl__contours(sl_context *context, int nodes, const double *density, sl__range x,
                       sl__range y, int count, const double *levels, sl__loops *out) {
  tracing t = {.side = nodes + 2, .density = density, .x = x, .y = y};
  const size_t edges = 2 * (size_t)t.side * (size_t)t.side;
  *out = (sl__loops){0};
  sl__arena_open(&out->arena, context);
  t.next = sl__arena_take(&out->arena, edges, sizeof *t.next);
  int32_t *left = sl__arena_take(&out->arena, edges, sizeof *left);
  if (!t.next || !left) return SL_NO_MEMORY;
  trace_levels(&t, count, levels, left, out);
  sl__loop *loop = sl__arena_take(&out->arena, (size_t)out->count, sizeof *loop);
  double *xy = sl__arena_take(&out->arena, (size_t)out->points, 2 * sizeof *xy);
  if (!loop || !xy) return SL_NO_MEMORY;
  out->loop = loop;
  out->xy = xy;
  trace_levels(&t, count, levels, left, out);
  qsort(out->loop, (size_t)out->count, sizeof *out->loop, larger_first);
  return SL_OK;
}

void sl__loops_close(sl__loops *loops) {
  sl__arena_close(&loops->arena);
}
