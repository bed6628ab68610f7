/* Values of all forms: as one node, as numbers, as another type.
 *
 * A container that was assigned element by element is a list of pieces. Joining them looks for
 * runs: known numbers become one constant, elements of one node a slice or a gather of it, so that
 * what was a vector before it was taken apart is one again. */
#include "stan/trace.h"
#include <stdio.h>
#include <string.h>

bool sl__stan_is_known(const sl__stan_value *value) {
  return value->form == SL__STAN_NUMBERS || value->form == SL__STAN_INTEGERS ||
         value->form == SL__STAN_CALLABLE;
}

bool sl__stan_is_empty(const sl__stan_value *value) {
  return value->form != SL__STAN_CALLABLE && value->count == 0;
}

sl__stan_value sl__stan_number(sl__stan_tracer *t, double number) {
  double *numbers = sl__stan_temporary(t, 1, sizeof *numbers);
  if (numbers) *numbers = number;
  return (sl__stan_value){
      .type = {SL__STAN_REAL_TYPE, 0}, .form = SL__STAN_NUMBERS, .count = 1, .numbers = numbers};
}

sl__stan_value sl__stan_integer(sl__stan_tracer *t, int64_t integer) {
  int64_t *integers = sl__stan_temporary(t, 1, sizeof *integers);
  if (integers) *integers = integer;
  return (sl__stan_value){
      .type = {SL__STAN_INT_TYPE, 0}, .form = SL__STAN_INTEGERS, .count = 1, .integers = integers};
}

sl__stan_value sl__stan_scalar_node(sl_node node) {
  return (sl__stan_value){
      .type = {SL__STAN_REAL_TYPE, 0}, .form = SL__STAN_NODE, .count = 1, .node = node};
}

sl__stan_value sl__stan_value_of_node(sl__stan_type type, int32_t dims, const int32_t *size,
                                      sl_node node) {
  sl__stan_value value = {
      .type = type, .form = SL__STAN_NODE, .dims = dims, .count = 1, .node = node};
  for (int d = 0; d < dims; d++) {
    value.size[d] = size[d];
    value.count *= size[d];
  }
  return value;
}

const double *sl__stan_reals(sl__stan_tracer *t, const sl__stan_value *value) {
  if (value->form == SL__STAN_NUMBERS) return value->numbers;
  double *numbers = sl__stan_temporary(t, value->count, sizeof *numbers);
  for (int64_t i = 0; numbers && i < value->count; i++) numbers[i] = (double)value->integers[i];
  return numbers;
}

const char *sl__stan_shape_text(int32_t dims, const int32_t *size, char buffer[128]) {
  size_t used = 0;
  if (dims == 0) return "a scalar";
  for (int d = 0; d < dims && used < 100; d++)
    used += (size_t)snprintf(buffer + used, 128 - used, "%s%d", d > 0 ? "," : "[", size[d]);
  snprintf(buffer + used, 128 - used, "]");
  return buffer;
}

const char *sl__stan_element_text(const sl__stan_value *value, int64_t i, char buffer[128]) {
  int32_t at[SL__STAN_MAX_DIMS];
  if (value->dims == 0) return "";
  for (int d = value->dims - 1; d >= 0; i /= value->size[d--])
    at[d] = (int32_t)(i % value->size[d]) + 1;
  return sl__stan_shape_text(value->dims, at, buffer);
}

bool sl__stan_same_shape(const sl__stan_value *a, const sl__stan_value *b) {
  return a->dims == b->dims && memcmp(a->size, b->size, (size_t)a->dims * sizeof *a->size) == 0;
}

sl_status sl__stan_promote(sl__stan_tracer *t, sl__stan_value *value, sl__stan_type type) {
  if (value->form == SL__STAN_INTEGERS && type.base != SL__STAN_INT_TYPE) {
    const double *numbers = sl__stan_reals(t, value);
    if (!numbers) return SL_NO_MEMORY;
    value->form = SL__STAN_NUMBERS;
    value->numbers = numbers;
    value->kept = NULL;
  }
  value->type = type;
  return SL_OK;
}

static size_t element_size(const sl__stan_value *value) {
  if (value->form == SL__STAN_PIECES) return sizeof *value->pieces;
  return value->form == SL__STAN_NUMBERS ? sizeof *value->numbers : sizeof *value->integers;
}

sl_status sl__stan_copy(sl__stan_tracer *t, sl__stan_value *value) {
  if (value->form == SL__STAN_NODE || value->form == SL__STAN_CALLABLE) return SL_OK;
  const size_t size = element_size(value);
  void *copy = sl__stan_temporary(t, value->count, size);
  if (!copy) return SL_NO_MEMORY;
  memcpy(copy, value->numbers, (size_t)value->count * size);
  value->numbers = copy;
  value->kept = NULL;
  return SL_OK;
}

