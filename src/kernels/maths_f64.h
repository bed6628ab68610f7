/* Elementary functions of a double, as in maths_f32.h. Errors, in units in the last place
 * (tests/t_kernels.c holds them to it): exp, expm1, log, log1p 2; tanh, sigmoid, softplus, sinh,
 * cosh, asinh, atan 3; sin and cos 2 up to |x| = 1e6, growing beyond; erf 2; power
 * 2 + |b log a| / 16; lgamma 4, or 4e-16 absolute; digamma 8, or 2e-15 absolute; trigamma 4.
 * lgamma, digamma and trigamma of negative numbers: as many ulps of the larger of the terms of the
 * reflection formula. */
#ifndef SL_KERNELS_MATHS_F64_H
#define SL_KERNELS_MATHS_F64_H
#include <math.h>
#include <stdint.h>
#include <string.h>

/* What is not inlined into a loop keeps it from being vectorised. */
#define INLINE     static inline __attribute__((always_inline))
#define NOT_INLINE static __attribute__((noinline, unused))

INLINE uint64_t bits_f64(double x) {
  uint64_t bits;
  memcpy(&bits, &x, sizeof bits);
  return bits;
}

INLINE double from_bits_f64(uint64_t bits) {
  double x;
  memcpy(&x, &bits, sizeof x);
  return x;
}

static const uint64_t sign_bit_f64 = 0x8000000000000000u, one_bits_f64 = 0x3FF0000000000000u;

INLINE double magnitude_f64(double x) {
  return from_bits_f64(bits_f64(x) & ~sign_bit_f64);
}

INLINE double with_sign_of_f64(double size, double sign) {
  return from_bits_f64(bits_f64(size) | (bits_f64(sign) & sign_bit_f64));
}

INLINE double root_f64(double x) {
  return sqrt(x);
}

INLINE double floor_of_f64(double x) {
  const double size = magnitude_f64(x);
  const double near = with_sign_of_f64((size + 4503599627370496.0) - 4503599627370496.0, x);
  const double down = near > x ? near - 1 : near;
  return size < 4503599627370496.0 ? down : x;
}

/* Adding 1.5 * 2^52 leaves the nearest integer in the low bits of the sum. */
#define ROUNDER_F64 6755399441055744.0

/* 2^n, n being the integer in the low bits of n + ROUNDER_F64; -1022 <= n <= 1023. */
INLINE double power_of_two_f64(double n_plus_rounder) {
  return from_bits_f64((bits_f64(n_plus_rounder) << 52) + one_bits_f64);
}

/* ln 2 in two parts; the first times an exponent is exact. */
#define LN2_HIGH_F64 6.93145751953125e-1
#define LN2_LOW_F64  1.42860682030941723212e-6

/* exp(r) - 1 - r over r^2, |r| <= ln 2 / 2 (Remez, relative to exp). */
INLINE double exp_tail_f64(double r) {
  const double r2 = r * r, r4 = r2 * r2;
  const double a = 0.166666666666664127 * r + 0.500000000000001062;
  const double b = 0.00833333333349435568 * r + 0.0416666666665302648;
  const double c = 0.000198412695067366624 * r + 0.00138888889435983361;
  const double d = 2.75575863024626928e-6 * r + 0.0000248014931353757907;
  const double e = 2.50000612188592512e-8 * r + 2.7630234232166943e-7;
  return ((e * r4 + (d * r2 + c)) * r4) + (b * r2 + a);
}

INLINE double exp_of_f64(double x) {
  x = x > 710.0 ? 710.0 : x;
  x = x < -746.0 ? -746.0 : x;
  const double n = (x * 1.44269504088896340736 + ROUNDER_F64) - ROUNDER_F64;
  const double r = (x - n * LN2_HIGH_F64) - n * LN2_LOW_F64;
  const double p = (r * r) * exp_tail_f64(r) + r + 1;
  const double half_rounded = n * 0.5 + ROUNDER_F64, half = half_rounded - ROUNDER_F64;
  return p * power_of_two_f64(half_rounded) * power_of_two_f64((n - half) + ROUNDER_F64);
}

INLINE double expm1_of_f64(double x) {
  double y = x > 710.0 ? 710.0 : x;
  y = y < -40.0 ? -40.0 : y;
  const double n = (y * 1.44269504088896340736 + ROUNDER_F64) - ROUNDER_F64;
  const double r = (y - n * LN2_HIGH_F64) - n * LN2_LOW_F64;
  const double s = power_of_two_f64((n - 1) + ROUNDER_F64);
  const double small = (r * r) * exp_tail_f64(r) + r;
  return (s * small + (s - 0.5)) * 2;
}

/* log(1 + t) = f - s (f - R(s^2)) with f = t, s = t / (2 + t), for -1/4 <= t < 1/2 (fdlibm's form,
 * Remez). */
INLINE double log_tail_f64(double z) {
  const double z2 = z * z;
  const double a = 0.399999999960420609 * z + 0.666666666666729304;
  const double b = 0.222221367540270545 * z + 0.285714294167184007;
  const double c = 0.152487606856690538 * z + 0.181864275357854533;
  return (((0.153792811118406617 * z2 + c) * z2 + b) * z2 + a) * z;
}

