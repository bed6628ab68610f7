/* Elementary functions of a float, written without branches so that compilers turn a loop over
 * them into vector code. All give NaN for NaN, the right limits at infinities, and a zero of
 * either sign for zero. Errors, in units in the last place (tests/t_kernels.c holds them to it):
 * exp, expm1, log, log1p, sigmoid, softplus 2; tanh, sinh, cosh, asinh, atan 3; sin and cos 2 up to
 * |x| = 1e8, growing beyond. Results below the least normal number may be rounded twice. */
#ifndef SL_KERNELS_MATHS_F32_H
#define SL_KERNELS_MATHS_F32_H
#include <math.h>
#include <stdint.h>
#include <string.h>
#include "kernels/maths_f64.h"

INLINE int32_t bits_f32(float x) {
  int32_t bits;
  memcpy(&bits, &x, sizeof bits);
  return bits;
}

INLINE float from_bits_f32(int32_t bits) {
  float x;
  memcpy(&x, &bits, sizeof x);
  return x;
}

INLINE float magnitude_f32(float x) {
  return from_bits_f32(bits_f32(x) & 0x7FFFFFFF);
}

INLINE float with_sign_of_f32(float size, float sign) {
  return from_bits_f32(bits_f32(size) | (bits_f32(sign) & INT32_MIN));
}

INLINE float root_f32(float x) {
  return sqrtf(x);
}

/* Adding and subtracting 2^23 rounds a float below it to an integer. */
INLINE float floor_of_f32(float x) {
  const float size = magnitude_f32(x);
  const float near = with_sign_of_f32((size + 8388608.0f) - 8388608.0f, x);
  const float down = near > x ? near - 1 : near;
  return size < 8388608.0f ? down : x;
}

/* Adding 1.5 * 2^23 leaves the nearest integer in the low bits of the sum; subtracting it again
 * gives that integer as a float. Holds for |x| < 2^22. */
#define ROUNDER_F32 12582912.0f

/* 2^n, n being the integer in the low bits of n + ROUNDER_F32; -126 <= n <= 127. */
INLINE float power_of_two_f32(float n_plus_rounder) {
  return from_bits_f32((int32_t)(((uint32_t)bits_f32(n_plus_rounder) << 23) + 0x3F800000));
}

/* exp(r) - 1 - r over r^2, |r| <= ln 2 / 2 (Remez, relative to exp). */
INLINE float exp_tail_f32(float r) {
  float q = 0.00138146152f * r + 0.00836870985f;
  q = q * r + 0.0416683874f;
  q = q * r + 0.166665207f;
  return q * r + 0.499999935f;
}

/* exp(x) = 2^n exp(r), r = x - n ln 2, with ln 2 in two parts; 2^n in two factors, so that the
 * result goes gradually to denormals and to infinity. */
INLINE float exp_of_f32(float x) {
  x = x > 89.0f ? 89.0f : x;
  x = x < -104.0f ? -104.0f : x;
  const float n = (x * 1.44269504f + ROUNDER_F32) - ROUNDER_F32;
  const float r = (x - n * 0.693359375f) + n * 2.12194440e-4f;
  const float p = (r * r) * exp_tail_f32(r) + r + 1;
  const float half_rounded = n * 0.5f + ROUNDER_F32, half = half_rounded - ROUNDER_F32;
  return p * power_of_two_f32(half_rounded) * power_of_two_f32((n - half) + ROUNDER_F32);
}

/* 2 (2^(n-1) (exp(r) - 1) + (2^(n-1) - 1/2)): for n = 0 just exp(r) - 1, without cancellation. */
INLINE float expm1_of_f32(float x) {
  float y = x > 89.0f ? 89.0f : x;
  y = y < -20.0f ? -20.0f : y;
  const float n = (y * 1.44269504f + ROUNDER_F32) - ROUNDER_F32;
  const float r = (y - n * 0.693359375f) + n * 2.12194440e-4f;
  const float s = power_of_two_f32((n - 1) + ROUNDER_F32);
  const float small = (r * r) * exp_tail_f32(r) + r;
  return (s * small + (s - 0.5f)) * 2;
}

/* log(2^e (1 + t)), -1/4 <= t < 1/2: a polynomial of degree 10 (Remez). */
INLINE float log_from_parts_f32(float t, float e) {
  const float t2 = t * t, t4 = t2 * t2;
  const float a = -0.250000958f * t + 0.333334491f, b = -0.166473125f * t + 0.199908612f;
  const float c = -0.131611907f * t + 0.144783957f, d = -0.0450747169f * t + 0.10463012f;
  float y = ((d * t2 + c) * t4 + (b * t2 + a)) * t2 * t;
  y = e * -2.12194440e-4f + y;
  y = y - 0.5f * t2;
  return e * 0.693359375f + (t + y);
}

