/* Calls: of the user's functions, which are executed in a frame of their own, and of Stan's, whose
 * builders make nodes. When all arguments are known, a builder works on a graph of constants and
 * the result's numbers are computed at once. */
#include "stan/functions.h"
#include "stan/trace.h"
#include <string.h>

/* ---- Stan's functions ---- */

static bool all_known(const sl__stan_call *call) {
  for (int i = 0; i < call->count; i++)
    if (!sl__stan_is_known(&call->argument[i])) return false;
  return true;
}

static bool any_empty(const sl__stan_call *call) {
  for (int i = 0; i < call->count; i++)
    if (sl__stan_is_empty(&call->argument[i])) return true;
  return false;
}

/* A function of one number, applied to known ones. */
static sl_status call_number_function(sl__stan_tracer *t, sl__stan_call *call,
                                      sl__call_number1 *function) {
  const sl__stan_value *a = &call->argument[0];
  SL__TRY(sl__stan_count_steps(t, call->place, a->count));
  const double *x = sl__stan_reals(t, a);
  double *y = sl__stan_temporary(t, a->count, sizeof *y);
  if (!x || !y) return SL_NO_MEMORY;
  for (int64_t i = 0; i < a->count; i++) y[i] = function(x[i]);
  *call->result = *a;
  call->result->type = call->type;
  call->result->form = SL__STAN_NUMBERS;
  call->result->numbers = y;
  call->result->kept = NULL;
  return SL_OK;
}

/* The result of a graph of constants as numbers, or as integers. */
static sl_status compute(sl__stan_tracer *t, sl__stan_value *result) {
  double *numbers = sl__stan_temporary(t, result->count, sizeof *numbers);
  if (!numbers) return SL_NO_MEMORY;
  SL__TRY(sl__graph_numbers(t->graph, result->node, numbers));
  result->form = SL__STAN_NUMBERS;
  result->numbers = numbers;
  if (result->type.base != SL__STAN_INT_TYPE) return SL_OK;
  int64_t *integers = sl__stan_temporary(t, result->count, sizeof *integers);
  if (!integers) return SL_NO_MEMORY;
  for (int64_t i = 0; i < result->count; i++) integers[i] = (int64_t)numbers[i];
  result->form = SL__STAN_INTEGERS;
  result->integers = integers;
  return SL_OK;
}

static sl_status check_requirements(sl__stan_tracer *t, const sl__stan_call *call) {
  for (const sl__stan_requirement *r = t->requirements; r; r = r->next) {
    const int64_t count = sl__shape_count(sl__node_shape(t->graph, r->condition));
    double *holds = sl__stan_temporary(t, count, sizeof *holds);
    if (!holds) return SL_NO_MEMORY;
    SL__TRY(sl__graph_numbers(t->graph, r->condition, holds));
    for (int64_t i = 0; i < count; i++)
      if (holds[i] != 1)
        return sl__stan_stop(t, SL_BAD_ARGUMENT, call->place, "%s: %s", call->builtin->name,
                             r->message);
  }
  return SL_OK;
}

/* Before what the call has made is computed: its work, and the memory of its values. */
static sl_status limit_work(sl__stan_tracer *t, const sl__stan_call *call) {
  if (!t->graph_used) return SL_OK;
  sl__graph_cost cost = {0};
  sl__graph_add_cost(t->graph, &cost);
  const double bytes = cost.bytes;
  double work = cost.work + SL__STAN_SPECIAL_WORK * cost.iterated + SL__STAN_PROGRAM_WORK;
  if (call->builtin->role == SL__STAN_CDF) work += SL__STAN_CUMULATIVE_WORK;
  if (bytes > SL__STAN_MAX_MEMORY)
    return sl__stan_stop(t, SL_UNSUPPORTED, call->place,
                         "'%s' needs about %.0f megabytes with arguments of this size, and there "
                         "are %d; make them smaller, or pass the result as data",
                         call->builtin->name, bytes / (1 << 20), SL__STAN_MAX_MEMORY >> 20);
  return sl__stan_count_work(t, call->place, call->builtin->name, work);
}

