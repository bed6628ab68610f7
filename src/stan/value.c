/* What builders see of a call: its arguments as nodes or numbers, and ways to give the result. */
#include "stan/trace.h"
#include <stdio.h>
#include <string.h>

sl__graph *sl__stan_graph(const sl__stan_call *call) {
  call->tracer->graph_used = true;
  return call->tracer->graph;
}

sl_node sl__stan_argument(sl__stan_call *call, int i) {
  call->tracer->graph_used = true;
  return sl__stan_node(call->tracer, &call->argument[i]);
}

sl_node sl__stan_matrix(sl__stan_call *call, int i) {
  const sl__stan_value *value = &call->argument[i];
  const sl_node flat = sl__stan_argument(call, i);
  sl_shape shape = sl__shape2(1, 1);
  if (value->dims == 2)
    shape = sl__shape2(value->size[0], value->size[1]);
  else if (value->dims == 1 && value->type.base == SL__STAN_ROW_VECTOR_TYPE)
    shape = sl__shape2(1, value->size[0]);
  else if (value->dims == 1)
    shape = sl__shape2(value->size[0], 1);
  return flat ? op_reshape(call->tracer->graph, flat, shape) : 0;
}

const double *sl__stan_numbers(sl__stan_call *call, int i) {
  return sl__stan_reals(call->tracer, &call->argument[i]);
}

const int64_t *sl__stan_integers(sl__stan_call *call, int i) {
  return call->argument[i].form == SL__STAN_INTEGERS ? call->argument[i].integers : NULL;
}

void *sl__stan_memory(sl__stan_call *call, size_t count, size_t size) {
  void *memory = sl__stan_temporary(call->tracer, (int64_t)count, size);
  if (memory) memset(memory, 0, count * size);
  return memory;
}

/* ---- results ---- */

static sl_status give(sl__stan_call *call, sl__stan_type type, sl__stan_form form, int32_t dims,
                      const int32_t *size) {
  sl__stan_value *result = call->result;
  *result = (sl__stan_value){.type = type, .form = form, .dims = dims, .count = 1};
  if (dims < 0 || dims > SL__STAN_MAX_DIMS)
    return sl__stan_refuse(call, "the result would have %d dimensions", dims);
  for (int d = 0; d < dims; d++) {
    result->size[d] = size[d];
    if (size[d] < 0 || __builtin_mul_overflow(result->count, (int64_t)size[d], &result->count) ||
        result->count > 1 << 30)
      return sl__stan_refuse(call, "the result would have more than 2^30 elements");
  }
  return SL_OK;
}

sl_status sl__stan_give(sl__stan_call *call, sl__stan_type type, int32_t dims, const int32_t *size,
                        sl_node node) {
  sl__graph *g = call->tracer->graph;
  if (!node) return sl__stan_no_node(call->tracer, call->place);
  SL__TRY(give(call, type, SL__STAN_NODE, dims, size));
  const sl_shape shape = dims ? sl__shape1((int32_t)call->result->count) : sl__scalar_shape();
  call->result->node = op_reshape(g, node, shape);
  return call->result->node ? SL_OK : sl__stan_no_node(call->tracer, call->place);
}

sl_status sl__stan_give_scalar(sl__stan_call *call, sl_node node) {
  return sl__stan_give(call, sl__stan_type_of(SL__STAN_REAL_TYPE, 0), 0, NULL, node);
}

sl_status sl__stan_give_like(sl__stan_call *call, int i, sl_node node) {
  const sl__stan_value *a = &call->argument[i];
  sl__stan_type type = a->type;
  if (type.base == SL__STAN_INT_TYPE) type.base = call->type.base;
  return sl__stan_give(call, type, a->dims, a->size, node);
}