/* log(2^e (1 + t)). */
INLINE double log_from_parts_f64(double t, double e) {
  const double s = t / (2 + t);
  const double y = (log_tail_f64(s * s) - t) * s + e * LN2_LOW_F64;
  return e * LN2_HIGH_F64 + (t + y);
}

/* x = scale * 2^e m, 3/4 <= m < 3/2, for normal x > 0 and scale a power of two. The exponent goes
 * to a double by way of the bits of 2^52 + exponent + 1087, no other conversion being in AVX2. */
INLINE double mantissa_f64(double x, double scale, double *e) {
  const uint64_t from_three_quarters = bits_f64(x) + (one_bits_f64 - 0x3FE8000000000000u);
  const uint64_t scaled_back =
      from_three_quarters + (one_bits_f64 - bits_f64(scale)) + (64ull << 52);
  *e = from_bits_f64(scaled_back >> 52 | 0x4330000000000000u) - (4503599627370496.0 + 1087);
  return from_bits_f64(bits_f64(x) - (from_three_quarters & 0xFFF0000000000000u) + one_bits_f64);
}

/* Chosen where the compiler would otherwise compute twice what follows; see maths_f32.h. */
INLINE double scale_of_denormals_f64(double x) {
  return x < 2.2250738585072014e-308 ? 4503599627370496.0 : 1.0;
}

/* log is y inside 0 < x < infinity, and at the edges what it must be. */
INLINE double log_with_edges_f64(double y, double x) {
  const double outside = x == 0 ? -HUGE_VAL : (double)NAN;
  const double not_above = x > 0 ? y : outside;
  return x < HUGE_VAL ? not_above : x;
}

INLINE double log_of_f64(double x) {
  const double scale = scale_of_denormals_f64(x);
  double e;
  const double m = mantissa_f64(x * scale, scale, &e);
  return log_with_edges_f64(log_from_parts_f64(m - 1, e), x);
}

/* log(w) with w = 1 + x rounded; what the rounding lost is put back into the mantissa's distance
 * from 1. */
INLINE double log1p_of_f64(double x) {
  const double w = 1 + x, lost = x - (w - 1);
  double e;
  const double m = mantissa_f64(w, 1, &e);
  const double unit = power_of_two_f64((e > 1022 ? -1022 : -e) + ROUNDER_F64);
  const double t = e == 0 ? x : (m - 1) + lost * unit;
  return log_with_edges_f64(log_from_parts_f64(t, e), w);
}

/* log(u), 0 < u < 1. */
INLINE double log_of_unit_f64(double u) {
  double e;
  const double m = mantissa_f64(u, 1, &e);
  return log_from_parts_f64(m - 1, e);
}

/* With u = exp(-|x|) the small side is u / (1 + u): nothing overflows, and it goes down to
 * denormals. */
INLINE double sigmoid_of_f64(double x) {
  const double u = exp_of_f64(-magnitude_f64(x));
  return (x < 0 ? u : 1) / (1 + u);
}

/* max(x, 0) + log(1 + u), u = exp(-|x|); 1 + u is cut into 2^e (1 + t) without rounding. */
INLINE double softplus_of_f64(double x) {
  const double u = exp_of_f64(-magnitude_f64(x));
  const double e = u < 0.5 ? 0.0 : 1.0, t = (u - e) * (1 - 0.5 * e);
  return (x < 0 ? 0 : x) + log_from_parts_f64(t, e);
}

/* z / (z + 2), z = exp(2 |x|) - 1. */
/* z / (z + 2), z = exp(2 |x|) - 1, as expm1 without its bounds: 1 from |x| = 20 on. */
INLINE double tanh_of_f64(double x) {
  const double size = magnitude_f64(x), bounded = 20.0 < size ? 20.0 : size, y = bounded + bounded;
  const double n_rounded = y * 1.44269504088896340736 + ROUNDER_F64, n = n_rounded - ROUNDER_F64;
  const double r = (y - n * LN2_HIGH_F64) - n * LN2_LOW_F64;
  const double s = power_of_two_f64(n_rounded);
  const double z = s * ((r * r) * exp_tail_f64(r) + r) + (s - 1);
  return with_sign_of_f64(z / (z + 2), x);
}

/* exp(x) / 2, which is finite a little further than exp(x). */
INLINE double half_exp_of_f64(double x) {
  x = x > 712.0 ? 712.0 : x;
  x = x < -746.0 ? -746.0 : x;
  const double n = (x * 1.44269504088896340736 + ROUNDER_F64) - ROUNDER_F64;
  const double r = (x - n * LN2_HIGH_F64) - n * LN2_LOW_F64;
  const double p = (r * r) * exp_tail_f64(r) + r + 1;
  const double half_rounded = n * 0.5 + ROUNDER_F64, half = half_rounded - ROUNDER_F64;
  return p * power_of_two_f64(half_rounded) * power_of_two_f64((n - half - 1) + ROUNDER_F64);
}

