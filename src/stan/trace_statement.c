/* Statements. Loops run while the program is traced; a condition must be known, or be a choice
 * between assignments (trace_branch.c). */
#include "stan/trace.h"
#include <string.h>

static sl_status execute(sl__stan_tracer *t, const sl__stan_statement *s,
                         sl__stan_control *control);

/* Ends a loop? */
static bool leaves_loop(sl__stan_control *control) {
  if (*control == SL__STAN_DO_RETURN) return true;
  const bool leaves = *control == SL__STAN_DO_BREAK;
  *control = SL__STAN_GO_ON;
  return leaves;
}

static sl_status execute_for(sl__stan_tracer *t, const sl__stan_statement *s,
                             sl__stan_control *control) {
  int64_t low, high;
  SL__TRY(sl__stan_evaluate_integer(t, s->value, "a loop's bound", &low));
  SL__TRY(sl__stan_evaluate_integer(t, s->high, "a loop's bound", &high));
  sl__stan_slot *slot = &t->frame->slot[s->variable->slot];
  for (int64_t i = low; i <= high; i++) {
    slot->value = (sl__stan_value){.type = {SL__STAN_INT_TYPE, 0}};
    const sl__stan_value index = {
        .type = slot->value.type, .form = SL__STAN_INTEGERS, .count = 1, .integers = &i};
    SL__TRY(sl__stan_store(t, slot, &index));
    SL__TRY(sl__stan_execute(t, s->body, control));
    if (leaves_loop(control)) break;
  }
  return SL_OK;
}

/* Element k of a container in Stan's order: arrays by their first index, matrices by columns. */
static void select_element(const sl__stan_value *whole, int64_t k, sl__stan_selection *s) {
  *s = (sl__stan_selection){.count = 1, .first = k, .step = 1};
  if (whole->type.arrays > 0) {
    s->dims = whole->dims - 1;
    memcpy(s->size, whole->size + 1, (size_t)s->dims * sizeof *s->size);
    for (int d = 0; d < s->dims; d++) s->count *= s->size[d];
    s->first = k * s->count;
  } else if (whole->dims == 2) {
    s->first = k % whole->size[0] * whole->size[1] + k / whole->size[0];
  }
}

static sl_status execute_foreach(sl__stan_tracer *t, const sl__stan_statement *s,
                                 sl__stan_control *control) {
  sl__stan_value whole;
  SL__TRY(sl__stan_evaluate(t, s->value, &whole));
  SL__TRY(sl__stan_copy(t, &whole)); /* the body may assign to it */
  sl__stan_slot *slot = &t->frame->slot[s->variable->slot];
  const int64_t count = whole.type.arrays > 0 ? whole.size[0] : whole.count;
  for (int64_t k = 0; k < count; k++) {
    sl__stan_selection selection;
    sl__stan_value element;
    select_element(&whole, k, &selection);
    SL__TRY(sl__stan_read(t, &whole, s->variable->type, &selection, s->place, &element));
    slot->value = (sl__stan_value){.type = s->variable->type, .dims = element.dims};
    SL__TRY(sl__stan_store(t, slot, &element));
    SL__TRY(sl__stan_execute(t, s->body, control));
    if (leaves_loop(control)) break;
  }
  return SL_OK;
}

static sl_status execute_while(sl__stan_tracer *t, const sl__stan_statement *s,
                               sl__stan_control *control) {
  for (;;) {
    int64_t condition;
    const sl__stan_mark mark = sl__stan_stack_mark(t);
    SL__TRY(sl__stan_evaluate_integer(t, s->value, "a loop's condition", &condition));
    sl__stan_stack_release(t, mark);
    if (!condition) return SL_OK;
    SL__TRY(sl__stan_execute(t, s->body, control));
    if (leaves_loop(control)) return SL_OK;
  }
}

