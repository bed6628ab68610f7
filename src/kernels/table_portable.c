/* The tables for any processor of the architecture: registers of 128 bits, which x86-64 (SSE2) and
 * aarch64 (NEON, with fused multiply-add) always have. */
#define ISA portable
#define REGISTER_BYTES 16
#if defined(__aarch64__)
#define TILE_ROWS 8 /* 16 sums in 32 registers */
#else
#define TILE_ROWS 4 /* 8 sums in 16 registers */
#endif
#include "kernels/tables.inl"
