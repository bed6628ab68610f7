/* The two tables of one instruction set: the kernels' text, once for float and once for double.
 * The including file has defined ISA (a name), REGISTER_BYTES (4 * a power of two) and TILE_ROWS
 * (rows of a product's tile). */
#include <assert.h>
#include <math.h>
#include <string.h>
#include "kernels/maths_f32.h"
#include "kernels/maths_f64.h"
#include "kernels/maths_special_f64.h"
#include "kernels/tables.h"

#define PASTE_(a, b) a##b
#define PASTE(a, b) PASTE_(a, b)
#define TEXT_(a) #a
#define TEXT(a) TEXT_(a)
/* Loops over registers: they must be gone before the compiler looks for what can stay in a
 * register. The other loops that write only what they have read at the same index: in place is
 * fine, and vectors too. */
#if defined(__clang__)
#define UNROLL _Pragma("clang loop unroll(full)")
#define SAME_INDEX _Pragma("clang loop vectorize(assume_safety) unroll(disable)")
#pragma clang diagnostic ignored "-Wpass-failed" /* two long functions it cannot, or does later */
#else
#define UNROLL _Pragma("GCC unroll 32")
#define SAME_INDEX _Pragma("GCC ivdep")
#endif

#include "kernels/philox.h"

enum { PARTIALS = SL__PARTIAL_SUMS, STRIP = 64 };

static int64_t smallest(int count, const int32_t *values) {
  int32_t least = values[0];
  for (int i = 1; i < count; i++) least = values[i] < least ? values[i] : least;
  return least;
}

static int64_t largest(int count, const int32_t *values) {
  int32_t most = values[0];
  for (int i = 1; i < count; i++) most = values[i] > most ? values[i] : most;
  return most;
}

#define T float
#define OTHER double
#define WORD int32_t
#define LANES (REGISTER_BYTES / 4)
#define NAME(name) name##_f32
#include "kernels/kernels.inl"
#undef T
#undef OTHER
#undef WORD
#undef LANES
#undef NAME

#define T double
#define OTHER float
#define WORD int64_t
#define LANES (REGISTER_BYTES / 8)
#define NAME(name) name##_f64
#include "kernels/kernels.inl"