/* log is y inside 0 < x < infinity, and at the edges what it must be. */
INLINE float log_with_edges_f32(float y, float x) {
  const float outside = x == 0 ? -INFINITY : NAN;
  const float not_above = x > 0 ? y : outside;
  return x < INFINITY ? not_above : x;
}

static const uint32_t three_quarters_f32 = 0x3F400000; /* the bits of 0.75 */

/* Where one condition decided several values, compilers would compute all that follows twice; so
 * the scale alone is chosen, and its exponent taken off again. */
INLINE float log_of_f32(float x) {
  const float scale = x < 1.17549435e-38f ? 8388608.0f : 1.0f; /* makes denormals normal */
  const uint32_t bits = (uint32_t)bits_f32(x * scale), above = bits - three_quarters_f32;
  const uint32_t scaled_back = above - (uint32_t)bits_f32(scale) + 0x3F800000;
  const int32_t exponent = (int32_t)scaled_back >> 23;
  const float m = from_bits_f32((int32_t)(bits - (above & 0xFF800000)));
  return log_with_edges_f32(log_from_parts_f32(m - 1, (float)exponent), x);
}

/* log(w) with w = 1 + x rounded; what the rounding lost is put back into the mantissa's distance
 * from 1. */
INLINE float log1p_of_f32(float x) {
  const float w = 1 + x, lost = x - (w - 1);
  const uint32_t bits = (uint32_t)bits_f32(w), shift = (bits - three_quarters_f32) & 0xFF800000;
  const int32_t exponent = (int32_t)shift >> 23;
  const float m = from_bits_f32((int32_t)(bits - shift));
  /* 2^-e; for e = 128 something finite, lost being 0 then. */
  const float unit = from_bits_f32((int32_t)((0x3F800000 - shift) & 0x7F7FFFFF));
  const float t = exponent == 0 ? x : (m - 1) + lost * unit;
  return log_with_edges_f32(log_from_parts_f32(t, (float)exponent), w);
}

/* log(u), 0 < u < 1, with what u has beyond a float where that matters: near 1. */
INLINE float log_of_unit_f32(double u) {
  const uint32_t bits = (uint32_t)bits_f32((float)u);
  const uint32_t shift = (bits - three_quarters_f32) & 0xFF800000;
  const int32_t exponent = (int32_t)shift >> 23;
  const float m = from_bits_f32((int32_t)(bits - shift));
  const float below_one = (float)(u - 1), t = exponent == 0 ? below_one : m - 1;
  return log_from_parts_f32(t, (float)exponent);
}

/* With u = exp(-|x|) the small side is u / (1 + u): nothing overflows, and it goes down to
 * denormals. */
INLINE float sigmoid_of_f32(float x) {
  const float u = exp_of_f32(-magnitude_f32(x));
  return (x < 0 ? u : 1) / (1 + u);
}

/* max(x, 0) + log(1 + u), u = exp(-|x|); 1 + u is cut into 2^e (1 + t) without rounding. */
INLINE float softplus_of_f32(float x) {
  const float u = exp_of_f32(-magnitude_f32(x));
  const float e = u < 0.5f ? 0.0f : 1.0f, t = (u - e) * (1 - 0.5f * e);
  return (x < 0 ? 0 : x) + log_from_parts_f32(t, e);
}

/* z / (z + 2), z = exp(2 |x|) - 1. */
INLINE float tanh_of_f32(float x) { /* as tanh_of_f64 */
  const float size = magnitude_f32(x), bounded = 10.0f < size ? 10.0f : size, y = bounded + bounded;
  const float n_rounded = y * 1.44269504f + ROUNDER_F32, n = n_rounded - ROUNDER_F32;
  const float r = (y - n * 0.693359375f) + n * 2.12194440e-4f;
  const float s = power_of_two_f32(n_rounded);
  const float z = s * ((r * r) * exp_tail_f32(r) + r) + (s - 1);
  return with_sign_of_f32(z / (z + 2), x);
}

