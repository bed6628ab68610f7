/* The tables for AVX-512 (F, BW, DQ, VL): 32 registers of 512 bits, of which a product's tile fills
 * 28. Built for x86-64 only, and called only where the processor has them. */
#define ISA avx512
#define REGISTER_BYTES 64
#define TILE_ROWS 14
#include "kernels/tables.inl"
