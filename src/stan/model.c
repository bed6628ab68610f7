/* Models: a program with its data. Making one executes the blocks data and transformed data and
 * sizes everything; the density, and the other questions one can ask, are traced anew each time
 * from a copy of the frame that this leaves. */
#include "stan/model_inside.h"
#include <string.h>
#include "stan/data.h"
#include "stan/names.h"

static const sl__stan_block part_block[SL__STAN_PARTS] = {
    SL__STAN_PARAMETERS, SL__STAN_TRANSFORMED_PARAMETERS, SL__STAN_GENERATED_QUANTITIES};

/* ---- making a model ---- */

static bool is_kept(const sl__stan_statement *s) {
  return s->kind == SL__STAN_DECLARE && !s->variable->local;
}

/* Names are made at once: they count against the limit on memory, before any is made. */
static sl_status count_names(sl__stan_model *m, const sl__stan_variable *v, int dims,
                             int64_t count) {
  enum { INDEX_TEXT = 11 };
  const int64_t each = (int64_t)(sizeof(char *) + strlen(v->name)) + (int64_t)dims * INDEX_TEXT;
  if (count <= (SL__STAN_MAX_MEMORY - m->name_bytes) / each) {
    m->name_bytes += count * each;
    return SL_OK;
  }
  return sl__stan_stop(&m->base, SL_UNSUPPORTED, v->place,
                       "'%.60s' has %lld numbers, more than can be named within %d megabytes; are "
                       "its sizes right?",
                       v->name, (long long)count, SL__STAN_MAX_MEMORY >> 20);
}

static sl_status size_part(sl__stan_model *m, sl__stan_part which) {
  sl__stan_model_part *p = &m->part[which];
  const sl__stan_statement *first = m->program->block[part_block[which]];
  for (const sl__stan_statement *s = first; s; s = s->next) p->count += is_kept(s);
  p->output = sl__arena_take(&m->arena, (size_t)p->count, sizeof *p->output);
  if (!p->output) return SL_NO_MEMORY;
  sl__stan_output *o = p->output;
  for (const sl__stan_statement *s = first; s; s = s->next) {
    if (!is_kept(s)) continue;
    o->variable = s->variable;
    SL__TRY(sl__stan_sizes(&m->base, s->variable, &o->dims, o->size, &o->count));
    SL__TRY(count_names(m, s->variable, o->dims, o->count));
    p->numbers += o->count;
    o++;
  }
  if (p->numbers > INT32_MAX)
    return sl__fail(m->base.context, SL_UNSUPPORTED, "the program has more than 2^31 numbers");
  p->names = sl__arena_take(&m->arena, (size_t)p->numbers, sizeof *p->names);
  if (!p->names) return SL_NO_MEMORY;
  const char **names = p->names;
  for (int i = 0; i < p->count; i++) {
    o = &p->output[i];
    SL__TRY(sl__stan_name_elements(&m->arena, o->variable->name, o->dims, o->size, names));
    names += o->count;
  }
  return SL_OK;
}

static sl_status size_parameters(sl__stan_model *m) {
  const sl__stan_model_part *p = &m->part[SL__STAN_PART_PARAMETERS];
  m->parameters = p->count;
  m->parameter = sl__arena_take(&m->arena, (size_t)p->count, sizeof *m->parameter);
  if (!m->parameter) return SL_NO_MEMORY;
  for (int i = 0; i < p->count; i++) {
    sl__stan_transform *f = &m->parameter[i];
    if (sl__stan_is_complex(p->output[i].variable->type) ||
        p->output[i].variable->type.base >= SL__STAN_TUPLE_TYPE)
      return sl__stan_stop(&m->base, SL_UNSUPPORTED, p->output[i].variable->place,
                           "tuples and complex numbers are not supported");
    SL__TRY(sl__stan_transform_of(&m->base, p->output[i].variable, f));
    SL__TRY(count_names(m, f->variable, f->dims, f->elements * f->free));
    m->dim += f->elements * f->free;
  }
  if (m->dim > INT32_MAX)
    return sl__fail(m->base.context, SL_UNSUPPORTED, "the program has more than 2^31 parameters");
  m->free_names = sl__arena_take(&m->arena, (size_t)m->dim, sizeof *m->free_names);
  if (!m->free_names) return SL_NO_MEMORY;
  const char **names = m->free_names;
  for (int i = 0; i < m->parameters; i++) {
    SL__TRY(sl__stan_name_free(&m->arena, &m->parameter[i], names));
    names += m->parameter[i].elements * m->parameter[i].free;
  }
  return SL_OK;
}

