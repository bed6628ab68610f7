/* Models asked with known numbers: parameters back to coordinates, generated quantities, and why a
 * density is zero. */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include "stan/model_inside.h"
#include "stan/names.h"

/* Stores known numbers, given in the order of the names, as the variable's value. */
static sl_status set_known(sl__stan_tracer *t, const sl__stan_output *o, const double *by_columns) {
  const sl__stan_mark mark = sl__stan_stack_mark(t);
  int32_t *index = sl__stan_temporary(t, o->count, sizeof *index);
  double *numbers = sl__stan_temporary(t, o->count, sizeof *numbers);
  if (!index || !numbers) return SL_NO_MEMORY;
  sl__stan_by_columns(o->dims, o->size, o->count, index);
  for (int64_t i = 0; i < o->count; i++) numbers[index[i]] = by_columns[i];
  SL__TRY(sl__stan_declare_slot(t, o->variable));
  sl__stan_slot *slot = &t->global.slot[o->variable->slot];
  sl__stan_value value = slot->value;
  value.numbers = numbers;
  SL__TRY(sl__stan_store(t, slot, &value));
  sl__stan_stack_release(t, mark);
  return SL_OK;
}

/* No constraint tells NaN from a number where there is none. */
static sl_status check_numbers(sl__stan_tracer *t, const sl__stan_output *o,
                               const double *numbers) {
  for (int64_t i = 0; i < o->count; i++)
    if (isnan(numbers[i]))
      return sl__stan_stop(t, SL_BAD_ARGUMENT, o->variable->place,
                           "number %lld of '%.60s' is not a number (NaN); give all of them",
                           (long long)i + 1, o->variable->name);
  return SL_OK;
}

static sl_status unconstrain(sl__stan_tracer *t, const sl__stan_model *m, const double *constrained,
                             double *q) {
  for (int i = 0; i < m->parameters; i++) {
    const sl__stan_transform *f = &m->parameter[i];
    const sl__stan_output *o = &m->part[SL__STAN_PART_PARAMETERS].output[i];
    SL__TRY(check_numbers(t, o, constrained));
    SL__TRY(set_known(t, o, constrained));
    SL__TRY(sl__stan_check_constraint(t, f->variable));
    SL__TRY(sl__stan_unconstrain(t, f, t->global.slot[f->variable->slot].value.numbers, q));
    constrained += o->count;
    q += f->elements * f->free;
  }
  return SL_OK;
}

sl_status sl__stan_model_unconstrain(sl_context *context, const sl__stan_model *m, int64_t rows,
                                     const double *constrained, double *q, int64_t *row) {
  const int64_t width = m->part[SL__STAN_PART_PARAMETERS].numbers;
  sl__stan_tracer t;
  sl_status status = sl__stan_model_open(m, context, NULL, &t);
  const sl__stan_mark mark = sl__stan_stack_mark(&t);
  for (int64_t r = 0; r < rows && status == SL_OK; r++) {
    *row = r;
    t.steps = 0; /* the limit is a row's */
    status = unconstrain(&t, m, constrained + r * width, q + r * m->dim);
    sl__stan_stack_release(&t, mark);
  }
  sl__stan_tracer_close(&t);
  return status;
}

/* Parameters as known numbers: a graph of constants gives them. */
static sl_status set_known_parameters(sl__stan_tracer *t, const sl__stan_model *m,
                                      const double *q) {
  sl_status status = sl__graph_new(t->context, &t->graph);
  if (status != SL_OK) return status;
  t->main_graph = t->graph;
  const sl_node point =
      m->dim > 0 ? op_constant(t->graph, SL_F64, sl__shape1((int32_t)m->dim), q) : 0;
  status = sl__stan_model_set_parameters(t, m, point);
  for (int i = 0; i < m->parameters && status == SL_OK; i++) {
    sl__stan_slot *slot = &t->global.slot[m->parameter[i].variable->slot];
    sl__stan_value value = slot->value;
    if (value.form != SL__STAN_NODE) continue;
    double *numbers = sl__stan_temporary(t, value.count, sizeof *numbers);
    status = numbers ? sl__graph_numbers(t->graph, value.node, numbers) : SL_NO_MEMORY;
    value.form = SL__STAN_NUMBERS;
    value.numbers = numbers;
    if (status == SL_OK) status = sl__stan_store(t, slot, &value);
  }
  sl__graph_free(t->graph);
  t->graph = t->main_graph = NULL;
  t->requirements = NULL;
  return status;
}

static sl_status generate(sl__stan_tracer *t, const sl__stan_model *m, const double *q,
                          double *out) {
  const sl__stan_model_part *p = &m->part[SL__STAN_PART_GENERATED];
  SL__TRY(set_known_parameters(t, m, q));
  SL__TRY(sl__stan_execute_block(t, SL__STAN_TRANSFORMED_PARAMETERS));
  SL__TRY(sl__stan_execute_block(t, SL__STAN_GENERATED_QUANTITIES));
  for (int i = 0; i < p->count; i++) {
    const sl__stan_output *o = &p->output[i];
    const sl__stan_mark mark = sl__stan_stack_mark(t);
    const double *numbers = sl__stan_reals(t, &t->global.slot[o->variable->slot].value);
    int32_t *index = sl__stan_temporary(t, o->count, sizeof *index);
    if (!numbers || !index) return SL_NO_MEMORY;
    sl__stan_by_columns(o->dims, o->size, o->count, index);
    for (int64_t k = 0; k < o->count; k++) *out++ = numbers[index[k]];
    sl__stan_stack_release(t, mark);
  }
  return SL_OK;
}

sl_status sl__stan_model_generate(sl_context *context, const sl__stan_model *m, const double *q,
                                  uint64_t seed, uint64_t row, double *out) {
  sl__stan_tracer t;
  sl_status status = sl__stan_model_open(m, context, NULL, &t);
  t.key = (sl__random_key){.seed = seed, .stream = SL__STREAM_GENERATED};
  t.row = row;
  if (status == SL_OK) status = generate(&t, m, q, out);
  if (status == SL_BAD_ARGUMENT && !t.wrong) status = context->error.status = SL_NUMERIC;
  sl__stan_tracer_close(&t);
  return status;
}

/* ---- why a density is zero ---- */

static sl_status refuse_term(sl__stan_tracer *t, const sl__stan_model *m,
                             const sl__stan_statement *s, double density) {
  char number[32];
  sl__format_real(number, density, SL_F64);
  const sl_status status =
      sl__stan_stop(t, SL_BAD_ARGUMENT, s->place, "this makes the log density %s", number);
  sl__stan_blame_data(t, m->data_name, s, false);
  return status;
}

static sl_status explain(sl__stan_tracer *t, const sl__stan_model *m, const double *q) {
  sl__stan_control control = SL__STAN_GO_ON;
  SL__TRY(set_known_parameters(t, m, q));
  SL__TRY(sl__stan_execute_block(t, SL__STAN_TRANSFORMED_PARAMETERS));
  for (const sl__stan_statement *s = m->program->block[SL__STAN_MODEL]; s; s = s->next) {
    SL__TRY(sl__stan_execute(t, s, &control));
    if (!isfinite(t->known)) return refuse_term(t, m, s, t->known);
    if (control != SL__STAN_GO_ON) return SL_OK;
  }
  return SL_OK;
}

sl_status sl__stan_model_explain(sl_context *context, const sl__stan_model *m, const double *q) {
  sl__stan_tracer t;
  sl_status status = sl__stan_model_open(m, context, NULL, &t);
  if (status == SL_OK) status = explain(&t, m, q);
  sl__stan_tracer_close(&t);
  return status;
}
