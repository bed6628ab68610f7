/* The tables for AVX2 with fused multiply-add: 16 registers of 256 bits, of which a product's tile
 * fills 12. Built for x86-64 only, and called only where the processor has both. */
#define ISA avx2
#define REGISTER_BYTES 32
#define TILE_ROWS 6
#include "kernels/tables.inl"
