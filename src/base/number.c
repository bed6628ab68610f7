/* Numbers and text, without a locale (strtod and printf change with LC_NUMERIC) and without
 * rounding errors.
 *
 * Reading. A decimal number is m * 10^e with an integer m. Three ways, each correctly rounded:
 * - m <= 2^53 and |e| <= 22: both are exact doubles, one operation rounds once (Clinger 1990, "How
 *   to read floating point numbers accurately");
 * - m < 2^64 and |e| <= 27: 5^27 fits 63 bits, so m * 5^e or (m << 64) / 5^-e is exact in 128 bits;
 * - otherwise the same with a long integer. Dividing by 5^n goes 5^13 at a time: rounding down
 *   repeatedly equals rounding down once, and any remainder on the way only says "a little more".
 *
 * Printing. The digits come from 128-bit arithmetic for values of ordinary size, else from
 * snprintf("%.*e"), which rounds correctly in every locale and of which only the decimal point
 * varies; the point is set here. The fewest digits that read back the same bits win: 15, 16 or 17
 * for float64; 6 to 9 for float32. */
#include "base/text.h"
#include <ctype.h>
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum {
  MOST_DIGITS =
      800,    /* a double is decided by at most 767 significant digits and whether more follow */
  LIMBS = 192 /* of 32 bits: 800 digits, 5^1200 and 96 bits more */
};

/* ---- putting a double together ---- */

/* top * 2^exponent, a little more when sticky, rounded to nearest even; top has its highest bit
 * set. */
static double assemble(uint64_t top, int exponent, bool sticky) {
  int dropped = 11; /* bits of top below the 53 kept; more for subnormal results */
  if (exponent + dropped < -1074) dropped = -1074 - exponent;
  if (dropped > 64) return 0;
  uint64_t kept = dropped < 64 ? top >> dropped : 0;
  uint64_t rest = dropped < 64 ? top << (64 - dropped) : top;
  uint64_t half = (uint64_t)1 << 63;
  if (rest > half || (rest == half && (sticky || kept % 2 == 1))) kept++;
  return ldexp((double)kept, exponent + dropped);
}

static int leading_zeros(uint64_t value) { /* of a non-zero value */
  return __builtin_clzll(value);
}

#ifdef __SIZEOF_INT128__
__extension__ typedef unsigned __int128 wide;

static uint64_t power_of_5_wide(int exponent) { /* up to 27 */
  uint64_t power = 1;
  for (int i = 0; i < exponent; i++) power *= 5;
  return power;
}

static double from_128_bits(uint64_t mantissa, int exponent10) {
  uint64_t power = power_of_5_wide(exponent10 < 0 ? -exponent10 : exponent10);
  wide value;
  int exponent2 = exponent10;
  bool sticky = false;
  if (exponent10 >= 0) {
    value = (wide)mantissa * power;
  } else {
    /* Shifted so that the quotient has 64 bits at least. */
    int shift = leading_zeros(mantissa);
    wide numerator = (wide)(mantissa << shift) << 64;
    value = numerator / power;
    sticky = numerator % power != 0;
    exponent2 -= shift + 64;
  }
  uint64_t high = (uint64_t)(value >> 64);
  int used = high ? 128 - leading_zeros(high) : 64 - leading_zeros((uint64_t)value);
  if (used <= 64) return assemble((uint64_t)value << (64 - used), exponent2 - (64 - used), sticky);
  int drop = used - 64;
  sticky = sticky || (value & (((wide)1 << drop) - 1)) != 0;
  return assemble((uint64_t)(value >> drop), exponent2 + drop, sticky);
}
#endif

/* ---- long integers ---- */

typedef struct long_integer {
  int length;           /* limbs in use; the last one is not 0 */
  uint32_t limb[LIMBS]; /* lowest first */
} long_integer;

static void multiply_add(long_integer *a, uint32_t factor, uint32_t addend) {
  uint64_t carry = addend;
  for (int i = 0; i < a->length; i++) {
    carry += (uint64_t)a->limb[i] * factor;
    a->limb[i] = (uint32_t)carry;
    carry >>= 32;
  }
  if (carry) a->limb[a->length++] = (uint32_t)carry;
}

