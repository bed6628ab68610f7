/* What the builders of functions have in common: reading sizes, giving results, elementwise
 * functions with broadcasting, and rearrangements.
 *
 * A function of known numbers is computed here and now, without a graph: data are worked on by the
 * hundred thousand, and a program for each call would take longer than everything else. */
#include "stan/functions.h"
#include "stan/trace.h"

#include <string.h>

bool sl__call_all_known(const sl__stan_call *call) {
  for (int i = 0; i < call->count; i++) {
    if (!sl__stan_is_known(&call->argument[i])) return false;
  }
  return true;
}

sl_status sl__call_integer(sl__stan_call *call, int i, int64_t *out) {
  if (!sl__call_is_integers(&call->argument[i]) || call->argument[i].count != 1)
    return sl__stan_refuse(call, "argument %d must be a known integer", i + 1);
  const int64_t *integer = sl__stan_integers(call, i);
  if (!integer) return SL_NO_MEMORY;
  *out = *integer;
  return SL_OK;
}

enum { MAX_COUNT = SL__STAN_MAX_MEMORY / sizeof(double) };

sl_status sl__call_size(sl__stan_call *call, int i, const char *what, int32_t least, int32_t *out) {
  int64_t size = 0;
  SL__TRY(sl__call_integer(call, i, &size));
  if (size < least)
    return sl__stan_refuse(call, "%s is %lld, but must be at least %d", what, (long long)size,
                           least);
  if (size > MAX_COUNT)
    return sl__stan_refuse(call, "%s is %lld; at most %d elements can be held", what,
                           (long long)size, MAX_COUNT);
  *out = (int32_t)size;
  return SL_OK;
}

sl_status sl__call_position(sl__stan_call *call, int i, const char *what, int32_t most,
                            int32_t *out) {
  int64_t position = 0;
  SL__TRY(sl__call_integer(call, i, &position));
  if (position < 1 || position > most)
    return sl__stan_refuse(call, "%s is %lld, but must be from 1 to %d", what, (long long)position,
                           most);
  *out = (int32_t)position - 1;
  return SL_OK;
}

sl_status sl__call_check_count(sl__stan_call *call, int32_t dims, const int32_t *size,
                               int64_t *count) {
  *count = 1;
  for (int32_t d = 0; d < dims; d++) {
    *count *= size[d];
    if (*count > MAX_COUNT)
      return sl__stan_refuse(call, "the result would have more than %d elements", MAX_COUNT);
  }
  return SL_OK;
}

sl_status sl__call_add_sizes(sl__stan_call *call, int32_t a, int32_t b, int32_t *sum) {
  if (__builtin_add_overflow(a, b, sum)) return sl__stan_refuse(call, "the result is too large");
  return SL_OK;
}

sl_status sl__call_give_node(sl__stan_call *call, int32_t dims, const int32_t *size, sl_node node) {
  return sl__stan_give(call, call->type, dims, size, node);
}

sl_status sl__call_give_doubles(sl__stan_call *call, int32_t dims, const int32_t *size,
                                const double *numbers) {
  return sl__stan_give_numbers(call, call->type, dims, size, numbers);
}

static const int32_t no_size[1];

sl_status sl__call_give_real(sl__stan_call *call, double number) {
  double *kept = sl__stan_memory(call, 1, sizeof *kept);
  if (!kept) return SL_NO_MEMORY;
  *kept = number;
  return sl__stan_give_numbers(call, sl__stan_type_of(SL__STAN_REAL_TYPE, 0), 0, no_size, kept);
}

sl_status sl__call_give_integer(sl__stan_call *call, int64_t integer) {
  int64_t *kept = sl__stan_memory(call, 1, sizeof *kept);
  if (!kept) return SL_NO_MEMORY;
  *kept = integer;
  return sl__stan_give_integers(call, 0, no_size, kept);
}

sl_status sl__call_give_empty(sl__stan_call *call, int32_t dims, const int32_t *size) {
  static const double no_number[1];
  static const int64_t no_integer[1];
  if (call->type.base == SL__STAN_INT_TYPE)
    return sl__stan_give_integers(call, dims, size, no_integer);
  return sl__call_give_doubles(call, dims, size, no_number);
}

