/* The kernel tables, one per instruction set and element type; only dispatch.c hands them out. */
#ifndef SL_KERNELS_TABLES_H
#define SL_KERNELS_TABLES_H
#include "kernels/kernels.h"

/* Naive, by libm: the oracle. */
extern const sl__kernels sl__kernels_reference_f32, sl__kernels_reference_f64;
/* With what every processor of the architecture has: SSE2, NEON. */
extern const sl__kernels sl__kernels_portable_f32, sl__kernels_portable_f64;
#if defined(__x86_64__)
extern const sl__kernels sl__kernels_avx2_f32, sl__kernels_avx2_f64;
extern const sl__kernels sl__kernels_avx512_f32, sl__kernels_avx512_f64;
#endif
#endif
