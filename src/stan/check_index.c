/* Indexing. An integer takes a dimension away; a range, or an array of integers, keeps it. One
 * integer takes a row out of a matrix. */
#include "stan/check.h"

bool sl__stan_is_multiple(const sl__stan_index *index) {
  return index->kind != SL__STAN_INDEX_AT || index->low->type.arrays > 0;
}

static sl_status check_one(sl__stan_checker *c, sl__stan_expression *e, sl__stan_index *index) {
  const char *what = "the bound of a range";
  if (index->kind != SL__STAN_INDEX_AT) {
    if (index->low) SL__TRY(sl__stan_check_int(c, index->low, what));
    if (index->high) SL__TRY(sl__stan_check_int(c, index->high, what));
    e->data_only = e->data_only && (!index->low || index->low->data_only) &&
                   (!index->high || index->high->data_only);
    return SL_OK;
  }
  SL__TRY(sl__stan_check_expression(c, index->low));
  e->data_only = e->data_only && index->low->data_only;
  sl__stan_type type = index->low->type;
  const sl__stan_type ints = {SL__STAN_INT_TYPE, type.arrays > 0};
  if (sl__stan_promotion(type, ints) == 0) return SL_OK;
  char buffer[SL__STAN_TYPE_TEXT];
  return sl__stan_fault(c, index->low->place,
                        "an index must be int, array[] int or a range, and is %s",
                        sl__stan_type_text(type, buffer));
}

static bool is_matrix(sl__stan_base base) {
  return base == SL__STAN_MATRIX_TYPE || base == SL__STAN_COMPLEX_MATRIX_TYPE;
}

/* What `count` indices leave of a type without arrays; VOID: there are too many. */
static sl__stan_base index_base(sl__stan_base base, const sl__stan_index *index, int count) {
  bool complex_numbers = sl__stan_is_complex(sl__stan_type_of(base, 0));
  sl__stan_base scalar = complex_numbers ? SL__STAN_COMPLEX_TYPE : SL__STAN_REAL_TYPE;
  sl__stan_base vector = complex_numbers ? SL__STAN_COMPLEX_VECTOR_TYPE : SL__STAN_VECTOR_TYPE;
  sl__stan_base row = complex_numbers ? SL__STAN_COMPLEX_ROW_VECTOR_TYPE : SL__STAN_ROW_VECTOR_TYPE;
  if (count == 0) return base;
  if (count > sl__stan_dimensions(sl__stan_type_of(base, 0))) return SL__STAN_VOID;
  bool rows_kept = sl__stan_is_multiple(&index[0]);
  if (!is_matrix(base)) return rows_kept ? base : scalar;
  bool columns_kept = count < 2 || sl__stan_is_multiple(&index[1]);
  if (rows_kept) return columns_kept ? base : vector;
  return columns_kept ? row : scalar;
}

sl_status sl__stan_check_indexed(sl__stan_checker *c, sl__stan_expression *e) {
  sl__stan_expression *whole = e->argument[0];
  SL__TRY(sl__stan_check_expression(c, whole));
  e->data_only = whole->data_only;
  for (int i = 0; i < e->index_count; i++) SL__TRY(check_one(c, e, &e->index[i]));
  if (whole->type.base == SL__STAN_UNKNOWN_TYPE) {
    e->type = whole->type;
    return SL_OK;
  }
  int used = 0, arrays = whole->type.arrays;
  for (; used < e->index_count && used < whole->type.arrays; used++)
    if (!sl__stan_is_multiple(&e->index[used])) arrays--;
  sl__stan_base base = index_base(whole->type.base, e->index + used, e->index_count - used);
  e->type = sl__stan_type_of(base, arrays);
  if (base != SL__STAN_VOID) return SL_OK;
  char buffer[SL__STAN_TYPE_TEXT];
  int dimensions = sl__stan_dimensions(whole->type);
  sl__stan_type_text(whole->type, buffer);
  if (dimensions == 0)
    return sl__stan_fault(c, e->place, "%s has no dimensions and cannot be indexed", buffer);
  return sl__stan_fault(c, e->place, "%d indices for %s, which has %d dimension%s; remove some",
                        e->index_count, buffer, dimensions, dimensions == 1 ? "" : "s");
}

/* ---- members of tuples ---- */

/* The types of a tuple's members where its declaration is at hand; NULL: it is not. */
static sl__stan_variable *const *find_members(const sl__stan_expression *e, int *count) {
  if (e->kind == SL__STAN_VARIABLE && e->variable) {
    *count = e->variable->element_count;
    return e->variable->element;
  }
  if (e->kind == SL__STAN_CALL && e->function) {
    *count = e->function->result_element_count;
    return e->function->result_element;
  }
  if (e->kind == SL__STAN_INDEXED) return find_members(e->argument[0], count);
  if (e->kind != SL__STAN_MEMBER) return NULL;
  int outer_count = 0;
  sl__stan_variable *const *outer = find_members(e->argument[0], &outer_count);
  if (!outer || e->integer < 1 || e->integer > outer_count) return NULL;
  *count = outer[e->integer - 1]->element_count;
  return outer[e->integer - 1]->element;
}

sl_status sl__stan_check_member(sl__stan_checker *c, sl__stan_expression *e) {
  sl__stan_expression *tuple = e->argument[0];
  SL__TRY(sl__stan_check_expression(c, tuple));
  SL__TRY(sl__stan_note(c, "tuples", e->place));
  e->data_only = tuple->data_only;
  e->type = sl__stan_type_of(SL__STAN_UNKNOWN_TYPE, 0);
  char buffer[SL__STAN_TYPE_TEXT];
  bool is_tuple = sl__stan_is(tuple->type, SL__STAN_TUPLE_TYPE);
  if (!is_tuple && tuple->type.base != SL__STAN_UNKNOWN_TYPE)
    return sl__stan_fault(c, e->place, "only a tuple has members, and this is %s; index with [ ]",
                          sl__stan_type_text(tuple->type, buffer));
  int count = tuple->kind == SL__STAN_TUPLE ? tuple->argument_count : 0;
  sl__stan_variable *const *members = find_members(tuple, &count);
  if (count == 0) return SL_OK;
  if (e->integer < 1 || e->integer > count)
    return sl__stan_fault(c, e->place, "the tuple has %d members; there is no member %lld", count,
                          (long long)e->integer);
  if (members) e->type = members[e->integer - 1]->type;
  return SL_OK;
}
