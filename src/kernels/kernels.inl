/* All kernels of one element type, in an order in which they may use each other, and their
 * table. */
#include "kernels/vector.inl"
#include "kernels/elementwise.inl"
#include "kernels/product.inl"
#include "kernels/reduce.inl"
#include "kernels/strips.inl"
#include "kernels/index.inl"
#include "kernels/linear_algebra.inl"
#include "kernels/rows.inl"
#include "kernels/random.inl"
#include "kernels/root.inl"
#include "kernels/update.inl"
#include "kernels/table.inl"