sl_status sl__stan_give_numbers(sl__stan_call *call, sl__stan_type type, int32_t dims,
                                const int32_t *size, const double *numbers) {
  SL__TRY(give(call, type, SL__STAN_NUMBERS, dims, size));
  double *copy = sl__stan_temporary(call->tracer, call->result->count, sizeof *copy);
  if (!copy) return SL_NO_MEMORY;
  if (call->result->count > 0) memcpy(copy, numbers, (size_t)call->result->count * sizeof *copy);
  call->result->numbers = copy;
  return SL_OK;
}

sl_status sl__stan_give_integers(sl__stan_call *call, int32_t dims, const int32_t *size,
                                 const int64_t *integers) {
  SL__TRY(give(call, sl__stan_type_of(SL__STAN_INT_TYPE, dims), SL__STAN_INTEGERS, dims, size));
  int64_t *copy = sl__stan_temporary(call->tracer, call->result->count, sizeof *copy);
  if (!copy) return SL_NO_MEMORY;
  if (call->result->count > 0) memcpy(copy, integers, (size_t)call->result->count * sizeof *copy);
  call->result->integers = copy;
  return SL_OK;
}

/* ---- refusals ---- */

/* Names the function, since one line may call several. */
static sl_status refuse(sl__stan_call *call, const char *format, va_list arguments) {
  char message[sizeof call->tracer->context->error.message];
  vsnprintf(message, sizeof message, format, arguments);
  return sl__stan_stop(call->tracer, SL_BAD_ARGUMENT, call->place, "%s: %s", call->builtin->name,
                       message);
}

sl_status sl__stan_refuse(sl__stan_call *call, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  call->tracer->wrong = true;
  const sl_status status = refuse(call, format, arguments);
  va_end(arguments);
  return status;
}

sl_status sl__stan_refuse_value(sl__stan_call *call, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  const sl_status status = refuse(call, format, arguments);
  va_end(arguments);
  return status;
}

sl_status sl__stan_work(sl__stan_call *call, double work) {
  return sl__stan_count_work(call->tracer, call->place, call->builtin->name, work);
}

sl_status sl__stan_require(sl__stan_call *call, sl_node condition, const char *format, ...) {
  sl__stan_tracer *t = call->tracer;
  if (!condition) return sl__stan_no_node(t, call->place);
  if (t->in_callback) return SL_OK;
  if (t->graph == t->main_graph) return sl__stan_add_requirement(t, condition);
  char message[512];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(message, sizeof message, format, arguments);
  va_end(arguments);
  sl__stan_requirement *added = sl__stan_memory(call, 1, sizeof *added);
  char *text = sl__stan_memory(call, strlen(message) + 1, 1);
  if (!added || !text) return SL_NO_MEMORY;
  memcpy(text, message, strlen(message) + 1);
  *added = (sl__stan_requirement){condition, text, t->requirements};
  t->requirements = added;
  return SL_OK;
}

sl_status sl__stan_count_nodes(sl__stan_call *call, double nodes) {
  return sl__stan_work(call, nodes * SL__STAN_NODE_STEPS * SL__STAN_STEP_WORK);
}

/* ---- functions as arguments, random numbers ---- */

sl_status sl__stan_apply(sl__stan_call *call, int i, int count, const sl__stan_value *argument,
                         sl__stan_value *result) {
  sl__stan_tracer *t = call->tracer;
  const sl__stan_value *f = &call->argument[i];
  if (f->form != SL__STAN_CALLABLE || f->function->argument_count != count)
    return sl__stan_refuse(call, "argument %d must be a function of %d arguments", i + 1, count);
  const bool outer = t->in_callback;
  t->in_callback = outer || call->inside;
  const sl_status status =
      sl__stan_call_function(t, f->function, call->place, count, argument, false, result);
  t->in_callback = outer;
  return status;
}

/* Each draw has a block of the generator to itself. */
double sl__stan_uniform(sl__stan_call *call) {
  sl__stan_tracer *t = call->tracer;
  return sl__random_uniform(t->key, t->row, 2 * t->drawn++);
}

double sl__stan_normal(sl__stan_call *call) {
  sl__stan_tracer *t = call->tracer;
  return sl__random_normal(t->key, t->row, 2 * t->drawn++);
}
