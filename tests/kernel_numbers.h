/* What the tests of the kernels share: arrays of either element type, filled and compared, and the
 * walk over the tables that this processor can run. */
#ifndef SL_TESTS_KERNEL_NUMBERS_H
#define SL_TESTS_KERNEL_NUMBERS_H
#include <float.h>
#include <stdint.h>
#include "base/os.h"
#include "check.h"
#include "kernels/kernels.h"

enum { TABLES = 8 };
static const sl_dtype both_types[2] = {SL_F32, SL_F64};

/* ---- numbers of either type, kept as doubles by the tests ---- */

static inline double get(sl_dtype type, const void *array, int64_t i) {
  return type == SL_F32 ? (double)((const float *)array)[i] : ((const double *)array)[i];
}

static inline void set(sl_dtype type, void *array, int64_t i, double value) {
  if (type == SL_F32)
    ((float *)array)[i] = (float)value;
  else
    ((double *)array)[i] = value;
}

static inline size_t size_of(sl_dtype type) {
  return type == SL_F32 ? sizeof(float) : sizeof(double);
}

static inline double epsilon_of(sl_dtype type) {
  return type == SL_F32 ? FLT_EPSILON : DBL_EPSILON;
}

/* Units in the last place between two numbers; 0 for two NaNs. */
static inline double distance(sl_dtype type, double got, double wanted) {
  if (got == wanted || (got != got && wanted != wanted)) return 0;
  if (!isfinite(got) || !isfinite(wanted)) {
    const double most =
        type == SL_F32 ? FLT_MAX : DBL_MAX; /* overflow may come an ulp early or late */
    if (fabs(got) >= most * (1 - 4 * epsilon_of(type)) &&
        fabs(wanted) >= most * (1 - 4 * epsilon_of(type)) && got * wanted > 0) {
      return 1;
    }
    return HUGE_VAL;
  }
  int exponent;
  frexp(wanted, &exponent);
  const int lowest = type == SL_F32 ? FLT_MIN_EXP : DBL_MIN_EXP;
  if (exponent < lowest) exponent = lowest;
  return fabs(got - wanted) / ldexp(1, exponent - (type == SL_F32 ? FLT_MANT_DIG : DBL_MANT_DIG));
}

static uint64_t random_state = 88172645463325252u;
static inline double uniform(double low, double high) { /* xorshift64 */
  random_state ^= random_state << 13;
  random_state ^= random_state >> 7;
  random_state ^= random_state << 17;
  return low + (high - low) * ((double)(random_state >> 11) * 0x1p-53);
}

static inline void *numbers(sl_dtype type, int64_t n, double low, double high) {
  void *array = aligned_alloc(64, ((size_t)n * size_of(type) / 64 + 2) * 64);
  for (int64_t i = 0; i < n; i++) set(type, array, i, uniform(low, high));
  return array;
}

static inline int tables_of(sl_dtype type, const sl__kernels *tables[TABLES]) {
  return sl__kernels_all(sl__os_cpu_features(), type, tables);
}

/* Largest |got - wanted| / max(1, |wanted|) in units of the type's epsilon. */
static inline double worst(sl_dtype type, int64_t n, const void *got, const void *wanted) {
  double most = 0;
  for (int64_t i = 0; i < n; i++) {
    const double a = get(type, got, i), b = get(type, wanted, i);
    if (a == b || (a != a && b != b)) continue;
    const double error = fabs(a - b) / (fabs(b) > 1 ? fabs(b) : 1) / epsilon_of(type);
    if (!(error <= most)) most = error;
  }
  return most;
}

/* Calls check(table, reference, type) for every table but the reference. */
static inline void each_table(void (*check)(const sl__kernels *, const sl__kernels *, sl_dtype)) {
  for (int t = 0; t < 2; t++) {
    const sl__kernels *tables[TABLES];
    const int count = tables_of(both_types[t], tables);
    for (int k = 1; k < count; k++) check(tables[k], tables[0], both_types[t]);
  }
}

static inline bool agree(const sl__kernels *table, const char *what, int64_t n, const void *got,
                         const void *wanted, double epsilons) {
  const sl_dtype type = table->element_size == 4 ? SL_F32 : SL_F64;
  const double error = worst(type, n, got, wanted);
  if (CHECK(error <= epsilons)) return true;
  printf("  %s f%d %s: %.3g epsilons\n", table->name, (int)table->element_size * 8, what, error);
  return false;
}

/* NULL if this processor cannot run it. */
static inline const sl__kernels *table_named(sl_dtype type, const char *name) {
  const sl__kernels *tables[TABLES];
  const int count = tables_of(type, tables);
  for (int k = 0; k < count; k++) {
    if (strcmp(tables[k]->name, name) == 0) return tables[k];
  }
  return NULL;
}

static inline void check_same(const char *what, sl_dtype type, int64_t n, const void *a,
                              const void *b) {
  if (CHECK(memcmp(a, b, (size_t)n * size_of(type)) == 0)) return;
  printf("  %s f%d differs between avx2 and avx512\n", what, (int)size_of(type) * 8);
}
#endif
