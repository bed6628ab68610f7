/* Autocovariances of the halves of chains, all lags at once, by the fast Fourier transform:
 * padded with zeros to twice the length, a half's power spectrum is the transform of its
 * autocovariance (Wiener and Khinchin). Two halves make one complex series, whose power's even part
 * is the sum of theirs; the odd part comes back as imaginary and is not looked at. */
#include <string.h>

#include "infer/diagnose/series.h"

/* Puts elements in the order of their bit-reversed indices. */
static void reverse_bits(double *data, int64_t points) {
  for (int64_t i = 0, j = 0; i < points; i++) {
    if (i < j) {
      for (int part = 0; part < 2; part++) {
        const double kept = data[2 * i + part];
        data[2 * i + part] = data[2 * j + part];
        data[2 * j + part] = kept;
      }
    }
    int64_t bit = points / 2;
    for (; bit > 0 && (j & bit); bit /= 2) j &= ~bit;
    j |= bit;
  }
}

/* In place, radix two, decimation in time (Cooley and Tukey 1965). data [points][2]. */
static void fourier(const sl__series_work *work, double *data) {
  const int64_t points = work->points;
  reverse_bits(data, points);
  for (int64_t size = 1; size < points; size *= 2) {
    const int64_t stride = points / (2 * size);
    for (int64_t block = 0; block < points; block += 2 * size)
      for (int64_t i = 0; i < size; i++) {
        const double *w = work->twiddle + 2 * i * stride;
        double *a = data + 2 * (block + i), *b = a + 2 * size;
        const double real = w[0] * b[0] - w[1] * b[1], imaginary = w[0] * b[1] + w[1] * b[0];
        b[0] = a[0] - real;
        b[1] = a[1] - imaginary;
        a[0] += real;
        a[1] += imaginary;
      }
  }
}

static double mean_of(const double *values, int64_t count) {
  double sum = 0;
  for (int64_t i = 0; i < count; i++) sum += values[i];
  return sum / (double)count;
}

void sl__split_autocovariance(sl__series_work *work) {
  const int64_t length = work->length, points = work->points;
  double *data = work->transform;
  for (int64_t i = 0; i < points; i++) work->power[i] = 0;
  for (int64_t half = 0; half < work->halves; half += 2) {
    memset(data, 0, 2 * (size_t)points * sizeof *data);
    for (int part = 0; part < 2; part++) {
      const double *x = work->split + (half + part) * length;
      const double mean = mean_of(x, length);
      for (int64_t i = 0; i < length; i++) data[2 * i + part] = x[i] - mean;
    }
    fourier(work, data);
    for (int64_t i = 0; i < points; i++)
      work->power[i] += data[2 * i] * data[2 * i] + data[2 * i + 1] * data[2 * i + 1];
  }
  for (int64_t i = 0; i < points; i++) {
    data[2 * i] = work->power[i];
    data[2 * i + 1] = 0;
  }
  fourier(work, data); /* of an even sequence, the inverse up to a factor */
  const double factor = 1 / ((double)points * (double)length * (double)work->halves);
  for (int64_t lag = 0; lag < length; lag++) work->correlation[lag] = factor * data[2 * lag];
}
