/* The energy distance 2 E|X - Y| - E|X - X'| - E|Y - Y'| between two samples, 0 only for equal
 * distributions, and its permutation test: Szekely and Rizzo 2013, "Energy statistics: a class of
 * statistics based on distances", J. Statistical Planning and Inference 143, section 2. Columns are
 * first divided by their pooled standard deviations, so that no unit weighs more than another.
 *
 * All pairwise distances are computed once. A permutation needs only the sum within its first
 * group: with the sums of rows known, those within the second and between follow. */
#include <math.h>

#include "infer/diagnose/series.h"

typedef struct comparison {
  int64_t size[2], rows, columns;
  double *values;   /* [rows][columns], those of b behind those of a */
  double *distance; /* [rows][rows] */
  double *row_sum;  /* [rows] */
  double total;
  int64_t *order; /* [rows] */
} comparison;

static int64_t rows_taken(const sl__sample *of, int64_t limit) {
  int64_t rows = of->rows < limit ? of->rows : limit;
  if (of->effective < (double)rows) rows = (int64_t)of->effective;
  return rows;
}

static void copy_rows(const sl__sample *from, int64_t taken, double *to) {
  for (int64_t i = 0; i < taken; i++) {
    const int64_t row = (int64_t)(((double)i + 0.5) / (double)taken * (double)from->rows);
    for (int64_t c = 0; c < from->columns; c++)
      to[i * from->columns + c] = from->values[row * from->row_stride + c * from->column_stride];
  }
}

/* Takes a power of two out of a column of extreme values, before anything is squared. */
static void scale(const comparison *c, int64_t column) {
  double largest = 0;
  for (int64_t i = 0; i < c->rows; i++)
    largest = fmax(largest, fabs(c->values[i * c->columns + column]));
  const int exponent = sl__scale_exponent(largest);
  for (int64_t i = 0; i < c->rows && exponent != 0; i++)
    c->values[i * c->columns + column] = ldexp(c->values[i * c->columns + column], -exponent);
}

/* Divides each column by the root of the mean of its variances in the two samples; one that never
 * moves in either stays as it is, and counts if it stands elsewhere in the other. */
static void standardise(const comparison *c) {
  for (int64_t column = 0; column < c->columns; column++) {
    double variance = 0;
    scale(c, column);
    for (int of = 0; of < 2; of++) {
      const double *x = c->values + (of ? c->size[0] * c->columns : 0) + column;
      double mean = 0, squares = 0;
      /* From the first value, so that what never moves has a variance of exactly 0. */
      for (int64_t i = 0; i < c->size[of]; i++)
        mean += (x[i * c->columns] - x[0]) / (double)c->size[of];
      for (int64_t i = 0; i < c->size[of]; i++) {
        const double deviation = x[i * c->columns] - x[0] - mean;
        squares += deviation * deviation;
      }
      variance += 0.5 * squares / (double)(c->size[of] - 1);
    }
    if (!(variance > 0)) continue;
    for (int64_t i = 0; i < c->rows; i++) c->values[i * c->columns + column] /= sqrt(variance);
  }
}

static void measure(comparison *c) {
  for (int64_t i = 0; i < c->rows; i++)
    for (int64_t j = 0; j < i; j++) {
      double square = 0;
      for (int64_t column = 0; column < c->columns; column++) {
        const double d = c->values[i * c->columns + column] - c->values[j * c->columns + column];
        square += d * d;
      }
      c->distance[i * c->rows + j] = c->distance[j * c->rows + i] = sqrt(square);
    }
  for (int64_t i = 0; i < c->rows; i++) {
    for (int64_t j = 0; j < c->rows; j++) c->row_sum[i] += c->distance[i * c->rows + j];
    c->total += c->row_sum[i];
  }
}

/* The distance when the first size[0] rows of the order are the first sample. */
static double distance_of(const comparison *c) {
  const double n = (double)c->size[0], m = (double)c->size[1];
  double within = 0, rows = 0;
  for (int64_t i = 0; i < c->size[0]; i++) {
    const double *distance = c->distance + c->order[i] * c->rows;
    for (int64_t j = 0; j < i; j++) within += distance[c->order[j]];
    rows += c->row_sum[c->order[i]];
  }
  within *= 2;
  const double between = rows - within, other = c->total - 2 * between - within;
  return 2 * between / (n * m) - within / (n * n) - other / (m * m);
}

static void test(comparison *c, int64_t permutations, uint64_t seed, sl__energy_test *out) {
  standardise(c);
  measure(c);
  for (int64_t i = 0; i < c->rows; i++) c->order[i] = i;
  out->distance = distance_of(c);
  if (!isfinite(out->distance)) return;
  int64_t as_far = 1; /* the samples as they are count as one arrangement */
  for (int64_t p = 0; p < permutations; p++) {
    sl__random_key key = {seed, SL__STREAM_PERMUTATION_TEST, (uint32_t)p};
    sl__random_permutation(key, c->rows, c->order);
    as_far += distance_of(c) >= out->distance;
  }
  out->p_value = (double)as_far / (double)(permutations + 1);
}

sl_status sl__energy_distance(sl_context *context, const sl__sample *a, const sl__sample *b,
                              int64_t limit, int64_t permutations, uint64_t seed,
                              sl__energy_test *out) {
  *out = (sl__energy_test){NAN, NAN, rows_taken(a, limit), rows_taken(b, limit)};
  if (a->columns != b->columns)
    return sl__fail(context, SL_BAD_ARGUMENT, "%lld columns against %lld; compare the same ones",
                    (long long)a->columns, (long long)b->columns);
  if (out->rows_a < 2 || out->rows_b < 2) return SL_OK;
  comparison c = {.size = {out->rows_a, out->rows_b}, .columns = a->columns};
  c.rows = c.size[0] + c.size[1];
  const size_t rows = (size_t)c.rows;
  sl__arena arena;
  sl__arena_open(&arena, context);
  c.values = sl__arena_take(&arena, rows * (size_t)c.columns, sizeof(double));
  c.distance = sl__arena_take(&arena, rows * rows, sizeof(double));
  c.row_sum = sl__arena_take(&arena, rows, sizeof(double));
  c.order = sl__arena_take(&arena, rows, sizeof *c.order);
  const bool held = c.values && c.distance && c.row_sum && c.order;
  if (held) {
    copy_rows(a, c.size[0], c.values);
    copy_rows(b, c.size[1], c.values + c.size[0] * c.columns);
    test(&c, permutations, seed, out);
  }
  sl__arena_close(&arena);
  return held ? SL_OK : SL_NO_MEMORY;
}