static sl_status execute_if(sl__stan_tracer *t, const sl__stan_statement *s,
                            sl__stan_control *control) {
  for (;; s = s->otherwise) { /* along "else if", which may be long */
    sl__stan_value condition;
    SL__TRY(sl__stan_evaluate(t, s->value, &condition));
    if (!sl__stan_is_known(&condition))
      return sl__stan_execute_both(t, s, sl__stan_node(t, &condition), control);
    if (*condition.integers) return sl__stan_execute(t, s->body, control);
    if (!s->otherwise) return SL_OK;
    if (s->otherwise->kind != SL__STAN_IF) return sl__stan_execute(t, s->otherwise, control);
  }
}

static sl_status execute_declaration(sl__stan_tracer *t, const sl__stan_variable *variable) {
  SL__TRY(sl__stan_declare_slot(t, variable));
  if (!variable->value) return SL_OK;
  sl__stan_value value;
  sl__stan_slot *slot = &t->frame->slot[variable->slot];
  SL__TRY(sl__stan_evaluate(t, variable->value, &value));
  SL__TRY(sl__stan_check_sizes(t, variable->name, variable->value->place, &slot->value, &value));
  return sl__stan_store(t, slot, &value);
}

static sl_status execute_return(sl__stan_tracer *t, const sl__stan_statement *s,
                                sl__stan_control *control) {
  sl__stan_value value = {.type = {SL__STAN_VOID, 0}};
  *control = SL__STAN_DO_RETURN;
  if (s->value) SL__TRY(sl__stan_evaluate(t, s->value, &value));
  if (t->frame->branches > 0 || t->frame->done) return sl__stan_merge_return(t, s->place, &value);
  t->frame->result = value;
  return SL_OK;
}

/* ---- print and reject ---- */

static void describe_value(sl__text *text, const sl__stan_value *value) {
  if (!sl__stan_is_known(value) || value->form == SL__STAN_CALLABLE) {
    sl__text_add(text, "(depends on parameters)");
    return;
  }
  enum { MOST = 100 };
  if (value->dims > 0) sl__text_add(text, "[");
  for (int64_t i = 0; i < value->count && i < MOST; i++) {
    if (i > 0) sl__text_add(text, ",");
    if (value->form == SL__STAN_INTEGERS)
      sl__text_add(text, "%lld", (long long)value->integers[i]);
    else
      sl__text_add_real(text, value->numbers[i], SL_F64);
  }
  if (value->count > MOST) sl__text_add(text, ",...");
  if (value->dims > 0) sl__text_add(text, "]");
}

static sl_status describe(sl__stan_tracer *t, const sl__stan_statement *s, sl__text *text) {
  for (int i = 0; i < s->argument_count; i++) {
    const sl__stan_expression *e = s->argument[i];
    if (e->kind == SL__STAN_STRING) {
      sl__text_add(text, "%s", e->name);
      continue;
    }
    sl__stan_value value;
    SL__TRY(sl__stan_evaluate(t, e, &value));
    describe_value(text, &value);
  }
  return SL_OK;
}

static sl_status print_or_reject(sl__stan_tracer *t, const sl__stan_statement *s) {
  if (s->kind != SL__STAN_PRINT && t->mask) { /* rejects where the branch is taken */
    const sl_node elsewhere = op_shift(t->graph, op_negate(t->graph, t->mask), 1);
    const sl_node mask = t->mask;
    t->mask = 0;
    const sl_status status = sl__stan_add_requirement(t, elsewhere);
    t->mask = mask;
    return status;
  }
  sl__text text;
  sl__text_open(&text, t->context);
  sl_status status = describe(t, s, &text);
  if (status == SL_OK && s->kind != SL__STAN_PRINT)
    status = sl__stan_stop(t, SL_BAD_ARGUMENT, s->place, "the program rejects: %.400s",
                           text.data ? text.data : "");
  else if (status == SL_OK && t->context->log)
    t->context->log(t->context->log_user, 0, text.data ? text.data : "");
  sl__text_close(&text);
  return status;
}