static sl_status build_known(sl__stan_tracer *t, sl__stan_call *call) {
  const sl_status status = call->builtin->build(call);
  if (status != SL_OK) return status;
  SL__TRY(sl__stan_graph_check(t, call->place));
  if (call->result->form != SL__STAN_NODE) return sl__stan_count_steps(t, call->place, 0);
  SL__TRY(limit_work(t, call));
  SL__TRY(check_requirements(t, call));
  return compute(t, call->result);
}

static sl_status call_known(sl__stan_tracer *t, sl__stan_call *call) {
  sl__graph *outer = t->graph, *own = t->spare_graph;
  sl__stan_requirement *requirements = t->requirements;
  const sl_node mask = t->mask;
  const bool outer_used = t->graph_used;
  t->spare_graph = NULL;
  if (!own) SL__TRY(sl__graph_new(t->context, &own));
  t->graph = own;
  t->graph_used = false;
  t->requirements = NULL;
  t->mask = 0;
  const sl_status status = build_known(t, call);
  if (t->graph_used || t->spare_graph)
    sl__graph_free(own);
  else
    t->spare_graph = own;
  t->graph = outer;
  t->graph_used = outer_used;
  t->requirements = requirements;
  t->mask = mask;
  return status;
}

static sl_status call_nodes(sl__stan_tracer *t, sl__stan_call *call) {
  SL__TRY(sl__stan_count_steps(t, call->place, SL__STAN_NODE_STEPS));
  SL__TRY(call->builtin->build(call));
  return sl__stan_graph_check(t, call->place);
}

/* The operator that a function is another name of; false: of none. */
static bool find_operator(const sl__stan_builtin *builtin, sl__stan_operator *op) {
  for (int i = 0; i <= SL__STAN_TRANSPOSE; i++) {
    *op = (sl__stan_operator)i;
    const char *name = sl__stan_operator_function(*op, 0);
    if (*op != SL__STAN_LEFT_DIVIDE && name && strcmp(name, builtin->name) == 0) return true;
  }
  return false;
}

static sl_status call_operator(sl__stan_tracer *t, sl__stan_call *call, sl__stan_operator op) {
  const sl__stan_value *a = call->argument;
  if (call->count == 2)
    return sl__stan_binary(t, op, call->type, call->place, a, a + 1, call->result);
  const sl__stan_expression e = {.type = call->type, .place = call->place};
  return sl__stan_unary(t, &e, op, a, call->result);
}

sl_status sl__stan_call_builtin(sl__stan_tracer *t, sl__stan_call *call) {
  const bool known = all_known(call);
  const bool density = call->builtin->role == SL__STAN_DENSITY;
  *call->result = (sl__stan_value){.type = call->type};
  sl__call_number1 *function = known && call->count == 1 && call->type.base != SL__STAN_INT_TYPE
                                   ? sl__call_number_of(call->builtin)
                                   : NULL;
  if (function) return call_number_function(t, call, function);
  sl__stan_operator op;
  if (!call->builtin->build && find_operator(call->builtin, &op)) return call_operator(t, call, op);
  if (!call->builtin->build)
    return sl__stan_stop(t, SL_UNSUPPORTED, call->place, "'%s' is not supported yet",
                         call->builtin->name);
  if ((density || call->builtin->role == SL__STAN_CDF) && any_empty(call)) {
    const size_t length = strlen(call->builtin->name);
    const bool cdf = length > 5 && strcmp(call->builtin->name + length - 4, "_cdf") == 0;
    *call->result = sl__stan_number(t, cdf ? 1 : 0); /* of no observations */
    return call->result->numbers ? SL_OK : SL_NO_MEMORY;
  }
  return known ? call_known(t, call) : call_nodes(t, call);
}

/* ---- the user's functions ---- */

/* Moves a result down to where the stack was when its function was called: what the function has
 * left there ends with it, or a recursion would pile it up. */
