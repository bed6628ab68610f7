/* Sums of logarithms, at the price of one: the mantissas are multiplied and the exponents added
 * apart, so that nothing overflows or vanishes on the way, and where all numbers are near one, so
 * is what the logarithm is taken of. That holds of normal positive numbers; a lane with any other
 * is summed logarithm by logarithm. */

enum {
  NAME(FRACTION_BITS) = sizeof(T) == 4 ? 23 : 52,
  NAME(BIAS) = sizeof(T) == 4 ? 127 : 1023,
  NAME(MOST_FACTORS) = 64 /* below two each: their product is a number yet */
};
#define LEAST    ((WORD)1 << NAME(FRACTION_BITS)) /* the bits of the least normal number, */
#define ONE      ((WORD)NAME(BIAS) << NAME(FRACTION_BITS)) /* of 1, */
#define MOST     ((WORD)(2 * NAME(BIAS) + 1) * LEAST - 1)  /* and of the largest number */
#define FRACTION (LEAST - 1)

/* Of some lanes: log of 2^exponent * product, if `odd` has no sign. */
typedef struct NAME(factors) {
  vector product;
  NAME(mask) exponent, odd;
} NAME(factors);

/* Leaves the product between 1 and 2. */
INLINE NAME(factors) NAME(split)(NAME(factors) f) {
  const NAME(mask) bits = (NAME(mask))f.product;
  f.exponent += (bits >> NAME(FRACTION_BITS)) - NAME(BIAS);
  f.product = (vector)((bits & FRACTION) | ONE);
  return f;
}

INLINE NAME(factors) NAME(times)(NAME(factors) f, vector x) {
  const NAME(mask) bits = (NAME(mask))x;
  const NAME(factors) of_x = NAME(split)((NAME(factors)){.product = x});
  f.product *= of_x.product;
  f.exponent += of_x.exponent;
  const NAME(mask) size = bits & (MOST + LEAST); /* all but the sign */
  f.odd |= bits | (size - LEAST) | (MOST - size);
  return f;
}

/* With the mantissa between 3/4 and 3/2. */
INLINE T NAME(log_of_parts)(T product, WORD exponent) {
  WORD bits;
  memcpy(&bits, &product, sizeof bits);
  const WORD above = (bits - (ONE - LEAST / 2)) & ~FRACTION; /* from 3/4 on */
  bits -= above;
  memcpy(&product, &bits, sizeof bits);
  return NAME(log_from_parts)(product - 1, (T)(exponent + (above >> NAME(FRACTION_BITS))));
}

NOT_INLINE T NAME(sum_log_one_by_one)(int64_t axis, int64_t inner, const T *x) {
  T sum = 0;
  for (int64_t j = 0; j < axis; j++) sum += NAME(log_of)(x[j * inner]);
  return sum;
}

/* The first numbers of a register, and ones. */
INLINE vector NAME(load_some)(const T *x, int64_t count) {
  if (count >= LANES) return NAME(load)(x);
  T some[LANES];
  for (int i = 0; i < LANES; i++) some[i] = 1;
  memcpy(some, x, (size_t)count * sizeof(T));
  return NAME(load)(some);
}

/* `registers` full ones, or one with `count` lanes. */
INLINE void NAME(sum_log_lanes)(const int registers, int64_t count, int64_t axis, int64_t inner,
                                T *y, const T *x) {
  enum { MOST_REGISTERS = 4 };
  NAME(factors) f[MOST_REGISTERS];
  UNROLL for (int i = 0; i < registers; i++) f[i] = (NAME(factors)){.product = NAME(all)(1)};
  for (int64_t j = 0; j < axis; j++) {
    const T *from = x + j * inner;
    if (j > 0 && j % NAME(MOST_FACTORS) == 0) {
      UNROLL for (int i = 0; i < registers; i++) f[i] = NAME(split)(f[i]);
    }
    UNROLL for (int i = 0; i < registers; i++) f[i] =
        NAME(times)(f[i], NAME(load_some)(from + i * LANES, count));
  }
  UNROLL for (int i = 0; i < registers; i++) {
    T product[LANES], made[LANES];
    WORD exponent[LANES], odd[LANES], any = 0;
    memcpy(product, &f[i].product, sizeof product);
    memcpy(exponent, &f[i].exponent, sizeof exponent);
    memcpy(odd, &f[i].odd, sizeof odd);
    for (int l = 0; l < LANES; l++) made[l] = NAME(log_of_parts)(product[l], exponent[l]);
    for (int l = 0; l < LANES; l++) any |= odd[l];
    for (int l = 0; any < 0 && l < count && l < LANES; l++) {
      if (odd[l] < 0) made[l] = NAME(sum_log_one_by_one)(axis, inner, x + i * LANES + l);
    }
    memcpy(y + i * LANES, made, (size_t)(count < LANES ? count : LANES) * sizeof(T));
  }
}

static void NAME(sum_log_axis)(int64_t outer, int64_t axis, int64_t inner, void *y, const void *x) {
  for (int64_t o = 0; o < outer; o++) {
    T *to = (T *)y + o * inner;
    const T *from = (const T *)x + o * axis * inner;
    int64_t start = 0;
    for (; start + 4 * LANES <= inner; start += 4 * LANES)
      NAME(sum_log_lanes)(4, LANES, axis, inner, to + start, from + start);
    switch ((inner - start) / LANES) {
      case 3: NAME(sum_log_lanes)(3, LANES, axis, inner, to + start, from + start); break;
      case 2: NAME(sum_log_lanes)(2, LANES, axis, inner, to + start, from + start); break;
      case 1: NAME(sum_log_lanes)(1, LANES, axis, inner, to + start, from + start); break;
      default: break;
    }
    start += (inner - start) / LANES * LANES;
    if (start < inner)
      NAME(sum_log_lanes)(1, inner - start, axis, inner, to + start, from + start);
  }
}
#undef LEAST
#undef ONE
#undef MOST
#undef FRACTION
