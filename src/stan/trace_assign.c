/* Assignment. Stan's containers are values: what is assigned is copied, and its sizes must be those
 * declared. A part assigned to a variable that is known, or one node, makes it a list of pieces. */
#include "stan/trace.h"
#include <string.h>

/* Whether known numbers or pieces lie in the slot's own memory. */
static bool overlaps(const sl__stan_slot *slot, const sl__stan_value *value) {
  if (value->form == SL__STAN_NODE || value->form == SL__STAN_CALLABLE) return false;
  const uintptr_t begin = (uintptr_t)slot->memory, at = (uintptr_t)value->numbers;
  return (at >= begin && at < begin + slot->bytes) || value->numbers == &slot->own.number;
}

/* Memory for count items: a scalar's own, or more. */
static void *memory_for(sl__stan_tracer *t, sl__stan_slot *slot, int64_t count, size_t size) {
  if (slot->value.dims == 0)
    return size == sizeof slot->own ? (void *)&slot->own : (void *)&slot->own.number;
  return sl__stan_slot_reserve(t, slot, count, size) == SL_OK ? slot->memory : NULL;
}

sl_status sl__stan_store(sl__stan_tracer *t, sl__stan_slot *slot, const sl__stan_value *given) {
  sl__stan_value value = *given, *own = &slot->value;
  if (overlaps(slot, &value)) SL__TRY(sl__stan_copy(t, &value));
  const sl__stan_type type = own->type;
  const bool reals = type.base != SL__STAN_INT_TYPE;
  slot->node = 0;
  own->dims = value.dims;
  memcpy(own->size, value.size, sizeof own->size);
  own->count = value.count;
  own->kept = NULL;
  if (value.form == SL__STAN_NODE || value.form == SL__STAN_CALLABLE) {
    *own = value;
    own->type = type;
    return SL_OK;
  }
  t->steps += value.count * (int64_t)sizeof(double) / SL__STAN_STEP_BYTES;
  own->form = value.form == SL__STAN_INTEGERS && reals ? SL__STAN_NUMBERS : value.form;
  const size_t size = own->form == SL__STAN_PIECES ? sizeof(sl__stan_piece) : sizeof(double);
  void *memory = memory_for(t, slot, value.count, size);
  if (!memory && value.count > 0) return SL_NO_MEMORY;
  if (value.form == SL__STAN_INTEGERS && reals) {
    double *numbers = memory;
    for (int64_t i = 0; i < value.count; i++) numbers[i] = (double)value.integers[i];
  } else if (value.count > 0) {
    memcpy(memory, value.numbers, (size_t)value.count * size);
  }
  own->numbers = memory;
  return SL_OK;
}

/* ---- parts ---- */

/* Turns the slot's value into pieces that can be written. */
static sl_status take_apart(sl__stan_tracer *t, sl__stan_slot *slot) {
  sl__stan_value value = slot->value;
  if (value.form == SL__STAN_PIECES && value.pieces == slot->memory) return SL_OK;
  sl__stan_piece *pieces = sl__stan_temporary(t, value.count, sizeof *pieces);
  if (!pieces) return SL_NO_MEMORY;
  for (int64_t i = 0; i < value.count; i++) {
    if (value.form == SL__STAN_NODE)
      pieces[i] = (sl__stan_piece){.node = value.node, .index = (int32_t)i};
    else if (value.form == SL__STAN_PIECES)
      pieces[i] = value.pieces[i];
    else
      pieces[i] = (sl__stan_piece){.number = value.numbers[i]};
  }
  value.form = SL__STAN_PIECES;
  value.pieces = pieces;
  return sl__stan_store(t, slot, &value);
}

static int64_t offset_of(const sl__stan_selection *s, int64_t k) {
  return s->list ? s->list[k] : s->first + k * s->step;
}

static void write_pieces(sl__stan_piece *to, const sl__stan_selection *s,
                         const sl__stan_value *value) {
  for (int64_t k = 0; k < s->count; k++) {
    sl__stan_piece *piece = to + offset_of(s, k);
    switch (value->form) {
      case SL__STAN_INTEGERS:
        *piece = (sl__stan_piece){.number = (double)value->integers[k]};
        break;
      case SL__STAN_NUMBERS: *piece = (sl__stan_piece){.number = value->numbers[k]}; break;
      case SL__STAN_PIECES: *piece = value->pieces[k]; break;
      default: {
        const int32_t index = value->dims > 0 ? (int32_t)k : -1;
        *piece = (sl__stan_piece){.node = value->node, .index = index};
      }
    }
  }
}

