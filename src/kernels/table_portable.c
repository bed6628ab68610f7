/* The kernel tables of portable. */
#define ISA portable
#define REGISTER_BYTES 16
#define TILE_ROWS 4
#include "kernels/tables.inl"
