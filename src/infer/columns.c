/* What a careful person looks at before fitting: location and spread of each column, constant
 * columns, NaN and infinities, and values that were rounded.
 *
 * A density fitted to rounded values can grow without bound on them, so lattices matter. A column
 * is taken for one when values tie and all distinct values lie at multiples of one spacing from the
 * smallest. The spacing is an approximate greatest common divisor of the gaps, found by walking up
 * the sorted distinct values: it is refined from ever longer distances while they agree with it,
 * and replaced by its common divisor with the misfit when they do not. */
#include <float.h>
#include <math.h>
#include <string.h>
#include "base/pool.h"
#include "infer/infer.h"

/* Fewer ties than this come by chance from float32 rounding of continuous data. */
static const double least_tied = 0.01;

static void sift_down(double *heap, int64_t count, int64_t root) {
  const double value = heap[root];
  for (int64_t child; (child = 2 * root + 1) < count; root = child) {
    if (child + 1 < count && heap[child + 1] > heap[child]) child++;
    if (heap[child] <= value) break;
    heap[root] = heap[child];
  }
  heap[root] = value;
}

/* Heap sort, since the library's qsort may allocate behind the context's back. */
static void sort(double *values, int64_t count) {
  for (int64_t root = count / 2 - 1; root >= 0; root--) sift_down(values, count, root);
  for (int64_t last = count - 1; last > 0; last--) {
    const double largest = values[0];
    values[0] = values[last];
    values[last] = largest;
    sift_down(values, last, 0);
  }
}

/* Keeps one of each of the sorted values [count]; returns how many, and in *tied the number of rows
 * that were not alone with their value. */
static int64_t distinct(double *values, int64_t count, int64_t *tied) {
  int64_t kept = 0;
  *tied = 0;
  for (int64_t i = 0, run; i < count; i += run) {
    for (run = 1; i + run < count && values[i + run] == values[i];) run++;
    if (run > 1) *tied += run;
    values[kept++] = values[i];
  }
  return kept;
}

/* The mean of the gaps that are about as small as the smallest; *certainty: by what factor
 * averaging has made their error smaller. */
static double smallest_gap(const double *values, int64_t count, double *certainty) {
  double smallest = INFINITY, sum = 0;
  int64_t averaged = 0;
  for (int64_t i = 1; i < count; i++) smallest = fmin(smallest, values[i] - values[i - 1]);
  for (int64_t i = 1; i < count; i++)
    if (values[i] - values[i - 1] < 1.25 * smallest) {
      sum += values[i] - values[i - 1];
      averaged++;
    }
  *certainty = sqrt((double)averaged);
  return sum / (double)averaged;
}

/* Euclid's algorithm on lengths known to within error. */
static double common_divisor(double a, double b, double error) {
  while (b > error) {
    double rest = fmod(a, b);
    if (b - rest <= error) rest = 0;
    a = b;
    b = rest;
  }
  return a;
}

/* The spacing of sorted distinct values [count >= 2], or 0. epsilon: relative rounding error of the
 * values; most_places: what is finer over their range is no lattice. */
static double common_spacing(const double *values, int64_t count, double epsilon,
                             double most_places) {
  const double range = values[count - 1] - values[0];
  const double error = 2 * epsilon * fmax(fabs(values[0]), fabs(values[count - 1]));
  const double least = fmax(range / most_places, 20 * error);
  double longest, spacing = smallest_gap(values, count, &longest);
  for (int64_t i = 1; i < count;) {
    if (!(spacing >= least)) return 0;
    const double distance = values[i] - values[0];
    const double places = nearbyint(distance / spacing);
    const double misfit = fabs(distance - places * spacing);
    /* The spacing is known to error / longest; the factors leave room for sloppy rounding. */
    const double tolerance = 2 * error * (1 + places / longest);
    if (tolerance > 0.25 * spacing) return 0;
    if (misfit <= tolerance) {
      if (places > longest) {
        longest = places;
        spacing = distance / places;
      }
      i++;
    } else {
      /* Continuous data end here soon: the misfit is any fraction of the spacing. It is at most
       * half of it and more than the tolerance, so that the spacing shrinks each time. */
      spacing = common_divisor(spacing, misfit, tolerance);
      longest = 1;
      i = 1;
    }
  }
  return spacing;
}

/* Data read as float32 and widened may carry float32's rounding error. */
static bool all_float32(const double *values, int64_t count) {
  for (int64_t i = 0; i < count; i++)
    if ((double)(float)values[i] != values[i]) return false;
  return true;
}

typedef struct look {
  int64_t rows;
  int32_t dim;
  const double *data;      /* [rows][dim] */
  double *scratch;         /* [workers][rows] */
  sl__column_facts *facts; /* [dim] */
} look;

static void look_at_column(void *user, int64_t column, int worker) {
  const look *task = user;
  const int64_t rows = task->rows;
  double *values = task->scratch + worker * rows;
  sl__column_facts *facts = &task->facts[column];
  *facts = (sl__column_facts){.bad_row = -1};
  for (int64_t r = 0; r < rows; r++) {
    values[r] = task->data[r * task->dim + column];
    if (!isfinite(values[r])) {
      facts->bad_row = r;
      return;
    }
  }
  /* About the first value, so that a large common part costs no digits. */
  double sum = 0, squares = 0;
  for (int64_t r = 0; r < rows; r++) sum += values[r] - values[0];
  facts->mean = values[0] + sum / (double)rows;
  for (int64_t r = 0; r < rows; r++) {
    const double deviation = values[r] - facts->mean;
    squares += deviation * deviation;
  }
  facts->sd = sqrt(squares / (double)rows);

  sort(values, rows);
  facts->minimum = values[0];
  facts->maximum = values[rows - 1];
  facts->constant = facts->minimum == facts->maximum;
  if (facts->constant) facts->sd = 0;
  int64_t tied;
  const int64_t count = distinct(values, rows, &tied);
  facts->tied = (double)tied / (double)rows;
  if (count < 2 || facts->tied < least_tied) return;
  /* Every float32 lies on a lattice of its own fine grain, which must not count. */
  const bool narrow = all_float32(values, count);
  if (narrow) facts->lattice = common_spacing(values, count, FLT_EPSILON, 0x1p20);
  if (facts->lattice == 0)
    facts->lattice = common_spacing(values, count, DBL_EPSILON, narrow ? 0x1p20 : 0x1p32);
}

sl_status sl__column_look(sl_context *context, int64_t rows, int32_t dim, const double *data,
                          sl__column_facts *facts) {
  if (rows < 1 || dim < 1)
    return sl__fail(context, SL_BAD_ARGUMENT, "the table is empty; give at least one row");
  size_t numbers;
  if (__builtin_mul_overflow((size_t)rows, (size_t)context->threads, &numbers))
    return sl__fail(context, SL_NO_MEMORY, "too many rows: %lld", (long long)rows);
  double *scratch = sl__allocate(context, numbers, sizeof *scratch);
  if (!scratch) return SL_NO_MEMORY;
  look task = {rows, dim, data, scratch, facts};
  sl__parallel(context, dim, look_at_column, &task);
  sl__free(&context->allocator, scratch);
  return SL_OK;
}