/* Returns whether there was a remainder. */
static bool divide(long_integer *a, uint32_t divisor) {
  uint64_t remainder = 0;
  for (int i = a->length - 1; i >= 0; i--) {
    remainder = remainder << 32 | a->limb[i];
    a->limb[i] = (uint32_t)(remainder / divisor);
    remainder %= divisor;
  }
  while (a->length > 0 && a->limb[a->length - 1] == 0) a->length--;
  return remainder != 0;
}

static void shift_limbs(long_integer *a, int limbs) {
  memmove(a->limb + limbs, a->limb, (size_t)a->length * sizeof *a->limb);
  memset(a->limb, 0, (size_t)limbs * sizeof *a->limb);
  a->length += limbs;
}

static uint32_t power_of_5(int exponent) {
  uint32_t power = 1;
  for (int i = 0; i < exponent; i++) power *= 5;
  return power;
}

/* digits[0..count) * 10^exponent10, a little more when more; the value lies within 1e-400 and
 * 1e400. */
static double from_digits(const char *digits, int count, int exponent10, bool more) {
  long_integer value = {0};
  for (int i = 0; i < count; i++) multiply_add(&value, 10, (uint32_t)(digits[i] - '0'));
  if (value.length == 0) return 0;
  bool sticky = more;
  int exponent2 = exponent10;
  if (exponent10 >= 0) {
    for (int left = exponent10; left > 0; left -= 13)
      multiply_add(&value, power_of_5(left < 13 ? left : 13), 0);
  } else {
    int bits =
        -exponent10 * 7 / 3 + 96; /* 5 < 2^(7/3), and 64 bits of quotient with some to spare */
    int limbs = bits / 32 + 1;
    shift_limbs(&value, limbs);
    exponent2 -= 32 * limbs;
    for (int left = -exponent10; left > 0; left -= 13) {
      sticky |= divide(&value, power_of_5(left < 13 ? left : 13));
    }
  }
  uint32_t limb[3] = {0, 0, 0}; /* the highest three, highest first */
  for (int i = 0; i < 3 && i < value.length; i++) limb[i] = value.limb[value.length - 1 - i];
  for (int i = 0; i < value.length - 3; i++) sticky |= value.limb[i] != 0;
  int shift = leading_zeros((uint64_t)limb[0] << 32);
  uint64_t top = ((uint64_t)limb[0] << 32 | limb[1]) << shift;
  if (shift > 0) top |= limb[2] >> (32 - shift);
  sticky |= (uint32_t)((uint64_t)limb[2] << shift) != 0;
  return assemble(top, exponent2 + 32 * (value.length - 2) - shift, sticky);
}

/* ---- reading ---- */

static bool matches(const char *begin, const char *end, const char *word) {
  for (; *word; word++, begin++) {
    if (begin == end || tolower((unsigned char)*begin) != *word) return false;
  }
  return true;
}

static const char *parse_special(const char *at, const char *end, double *out) {
  if (matches(at, end, "nan")) {
    *out = NAN;
    return at + 3;
  }
  if (!matches(at, end, "inf")) return NULL;
  *out = INFINITY;
  return matches(at, end, "infinity") ? at + 8 : at + 3;
}

static bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/* The parts of a decimal number: significant digits from `first` on (a point may lie among
 * them). */
typedef struct decimal {
  const char *first;
  int64_t digits;    /* significant digits, leading zeros not counted */
  int64_t exponent;  /* value = digits as an integer * 10^exponent */
  uint64_t mantissa; /* the first 19 of them */
} decimal;

/* 'e' and an optional sign need a digit after them; otherwise they are not part of the number. */
static const char *parse_exponent(const char *at, const char *end, int64_t *exponent) {
  const char *start = at;
  if (at == end || (*at != 'e' && *at != 'E')) return start;
  at++;
  bool negative = at < end && *at == '-';
  if (at < end && (*at == '-' || *at == '+')) at++;
  if (at == end || !is_digit(*at)) return start;
  int64_t value = 0;
  for (; at < end && is_digit(*at); at++) {
    if (value < 100000000) value = 10 * value + (*at - '0');
  }
  *exponent += negative ? -value : value;
  return at;
}

