/* Random numbers: published answers of the generator, moments, and streams that differ. */
#include "base/random.h"
#include "context.h"

TEST(philox_known_answers) { /* from kat_vectors of Random123 1.14 */
  static const struct {
    uint32_t counter[4], key[2], out[4];
  } known[] = {
      {{0, 0, 0, 0}, {0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
      {{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff},
       {0xffffffff, 0xffffffff},
       {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
      {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
       {0xa4093822, 0x299f31d0},
       {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
  };
  for (int i = 0; i < 3; i++) {
    uint32_t out[4];
    sl__philox(known[i].counter, known[i].key, out);
    CHECK(memcmp(out, known[i].out, sizeof out) == 0);
  }
}

TEST(random_moments) {
  sl__random_key key = {.seed = 3, .stream = SL__STREAM_TEST};
  enum { N = 200000 };
  double mean = 0, square = 0, fourth = 0, uniform = 0, product = 0, low = 1, high = 0;
  for (uint64_t i = 0; i < N; i++) {
    double x = sl__random_normal(key, i, 0), y = sl__random_normal(key, i, 1),
           u = sl__random_uniform(key, i, 7);
    mean += x / N, square += x * x / N, fourth += x * x * x * x / N, product += x * y / N,
        uniform += u / N;
    low = u < low ? u : low, high = u > high ? u : high;
  }
  double se = 1 / sqrt(N); /* all tolerances: five standard errors */
  CHECK_CLOSE(mean, 0, 5 * se);
  CHECK_CLOSE(square, 1, 5 * sqrt(2) * se);
  CHECK_CLOSE(fourth / 3, 1, 5 * sqrt(96) / 3 * se);
  CHECK_CLOSE(product, 0, 5 * se);
  CHECK_CLOSE(uniform, 0.5, 5 * se / sqrt(12));
  CHECK(low > 0 && low < 1e-4 && high < 1 && high > 1 - 1e-4);
}

TEST(streams_steps_and_seeds_differ) {
  double first = sl__random_uniform((sl__random_key){1, 1, 0}, 0, 0);
  CHECK(first != sl__random_uniform((sl__random_key){2, 1, 0}, 0, 0));
  CHECK(first != sl__random_uniform((sl__random_key){1, 2, 0}, 0, 0));
  CHECK(first != sl__random_uniform((sl__random_key){1, 1, 1}, 0, 0));
  CHECK(first != sl__random_uniform((sl__random_key){1, 1, 0}, 1, 0));
  CHECK(first != sl__random_uniform((sl__random_key){1, 1, 0}, (uint64_t)1 << 32, 0));
  CHECK(first != sl__random_uniform((sl__random_key){1, 1, 0}, 0, 1));
  CHECK(first != sl__random_uniform((sl__random_key){1 + ((uint64_t)1 << 32), 1, 0}, 0, 0));
  CHECK(first == sl__random_uniform((sl__random_key){1, 1, 0}, 0, 0));
}

TEST(below_is_even) {
  sl__random_key key = {.seed = 4, .stream = SL__STREAM_TEST};
  int count[7] = {0};
  for (uint64_t i = 0; i < 70000; i++) {
    uint64_t k = sl__random_below(key, i, (uint32_t)(i % 2), 7);
    REQUIRE(k < 7);
    count[k]++;
  }
  for (int k = 0; k < 7; k++) CHECK(abs(count[k] - 10000) < 5 * 93); /* sd = sqrt(7e4 * 6/49) */
  CHECK(sl__random_below(key, 0, 0, 1) == 0);
  /* A bound just above 2^63 rejects half of the draws: all the same all are below it. */
  uint64_t bound = ((uint64_t)1 << 63) + 1, most = 0;
  for (uint64_t i = 0; i < 1000; i++) {
    uint64_t k = sl__random_below(key, i, 0, bound);
    REQUIRE(k < bound);
    most = k > most ? k : most;
  }
  CHECK(most > bound / 100 * 95);
}

TEST(permutation_is_one) {
  enum { N = 1000 };
  int64_t order[N];
  bool seen[N] = {false};
  sl__random_permutation((sl__random_key){5, SL__STREAM_SHUFFLE, 0}, N, order);
  int fixed = 0;
  for (int i = 0; i < N; i++) {
    REQUIRE(order[i] >= 0 && order[i] < N && !seen[order[i]]);
    seen[order[i]] = true;
    fixed += order[i] == i;
  }
  CHECK(fixed < 8); /* Poisson of mean 1 */
  int counts[6] = {0};
  for (uint32_t step = 0; step < 6000; step++) {
    int64_t three[3];
    sl__random_permutation((sl__random_key){5, SL__STREAM_SHUFFLE, step}, 3, three);
    counts[three[0] * 2 + (three[1] > three[2])]++;
  }
  for (int i = 0; i < 6; i++) CHECK(abs(counts[i] - 1000) < 5 * 29);
  sl__random_permutation((sl__random_key){5, SL__STREAM_SHUFFLE, 0}, 0, order);
}