static sl_status fill_model(sl__stan_model *m, const char *data_name, const char *data,
                            size_t length, uint64_t seed) {
  sl__stan_tracer *t = &m->base;
  t->key = (sl__random_key){.seed = seed, .stream = SL__STREAM_TRANSFORMED_DATA};
  if (!data_name) data_name = "data";
  m->data_name = sl__arena_text(&m->arena, data_name, strlen(data_name));
  if (!m->data_name) return SL_NO_MEMORY;
  SL__TRY(sl__stan_read_data(t, data_name, data, length));
  const sl_status status = sl__stan_execute_block(t, SL__STAN_TRANSFORMED_DATA);
  sl__stan_blame_refused(t, data_name, status);
  SL__TRY(status);
  for (int i = 0; i < SL__STAN_PARTS; i++) SL__TRY(size_part(m, (sl__stan_part)i));
  return size_parameters(m);
}

sl_status sl__stan_model_new(sl_context *context, sl__stan_program *program, const char *data_name,
                             const char *data, size_t length, uint64_t seed, sl__stan_model **out) {
  *out = NULL;
  sl__stan_model *m = sl__allocate(context, 1, sizeof *m);
  if (!m) {
    sl__stan_program_free(context, program);
    return SL_NO_MEMORY;
  }
  m->program = program;
  sl__arena_open(&m->arena, context);
  sl_status status = sl__stan_tracer_open(&m->base, context, program, NULL);
  if (status == SL_OK) status = fill_model(m, data_name, data, length, seed);
  if (status == SL_OK)
    *out = m;
  else
    sl__stan_model_free(context, m);
  return status;
}

void sl__stan_model_free(sl_context *context, sl__stan_model *m) {
  if (!m) return;
  sl__stan_tracer_close(&m->base);
  sl__arena_close(&m->arena);
  sl__stan_program_free(context, m->program);
  sl__free(&context->allocator, m);
}

/* ---- sizes and names ---- */

int32_t sl__stan_model_dim(const sl__stan_model *m) {
  return (int32_t)m->dim;
}
const char *sl__stan_model_unconstrained_name(const sl__stan_model *m, int32_t i) {
  return m->free_names[i];
}
int32_t sl__stan_model_count(const sl__stan_model *m, sl__stan_part which) {
  return (int32_t)m->part[which].numbers;
}
const char *sl__stan_model_name(const sl__stan_model *m, sl__stan_part which, int32_t i) {
  return m->part[which].names[i];
}

/* ---- tracing ---- */

sl_status sl__stan_model_open(const sl__stan_model *m, sl_context *context, sl__graph *g,
                              sl__stan_tracer *t) {
  SL__TRY(sl__stan_tracer_open(t, context, m->program, g));
  for (int i = 0; i < t->global.count; i++) t->global.slot[i].value = m->base.global.slot[i].value;
  return SL_OK;
}

sl_status sl__stan_model_set_parameters(sl__stan_tracer *t, const sl__stan_model *m, sl_node q) {
  int64_t begin = 0;
  for (int i = 0; i < m->parameters; i++) {
    const sl__stan_transform *f = &m->parameter[i];
    const int64_t count = f->elements * f->free;
    sl__stan_slot *slot = &t->global.slot[f->variable->slot];
    if (f->count == 0) {
      SL__TRY(sl__stan_declare_slot(t, f->variable));
      continue;
    }
    sl_node values, log_jacobian;
    const sl_node free =
        count > 0 ? op_slice(t->graph, q, 0, (int32_t)begin, (int32_t)count, 1) : 0;
    SL__TRY(sl__stan_constrain(t, f, free, &values, &log_jacobian));
    slot->value = sl__stan_value_of_node(f->variable->type, f->dims, f->size, values);
    SL__TRY(sl__stan_limit_nodes(t, f->variable->place, f->variable->name));
    if (log_jacobian && t->jacobian) {
      const sl__stan_value term = sl__stan_scalar_node(log_jacobian);
      SL__TRY(sl__stan_add_target(t, &term, f->variable->place));
    }
    begin += count;
  }
  return SL_OK;
}

static sl_status trace_density(sl__stan_tracer *t, const sl__stan_model *m, sl_node q) {
  SL__TRY(sl__stan_model_set_parameters(t, m, q));
  SL__TRY(sl__stan_execute_block(t, SL__STAN_TRANSFORMED_PARAMETERS));
  return sl__stan_execute_block(t, SL__STAN_MODEL);
}