static void write_known(sl__stan_slot *slot, const sl__stan_selection *s,
                        const sl__stan_value *value) {
  if (slot->value.form == SL__STAN_INTEGERS) {
    int64_t *integers = slot->memory;
    for (int64_t k = 0; k < s->count; k++) integers[offset_of(s, k)] = value->integers[k];
  } else if (value->form == SL__STAN_INTEGERS) {
    double *numbers = slot->memory;
    for (int64_t k = 0; k < s->count; k++) numbers[offset_of(s, k)] = (double)value->integers[k];
  } else {
    double *numbers = slot->memory;
    for (int64_t k = 0; k < s->count; k++) numbers[offset_of(s, k)] = value->numbers[k];
  }
}

static sl_status write_part(sl__stan_tracer *t, sl__stan_slot *slot, const sl__stan_selection *s,
                            const sl__stan_value *given) {
  sl__stan_value value = *given;
  if (s->count == 0) return SL_OK;
  if (s->count == slot->value.count && !s->list && s->step == 1 && s->dims == slot->value.dims)
    return sl__stan_store(t, slot, &value);
  if (overlaps(slot, &value)) SL__TRY(sl__stan_copy(t, &value));
  if (slot->value.form == SL__STAN_INTEGERS && value.form != SL__STAN_INTEGERS)
    return sl__fail(t->context, SL_UNSUPPORTED,
                    "integers that depend on parameters cannot be elements of an array");
  slot->node = 0;
  const bool known = sl__stan_is_known(&value) && sl__stan_is_known(&slot->value);
  if (known) {
    write_known(slot, s, &value);
    return SL_OK;
  }
  SL__TRY(take_apart(t, slot));
  write_pieces(slot->memory, s, &value);
  return SL_OK;
}

/* ---- statements ---- */

/* a[i][j] = ...: the indices of all brackets, the leftmost first, as one list. */
static sl_status gather_indices(sl__stan_tracer *t, const sl__stan_expression *left,
                                sl__stan_expression *all) {
  int count = 0;
  const sl__stan_expression *e = left;
  for (; e->kind == SL__STAN_INDEXED; e = e->argument[0]) count += e->index_count;
  *all = *left;
  if (left->argument[0]->kind != SL__STAN_INDEXED) return SL_OK;
  sl__stan_index *index = sl__stan_temporary(t, count, sizeof *index);
  if (!index) return SL_NO_MEMORY;
  all->index = index;
  all->index_count = count;
  for (e = left; e->kind == SL__STAN_INDEXED; e = e->argument[0]) {
    count -= e->index_count;
    memcpy(index + count, e->index, (size_t)e->index_count * sizeof *index);
  }
  return SL_OK;
}

static const sl__stan_expression *variable_of(const sl__stan_expression *e) {
  while (e->kind == SL__STAN_INDEXED) e = e->argument[0];
  return e;
}

static sl_status compound(sl__stan_tracer *t, const sl__stan_statement *s,
                          const sl__stan_value *old, sl__stan_value *value) {
  if (!s->compound) return SL_OK;
  const sl__stan_value right = *value;
  return sl__stan_binary(t, s->op, s->left->type, s->left->place, old, &right, value);
}

static sl_status assign_part(sl__stan_tracer *t, const sl__stan_statement *s, sl__stan_slot *slot,
                             const char *name, sl__stan_value *value) {
  sl__stan_expression all;
  sl__stan_selection selection;
  SL__TRY(gather_indices(t, s->left, &all));
  SL__TRY(sl__stan_select(t, &all, &slot->value, &selection));
  if (s->compound) {
    sl__stan_value old;
    SL__TRY(sl__stan_read(t, &slot->value, s->left->type, &selection, s->left->place, &old));
    SL__TRY(compound(t, s, &old, value));
  }
  sl__stan_value wanted = {.dims = selection.dims};
  memcpy(wanted.size, selection.size, sizeof wanted.size);
  SL__TRY(sl__stan_check_sizes(t, name, s->left->place, &wanted, value));
  return write_part(t, slot, &selection, value);
}

sl_status sl__stan_assign(sl__stan_tracer *t, const sl__stan_statement *s) {
  const sl__stan_expression *target = variable_of(s->left);
  if (target->kind != SL__STAN_VARIABLE)
    return sl__stan_stop(t, SL_UNSUPPORTED, s->left->place,
                         "assignment to tuples is not supported");
  sl__stan_slot *slot = &t->frame->slot[target->variable->slot];
  sl__stan_value value;
  SL__TRY(sl__stan_evaluate(t, s->value, &value));
  if (s->left->kind == SL__STAN_INDEXED) return assign_part(t, s, slot, target->name, &value);
  SL__TRY(compound(t, s, &slot->value, &value));
  SL__TRY(sl__stan_check_sizes(t, target->name, s->left->place, &slot->value, &value));
  return sl__stan_store(t, slot, &value);
}
