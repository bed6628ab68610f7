/* Which kernel tables this build holds, and which of them this processor can run. The choice looks
 * at what the processor can do, never at its model number: a new processor must not fall back to
 * an old one's kernels. */
#include "kernels/tables.h"
#include "base/os.h"

typedef struct choice {
  unsigned needs; /* SL__CPU_* bits, all of them */
  const sl__kernels *f32, *f64;
} choice;

/* Slowest first. */
static const choice choices[] = {
    {0, &sl__kernels_reference_f32, &sl__kernels_reference_f64},
    {0, &sl__kernels_portable_f32, &sl__kernels_portable_f64},
#if defined(__x86_64__)
    {SL__CPU_AVX2_FMA, &sl__kernels_avx2_f32, &sl__kernels_avx2_f64},
    {SL__CPU_AVX2_FMA | SL__CPU_AVX512, &sl__kernels_avx512_f32, &sl__kernels_avx512_f64},
#endif
};
enum { CHOICE_COUNT = sizeof choices / sizeof choices[0] };

int sl__kernels_all(unsigned cpu_features, sl_dtype type, const sl__kernels *tables[8]) {
  int count = 0;
  for (int i = 0; i < CHOICE_COUNT; i++) {
    if ((choices[i].needs & cpu_features) != choices[i].needs) continue;
    tables[count++] = type == SL_F32 ? choices[i].f32 : choices[i].f64;
  }
  return count;
}

const sl__kernels *sl__kernels_for(unsigned cpu_features, sl_dtype type) {
  const sl__kernels *tables[8];
  return tables[sl__kernels_all(cpu_features, type, tables) - 1];
}

const char *sl__elementwise_name(sl__elementwise op) {
  static const char *const names[SL__EW_COUNT] = {
#define UNARY(name, low, high)   #name,
#define BINARY(name, low, high)  #name,
#define TERNARY(name, low, high) #name,
#include "kernels/elementwise.def"
  };
  return names[op];
}

int sl__elementwise_arity(sl__elementwise op) {
  static const signed char arities[SL__EW_COUNT] = {
#define UNARY(name, low, high)   1,
#define BINARY(name, low, high)  2,
#define TERNARY(name, low, high) 3,
#include "kernels/elementwise.def"
  };
  return arities[op];
}
