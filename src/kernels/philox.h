/* Philox4x32-10 for consecutive rows at once: the mapping of base/random.h. Its words live in the
 * low halves of 64-bit lanes, so that a round is a product, a shift and two exclusive ors; what
 * gathers in the high halves is never read. */
#ifndef SL_KERNELS_PHILOX_H
#define SL_KERNELS_PHILOX_H
#include "base/random.h"
#include "kernels/maths_f64.h"
#if defined(__x86_64__)
#include <immintrin.h>
#endif

enum { PHILOX_ROWS = 64, WORD_LANES = REGISTER_BYTES / 8 };
typedef uint64_t words __attribute__((vector_size(REGISTER_BYTES)));

/* Products of the low halves: one instruction, which compilers do not find by themselves. */
INLINE words low_product(words a, uint32_t factor) {
#if defined(__AVX512F__)
  return (words)_mm512_mul_epu32((__m512i)a, _mm512_set1_epi64((int64_t)factor));
#elif defined(__AVX2__)
  return (words)_mm256_mul_epu32((__m256i)a, _mm256_set1_epi64x((int64_t)factor));
#elif defined(__x86_64__)
  return (words)_mm_mul_epu32((__m128i)a, _mm_set1_epi64x((int64_t)factor));
#else
  return (a & 0xFFFFFFFFu) * factor;
#endif
}

/* (k + 1/2) 2^-52, k the upper 52 bits of high:low, as put below the exponent of 1. */
INLINE void store_unit(double *to, words low, words high) {
  const words bits = (high << 20 & 0xFFFFFFFFFFFFFu) | (low & 0xFFFFFFFFu) >> 12 | one_bits_f64;
  memcpy(to, &bits, sizeof bits);
  UNROLL for (int i = 0; i < WORD_LANES; i++) to[i] -= 1 - 0x1p-53;
}

/* The unit reals u and v of the block that holds `feature`, for rows first_row .. first_row +
 * rows - 1, at most PHILOX_ROWS and a multiple of 8. */
NOT_INLINE void philox_units(sl__random_key key, uint64_t first_row, uint32_t feature, int rows,
                             double u[PHILOX_ROWS], double v[PHILOX_ROWS]) {
  const uint32_t key0 = (uint32_t)key.seed ^ key.stream * 0x9E3779B9u;
  const uint32_t key1 = (uint32_t)(key.seed >> 32) ^ key.stream;
  for (int start = 0; start < rows; start += WORD_LANES) {
    static const uint64_t lane_numbers[8] = {0, 1, 2, 3, 4, 5, 6, 7};
    words lanes;
    memcpy(&lanes, lane_numbers, sizeof lanes);
    words w0 = lanes + (first_row + (uint64_t)start), w1 = w0 >> 32;
    words w2 = (words){0} + feature / 2, w3 = (words){0} + key.step;
    UNROLL for (uint32_t round = 0; round < 10; round++) {
      const words left = low_product(w0, 0xD2511F53u), right = low_product(w2, 0xCD9E8D57u);
      w0 = right >> 32 ^ w1 ^ (uint64_t)(key0 + round * 0x9E3779B9u);
      w2 = left >> 32 ^ w3 ^ (uint64_t)(key1 + round * 0xBB67AE85u);
      w1 = right;
      w3 = left;
    }
    store_unit(u + start, w0, w1);
    store_unit(v + start, w2, w3);
  }
}
#endif
