/* Promotion of Stan's types (int -> real -> complex, elementwise in arrays) and their names. */
#include "stan/types.h"
#include <stdio.h>

/* Each base as an element type (its rank in the order of promotion) of a shape. */
enum { NO_SHAPE, SCALAR, VECTOR, ROW_VECTOR, MATRIX };
typedef struct element {
  const char *name;
  int shape, rank;
} element;

static const element elements[] = {
    [SL__STAN_VOID] = {"void", NO_SHAPE, 0},
    [SL__STAN_INT_TYPE] = {"int", SCALAR, 0},
    [SL__STAN_REAL_TYPE] = {"real", SCALAR, 1},
    [SL__STAN_VECTOR_TYPE] = {"vector", VECTOR, 1},
    [SL__STAN_ROW_VECTOR_TYPE] = {"row_vector", ROW_VECTOR, 1},
    [SL__STAN_MATRIX_TYPE] = {"matrix", MATRIX, 1},
    [SL__STAN_STRING_TYPE] = {"string", NO_SHAPE, 0},
    [SL__STAN_FUNCTION_TYPE] = {"function", NO_SHAPE, 0},
    [SL__STAN_COMPLEX_TYPE] = {"complex", SCALAR, 2},
    [SL__STAN_COMPLEX_VECTOR_TYPE] = {"complex_vector", VECTOR, 2},
    [SL__STAN_COMPLEX_ROW_VECTOR_TYPE] = {"complex_row_vector", ROW_VECTOR, 2},
    [SL__STAN_COMPLEX_MATRIX_TYPE] = {"complex_matrix", MATRIX, 2},
    [SL__STAN_TUPLE_TYPE] = {"tuple", NO_SHAPE, 0},
    [SL__STAN_UNKNOWN_TYPE] = {"a tuple's member", NO_SHAPE, 0},
};

bool sl__stan_is_complex(sl__stan_type type) {
  return elements[type.base].rank == 2;
}

bool sl__stan_is_scalar(sl__stan_type type) {
  return sl__stan_is(type, SL__STAN_INT_TYPE) || sl__stan_is(type, SL__STAN_REAL_TYPE);
}

int sl__stan_dimensions(sl__stan_type type) {
  int shape = elements[type.base].shape;
  int own = shape == MATRIX ? 2 : shape == VECTOR || shape == ROW_VECTOR;
  return type.arrays + own;
}

int sl__stan_promotion(sl__stan_type from, sl__stan_type to) {
  if (from.base == SL__STAN_UNKNOWN_TYPE || to.base == SL__STAN_UNKNOWN_TYPE) return 0;
  if (sl__stan_same(from, to)) return 0;
  element a = elements[from.base], b = elements[to.base];
  if (from.arrays != to.arrays || a.shape == NO_SHAPE || a.shape != b.shape) return -1;
  return a.rank <= b.rank ? b.rank - a.rank : -1;
}

bool sl__stan_common_type(sl__stan_type a, sl__stan_type b, sl__stan_type *common) {
  if (a.base == SL__STAN_UNKNOWN_TYPE || b.base == SL__STAN_UNKNOWN_TYPE) {
    *common = a.base == SL__STAN_UNKNOWN_TYPE ? b : a;
    return true;
  }
  *common = sl__stan_promotion(a, b) >= 0 ? b : a;
  return sl__stan_promotion(a, b) >= 0 || sl__stan_promotion(b, a) >= 0;
}

const char *sl__stan_type_text(sl__stan_type type, char *buffer) {
  static const char commas[] = ",,,,,,,,,,,,,,,";
  const char *name = elements[type.base].name;
  int more = type.arrays < (int)sizeof commas ? type.arrays - 1 : (int)sizeof commas - 1;
  if (type.arrays == 0)
    snprintf(buffer, SL__STAN_TYPE_TEXT, "%s", name);
  else
    snprintf(buffer, SL__STAN_TYPE_TEXT, "array[%.*s] %s", more, commas, name);
  return buffer;
}
