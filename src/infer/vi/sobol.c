/* Scrambled Sobol points: noise that fills space more evenly than random numbers do.
 *
 * Direction numbers: Joe and Kuo 2008 (SIAM J. Sci. Comput. 30, 2635-2654), their search by
 * criterion D(6), first 21 dimensions. Scrambling: nested uniform, that is Owen's (1995), by a hash
 * of the digits above each digit (Laine and Karras 2011, section 3.1, with the constants of Burley
 * 2020, "Practical hash-based Owen scrambling", JCGT 9:4, listing 2): each coordinate has its own
 * seed, from the key and the dimension, so that every step's points are new and each point is
 * uniform. Coordinates have 32 bits, taken at the middle of their cell. */
#include "infer/vi/engine.h"
#include "stan/functions.h"

enum { BITS = 32 };

/* degree of the primitive polynomial, its inner coefficients, and the first direction integers; the
 * first dimension, van der Corput's, has none. */
typedef struct direction {
  int degree;
  uint32_t inner, first[7];
} direction;
static const direction directions[SL__SOBOL_DIMS - 1] = {
    {1, 0, {1}},
    {2, 1, {1, 3}},
    {3, 1, {1, 3, 1}},
    {3, 2, {1, 1, 1}},
    {4, 1, {1, 1, 3, 3}},
    {4, 4, {1, 3, 5, 13}},
    {5, 2, {1, 1, 5, 5, 17}},
    {5, 4, {1, 1, 5, 5, 5}},
    {5, 7, {1, 1, 7, 11, 19}},
    {5, 11, {1, 1, 5, 1, 1}},
    {5, 13, {1, 1, 1, 3, 11}},
    {5, 14, {1, 3, 5, 5, 31}},
    {6, 1, {1, 3, 3, 9, 7, 49}},
    {6, 13, {1, 1, 1, 15, 21, 21}},
    {6, 16, {1, 3, 1, 13, 27, 49}},
    {6, 19, {1, 1, 1, 15, 7, 5}},
    {6, 22, {1, 3, 1, 15, 13, 25}},
    {6, 25, {1, 1, 5, 5, 19, 61}},
    {7, 1, {1, 3, 7, 11, 23, 15, 103}},
    {7, 4, {1, 3, 7, 13, 13, 15, 69}},
};

/* Bratley and Fox 1988 (TOMS 14, 88-100), equation 2. */
static void fill_vectors(int32_t dimension, uint32_t vectors[BITS]) {
  if (dimension == 0) {
    for (int i = 0; i < BITS; i++) vectors[i] = (uint32_t)1 << (BITS - 1 - i);
    return;
  }
  const direction *own = &directions[dimension - 1];
  for (int i = 0; i < BITS; i++) {
    if (i < own->degree) {
      vectors[i] = own->first[i] << (BITS - 1 - i);
      continue;
    }
    uint32_t next = vectors[i - own->degree] ^ (vectors[i - own->degree] >> own->degree);
    for (int k = 1; k < own->degree; k++)
      if (own->inner >> (own->degree - 1 - k) & 1) next ^= vectors[i - k];
    vectors[i] = next;
  }
}

static uint32_t reverse_bits(uint32_t x) {
  x = (x & 0x55555555u) << 1 | (x >> 1 & 0x55555555u);
  x = (x & 0x33333333u) << 2 | (x >> 2 & 0x33333333u);
  x = (x & 0x0F0F0F0Fu) << 4 | (x >> 4 & 0x0F0F0F0Fu);
  x = (x & 0x00FF00FFu) << 8 | (x >> 8 & 0x00FF00FFu);
  return x << 16 | x >> 16;
}

/* A permutation in which each bit depends on lower ones only; between two reversals, on higher. */
static uint32_t scramble(uint32_t x, uint32_t seed) {
  x = reverse_bits(x);
  x += seed;
  x ^= x * 0x6C50B47Cu;
  x ^= x * 0xB82F1E52u;
  x ^= x * 0xC7AFE638u;
  x ^= x * 0x8D22F6E6u;
  return reverse_bits(x);
}

void sl__sobol_normal(sl__random_key key, int64_t rows, int32_t dim, int64_t row_stride,
                      int64_t column_stride, double *x) {
  for (int32_t d = 0; d < dim; d++) {
    uint32_t vectors[BITS];
    fill_vectors(d, vectors);
    const uint32_t seed = (uint32_t)sl__random_below(key, (uint64_t)d, 0, (uint64_t)1 << BITS);
    for (int64_t r = 0; r < rows; r++) {
      uint32_t point = 0;
      for (int bit = 0; bit < BITS && r >> bit; bit++)
        if (r >> bit & 1) point ^= vectors[bit];
      const double uniform = ((double)scramble(point, seed) + 0.5) * 0x1p-32;
      x[r * row_stride + d * column_stride] = sl__number_inv_phi(uniform);
    }
  }
}
