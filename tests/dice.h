/* Dice for tests that make random things: a state is all there is to a sequence of throws. */
#ifndef SL_TESTS_DICE_H
#define SL_TESTS_DICE_H
#include <stdint.h>

/* SplitMix64 (Steele, Lea and Flood 2014, OOPSLA): 0 .. sides - 1. */
static inline uint32_t throw_dice(uint64_t *state, uint32_t sides) {
  *state += 0x9E3779B97F4A7C15u;
  uint64_t z = *state;
  z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
  z = (z ^ z >> 27) * 0x94D049BB133111EBu;
  return (uint32_t)((z ^ z >> 31) >> 32) % sides;
}
#endif