sl_status sl__call_give_filled(sl__stan_call *call, int32_t dims, const int32_t *size,
                               double number) {
  int64_t count;
  SL__TRY(sl__call_check_count(call, dims, size, &count));
  if (call->type.base == SL__STAN_INT_TYPE) {
    int64_t *integers = sl__stan_memory(call, (size_t)count, sizeof *integers);
    if (!integers) return SL_NO_MEMORY;
    for (int64_t k = 0; k < count; k++) integers[k] = (int64_t)number;
    return sl__stan_give_integers(call, dims, size, integers);
  }
  double *numbers = sl__stan_memory(call, (size_t)count, sizeof *numbers);
  if (!numbers) return SL_NO_MEMORY;
  for (int64_t k = 0; k < count; k++) numbers[k] = number;
  return sl__call_give_doubles(call, dims, size, numbers);
}

void sl__call_rows_columns(const sl__stan_value *value, int32_t *rows, int32_t *columns) {
  const bool is_row = value->type.base == SL__STAN_ROW_VECTOR_TYPE;
  *rows = is_row ? 1 : value->size[0];
  *columns = is_row ? value->size[0] : value->dims == 2 ? value->size[1] : 1;
}

/* ---- rearrangements ---- */

/* Where a rearranged element comes from: index[k], or begin + k. */
typedef struct selection {
  int first, last; /* arguments, strung together */
  const int32_t *index;
  int32_t begin;
  int64_t count;
} selection;

static int64_t from_of(const selection *s, int64_t k) {
  return s->index ? s->index[k] : s->begin + k;
}

/* The argument that holds element *from of the string, which becomes its place there. */
static int argument_of(const sl__stan_call *call, const selection *s, int64_t *from) {
  int i = s->first;
  while (i < s->last && *from >= call->argument[i].count) *from -= call->argument[i++].count;
  return i;
}

static sl_status rearrange_integers(sl__stan_call *call, const selection *s, int32_t dims,
                                    const int32_t *size) {
  int64_t *out = sl__stan_memory(call, (size_t)s->count, sizeof *out);
  if (!out) return SL_NO_MEMORY;
  for (int64_t k = 0; k < s->count; k++) {
    int64_t from = from_of(s, k);
    const int i = argument_of(call, s, &from);
    out[k] = call->argument[i].integers[from];
  }
  return sl__stan_give_integers(call, dims, size, out);
}

static sl_status rearrange_numbers(sl__stan_call *call, const selection *s, int32_t dims,
                                   const int32_t *size) {
  const double *numbers[SL__STAN_MAX_ARGUMENTS];
  double *out = sl__stan_memory(call, (size_t)s->count, sizeof *out);
  if (!out) return SL_NO_MEMORY;
  for (int i = s->first; i <= s->last; i++) {
    if (!(numbers[i] = sl__stan_numbers(call, i))) return SL_NO_MEMORY;
  }
  for (int64_t k = 0; k < s->count; k++) {
    int64_t from = from_of(s, k);
    const int i = argument_of(call, s, &from);
    out[k] = numbers[i][from];
  }
  return sl__call_give_doubles(call, dims, size, out);
}

static sl__stan_piece piece_of(const sl__stan_value *value, int64_t from) {
  switch (value->form) {
    case SL__STAN_INTEGERS: return (sl__stan_piece){0, -1, (double)value->integers[from]};
    case SL__STAN_NUMBERS: return (sl__stan_piece){0, -1, value->numbers[from]};
    case SL__STAN_NODE:
      return (sl__stan_piece){value->node, value->dims > 0 ? (int32_t)from : -1, 0};
    default: return value->pieces[from];
  }
}

