/* erf, log gamma, digamma, trigamma and power of a double; also of a float, rounded. Polynomials:
 * Remez fits relative to the function that is sought, unless said otherwise. */
#ifndef SL_KERNELS_MATHS_SPECIAL_F64_H
#define SL_KERNELS_MATHS_SPECIAL_F64_H
#include "kernels/maths_f64.h"

/* |x| < 1: x + x P(x^2); beyond: 1 - exp(-|x| Q(|x|)), which is 1 from 6 on. */
INLINE double erf_of_f64(double x) {
  const double s = x * x, size = magnitude_f64(x), t = size > 6 ? 6 : size;
  double p = -7.779448913247819925e-10 * s + 1.37109698597732553e-8;
  p = p * s - 1.620631131761311587e-7;
  p = p * s + 1.644713125315938968e-6;
  p = p * s - 0.0000149247122763996603;
  p = p * s + 0.0001205529357558529196;
  p = p * s - 0.0008548325929271575715;
  p = p * s + 0.00522397760611761999;
  p = p * s - 0.02686617064311137411;
  p = p * s + 0.1128379167094418431;
  p = p * s - 0.3761263890318351954;
  p = p * s + 0.1283791670955125657;
  double q = 1.904883953959164221e-13 * t - 9.521975039506646933e-12;
  q = q * t + 2.239680698247205175e-10;
  q = q * t - 3.295635369498280445e-9;
  q = q * t + 3.400037871642214612e-8;
  q = q * t - 2.609152133615379681e-7;
  q = q * t + 1.538620563268121942e-6;
  q = q * t - 7.074331216295641612e-6;
  q = q * t + 0.00002524875710193742424;
  q = q * t - 0.00006734712177621593788;
  q = q * t + 0.0001163331762738493991;
  q = q * t - 0.00003158377799593697481;
  q = q * t - 0.0005391240176820159482;
  q = q * t + 0.001660429032476389108;
  q = q * t - 0.0001898029595866651183;
  q = q * t - 0.01913627625605524234;
  q = q * t + 0.1027748182829768136;
  q = q * t + 0.6366193809451373185;
  q = q * t + 1.128379199578864476;
  const double far = with_sign_of_f64(1 - exp_of_f64(-t * q), x);
  return size < 1 ? p * x + x : far;
}

/* x >= 0. Below 8, lgamma(x) = lgamma(2 + z) -+ log(product of the factors between), where |z| <=
 * 1/2 is found without rounding, and lgamma(2 + z) = z P(z) keeps the relative error small at the
 * zeros 1 and 2. From 8 on, Stirling. */
INLINE double lgamma_of_positive_f64(double x) {
  double y = x, product = 1;
  for (int i = 0; i < 6; i++) {
    const int down = y > 2.5;
    y = down ? y - 1 : y;
    product = down ? product * y : product;
  }
  const double up_once = x - 1, up_twice = x;
  const double z = x < 0.5 ? up_twice : x < 1.5 ? up_once : y - 2;
  product = x < 0.5 ? x * (x + 1) : x < 1.5 ? x : product;
  double p = 2.977083144108362249e-7 * z - 5.806115771200245748e-7;
  p = p * z + 8.998992932681706105e-7;
  p = p * z - 1.974826995413690996e-6;
  p = p * z + 4.393521822677591915e-6;
  p = p * z - 9.456078716022566284e-6;
  p = p * z + 0.00002050354378303109231;
  p = p * z - 0.00004492377195694060062;
  p = p * z + 0.00009945794420308482832;
  p = p * z - 0.0002231549722589889096;
  p = p * z + 0.0005096694951121231207;
  p = p * z - 0.001192753901329595877;
  p = p * z + 0.002890510331841682816;
  p = p * z - 0.007385551028925187134;
  p = p * z + 0.02058080842776596075;
  p = p * z - 0.06735230105319576202;
  p = p * z + 0.3224670334241133107;
  p = p * z + 0.4227843350984671358;
  const double logarithm = log_of_f64(x < 8 ? product : x);
  const double near = p * z + (x < 1.5 ? -logarithm : logarithm);
  const double inverse = 1 / x, w = inverse * inverse;
  double q = -0.001633434574967649038 * w + 0.0008364587071905943998;
  q = q * w - 0.0005951896847435156875;
  q = q * w + 0.0007936505764827233961;
  q = q * w - 0.00277777777735861318;
  q = q * w + 0.0833333333333331018;
  const double far = (x - 0.5) * (logarithm - 1) + (q * inverse + 0.41893853320467274178);
  return x < 8 ? near : far;
}

/* x >= 0: the recurrence up to 6, its terms as one fraction, then the asymptotic series. */
INLINE double digamma_of_positive_f64(double x) {
  double y = x, numerator = 0, denominator = 1;
  for (int i = 0; i < 6; i++) {
    const int below = y < 6;
    numerator = below ? numerator * y + denominator : numerator;
    denominator = below ? denominator * y : denominator;
    y = below ? y + 1 : y;
  }
  const double inverse = 1 / y, w = inverse * inverse;
  double q = 0.04999908872918488093 * w - 0.01979887508478659841;
  q = q * w + 0.007547894309765290035;
  q = q * w - 0.004166327897932673316;
  q = q * w + 0.003968251737003584687;
  q = q * w - 0.008333333326319866787;
  q = q * w + 0.08333333333332585255;
  return (log_of_f64(y) - (q * w + 0.5 * inverse)) - numerator / denominator;
}

