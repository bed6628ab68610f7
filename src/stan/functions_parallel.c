/* reduce_sum and map_rect, made for several threads, run here one call after the other: the graph
 * has parallelism of its own. reduce_sum calls its function once, for the whole container. */
#include "stan/functions.h"
#include "stan/trace.h"

#include <string.h>

/* Calls the user's function that argument 0 is. */
static sl_status call_user(sl__stan_call *call, int count, const sl__stan_value *argument,
                           sl__stan_value *result) {
  const sl__stan_function *function = call->argument[0].function;
  if (!function || function->argument_count != count)
    return sl__stan_refuse(call, "a function of the block 'functions' with %d arguments is needed",
                           count);
  return sl__stan_call_function(call->tracer, function, call->place, count, argument,
                                call->drop_constants, result);
}

/* f(x, 1, size(x), rest...), being the sum of f over any slices. */
sl_status sl__stan_build_reduce_sum(sl__stan_call *call) {
  sl__stan_tracer *t = call->tracer;
  const int rest = call->count - 3, count = 3 + rest;
  const sl__stan_value *x = &call->argument[1];
  int32_t grain;
  SL__TRY(sl__call_size(call, 2, "grain size", 1, &grain));
  if (x->size[0] == 0) return sl__call_give_real(call, 0);
  sl__stan_value *argument = sl__stan_memory(call, (size_t)count, sizeof *argument);
  if (!argument) return SL_NO_MEMORY;
  argument[0] = *x;
  argument[1] = sl__stan_integer(t, 1);
  argument[2] = sl__stan_integer(t, x->size[0]);
  if (!argument[1].integers || !argument[2].integers) return SL_NO_MEMORY;
  for (int i = 0; i < rest; i++) argument[3 + i] = call->argument[3 + i];
  return call_user(call, count, argument, call->result);
}

/* Element i of an array, as a value. */
static sl__stan_value element_of(sl__stan_call *call, const sl__stan_value *array, int32_t i) {
  sl__stan_value element = *array;
  const int64_t inner = array->count / array->size[0], begin = i * inner;
  element.type.arrays--;
  element.dims--;
  memmove(element.size, element.size + 1, (size_t)element.dims * sizeof *element.size);
  element.count = inner;
  element.kept = NULL;
  if (inner == 0) return element;
  switch (array->form) {
    case SL__STAN_INTEGERS: element.integers += begin; break;
    case SL__STAN_NUMBERS: element.numbers += begin; break;
    case SL__STAN_PIECES: element.pieces += begin; break;
    default:
      element.node =
          op_slice(sl__stan_graph(call), array->node, 0, (int32_t)begin, (int32_t)inner, 1);
  }
  return element;
}

/* The vectors one after the other. */
static sl_status give_joined(sl__stan_call *call, const sl__stan_value *part, int32_t parts) {
  int32_t size = 0, used = 0;
  bool known = true;
  for (int32_t i = 0; i < parts; i++) {
    if (part[i].count > INT32_MAX - size) return sl__stan_refuse(call, "too many results");
    size += (int32_t)part[i].count;
    known &= part[i].count == 0 || sl__stan_is_known(&part[i]);
  }
  if (known) {
    double *numbers = sl__stan_memory(call, (size_t)size, sizeof *numbers), *end = numbers;
    if (!numbers) return SL_NO_MEMORY;
    for (int32_t i = 0; i < parts; end += part[i++].count)
      if (part[i].count > 0) memcpy(end, part[i].numbers, (size_t)part[i].count * sizeof *numbers);
    return sl__call_give_doubles(call, 1, &size, numbers);
  }
  sl_node *node = sl__stan_memory(call, (size_t)parts, sizeof *node);
  if (!node) return SL_NO_MEMORY;
  for (int32_t i = 0; i < parts; i++)
    if (part[i].count > 0) node[used++] = sl__stan_node(call->tracer, &part[i]);
  return sl__call_give_node(call, 1, &size, op_concatenate(sl__stan_graph(call), used, node, 0));
}

/* map_rect(f, phi, theta, x_r, x_i): f(phi, theta[i], x_r[i], x_i[i]) for every i, joined. */
sl_status sl__stan_build_map_rect(sl__stan_call *call) {
  const sl__stan_value *theta = &call->argument[2];
  const int32_t jobs = theta->size[0], none = 0;
  for (int i = 3; i < 5; i++) {
    if (call->argument[i].size[0] != jobs)
      return sl__stan_refuse(call, "%d jobs, but argument %d has %d elements", jobs, i + 1,
                             call->argument[i].size[0]);
  }
  if (jobs == 0) return sl__call_give_empty(call, 1, &none);
  sl__stan_value *part = sl__stan_memory(call, (size_t)jobs, sizeof *part);
  if (!part) return SL_NO_MEMORY;
  for (int32_t i = 0; i < jobs; i++) {
    sl__stan_value argument[4] = {call->argument[1]};
    for (int k = 1; k < 4; k++) argument[k] = element_of(call, &call->argument[k + 1], i);
    SL__TRY(call_user(call, 4, argument, &part[i]));
  }
  return give_joined(call, part, jobs);
}
