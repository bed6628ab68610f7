/* The kernel tables of avx2. */
#define ISA avx2
#define REGISTER_BYTES 32
#define TILE_ROWS 6
#include "kernels/tables.inl"
