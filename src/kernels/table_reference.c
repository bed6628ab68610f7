/* The reference tables: every kernel as the plainest loop that states what it computes, in the
 * widest sensible precision (double for float, long double for double) with the C library's
 * functions. They are the oracle that the fast tables are tested against, and slow. The two
 * element types share one text, included twice. */
#include <math.h>
#include <string.h>
#include "kernels/tables.h"

#define PASTE_(a, b) a##b
#define PASTE(a, b) PASTE_(a, b)
#define TEXT_(a) #a
#define TEXT(a) TEXT_(a)

#define T float
#define OTHER double
#define WIDE double
#define NAME(name) name##_f32
#define MATH(name) name
#include "kernels/reference_elementwise.inl"
#include "kernels/reference_few.inl"
#include "kernels/reference_runs.inl"
#include "kernels/reference_strips.inl"
#include "kernels/reference_product.inl"
#include "kernels/reference_multiply.inl"
#include "kernels/reference_linear_algebra.inl"
#include "kernels/reference_rows.inl"
#include "kernels/reference_root.inl"
#include "kernels/reference_ode.inl"
#define ISA reference
#include "kernels/table.inl"
#undef T
#undef OTHER
#undef WIDE
#undef NAME
#undef MATH

#define T double
#define OTHER float
#define WIDE long double
#define NAME(name) name##_f64
#define MATH(name) name##l
#include "kernels/reference_elementwise.inl"
#include "kernels/reference_few.inl"
#include "kernels/reference_runs.inl"
#include "kernels/reference_strips.inl"
#include "kernels/reference_product.inl"
#include "kernels/reference_multiply.inl"
#include "kernels/reference_linear_algebra.inl"
#include "kernels/reference_rows.inl"
#include "kernels/reference_root.inl"
#include "kernels/reference_ode.inl"
#include "kernels/table.inl"
