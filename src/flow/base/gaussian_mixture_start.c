/* Where a Gaussian mixture starts when it sees data: centres by k-means++ (Arthur & Vassilvitskii
 * 2007, "k-means++: the advantages of careful seeding") and a few of Lloyd's rounds, one pooled
 * standard deviation per coordinate for all components, weights by the sizes of the clusters.
 * Everything is a function of the rows and the layer's seed. */
#include <math.h>
#include "flow/base/gaussian_mixture.h"
#include "flow/look.h"

enum { MOST_ROWS = 5000, ROUNDS = 20 };
#define SMALLEST_SCALE 1e-3

typedef struct clusters {
  int32_t count, dim;
  int64_t rows;
  const double **row; /* [rows], each [dim] */
  double *centre;     /* [count][dim] */
  double *distance;   /* [rows]: squared, to the nearest centre */
  int32_t *nearest;   /* [rows] */
  int64_t *size;      /* [count] */
} clusters;

static double distance(const clusters *c, int64_t row, int32_t component) {
  double sum = 0;
  for (int32_t k = 0; k < c->dim; k++) {
    double difference = c->row[row][k] - c->centre[component * c->dim + k];
    sum += difference * difference;
  }
  return sum;
}

static void put_centre(clusters *c, int32_t component, int64_t row) {
  for (int32_t k = 0; k < c->dim; k++) c->centre[component * c->dim + k] = c->row[row][k];
}

/* The row where the running sum of squared distances passes a share of the whole. */
static int64_t pick(const clusters *c, double share) {
  double total = 0, sum = 0;
  for (int64_t row = 0; row < c->rows; row++) total += c->distance[row];
  for (int64_t row = 0; row < c->rows; row++) {
    sum += c->distance[row];
    if (sum > share * total) return row;
  }
  return c->rows - 1;
}

static void seed_centres(clusters *c, sl__random_key key) {
  put_centre(c, 0, (int64_t)sl__random_below(key, 0, 0, (uint64_t)c->rows));
  for (int64_t row = 0; row < c->rows; row++) c->distance[row] = distance(c, row, 0);
  for (int32_t i = 1; i < c->count; i++) {
    put_centre(c, i, pick(c, sl__random_uniform(key, (uint64_t)i, 0)));
    for (int64_t row = 0; row < c->rows; row++)
      c->distance[row] = fmin(c->distance[row], distance(c, row, i));
  }
}

static void assign(clusters *c) {
  for (int32_t i = 0; i < c->count; i++) c->size[i] = 0;
  for (int64_t row = 0; row < c->rows; row++) {
    c->distance[row] = INFINITY;
    for (int32_t i = 0; i < c->count; i++) {
      double found = distance(c, row, i);
      if (found >= c->distance[row]) continue;
      c->distance[row] = found;
      c->nearest[row] = i;
    }
    c->size[c->nearest[row]]++;
  }
}

/* Every centre goes to the mean of its rows; one without rows stays. */
static void move(clusters *c) {
  for (int32_t i = 0; i < c->count; i++)
    for (int32_t k = 0; k < c->dim && c->size[i] > 0; k++) c->centre[i * c->dim + k] = 0;
  for (int64_t row = 0; row < c->rows; row++) {
    int32_t i = c->nearest[row];
    for (int32_t k = 0; k < c->dim; k++)
      c->centre[i * c->dim + k] += c->row[row][k] / (double)c->size[i];
  }
}

static void write_start(const sl__layer *layer, const clusters *c, void *vector) {
  const sl__gaussian_mixture *own = layer->state;
  for (int32_t k = 0; k < c->dim; k++) {
    double sum = 0;
    for (int64_t row = 0; row < c->rows; row++) {
      double difference = c->row[row][k] - c->centre[c->nearest[row] * c->dim + k];
      sum += difference * difference / (double)c->rows;
    }
    double log_scale = log(fmax(sqrt(sum), SMALLEST_SCALE));
    for (int32_t i = 0; i < c->count; i++) {
      sl__look_put(layer->flow, vector, own->means, i * c->dim + k, c->centre[i * c->dim + k]);
      sl__look_put(layer->flow, vector, own->log_diagonals, i * c->dim + k, log_scale);
    }
  }
  for (int32_t i = 0; i < c->count; i++)
    sl__look_put(layer->flow, vector, own->logits, i,
                 log((double)(c->size[i] + 1) / (double)(c->rows + c->count)));
  sl__look_put(layer->flow, vector, own->started, 0, 1);
  int64_t below = own->below < 0 ? 0 : (int64_t)c->count * sl__factor_below(c->dim);
  for (int64_t i = 0; i < below; i++) sl__look_put(layer->flow, vector, own->below, i, 0);
}

/* All rows, or so many at random (an even step might miss a group that comes round as evenly),
 * without those that are not finite. */
static void choose_rows(clusters *c, sl__random_key key, int64_t rows, const double *values) {
  int64_t wanted = rows < MOST_ROWS ? rows : MOST_ROWS;
  for (int64_t i = 0; i < wanted; i++) {
    uint64_t row = (uint64_t)i;
    if (wanted < rows) row = sl__random_below(key, row, 1, (uint64_t)rows);
    const double *at = values + row * (uint64_t)c->dim;
    bool good = true;
    for (int32_t k = 0; k < c->dim; k++) good = good && isfinite(at[k]);
    if (good) c->row[c->rows++] = at;
  }
}

sl_status sl__gaussian_mixture_look(sl_context *context, const sl__layer *layer, void *vector,
                                    int64_t rows, const double *values, bool first) {
  const sl__gaussian_mixture *own = layer->state;
  if (!first || sl__look_get(layer->flow, vector, own->started, 0) != 0) return SL_OK;
  clusters c = {.count = own->count, .dim = layer->dim};
  sl__arena arena;
  sl__arena_open(&arena, context);
  c.row = sl__arena_take(&arena, MOST_ROWS, sizeof *c.row);
  c.centre = sl__arena_take(&arena, (size_t)c.count * (size_t)c.dim, sizeof *c.centre);
  c.distance = sl__arena_take(&arena, MOST_ROWS, sizeof *c.distance);
  c.nearest = sl__arena_take(&arena, MOST_ROWS, sizeof *c.nearest);
  c.size = sl__arena_take(&arena, (size_t)c.count, sizeof *c.size);
  bool has_room = c.row && c.centre && c.distance && c.nearest && c.size;
  const sl__random_key key = {layer->seed, SL__STREAM_INITIALISE, UINT32_MAX};
  if (has_room) choose_rows(&c, key, rows, values);
  if (c.rows >= c.count) {
    seed_centres(&c, key);
    assign(&c);
    for (int round = 0; round < ROUNDS; round++) {
      move(&c);
      assign(&c);
    }
    write_start(layer, &c, vector);
  }
  sl__arena_close(&arena);
  return has_room ? SL_OK : SL_NO_MEMORY;
}