sl_status sl__stan_settle(sl__stan_tracer *t, sl__stan_value *value) {
  if (value->form != SL__STAN_PIECES) return SL_OK;
  for (int64_t i = 0; i < value->count; i++)
    if (value->pieces[i].node) return SL_OK;
  double *numbers = sl__stan_temporary(t, value->count, sizeof *numbers);
  if (!numbers) return SL_NO_MEMORY;
  for (int64_t i = 0; i < value->count; i++) numbers[i] = value->pieces[i].number;
  value->form = SL__STAN_NUMBERS;
  value->numbers = numbers;
  value->kept = NULL;
  return SL_OK;
}

/* ---- joining pieces ---- */

/* How many pieces from the first on are of one kind: known, elements of one node, or one scalar. */
static int64_t run_length(const sl__stan_piece *piece, int64_t count) {
  int64_t length = 1;
  if (piece->node && piece->index < 0) return 1;
  while (length < count && piece[length].node == piece->node &&
         (!piece->node || piece[length].index >= 0))
    length++;
  return length;
}

static sl_node join_known(sl__stan_tracer *t, const sl__stan_piece *piece, int64_t count) {
  const sl__stan_mark mark = sl__stan_stack_mark(t);
  double *numbers = sl__stan_temporary(t, count, sizeof *numbers);
  if (!numbers) return 0;
  for (int64_t i = 0; i < count; i++) numbers[i] = piece[i].number;
  const sl_node node = op_constant(t->graph, SL_F64, sl__shape1((int32_t)count), numbers);
  sl__stan_stack_release(t, mark);
  return node;
}

static sl_node join_elements(sl__stan_tracer *t, const sl__stan_piece *piece, int64_t count) {
  const int32_t first = piece->index, step = count > 1 ? piece[1].index - first : 1;
  bool even = step > 0;
  for (int64_t i = 0; even && i < count; i++) even = piece[i].index == first + i * step;
  if (even) return op_slice(t->graph, piece->node, 0, first, (int32_t)count, step);
  const sl__stan_mark mark = sl__stan_stack_mark(t);
  int32_t *index = sl__stan_temporary(t, count, sizeof *index);
  if (!index) return 0;
  for (int64_t i = 0; i < count; i++) index[i] = piece[i].index;
  const sl_node node = op_gather(t->graph, piece->node, 0, (int32_t)count, index);
  sl__stan_stack_release(t, mark);
  return node;
}

static sl_node join(sl__stan_tracer *t, const sl__stan_value *value) {
  const sl__stan_mark mark = sl__stan_stack_mark(t);
  sl_node *part = sl__stan_temporary(t, value->count, sizeof *part);
  if (!part) return 0;
  int parts = 0;
  for (int64_t i = 0; i < value->count;) {
    const sl__stan_piece *piece = value->pieces + i;
    const int64_t length = run_length(piece, value->count - i);
    sl_node node;
    if (!piece->node)
      node = join_known(t, piece, length);
    else if (piece->index < 0)
      node = op_reshape(t->graph, piece->node, sl__shape1(1));
    else
      node = join_elements(t, piece, length);
    part[parts++] = node;
    i += length;
  }
  const sl_node node = op_concatenate(t->graph, parts, part, 0);
  sl__stan_stack_release(t, mark);
  return node;
}

static sl_node constant(sl__stan_tracer *t, const sl__stan_value *value) {
  const sl__stan_mark mark = sl__stan_stack_mark(t);
  const double *numbers = sl__stan_reals(t, value);
  const sl_shape shape = value->dims ? sl__shape1((int32_t)value->count) : sl__scalar_shape();
  const sl_node node = numbers ? op_constant(t->graph, SL_F64, shape, numbers) : 0;
  sl__stan_stack_release(t, mark);
  return node;
}

sl_node sl__stan_node(sl__stan_tracer *t, const sl__stan_value *value) {
  if (value->form == SL__STAN_NODE) return value->node;
  sl_node *kept = t->graph == t->main_graph ? value->kept : NULL;
  if (kept && *kept) return *kept;
  if (value->count < 1 || value->count > INT32_MAX || value->form == SL__STAN_CALLABLE)
    return sl__graph_refuse(t->graph, SL_UNSUPPORTED, "a container without elements stands here");
  sl_node node = value->form == SL__STAN_PIECES ? join(t, value) : constant(t, value);
  if (node && value->dims == 0 && value->form == SL__STAN_PIECES)
    node = op_reshape(t->graph, node, sl__scalar_shape());
  if (!node) return sl__graph_refuse(t->graph, SL_NO_MEMORY, "no memory for a value");
  if (kept) *kept = node;
  return node;
}