/* exp(x) / 2, which is finite a little further than exp(x). */
INLINE float half_exp_of_f32(float x) {
  x = x > 90.0f ? 90.0f : x;
  x = x < -104.0f ? -104.0f : x;
  const float n = (x * 1.44269504f + ROUNDER_F32) - ROUNDER_F32;
  const float r = (x - n * 0.693359375f) + n * 2.12194440e-4f;
  const float p = (r * r) * exp_tail_f32(r) + r + 1;
  const float half_rounded = n * 0.5f + ROUNDER_F32, half = half_rounded - ROUNDER_F32;
  return p * power_of_two_f32(half_rounded) * power_of_two_f32((n - half - 1) + ROUNDER_F32);
}

/* (z + z / (z + 1)) / 2, z = exp(|x|) - 1, where the difference of exponentials would cancel. */
INLINE float sinh_of_f32(float x) {
  const float size = magnitude_f32(x);
  const float z = expm1_of_f32(size > 1.0f ? 1.0f : size), half = half_exp_of_f32(size);
  const float near = 0.5f * (z + z / (z + 1)), far = half - 0.25f / half;
  return with_sign_of_f32(size < 1.0f ? near : far, x);
}

INLINE float cosh_of_f32(float x) {
  const float half = half_exp_of_f32(magnitude_f32(x));
  return half + 0.25f / half;
}

/* log(|x| + sqrt(1 + x^2)), as log1p of something without cancellation; 2 |x| for large ones. */
INLINE float asinh_of_f32(float x) {
  const float size = magnitude_f32(x), square = size * size;
  const float sum = size + square / (1 + root_f32(1 + square));
  const float y = log1p_of_f32(size > 1073741824.0f ? size : sum);
  return with_sign_of_f32(size > 1073741824.0f ? y + 0.693147181f : y, x);
}

/* pi/2 + atan(-1/s) above tan(3 pi/8), pi/4 + atan((s - 1)/(s + 1)) above tan(pi/8), where a
 * polynomial (Cephes) takes over. */
INLINE float atan_of_f32(float x) {
  const float s = magnitude_f32(x);
  const float top = s > 0.41421356f ? s - 1 : s, bottom = s > 0.41421356f ? s + 1 : 1;
  const float t = (s > 2.41421356f ? -1 : top) / (s > 2.41421356f ? s : bottom), z = t * t;
  const float base = s > 0.41421356f ? 0.785398163f : 0;
  float p = 8.05374449538e-2f * z - 1.38776856032e-1f;
  p = p * z + 1.99777106478e-1f;
  p = (p * z - 3.33329491539e-1f) * z * t + t;
  return with_sign_of_f32((s > 2.41421356f ? 1.57079633f : base) + p, x);
}

/* The quarter turn and what remains are found in double, where they are good up to |x| = 1e8 and
 * more; from 1e15 on what remains is only kept within where the polynomials below are. */
INLINE float quarter_turns_f32(float x, int32_t *turns) {
  const double rounded = (double)x * 0.63661977236758134308 + ROUNDER_F64;
  *turns = (int32_t)bits_f64(rounded);
  const double r = (double)x - (rounded - ROUNDER_F64) * 1.57079632679489661923;
  const double below = r > 0.8 ? 0.8 : r; /* pi / 4 is less; not a number stays so */
  return (float)(below < -0.8 ? -0.8 : below);
}

/* sin(r) for an even number of quarter turns, else cos(r), with the sign of the half turns
 * (fdlibm's ranges, minimax polynomials of Cephes). */
INLINE float sine_of_parts_f32(float r, int32_t turns) {
  const float z = r * r;
  const float s = ((-1.9515295891e-4f * z + 8.3321608736e-3f) * z - 1.6666654611e-1f) * z * r + r;
  const float c =
      ((2.443315711809948e-5f * z - 1.388731625493765e-3f) * z + 4.166664568298827e-2f) * (z * z) +
      (1 - 0.5f * z);
  const float size = turns & 1 ? c : s;
  return from_bits_f32(bits_f32(size) ^ (int32_t)((uint32_t)(turns & 2) << 30));
}

/* The quarter turns in the low bits of a double that ROUNDER_F64 was added to. */
INLINE int32_t turns_f32(double rounded) {
  return (int32_t)bits_f64(rounded);
}

INLINE float sin_of_f32(float x) {
  int32_t turns;
  const float r = quarter_turns_f32(x, &turns);
  return sine_of_parts_f32(r, turns);
}

INLINE float cos_of_f32(float x) {
  int32_t turns;
  const float r = quarter_turns_f32(x, &turns);
  return sine_of_parts_f32(r, turns + 1);
}
#endif
