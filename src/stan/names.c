/* Names of a model's numbers. */
#include "stan/names.h"
#include <string.h>

/* Appends ".NUMBER"; returns its end. */
static char *add_index(char *end, int64_t number) {
  char digits[24];
  int count = 0;
  do {
    digits[count++] = (char)('0' + number % 10);
    number /= 10;
  } while (number > 0);
  *end++ = '.';
  while (count > 0) *end++ = digits[--count];
  return end;
}

enum { INDEX_TEXT = SL__STAN_MAX_DIMS * 21 };

/* "name.a.b" with a copy in the arena; NULL: no memory. */
static const char *make_name(sl__arena *arena, const char *name, int dims, const int64_t *at) {
  char text[INDEX_TEXT], *end = text;
  for (int d = 0; d < dims; d++) end = add_index(end, at[d] + 1);
  const size_t length = strlen(name), more = (size_t)(end - text);
  char *copy = sl__arena_take(arena, length + more + 1, 1);
  if (!copy) return NULL;
  memcpy(copy, name, length);
  memcpy(copy + length, text, more);
  return copy;
}

sl_status sl__stan_name_elements(sl__arena *arena, const char *name, int32_t dims,
                                 const int32_t *size, const char **names) {
  int64_t at[SL__STAN_MAX_DIMS] = {0}, count = 1;
  for (int d = 0; d < dims; d++) count *= size[d];
  for (int64_t k = 0; k < count; k++) {
    names[k] = make_name(arena, name, dims, at);
    if (!names[k]) return SL_NO_MEMORY;
    for (int d = 0; d < dims && ++at[d] == size[d]; d++) at[d] = 0;
  }
  return SL_OK;
}

sl_status sl__stan_name_free(sl__arena *arena, const sl__stan_transform *f, const char **names) {
  const sl__stan_constraint constraint = f->variable->constraint;
  const bool plain = constraint == SL__STAN_UNCONSTRAINED || constraint == SL__STAN_BOUNDED ||
                     constraint == SL__STAN_AFFINE;
  const int arrays = f->variable->type.arrays;
  const int own = plain ? f->own : 1;
  int64_t at[SL__STAN_MAX_DIMS] = {0};
  const int64_t count = f->elements * f->free;
  for (int64_t k = 0; k < count; k++) {
    const int64_t inside = k % f->free;
    at[arrays] = plain && f->own == 2 ? inside % f->rows : inside;
    at[arrays + 1] = inside / f->rows;
    names[k] = make_name(arena, f->variable->name, arrays + own, at);
    if (!names[k]) return SL_NO_MEMORY;
    if (inside + 1 < f->free) continue;
    for (int d = arrays - 1; d >= 0 && ++at[d] == f->size[d]; d--) at[d] = 0;
  }
  return SL_OK;
}

void sl__stan_by_columns(int32_t dims, const int32_t *size, int64_t count, int32_t *index) {
  int64_t at[SL__STAN_MAX_DIMS] = {0};
  for (int64_t k = 0; k < count; k++) {
    int64_t offset = 0;
    for (int d = 0; d < dims; d++) offset = offset * size[d] + at[d];
    index[k] = (int32_t)offset;
    for (int d = 0; d < dims && ++at[d] == size[d]; d++) at[d] = 0;
  }
}
