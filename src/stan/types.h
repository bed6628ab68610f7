/* Stan's types: a base type and a number of array dimensions. */
#ifndef SL_STAN_TYPES_H
#define SL_STAN_TYPES_H
#include <stdbool.h>
#include <stdint.h>

typedef enum sl__stan_base {
  SL__STAN_VOID, /* also: not known yet */
  SL__STAN_INT_TYPE,
  SL__STAN_REAL_TYPE,
  SL__STAN_VECTOR_TYPE,
  SL__STAN_ROW_VECTOR_TYPE,
  SL__STAN_MATRIX_TYPE,
  SL__STAN_STRING_TYPE,
  SL__STAN_FUNCTION_TYPE,
  /* Parsed, so that one can say so, but not evaluated: */
  SL__STAN_COMPLEX_TYPE,
  SL__STAN_COMPLEX_VECTOR_TYPE,
  SL__STAN_COMPLEX_ROW_VECTOR_TYPE,
  SL__STAN_COMPLEX_MATRIX_TYPE,
  SL__STAN_TUPLE_TYPE,
  SL__STAN_UNKNOWN_TYPE /* a tuple's member: fits everywhere, as tuples are not evaluated */
} sl__stan_base;

typedef struct sl__stan_type {
  uint8_t base;   /* sl__stan_base */
  uint8_t arrays; /* array dimensions around it */
} sl__stan_type;

enum { SL__STAN_MAX_ARRAYS = 7, SL__STAN_TYPE_TEXT = 64 };

static inline bool sl__stan_same(sl__stan_type a, sl__stan_type b) {
  return a.base == b.base && a.arrays == b.arrays;
}
static inline sl__stan_type sl__stan_type_of(sl__stan_base base, int arrays) {
  return (sl__stan_type){(uint8_t)base, (uint8_t)arrays};
}
static inline bool sl__stan_is(sl__stan_type type, sl__stan_base base) {
  return type.base == base && type.arrays == 0;
}
bool sl__stan_is_complex(sl__stan_type type); /* or arrays of it */
bool sl__stan_is_scalar(sl__stan_type type);  /* int or real */
/* All dimensions: those of arrays, and one of a vector, two of a matrix. */
int sl__stan_dimensions(sl__stan_type type);
/* The steps int -> real -> complex that turn `from` into `to`, arrays and vectors elementwise;
 * -1: it cannot be. */
int sl__stan_promotion(sl__stan_type from, sl__stan_type to);
/* The least type that both promote to; false: there is none. */
bool sl__stan_common_type(sl__stan_type a, sl__stan_type b, sl__stan_type *common);

/* "array[,] vector" into buffer [SL__STAN_TYPE_TEXT]; returns it. */
const char *sl__stan_type_text(sl__stan_type type, char *buffer);
#endif