static sl_status move_down(sl__stan_tracer *t, sl__stan_mark mark, sl__stan_value *value) {
  if (value->form == SL__STAN_NODE || value->form == SL__STAN_CALLABLE ||
      value->type.base == SL__STAN_VOID) {
    sl__stan_stack_release(t, mark);
    return SL_OK;
  }
  const size_t size =
      value->form == SL__STAN_PIECES ? sizeof *value->pieces : sizeof *value->numbers;
  const size_t bytes = (size_t)value->count * size;
  sl__stan_piece few, *aside = &few;
  if (bytes > sizeof few) aside = sl__allocate(t->context, (size_t)value->count, size);
  if (!aside) return SL_NO_MEMORY;
  memcpy(aside, value->numbers, bytes);
  sl__stan_stack_release(t, mark);
  void *moved = sl__stan_temporary(t, value->count, size);
  if (moved) memcpy(moved, aside, bytes);
  if (aside != &few) sl__free(&t->context->allocator, aside);
  value->numbers = moved;
  return moved ? SL_OK : SL_NO_MEMORY;
}

static sl_status run_body(sl__stan_tracer *t, const sl__stan_function *function,
                          sl__stan_value *out) {
  sl__stan_control control = SL__STAN_GO_ON;
  SL__TRY(sl__stan_execute(t, function->body, &control));
  *out = t->frame->result;
  if (function->result.base == SL__STAN_VOID) return SL_OK;
  if (control != SL__STAN_DO_RETURN)
    return sl__stan_stop(t, SL_BAD_ARGUMENT, function->place,
                         "the end of '%.60s' was reached without a return", function->name);
  SL__TRY(sl__stan_copy(t, out)); /* out of the frame */
  out->kept = NULL;
  return sl__stan_promote(t, out, function->result);
}

sl_status sl__stan_call_function(sl__stan_tracer *t, const sl__stan_function *function,
                                 size_t place, int count, const sl__stan_value *argument, bool drop,
                                 sl__stan_value *out) {
  sl__stan_frame frame, *caller = t->frame;
  const sl_node mask = t->mask;
  const sl__stan_mark mark = sl__stan_stack_mark(t);
  SL__TRY(sl__stan_enter(t, place));
  sl_status status = sl__stan_frame_open(t, &frame, function->slot_count);
  frame.drop = drop;
  for (int i = 0; i < count && status == SL_OK; i++) {
    sl__stan_value *value = &frame.slot[function->argument[i]->slot].value;
    *value = argument[i];
    status = sl__stan_promote(t, value, function->argument[i]->type);
  }
  t->frame = &frame;
  if (status == SL_OK) status = run_body(t, function, out);
  if (status == SL_OK) status = move_down(t, mark, out);
  t->frame = caller;
  t->mask = mask;
  sl__stan_frame_close(t, &frame);
  t->nesting--;
  return status;
}

/* ---- calls in expressions ---- */

static bool ends_with(const char *text, const char *end) {
  const size_t length = strlen(text), own = strlen(end);
  return length > own && strcmp(text + length - own, end) == 0;
}

sl_status sl__stan_evaluate_call(sl__stan_tracer *t, const sl__stan_expression *e,
                                 sl__stan_value *out) {
  sl__stan_value few[6], *argument = few;
  if (e->argument_count > (int)(sizeof few / sizeof *few))
    argument = sl__stan_temporary(t, e->argument_count, sizeof *argument);
  if (!argument) return SL_NO_MEMORY;
  for (int i = 0; i < e->argument_count; i++)
    SL__TRY(sl__stan_evaluate(t, e->argument[i], &argument[i]));
  const bool drop =
      t->frame->drop && (ends_with(e->name, "_lupdf") || ends_with(e->name, "_lupmf"));
  if (e->function)
    return sl__stan_call_function(t, e->function, e->place, e->argument_count, argument,
                                  drop || (t->frame->drop && ends_with(e->name, "_lp")), out);
  sl__stan_call call = {.tracer = t,
                        .builtin = e->builtin,
                        .signature = e->signature,
                        .type = e->type,
                        .expression = e,
                        .place = e->place,
                        .count = e->argument_count,
                        .argument = argument,
                        .drop_constants = drop,
                        .result = out};
  return sl__stan_call_builtin(t, &call);
}