static const char *parse_decimal(const char *at, const char *end, decimal *out) {
  bool any = false, point = false;
  *out = (decimal){.first = at};
  for (; at < end; at++) {
    if (*at == '.' && !point) {
      point = true;
      continue;
    }
    if (!is_digit(*at)) break;
    any = true;
    if (point) out->exponent--;
    if (out->digits == 0) {
      out->first = at;
      if (*at == '0') continue;
    }
    if (out->digits < 19) out->mantissa = 10 * out->mantissa + (uint64_t)(*at - '0');
    out->digits++;
  }
  return any ? parse_exponent(at, end, &out->exponent) : NULL;
}

static double from_long_decimal(const decimal *number) {
  char digits[MOST_DIGITS];
  int count = 0;
  bool more = false;
  const char *at = number->first;
  for (int64_t left = number->digits; left > 0; at++) {
    if (*at == '.') continue;
    left--;
    if (count < MOST_DIGITS)
      digits[count++] = *at;
    else
      more = more || *at != '0';
  }
  return from_digits(digits, count, (int)(number->exponent + number->digits - count), more);
}

static double value_of(const decimal *number) {
  static const double power_of_10[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                       1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                       1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
  int64_t e = number->exponent;
  if (number->digits == 0 || number->digits + e < -330) return 0;
  if (number->digits + e > 310) return INFINITY;
  if (FLT_EVAL_METHOD == 0 && number->digits <= 19 && number->mantissa <= (uint64_t)1 << 53 &&
      e >= -22 && e <= 22) {
    double m = (double)number->mantissa;
    return e < 0 ? m / power_of_10[-e] : m * power_of_10[e];
  }
#ifdef __SIZEOF_INT128__
  if (number->digits <= 19 && e >= -27 && e <= 27) return from_128_bits(number->mantissa, (int)e);
#endif
  return from_long_decimal(number);
}

const char *sl__parse_real(const char *begin, const char *end, double *out) {
  const char *at = begin;
  bool negative = at < end && *at == '-';
  if (at < end && (*at == '-' || *at == '+')) at++;
  double value = 0;
  decimal number;
  const char *after = parse_decimal(at, end, &number);
  if (after)
    value = value_of(&number);
  else
    after = parse_special(at, end, &value);
  if (after) *out = negative ? -value : value;
  return after;
}

const char *sl__parse_integer(const char *begin, const char *end, int64_t *out) {
  const char *at = begin;
  bool negative = at < end && *at == '-';
  if (at < end && (*at == '-' || *at == '+')) at++;
  if (at == end || !is_digit(*at)) return NULL;
  int64_t value = 0;
  for (; at < end && is_digit(*at); at++) {
    int digit = *at - '0';
    if (__builtin_mul_overflow(value, 10, &value)) return NULL;
    if (__builtin_add_overflow(value, negative ? -digit : digit, &value)) return NULL;
  }
  *out = value;
  return at;
}

/* ---- printing ---- */

static int format_special(char *buffer, double value) {
  const char *text = isnan(value) ? "nan" : value > 0 ? "inf" : "-inf";
  strcpy(buffer, text);
  return (int)strlen(text);
}

#ifdef __SIZEOF_INT128__
/* The same as printed_digits for values of ordinary size: m * 2^e * 10^p, rounded to an integer of
 * `count` digits, fits 128 bits. Returns false for other sizes. */
static bool quick_digits(double value, int count, char digits[32], int *exponent) {
  if (!(value >= 1e-10 && value < 1e16)) return false;
  int binary = 0;
  uint64_t mantissa = (uint64_t)ldexp(frexp(value, &binary), 53), limit = 10, rounded = 0;
  for (int i = 1; i < count; i++) limit *= 10;
  *exponent = (int)floor(log10(value)); /* at a power of ten perhaps off by one, mended below */
  for (;;) {
    int p = count - 1 - *exponent, drop = 53 - binary - p; /* of bits, behind the point */
    if (p < 0 || p > 27 || drop <= 0) return false;
    wide product = (wide)mantissa * power_of_5_wide(p), half = (wide)1 << (drop - 1);
    wide rest = product & ((half << 1) - 1);
    rounded = (uint64_t)(product >> drop);
    if (rest > half || (rest == half && rounded % 2 == 1)) rounded++;
    if (rounded >= limit)
      ++*exponent;
    else if (rounded < limit / 10)
      --*exponent;
    else
      break;
  }
  for (int i = count - 1; i >= 0; i--, rounded /= 10) digits[i] = (char)('0' + rounded % 10);
  return true;
}
#endif

static void printed_digits(double value, int count, char digits[32], int *exponent) {
  char printed[64];
  snprintf(printed, sizeof printed, "%.*e", count - 1, value);
  const char *at = printed;
  for (int k = 0; *at && *at != 'e'; at++) {
    if (is_digit(*at)) digits[k++] = *at;
  }
  int64_t parsed = 0;
  sl__parse_integer(at + 1, printed + strlen(printed), &parsed);
  *exponent = (int)parsed;
}

/* count significant digits of a positive value and the exponent of the first. */
static void decimal_digits(double value, int count, char digits[32], int *exponent) {
#ifdef __SIZEOF_INT128__
  if (quick_digits(value, count, digits, exponent)) return;
#endif
  printed_digits(value, count, digits, exponent);
}

/* As %g would: plain between 1e-5 and 1e`count`, else with an exponent; no trailing zeros. */
static int write_digits(char *buffer, bool negative, const char *digits, int count, int exponent) {
  char *at = buffer;
  int limit = count;
  while (count > 1 && digits[count - 1] == '0') count--;
  if (negative) *at++ = '-';
  if (exponent < -5 || exponent >= limit) {
    *at++ = digits[0];
    if (count > 1) *at++ = '.';
    for (int i = 1; i < count; i++) *at++ = digits[i];
    return (int)(at - buffer) + snprintf(at, 8, "e%c%02d", exponent < 0 ? '-' : '+',
                                         exponent < 0 ? -exponent : exponent);
  }
  if (exponent < 0) {
    *at++ = '0';
    *at++ = '.';
    for (int i = -1; i > exponent; i--) *at++ = '0';
  }
  for (int i = 0; i < count || i <= exponent; i++) {
    if (i == exponent + 1 && exponent >= 0) *at++ = '.';
    *at++ = i < count ? digits[i] : '0';
  }
  *at = '\0';
  return (int)(at - buffer);
}

int sl__format_real(char *buffer, double value, sl_dtype precision) {
  if (!isfinite(value)) return format_special(buffer, value);
  if (value == 0) {
    strcpy(buffer, signbit(value) ? "-0" : "0");
    return signbit(value) ? 2 : 1;
  }
  int fewest = precision == SL_F32 ? 6 : 15, most = precision == SL_F32 ? 9 : 17;
  for (int count = fewest;; count++) {
    char digits[32];
    int exponent = 0;
    decimal_digits(fabs(value), count, digits, &exponent);
    decimal number = {.first = digits, .digits = count, .exponent = exponent - (count - 1)};
    for (int i = 0; i < count; i++)
      number.mantissa = 10 * number.mantissa + (uint64_t)(digits[i] - '0');
    double again = value_of(&number);
    bool same = precision == SL_F32 ? (float)again == (float)fabs(value) : again == fabs(value);
    if (same || count == most) return write_digits(buffer, value < 0, digits, count, exponent);
  }
}

int sl__format_fixed(char *buffer, double value, int decimals) {
  if (!isfinite(value)) return format_special(buffer, value);
  if (decimals > 17) decimals = 17;
  if (fabs(value) >= 1e15) return sl__format_real(buffer, value, SL_F64);
  char printed[64];
  snprintf(printed, sizeof printed, "%.*f", decimals, value);
  /* Whatever stands between the digits is the locale's decimal point. */
  char *to = buffer;
  bool point = false;
  for (const char *at = printed; *at; at++) {
    if (is_digit(*at) || *at == '-')
      *to++ = *at;
    else if (!point)
      *to++ = '.', point = true;
  }
  *to = '\0';
  return (int)(to - buffer);
}