/* x >= 0: the recurrence up to 10, then the asymptotic series with Bernoulli's numbers. */
INLINE double trigamma_of_positive_f64(double x) {
  double y = x, sum = 0;
  for (int i = 0; i < 10; i++) {
    const int below = y < 10;
    const double term = 1 / (y * y);
    sum = below ? sum + term : sum;
    y = below ? y + 1 : y;
  }
  const double inverse = 1 / y, w = inverse * inverse;
  double q = -7.092156862745098039 * w + 1.166666666666666667;
  q = q * w - 0.2531135531135531136;
  q = q * w + 0.07575757575757575758;
  q = q * w - 0.03333333333333333333;
  q = q * w + 0.02380952380952380952;
  q = q * w - 0.03333333333333333333;
  q = q * w + 0.1666666666666666667;
  return sum + (inverse + (0.5 * w + q * w * inverse));
}

/* The same for x < 0, by reflection, given the function of -x or 1 - x. Rare, so not part of the
 * vector loops. */
NOT_INLINE double lgamma_of_negative_f64(double x) {
  const double from_integer = x - (floor_of_f64(x + 0.5));
  const double sine = magnitude_f64(sin_of_f64(3.14159265358979323846 * from_integer));
  if (sine == 0 || x == -HUGE_VAL) return HUGE_VAL;
  return -log_of_f64(sine / 3.14159265358979323846) - log_of_f64(-x) - lgamma_of_positive_f64(-x);
}

NOT_INLINE double digamma_of_negative_f64(double x) {
  const double angle = 3.14159265358979323846 * (x - floor_of_f64(x + 0.5));
  if (angle == 0 || x == -HUGE_VAL) return (double)NAN;
  return digamma_of_positive_f64(1 - x) -
         3.14159265358979323846 * cos_of_f64(angle) / sin_of_f64(angle);
}

NOT_INLINE double trigamma_of_negative_f64(double x) {
  const double pi = 3.14159265358979323846;
  const double sine = sin_of_f64(pi * (x - floor_of_f64(x + 0.5)));
  if (x == -HUGE_VAL) return (double)NAN;
  return (pi / sine) * (pi / sine) - trigamma_of_positive_f64(1 - x);
}

/* The upper half of the bits, so that the product of two such numbers is exact. */
INLINE double upper_half_f64(double x) {
  return from_bits_f64(bits_f64(x) & ~(uint64_t)0x7FFFFFF);
}

/* log(x), x > 0, as a sum of two numbers that has about 6 bits more than a double. */
INLINE double log_in_two_f64(double x, double *low) {
  const double scale = scale_of_denormals_f64(x);
  double e;
  const double m = mantissa_f64(x * scale, scale, &e);
  /* s = t / (2 + t) with its remainder: s_high has half the bits, so the products below are
   * exact. */
  const double t = m - 1, w = 2 + t, inverse = 1 / w;
  const double s_high = upper_half_f64(t * inverse), w_high = upper_half_f64(w);
  const double w_low = (2 - w_high) + t;
  const double s_low = ((t - s_high * w_high) - s_high * w_low) * inverse, s = s_high + s_low;
  const double first = e * LN2_HIGH_F64, second = 2 * s_high, sum = first + second;
  const double rest =
      ((first - sum) + second) + (e * LN2_LOW_F64 + (2 * s_low + s * log_tail_f64(s * s)));
  const double high = sum + rest;
  *low = (sum - high) + rest;
  return high;
}

/* exp(b log a), the product b log a carried in two parts; the special cases are those of C's
 * pow. */
INLINE double power_of_f64(double a, double b) {
  const double size = magnitude_f64(a);
  double low;
  const double log_high = log_in_two_f64(size, &low);
  const double high = log_with_edges_f64(log_high, size);
  const double product = b * high;
  const double b_high = upper_half_f64(b), high_high = upper_half_f64(high);
  const double b_low = b - b_high, high_low = high - high_high;
  const double lost =
      ((b_high * high_high - product) + b_high * high_low + b_low * high_high) + b_low * high_low;
  const double whole = exp_of_f64(product);
  /* One condition at a time: gcc 12 does not vectorise selects on conditions joined by &. */
  double positive = whole < HUGE_VAL ? whole + whole * (lost + b * low) : whole;
  positive = magnitude_f64(product) < 800 ? positive : whole;
  const double whole_b = floor_of_f64(b), even_b = 2 * floor_of_f64(b * 0.5);
  const uint64_t sign_if_odd = even_b != b ? sign_bit_f64 : 0;
  const uint64_t flip = bits_f64(a) & (whole_b == b ? sign_if_odd : 0);
  const double with_sign = from_bits_f64(bits_f64(positive) ^ flip);
  const double of_finite = whole_b == b ? with_sign : (double)NAN;
  const double of_negative = a > -HUGE_VAL ? of_finite : with_sign;
  double result = a < 0 ? of_negative : with_sign;
  result = b == 0 ? 1 : result;
  result = a == 1 ? 1 : result;
  const double of_minus_one = magnitude_f64(b) == HUGE_VAL ? 1 : result;
  return a == -1 ? of_minus_one : result;
}
#endif
