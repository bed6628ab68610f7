/* Where EM starts: k-means++ (Arthur and Vassilvitskii 2007: each further centre is a row drawn
 * with probability proportional to its squared distance from the nearest centre so far), then a few
 * of Lloyd's steps. Good starts matter more to a mixture than many iterations. */
#include <math.h>
#include <string.h>
#include "infer/baseline.h"

enum { LLOYD_STEPS = 5 };

static double squared_distance(const double *a, const double *b, int32_t dim) {
  double sum = 0;
  for (int32_t i = 0; i < dim; i++) sum += (a[i] - b[i]) * (a[i] - b[i]);
  return sum;
}

/* The row at which the running sum of distances passes `share` of their total. */
static int64_t draw_row(const double *distances, int64_t rows, double share) {
  double total = 0, sum = 0;
  for (int64_t r = 0; r < rows; r++) total += distances[r];
  for (int64_t r = 0; r < rows; r++) {
    sum += distances[r];
    if (sum > share * total) return r;
  }
  return rows - 1;
}

static void choose_centres(sl__random_key key, int32_t components, int64_t rows, int32_t dim,
                           const double *data, int32_t *labels, double *centres,
                           double *distances) {
  for (int64_t r = 0; r < rows; r++) distances[r] = INFINITY;
  for (int32_t k = 0; k < components; k++) {
    const int64_t chosen = k == 0
                               ? (int64_t)sl__random_below(key, 0, 0, (uint64_t)rows)
                               : draw_row(distances, rows, sl__random_uniform(key, (uint64_t)k, 0));
    double *centre = centres + (int64_t)k * dim;
    memcpy(centre, data + chosen * dim, (size_t)dim * sizeof *centre);
    for (int64_t r = 0; r < rows; r++) {
      const double distance = squared_distance(data + r * dim, centre, dim);
      if (distance < distances[r]) {
        distances[r] = distance;
        labels[r] = k;
      }
    }
  }
}

static void move_centres(int32_t components, int64_t rows, int32_t dim, const double *data,
                         const int32_t *labels, double *centres) {
  for (int32_t k = 0; k < components; k++) {
    double *centre = centres + (int64_t)k * dim;
    int64_t members = 0;
    for (int64_t r = 0; r < rows; r++) members += labels[r] == k;
    if (members == 0) continue;
    memset(centre, 0, (size_t)dim * sizeof *centre);
    for (int64_t r = 0; r < rows; r++)
      if (labels[r] == k)
        for (int32_t i = 0; i < dim; i++) centre[i] += data[r * dim + i] / (double)members;
  }
}

void sl__mixture_start(sl__random_key key, int32_t components, int64_t rows, int32_t dim,
                       const double *data, int32_t *labels, double *centres, double *distances) {
  choose_centres(key, components, rows, dim, data, labels, centres, distances);
  for (int step = 0; step < LLOYD_STEPS && components > 1; step++) {
    move_centres(components, rows, dim, data, labels, centres);
    for (int64_t r = 0; r < rows; r++) {
      double nearest = INFINITY;
      for (int32_t k = 0; k < components; k++) {
        const double distance = squared_distance(data + r * dim, centres + (int64_t)k * dim, dim);
        if (distance < nearest) {
          nearest = distance;
          labels[r] = k;
        }
      }
    }
  }
}