/* Hands the tracer's failure to the graph; the place in the program stays in the context. */
static sl_node fail_graph(sl__stan_tracer *t, sl__graph *g, sl_status status) {
  const sl__error error = t->context->error;
  sl__graph_refuse(g, status, "the program cannot be traced");
  t->context->error = error;
  return 0;
}

sl_node sl__stan_model_log_density(const sl__stan_model *m, sl__graph *g, sl_node q,
                                   bool drop_constants, bool jacobian) {
  sl__stan_tracer t;
  if (!q && m->dim > 0) return 0;
  sl_status status = sl__stan_model_open(m, sl__graph_context(g), g, &t);
  t.jacobian = jacobian;
  t.global.drop = drop_constants;
  if (status == SL_OK) status = trace_density(&t, m, q);
  sl__stan_blame_refused(&t, m->data_name, status);
  sl_node density = status == SL_OK ? sl__stan_density(&t) : 0;
  if (density) status = sl__graph_group(g, q, 1, &density); /* loops were unrolled */
  if (density && status == SL_OK) status = sl__stan_limit_operations(&t, density);
  if (status != SL_OK) density = fail_graph(&t, g, status);
  sl__stan_tracer_close(&t);
  return density;
}

sl_node sl__stan_model_log_jacobian(const sl__stan_model *m, sl__graph *g, sl_node q) {
  sl__stan_tracer t;
  if (!q && m->dim > 0) return 0;
  sl_status status = sl__stan_model_open(m, sl__graph_context(g), g, &t);
  t.jacobian = true;
  if (status == SL_OK) status = sl__stan_model_set_parameters(&t, m, q);
  const sl_node sum =
      status == SL_OK ? op_rows(g, sl__stan_target_sum(&t)) : fail_graph(&t, g, status);
  sl__stan_tracer_close(&t);
  return sum;
}

/* The elements of one part, in the order of the names, appended to parts. */
static sl_status collect_part(sl__stan_tracer *t, const sl__stan_model_part *p, sl_node *node,
                              int *count) {
  for (int i = 0; i < p->count; i++) {
    const sl__stan_output *o = &p->output[i];
    if (o->count == 0) continue;
    sl_node x = sl__stan_node(t, &t->global.slot[o->variable->slot].value);
    if (o->dims > 1) {
      int32_t *index = sl__stan_temporary(t, o->count, sizeof *index);
      if (!index) return SL_NO_MEMORY;
      sl__stan_by_columns(o->dims, o->size, o->count, index);
      x = op_gather(t->graph, x, 0, (int32_t)o->count, index);
    }
    node[*count] = op_rows(t->graph, op_reshape(t->graph, x, sl__shape1((int32_t)o->count)));
    if (!node[(*count)++]) return sl__stan_no_node(t, o->variable->place);
  }
  return SL_OK;
}

static sl_status trace_constrained(sl__stan_tracer *t, const sl__stan_model *m, sl_node q,
                                   bool transformed, sl_node *out) {
  const sl__stan_model_part *parameters = &m->part[SL__STAN_PART_PARAMETERS];
  const sl__stan_model_part *others = &m->part[SL__STAN_PART_TRANSFORMED];
  int count = 0;
  SL__TRY(sl__stan_model_set_parameters(t, m, q));
  if (transformed) SL__TRY(sl__stan_execute_block(t, SL__STAN_TRANSFORMED_PARAMETERS));
  sl_node *node = sl__stan_temporary(t, parameters->count + others->count, sizeof *node);
  if (!node) return SL_NO_MEMORY;
  SL__TRY(collect_part(t, parameters, node, &count));
  if (transformed) SL__TRY(collect_part(t, others, node, &count));
  *out = op_concatenate(t->graph, count, node, 0);
  return *out ? SL_OK : sl__graph_status(t->graph);
}

sl_node sl__stan_model_constrain(const sl__stan_model *m, sl__graph *g, sl_node q,
                                 bool transformed) {
  sl__stan_tracer t;
  sl_node out = 0;
  if (!q && m->dim > 0) return 0;
  sl_status status = sl__stan_model_open(m, sl__graph_context(g), g, &t);
  if (status == SL_OK) status = trace_constrained(&t, m, q, transformed, &out);
  if (status != SL_OK) out = fail_graph(&t, g, status);
  sl__stan_tracer_close(&t);
  return out;
}