/* (z + z / (z + 1)) / 2, z = exp(|x|) - 1, where the difference of exponentials would cancel. */
INLINE double sinh_of_f64(double x) {
  const double size = magnitude_f64(x);
  const double z = expm1_of_f64(size > 1 ? 1 : size), half = half_exp_of_f64(size);
  const double near = 0.5 * (z + z / (z + 1)), far = half - 0.25 / half;
  return with_sign_of_f64(size < 1 ? near : far, x);
}

INLINE double cosh_of_f64(double x) {
  const double half = half_exp_of_f64(magnitude_f64(x));
  return half + 0.25 / half;
}

/* log(|x| + sqrt(1 + x^2)), as log1p of something without cancellation; 2 |x| for large ones. */
INLINE double asinh_of_f64(double x) {
  const double size = magnitude_f64(x), square = size * size;
  const double sum = size + square / (1 + root_f64(1 + square));
  const double y = log1p_of_f64(size > 0x1p60 ? size : sum);
  return with_sign_of_f64(size > 0x1p60 ? y + 0.69314718055994530942 : y, x);
}

/* pi/2 + atan(-1/s) above tan(3 pi/8), pi/4 + atan((s - 1)/(s + 1)) above 0.66, where a rational
 * function (Cephes) takes over. */
INLINE double atan_of_f64(double x) {
  const double s = magnitude_f64(x);
  const double top = s > 0.66 ? s - 1 : s, bottom = s > 0.66 ? s + 1 : 1;
  const double far = 2.41421356237309504880;
  const double t = (s > far ? -1 : top) / (s > far ? s : bottom), z = t * t;
  double p = -8.750608600031904122785e-1 * z - 1.615753718733365076637e1;
  p = p * z - 7.500855792314704667340e1;
  p = p * z - 1.228866684490136173410e2;
  p = p * z - 6.485021904942025371773e1;
  double q = z + 2.485846490142306297962e1;
  q = q * z + 1.650270098316988542046e2;
  q = q * z + 4.328810604912902668951e2;
  q = q * z + 4.853903996359136964868e2;
  q = q * z + 1.945506571482613964425e2;
  const double base = s > 0.66 ? 7.85398163397448309616e-1 : 0;
  const double lost = s > 0.66 ? 3.06161699786838301793e-17 : 0; /* of pi/4 beyond a double */
  const double y = t * (z * p / q) + (s > far ? 2 * lost : lost) + t;
  return with_sign_of_f64((s > far ? 2 * base : base) + y, x);
}

/* x less its quarter turns, by pi / 2 in three parts of which the first two have 33 bits (fdlibm):
 * their products with up to 2^20 turns are exact, with or without fused multiplication. Beyond, the
 * error grows with the distance between neighbouring doubles, which at 1e15 is no longer less than
 * a turn: there what remains is only kept to where the polynomials below are within [-1, 1]. */
INLINE double quarter_turns_f64(double x, uint64_t *turns) {
  const double rounded = x * 0.63661977236758134308 + ROUNDER_F64, n = rounded - ROUNDER_F64;
  *turns = bits_f64(rounded);
  const double r = ((x - n * 1.57079632673412561417e+00) - n * 6.07710050630396597660e-11) -
                   n * 2.02226624879595063154e-21;
  const double below = r > 0.8 ? 0.8 : r; /* pi / 4 is less; not a number stays so */
  return below < -0.8 ? -0.8 : below;
}

/* sin(r) for an even number of quarter turns, else cos(r), with the sign of the half turns;
 * fdlibm's polynomials. */
INLINE double sine_of_parts_f64(double r, uint64_t turns) {
  const double z = r * r;
  double s = 1.58969099521155010221e-10 * z - 2.50507602534068634195e-08;
  s = s * z + 2.75573137070700676789e-06;
  s = s * z - 1.98412698298579493134e-04;
  s = s * z + 8.33333333332248946124e-03;
  s = (s * z - 1.66666666666666324348e-01) * (z * r) + r;
  double c = -1.13596475577881948265e-11 * z + 2.08757232129817482790e-09;
  c = c * z - 2.75573143513906633035e-07;
  c = c * z + 2.48015872894767294178e-05;
  c = c * z - 1.38888888888741095749e-03;
  c = c * z + 4.16666666666666019037e-02;
  const double half = 0.5 * z, near = 1 - half;
  c = near + (((1 - near) - half) + c * (z * z));
  const double size = turns & 1 ? c : s;
  return from_bits_f64(bits_f64(size) ^ ((turns & 2) << 62));
}

/* The quarter turns in the low bits of a double that ROUNDER_F64 was added to. */
INLINE uint64_t turns_f64(double rounded) {
  return bits_f64(rounded);
}

INLINE double sin_of_f64(double x) {
  uint64_t turns;
  const double r = quarter_turns_f64(x, &turns);
  return sine_of_parts_f64(r, turns);
}

INLINE double cos_of_f64(double x) {
  uint64_t turns;
  const double r = quarter_turns_f64(x, &turns);
  return sine_of_parts_f64(r, turns + 1);
}
#endif
