/* Counter-based random numbers: Philox4x32-10 (Salmon et al. 2011, "Parallel random numbers: as
 * easy as 1, 2, 3"). A number is a pure function of (seed, stream, step, row, feature): any thread
 * may make any part, and the vector kernels make the same numbers as the functions below, many at a
 * time.
 *
 * The mapping (fixed; saved checkpoints depend on it):
 *   key[0]     = low 32 bits of seed  ^ (stream * 0x9E3779B9 mod 2^32)
 *   key[1]     = high 32 bits of seed ^ stream
 *   counter[0] = low 32 bits of row
 *   counter[1] = high 32 bits of row
 *   counter[2] = feature / 2          (one block serves the two features 2 i and 2 i + 1)
 *   counter[3] = step
 *   w[0..3]    = sl__philox(counter, key)
 *
 * Two unit reals come out of a block, each from 52 of 64 bits:
 *   unit(low, high) = (k + 0.5) * 2^-52  with  k = (high * 2^32 + low) >> 12
 * which is exact, lies strictly between 0 and 1, and needs no integer conversion: put k below the
 * exponent of 1.0 (k | 0x3FF0000000000000 as bits), subtract 1.0, add 2^-53.
 *   u = unit(w[0], w[1]),  v = unit(w[2], w[3])
 *
 * uniform: even feature u, odd feature v.
 * normal (Box and Muller 1958): even feature sqrt(-2 ln u) cos(2 pi v), odd feature
 *   sqrt(-2 ln u) sin(2 pi v). The largest radius is sqrt(106 ln 2) = 8.57. Kernels may differ from
 *   sl__random_normal in the last bits (their own logarithm and cosine); in float32 they may take
 *   u and v from the 32 bits of w[1] and w[3] alone where these suffice.
 * below: the high 64 bits of x * bound, x = w[1]:w[0] for an even and w[3]:w[2] for an odd feature
 *   (Lemire 2019, with rejection; a rejected block's words are the counter of the next attempt). */
#ifndef SL_BASE_RANDOM_H
#define SL_BASE_RANDOM_H
#include <stdint.h>
#include "sluice/sluice.h"

typedef struct sl__random_key {
  uint64_t seed;   /* the user's */
  uint32_t stream; /* which use: see SL__STREAM_* */
  uint32_t step;   /* optimiser step, epoch or call */
} sl__random_key;

/* One stream per use, so that no two uses share numbers. Append only. */
enum {
  SL__STREAM_INITIALISE = 1,
  SL__STREAM_SHUFFLE,
  SL__STREAM_SPLIT,
  SL__STREAM_BASE,
  SL__STREAM_DEQUANTISE,
  SL__STREAM_DATA,
  SL__STREAM_PERMUTE,
  SL__STREAM_MIXTURE,
  SL__STREAM_TEST,
  SL__STREAM_GRAPH,                     /* + node stream */
  SL__STREAM_START = 1 << 24,           /* first points of chains and searches */
  SL__STREAM_CHAIN,                     /* Markov chains */
  SL__STREAM_EXPLORE,                   /* populations */
  SL__STREAM_RESAMPLE = (1 << 24) + 16, /* draws chosen by their weights */
  SL__STREAM_PERMUTATION_TEST,          /* of two sets of draws */
  SL__STREAM_MIX,                       /* jumps of chains by a flow's proposals */
  SL__STREAM_PRECONDITION,              /* seeds of runs and fits that find a flow to sample in */
  SL__STREAM_SEARCH,                    /* first points of climbs to modes */
  SL__STREAM_PATHFINDER = 1 << 26,      /* + number of the way */
  SL__STREAM_PART = 1 << 27,            /* + number of the part of a run: its seed */
  SL__STREAM_VARIATIONAL = 1 << 28      /* + 2^22 times the term, + node stream */
};

/* The raw block function. */
void sl__philox(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4]);

double sl__random_uniform(sl__random_key key, uint64_t row, uint32_t feature); /* in (0,1) */
double sl__random_normal(sl__random_key key, uint64_t row, uint32_t feature);
/* A seed for a part of a run, which draws from streams of its own. Seeds that were counted up from
 * the user's would be those of the parts of the user's next run. */
uint64_t sl__random_seed(sl__random_key key);
/* 0..bound-1, unbiased; bound >= 1. */
uint64_t sl__random_below(sl__random_key key, uint64_t row, uint32_t feature, uint64_t bound);
/* A permutation of 0..n-1: Fisher-Yates from the top, i swaps with below(key, i, 0, i + 1). */
void sl__random_permutation(sl__random_key key, int64_t n, int64_t *out);
#endif