/* Pieces stay pieces, so that a part of them that is known stays known. */
static sl_status rearrange_pieces(sl__stan_call *call, const selection *s, int32_t dims,
                                  const int32_t *size) {
  sl__stan_piece *out = sl__stan_memory(call, (size_t)s->count, sizeof *out);
  double *numbers = sl__stan_memory(call, (size_t)s->count, sizeof *numbers);
  bool known = true;
  if (!out || !numbers) return SL_NO_MEMORY;
  for (int64_t k = 0; k < s->count; k++) {
    int64_t from = from_of(s, k);
    const int i = argument_of(call, s, &from);
    out[k] = piece_of(&call->argument[i], from);
    numbers[k] = out[k].number;
    known &= out[k].node == 0;
  }
  if (known) return sl__call_give_doubles(call, dims, size, numbers);
  *call->result = (sl__stan_value){
      .type = call->type, .form = SL__STAN_PIECES, .dims = dims, .count = s->count, .pieces = out};
  memcpy(call->result->size, size, (size_t)dims * sizeof *size);
  return SL_OK;
}

/* Views where the elements are evenly spaced, or one and the same. */
static sl_node select_elements(sl__graph *g, sl_node flat, const selection *s) {
  const int32_t count = (int32_t)s->count, begin = (int32_t)from_of(s, 0);
  if (count == 1) return op_slice(g, flat, 0, begin, 1, 1);
  const int32_t stride = (int32_t)from_of(s, 1) - begin;
  bool even = stride >= 0;
  for (int32_t k = 2; even && k < count; k++) even = from_of(s, k) == begin + (int64_t)k * stride;
  if (even && stride == 0)
    return op_broadcast(g, op_slice(g, flat, 0, begin, 1, 1), sl__shape1(count));
  if (even) return op_slice(g, flat, 0, begin, count, stride);
  return op_gather(g, flat, 0, count, s->index);
}

static sl_status rearrange_node(sl__stan_call *call, const selection *s, int32_t dims,
                                const int32_t *size) {
  sl__graph *g = sl__stan_graph(call);
  sl_node parts[SL__STAN_MAX_ARGUMENTS];
  int used = 0;
  for (int i = s->first; i <= s->last; i++) {
    const int64_t count = call->argument[i].count;
    if (count > 0)
      parts[used++] = op_reshape(g, sl__stan_argument(call, i), sl__shape1((int32_t)count));
  }
  const sl_node picked = select_elements(g, op_concatenate(g, used, parts, 0), s);
  return sl__call_give_node(call, dims, size,
                            dims == 0 ? op_reshape(g, picked, sl__scalar_shape()) : picked);
}

static sl_status rearrange(sl__stan_call *call, selection s, int32_t dims, const int32_t *size) {
  SL__TRY(sl__call_check_count(call, dims, size, &s.count));
  if (s.count == 0) return sl__call_give_empty(call, dims, size);
  bool integers = call->type.base == SL__STAN_INT_TYPE, known = true, pieces = false;
  for (int i = s.first; i <= s.last; i++) {
    const sl__stan_value *a = &call->argument[i];
    integers &= sl__call_is_integers(a);
    known &= sl__stan_is_known(a);
    pieces |= a->form == SL__STAN_PIECES;
  }
  if (integers) return rearrange_integers(call, &s, dims, size);
  if (known) return rearrange_numbers(call, &s, dims, size);
  if (pieces && dims > 0) return rearrange_pieces(call, &s, dims, size);
  return rearrange_node(call, &s, dims, size);
}

sl_status sl__call_rearrange(sl__stan_call *call, int first, int last, int32_t dims,
                             const int32_t *size, const int32_t *index) {
  return rearrange(call, (selection){.first = first, .last = last, .index = index}, dims, size);
}

sl_status sl__call_cut(sl__stan_call *call, int first, int last, int32_t dims, const int32_t *size,
                       int32_t begin) {
  return rearrange(call, (selection){.first = first, .last = last, .begin = begin}, dims, size);
}

/* ---- elementwise ---- */

static bool same_shape(const sl__stan_value *a, const sl__stan_value *b) {
  return a->dims == b->dims && memcmp(a->size, b->size, (size_t)a->dims * sizeof *a->size) == 0;
}

