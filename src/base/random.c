/* Philox4x32-10 and what is made of its words. The mapping is stated in random.h; the constants are
 * those of Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011,
 * section 4.3. Known answer: counter 0, key 0 gives 6627e8d5 e169c58d bc57ac4c 9b00dbd8. */
#include "base/random.h"
#include <math.h>

void sl__philox(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4]) {
  const uint64_t multiplier0 = 0xD2511F53u, multiplier1 = 0xCD9E8D57u;
  const uint32_t weyl0 = 0x9E3779B9u, weyl1 = 0xBB67AE85u;
  uint32_t c0 = counter[0], c1 = counter[1], c2 = counter[2], c3 = counter[3];
  uint32_t k0 = key[0], k1 = key[1];
  for (int round = 0; round < 10; round++) {
    uint64_t p0 = multiplier0 * c0, p1 = multiplier1 * c2;
    c0 = (uint32_t)(p1 >> 32) ^ c1 ^ k0;
    c2 = (uint32_t)(p0 >> 32) ^ c3 ^ k1;
    c1 = (uint32_t)p1;
    c3 = (uint32_t)p0;
    k0 += weyl0;
    k1 += weyl1;
  }
  out[0] = c0;
  out[1] = c1;
  out[2] = c2;
  out[3] = c3;
}

static void philox_key(sl__random_key key, uint32_t words[2]) {
  words[0] = (uint32_t)key.seed ^ (key.stream * 0x9E3779B9u);
  words[1] = (uint32_t)(key.seed >> 32) ^ key.stream;
}

static void block(sl__random_key key, uint64_t row, uint32_t feature, uint32_t out[4]) {
  uint32_t counter[4] = {(uint32_t)row, (uint32_t)(row >> 32), feature / 2, key.step}, words[2];
  philox_key(key, words);
  sl__philox(counter, words, out);
}

static uint64_t join(uint32_t low, uint32_t high) {
  return (uint64_t)high << 32 | low;
}

static double unit(uint32_t low, uint32_t high) {
  return ((double)(join(low, high) >> 12) + 0.5) * 0x1p-52;
}

double sl__random_uniform(sl__random_key key, uint64_t row, uint32_t feature) {
  uint32_t w[4];
  block(key, row, feature, w);
  return feature % 2 == 0 ? unit(w[0], w[1]) : unit(w[2], w[3]);
}

double sl__random_normal(sl__random_key key, uint64_t row, uint32_t feature) {
  const double two_pi = 6.283185307179586476925;
  uint32_t w[4];
  block(key, row, feature, w);
  double radius = sqrt(-2 * log(unit(w[0], w[1]))), angle = two_pi * unit(w[2], w[3]);
  return radius * (feature % 2 == 0 ? cos(angle) : sin(angle));
}

/* High and low halves of a 64 x 64 bit product, by 32-bit parts. */
static uint64_t multiply_high(uint64_t a, uint64_t b, uint64_t *low) {
  uint64_t a0 = (uint32_t)a, a1 = a >> 32, b0 = (uint32_t)b, b1 = b >> 32;
  uint64_t middle = a1 * b0 + (a0 * b0 >> 32);
  uint64_t carried = (uint32_t)middle + a0 * b1;
  *low = a * b;
  return a1 * b1 + (middle >> 32) + (carried >> 32);
}

uint64_t sl__random_below(sl__random_key key, uint64_t row, uint32_t feature, uint64_t bound) {
  uint32_t w[4], words[2];
  block(key, row, feature, w);
  philox_key(key, words);
  uint64_t threshold =
      (0 - bound) % bound; /* 2^64 mod bound: so many low products are too frequent */
  for (;;) {
    uint64_t low, high;
    high = multiply_high(feature % 2 == 0 ? join(w[0], w[1]) : join(w[2], w[3]), bound, &low);
    if (low >= threshold) return high;
    uint32_t counter[4] = {w[0], w[1], w[2], w[3]};
    sl__philox(counter, words, w);
  }
}

uint64_t sl__random_seed(sl__random_key key) {
  return sl__random_below(key, 0, 0, UINT64_MAX);
}

void sl__random_permutation(sl__random_key key, int64_t n, int64_t *out) {
  for (int64_t i = 0; i < n; i++) out[i] = i;
  for (int64_t i = n - 1; i > 0; i--) {
    int64_t j = (int64_t)sl__random_below(key, (uint64_t)i, 0, (uint64_t)i + 1);
    int64_t kept = out[i];
    out[i] = out[j];
    out[j] = kept;
  }
}
