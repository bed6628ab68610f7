/* The kernel tables of avx512. */
#define ISA avx512
#define REGISTER_BYTES 64
#define TILE_ROWS 14
#include "kernels/tables.inl"