/* ---- all ---- */

static sl_status add_value(sl__stan_tracer *t, const sl__stan_statement *s) {
  sl__stan_value value;
  SL__TRY(sl__stan_evaluate(t, s->value, &value));
  if (s->kind == SL__STAN_JACOBIAN_ADD && !t->jacobian) return SL_OK;
  return sl__stan_add_target(t, &value, s->place);
}

static sl_status execute(sl__stan_tracer *t, const sl__stan_statement *s,
                         sl__stan_control *control) {
  sl__stan_value ignored;
  switch (s->kind) {
    case SL__STAN_DECLARE: return execute_declaration(t, s->variable);
    case SL__STAN_ASSIGN: return sl__stan_assign(t, s);
    case SL__STAN_TILDE: return sl__stan_tilde(t, s);
    case SL__STAN_TARGET_ADD:
    case SL__STAN_JACOBIAN_ADD: return add_value(t, s);
    case SL__STAN_EXPRESSION_STATEMENT: return sl__stan_evaluate(t, s->value, &ignored);
    case SL__STAN_IF: return execute_if(t, s, control);
    case SL__STAN_FOR: return execute_for(t, s, control);
    case SL__STAN_FOREACH: return execute_foreach(t, s, control);
    case SL__STAN_WHILE: return execute_while(t, s, control);
    case SL__STAN_BLOCK_STATEMENT: return sl__stan_execute_list(t, s->first, control);
    case SL__STAN_RETURN: return execute_return(t, s, control);
    case SL__STAN_BREAK: *control = SL__STAN_DO_BREAK; return SL_OK;
    case SL__STAN_CONTINUE: *control = SL__STAN_DO_CONTINUE; return SL_OK;
    case SL__STAN_PRINT:
    case SL__STAN_REJECT:
    case SL__STAN_FATAL_ERROR: return print_or_reject(t, s);
  }
  return SL_OK;
}

sl_status sl__stan_execute(sl__stan_tracer *t, const sl__stan_statement *s,
                           sl__stan_control *control) {
  const sl__stan_mark mark = sl__stan_stack_mark(t);
  SL__TRY(sl__stan_count_steps(t, s->place, 1));
  SL__TRY(sl__stan_enter(t, s->place));
  sl_status status = execute(t, s, control);
  t->nesting--;
  if (status == SL_OK)
    status = sl__stan_limit_nodes(t, s->place, s->kind == SL__STAN_TILDE ? s->name : NULL);
  /* a returned value is still on the stack */
  if (*control != SL__STAN_DO_RETURN) sl__stan_stack_release(t, mark);
  return status;
}

sl_status sl__stan_execute_list(sl__stan_tracer *t, const sl__stan_statement *first,
                                sl__stan_control *control) {
  for (const sl__stan_statement *s = first; s && *control == SL__STAN_GO_ON; s = s->next)
    SL__TRY(sl__stan_execute(t, s, control));
  return SL_OK;
}

sl_status sl__stan_execute_block(sl__stan_tracer *t, sl__stan_block block) {
  sl__stan_control control = SL__STAN_GO_ON;
  const sl__stan_statement *first = t->program->block[block];
  for (const sl__stan_statement *s = first; s && control == SL__STAN_GO_ON; s = s->next) {
    const sl_node before = t->cost.seen;
    t->statement = s;
    SL__TRY(sl__stan_execute(t, s, &control));
    if (t->cost.seen - before <= t->most_nodes) continue;
    t->most_nodes = t->cost.seen - before;
    t->most_place = s->place;
  }
  t->statement = NULL;
  for (const sl__stan_statement *s = first; s; s = s->next)
    if (s->kind == SL__STAN_DECLARE && !s->variable->local)
      SL__TRY(sl__stan_check_constraint(t, s->variable));
  return SL_OK;
}
