/* Draws that any language makes bit by bit: a linear congruential generator (Knuth's MMIX
 * constants), and chains x[t] = phi x[t-1] + u - 1/2 that may be shifted, widened and rounded. The
 * golden numbers of the tests were computed from the same draws by ArviZ 0.23. */
#ifndef SL_TESTS_DIAGNOSE_FIXTURE_H
#define SL_TESTS_DIAGNOSE_FIXTURE_H
#include "check.h"
#include "infer/diagnose/diagnose.h"

static inline double lcg_uniform(uint64_t *state) {
  *state = *state * 6364136223846793005u + 1442695040888963407u;
  return (double)(*state >> 11) * 0x1p-53;
}

/* Chain c is shifted by shift * c, and 1 + widen * c times as wide; step > 0: rounded down to
 * multiples of it, which are counted. */
typedef struct recipe {
  int chains, draws;
  double phi, shift, widen, step;
  uint64_t seed;
} recipe;

/* x [chains][draws], to be freed. */
static inline double *make_chains(const recipe *r) {
  double *x = malloc((size_t)(r->chains * r->draws) * sizeof *x);
  uint64_t state = r->seed;
  for (int c = 0; x && c < r->chains; c++) {
    double v = 0;
    for (int d = 0; d < r->draws; d++) {
      v = r->phi * v + (lcg_uniform(&state) - 0.5);
      const double y = v * (1 + r->widen * c) + r->shift * c;
      x[c * r->draws + d] = r->step > 0 ? floor(y / r->step) : y;
    }
  }
  return x;
}

static inline sl__series series_of(const recipe *r, const double *x) {
  return (sl__series){r->chains, r->draws, x, r->draws, 1};
}

static inline sl_context *open_context(int threads) {
  sl_context *context = NULL;
  sl_context_options options = {.size = sizeof options, .threads = threads};
  CHECK(sl_context_new(&options, &context) == SL_OK);
  return context;
}
#endif