sl_status sl__call_widest(sl__stan_call *call, int *widest) {
  *widest = -1;
  for (int i = 0; i < call->count; i++) {
    const sl__stan_value *a = &call->argument[i];
    if (a->dims == 0) continue;
    if (*widest < 0) {
      *widest = i;
    } else if (!same_shape(a, &call->argument[*widest])) {
      return sl__stan_refuse(
          call, "arguments %d and %d have different sizes (%lld and %lld elements)", *widest + 1,
          i + 1, (long long)call->argument[*widest].count, (long long)a->count);
    }
  }
  if (*widest < 0) *widest = 0;
  return SL_OK;
}

static sl_status refuse_parameters(sl__stan_call *call) {
  return sl__stan_refuse(call, "an argument depends on a parameter; this function is evaluated "
                               "for data only");
}

/* Numbers of the arguments and how far each moves from element to element. */
static sl_status read_numbers(sl__stan_call *call, const double **x, int64_t *step) {
  for (int i = 0; i < call->count; i++) {
    if (!(x[i] = sl__stan_numbers(call, i))) return SL_NO_MEMORY;
    step[i] = call->argument[i].dims > 0;
  }
  return SL_OK;
}

/* One of the functions is given: which tells how many arguments there are. */
static sl_status elementwise_numbers(sl__stan_call *call, const sl__stan_value *like,
                                     sl__call_number1 *one, sl__call_number2 *two,
                                     sl__call_number3 *three) {
  enum { ELEMENT_WORK = 64 };
  SL__TRY(sl__stan_work(call, ELEMENT_WORK * (double)like->count));
  const double *x[SL__STAN_MAX_ARGUMENTS];
  int64_t step[SL__STAN_MAX_ARGUMENTS];
  double *y = sl__stan_memory(call, (size_t)like->count, sizeof *y);
  if (!y) return SL_NO_MEMORY;
  SL__TRY(read_numbers(call, x, step));
  for (int64_t k = 0; k < like->count; k++) {
    if (one) {
      y[k] = one(x[0][k * step[0]]);
    } else if (two) {
      y[k] = two(x[0][k * step[0]], x[1][k * step[1]]);
    } else {
      y[k] = three(x[0][k * step[0]], x[1][k * step[1]], x[2][k * step[2]]);
    }
  }
  return sl__call_give_doubles(call, like->dims, like->size, y);
}

sl_status sl__call_unary(sl__stan_call *call, sl__call_number1 *number, sl__call_node1 *node) {
  const sl__stan_value *a = &call->argument[0];
  if (sl__stan_is_known(a)) return elementwise_numbers(call, a, number, NULL, NULL);
  if (!node) return refuse_parameters(call);
  return sl__call_give_node(call, a->dims, a->size,
                            node(sl__stan_graph(call), sl__stan_argument(call, 0)));
}

sl_status sl__call_binary(sl__stan_call *call, sl__call_number2 *number, sl__call_node2 *node) {
  int widest;
  SL__TRY(sl__call_widest(call, &widest));
  const sl__stan_value *like = &call->argument[widest];
  if (like->count == 0 || sl__call_all_known(call))
    return elementwise_numbers(call, like, NULL, number, NULL);
  if (!node) return refuse_parameters(call);
  const sl_node a = sl__stan_argument(call, 0), b = sl__stan_argument(call, 1);
  return sl__call_give_node(call, like->dims, like->size, node(sl__stan_graph(call), a, b));
}

sl_status sl__call_ternary(sl__stan_call *call, sl__call_number3 *number, sl__call_node3 *node) {
  int widest;
  SL__TRY(sl__call_widest(call, &widest));
  const sl__stan_value *like = &call->argument[widest];
  if (like->count == 0 || sl__call_all_known(call))
    return elementwise_numbers(call, like, NULL, NULL, number);
  if (!node) return refuse_parameters(call);
  const sl_node a = sl__stan_argument(call, 0), b = sl__stan_argument(call, 1);
  return sl__call_give_node(call, like->dims, like->size,
                            node(sl__stan_graph(call), a, b, sl__stan_argument(call, 2)));
}
