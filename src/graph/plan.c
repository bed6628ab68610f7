/* Planning: from a graph and its outputs to a program. Decides in which stage a node is computed,
 * lists the steps and their operands, and computes what depends on constants alone. fuse.c decides
 * which elementwise nodes share a step, place.c on which level and where in memory. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "graph/plan.h"
#include "kernels/kernels.h"

void sl__for_operands(sl__plan *p, sl_node node,
                      void (*visit)(sl__plan *, sl_node operand, sl_node user)) {
  const sl__node *n = &p->g->nodes[node];
  for (int64_t k = 0; k < sl__operand_count(n); k++) visit(p, sl__operand_at(n, k), node);
}

static void mark_live(sl__plan *p, sl_node operand, sl_node user) {
  (void)user;
  p->live[operand] = true;
}

static void raise_stage(sl__plan *p, sl_node operand, sl_node user) {
  if (p->loop[operand]) return; /* is where its root is */
  if (p->ready[operand] > p->stage[user]) p->stage[user] = p->ready[operand];
}

static sl_status find_stages(sl__plan *p) {
  for (sl_node i = 1; i < p->nodes; i++) {
    if (!p->live[i] || p->loop[i]) continue;
    const sl__node *n = &p->g->nodes[i];
    p->stage[i] = SL__CONSTANT_STAGE;
    if (n->operation == SL__OP_PARAMETER || n->operation == SL__OP_SHARED_INPUT)
      p->stage[i] = SL__SHARED_STAGE;
    if (n->batched) p->stage[i] = SL__BLOCK_STAGE;
    sl__for_operands(p, i, raise_stage);
    p->ready[i] = p->stage[i];
    if (n->batched && p->stage[i] == SL__FINAL_STAGE) {
      return sl__fail(
          p->context, SL_UNSUPPORTED,
          "%s%soperation %s needs a sum over all rows for every row; split it into two programs",
          p->g->labels[n->label], n->label ? ": " : "", sl__operations[n->operation].name);
    }
    if (sl__sums_rows(n)) p->ready[i] = SL__FINAL_STAGE;
    if (sl__is_loop(n)) sl__set_loop_stage(p, i);
  }
  return SL_OK;
}

/* ---- values ---- */

static int64_t align64(int64_t bytes) {
  return (bytes + 63) & ~(int64_t)63;
}

/* Shared values are placed one after another; sums over rows get accumulators. */
static sl_status place_shared_values(sl__plan *p) {
  sl__program *out = p->program;
  int64_t constants = 0;
  for (sl_node i = 1; i < p->nodes; i++) {
    const sl__node *n = &p->g->nodes[i];
    if (!p->live[i] || n->root != i || n->batched) continue;
    const int64_t bytes = align64(sl__shape_count(n->shape) * sl__type_size(n->type));
    if (n->operation == SL__OP_PARAMETER) {
      p->place[i] = (((int64_t)n->integer[0] << 31) | n->integer[1]) * sl__type_size(n->type);
    } else if (sl__sums_rows(n)) {
      p->place[i] = out->accumulator_count++;
    } else if (p->stage[i] == SL__CONSTANT_STAGE) {
      p->place[i] = constants;
      constants += bytes;
    } else {
      p->place[i] = out->shared_bytes;
      out->shared_bytes += bytes;
    }
  }
  out->constants = sl__arena_take(&out->arena, (size_t)constants + 64, 1);
  out->accumulators =
      sl__arena_take(&out->arena, (size_t)out->accumulator_count + 1, sizeof *out->accumulators);
  if (!out->constants || !out->accumulators) return SL_NO_MEMORY;
  for (sl_node i = 1; i < p->nodes; i++) {
    const sl__node *n = &p->g->nodes[i];
    if (!p->live[i] || n->root != i || !sl__sums_rows(n)) continue;
    const int64_t count = sl__shape_count(n->shape);
    out->accumulators[p->place[i]] = (sl__accumulator){
        .offset = out->accumulator_bytes, .count = count, .type = n->type, .output = -1};
    out->accumulator_bytes += align64(count * sl__type_size(n->type));
  }
  return SL_OK;
}

static sl__area area_of(const sl__plan *p, sl_node root) {
  const sl__node *n = &p->g->nodes[root];
  if (n->batched) return SL__AREA_BLOCK;
  if (n->operation == SL__OP_PARAMETER) return SL__AREA_PARAMETER;
  if (sl__sums_rows(n)) return SL__AREA_ACCUMULATOR;
  return p->stage[root] == SL__CONSTANT_STAGE ? SL__AREA_CONSTANT : SL__AREA_SHARED;
}

static sl_status make_values(sl__plan *p) {
  sl__program *out = p->program;
  uint32_t count = 0;
  for (sl_node i = 1; i < p->nodes; i++) p->value[i] = p->live[i] ? count++ : UINT32_MAX;
  out->value_count = count;
  out->values = sl__arena_take(&out->arena, (size_t)count + 1, sizeof *out->values);
  if (!out->values) return SL_NO_MEMORY;
  for (sl_node i = 1; i < p->nodes; i++) {
    if (!p->live[i]) continue;
    const sl__node *n = &p->g->nodes[i];
    int64_t inside;
    const sl_node home = sl__final_home(p, n->root, &inside);
    sl__value *v = &out->values[p->value[i]];
    *v = (sl__value){.area = (uint8_t)area_of(p, n->root),
                     .type = n->type,
                     .batched = n->batched,
                     .shape = n->shape,
                     .root = p->value[n->root],
                     .count = sl__shape_count(n->shape),
                     .offset = p->place[home],
                     .view_offset = n->offset + inside};
    memcpy(v->stride, n->stride, sizeof v->stride);
  }
  return SL_OK;
}

/* ---- steps ---- */

static float cost_of(const sl__node *n, const sl__graph *g) {
  const double rows = n->batched || sl__sums_rows(n) ? 128 : 1;
  const double size = (double)sl__shape_count(n->shape) * (n->type == SL_F32 ? 1 : 2);
  switch (n->operation) {
    case SL__OP_LINEAR:
    case SL__OP_LINEAR_TRANSPOSED:
    case SL__OP_OUTER_ROWS: {
      const sl_shape w =
          n->operation == SL__OP_OUTER_ROWS ? n->shape : g->nodes[n->operand[0]].shape;
      const double out = w.size[0], in = w.size[1];
      /* thin layers are bound by the reading and writing of runs */
      return (float)(rows * (out * in * (n->data ? 0.01 : 0.02) + (out + in) * 0.1) + 200);
    }
    case SL__OP_MATMUL:
      return (float)(size * g->nodes[n->operand[0]].shape.size[1] * rows * 0.1 + 20);
    case SL__OP_TRIANGULAR_SOLVE:
    case SL__OP_CHOLESKY:
      return (float)(size * g->nodes[n->operand[0]].shape.size[0] * rows * 0.1 + 20);
    default: return (float)(size * rows * 0.12 + 10);
  }
}

/* For a product with a staircase: which part of the sum is not zero, for each row of the result. */
static sl_status structure_product(sl__plan *p, const sl__node *n, sl__step *s) {
  const int32_t *extent = n->data;
  const int32_t out = (int32_t)(n->data_bytes / (int64_t)sizeof *extent);
  int32_t *kept = sl__arena_take(&p->program->arena, (size_t)out, sizeof *kept);
  if (!kept) return SL_NO_MEMORY;
  memcpy(kept, extent, (size_t)n->data_bytes);
  if (n->operation == SL__OP_LINEAR) s->k_end = kept;
  if (n->operation == SL__OP_OUTER_ROWS) s->n_end = kept;
  if (n->operation != SL__OP_LINEAR_TRANSPOSED) return SL_OK;
  const int32_t in =
      n->shape
          .size[0]; /* input i is used by the outputs whose extent exceeds i: from first to last */
  int32_t *first = sl__arena_take(&p->program->arena, (size_t)in, sizeof *first);
  int32_t *last = sl__arena_take(&p->program->arena, (size_t)in, sizeof *last);
  if (!first || !last) return SL_NO_MEMORY;
  for (int32_t i = 0; i < in; i++) first[i] = out;
  int32_t reach = 0; /* inputs below it have their first output */
  for (int32_t o = 0; o < out; o++) {
    for (; reach < extent[o] && reach < in; reach++) first[reach] = o;
  }
  int32_t below = 0;
  for (int32_t o = out - 1; o >= 0; o--) {
    for (; below < extent[o] && below < in; below++) last[below] = o + 1;
  }
  s->k_begin = first;
  s->k_end = last;
  return SL_OK;
}

static sl_status copy_data(sl__plan *p, sl_node node, sl__step *s) {
  const sl__node *n = &p->g->nodes[node];
  if (n->operation == SL__OP_LINEAR || n->operation == SL__OP_LINEAR_TRANSPOSED ||
      n->operation == SL__OP_OUTER_ROWS) {
    return n->data ? structure_product(p, n, s) : SL_OK;
  }
  if (n->operation ==
      SL__OP_CONCATENATE) { /* pairs (value, begin) of the parts that are not computed in place */
    int64_t count;
    const sl_node *parts = sl__parts(n, &count);
    uint32_t *copies = sl__arena_take(&p->program->arena, (size_t)count * 2 + 1, sizeof *copies);
    if (!copies) return SL_NO_MEMORY;
    int64_t at = 0, numbers = 0;
    for (int64_t k = 0; k < count; k++) {
      const sl__node *part = &p->g->nodes[parts[k]];
      if (!sl__is_in_place(p, parts[k], node, numbers)) {
        copies[s->data_count++] = p->value[parts[k]];
        copies[s->data_count++] = (uint32_t)at;
      }
      at += part->shape.size[n->integer[0]];
      numbers += sl__shape_count(part->shape);
    }
    s->data = copies;
    return SL_OK;
  }
  if (n->data && n->operation != SL__OP_CONSTANT) {
    void *kept = sl__arena_take(&p->program->arena, (size_t)n->data_bytes, 1);
    if (!kept) return SL_NO_MEMORY;
    memcpy(kept, n->data, (size_t)n->data_bytes);
    s->data = kept;
    s->data_count = n->data_bytes / (int64_t)sizeof(int32_t);
  }
  return SL_OK;
}

static int by_level(const void *a, const void *b) {
  const sl__step *x = a, *y = b;
  if (x->level != y->level) return x->level < y->level ? -1 : 1;
  return (x->value > y->value) - (x->value < y->value);
}

sl_status sl__make_step(sl__plan *p, sl_node i, sl__step *s) {
  const sl__node *n = &p->g->nodes[i];
  *s = (sl__step){.operation = n->operation,
                  .elementwise = n->elementwise,
                  .operands = n->operands,
                  .label = n->label,
                  .value = p->value[i],
                  .attribute = n->attribute,
                  .level = p->level[i],
                  .cost = cost_of(n, p->g)};
  for (int k = 0; k < n->operands; k++) s->operand[k] = p->value[n->operand[k]];
  memcpy(s->integer, n->integer, sizeof s->integer);
  if (sl__is_loop(n)) return sl__make_loop(p, i, s);
  SL__TRY(copy_data(p, i, s));
  return sl__fused_step(p, i, s);
}

static sl_status make_stage(sl__plan *p, int8_t which, sl__arena *arena, sl__stage *stage) {
  int32_t count = 0;
  for (sl_node i = 1; i < p->nodes; i++) {
    count += sl__is_step(p, i) && p->stage[i] == which && !p->loop[i];
  }
  stage->step = sl__arena_take(arena, (size_t)count + 1, sizeof *stage->step);
  if (!stage->step) return SL_NO_MEMORY;
  for (sl_node i = 1; i < p->nodes; i++) {
    if (!sl__is_step(p, i) || p->stage[i] != which || p->loop[i]) continue;
    SL__TRY(sl__make_step(p, i, &stage->step[stage->steps]));
    stage->steps += !sl__is_nothing(&stage->step[stage->steps]);
  }
  qsort(stage->step, (size_t)stage->steps, sizeof *stage->step, by_level);
  for (int32_t i = 0, level = -1, last = -1; i < stage->steps;
       i++) { /* renumber: no empty levels */
    if (stage->step[i].level != last) level++;
    last = stage->step[i].level;
    stage->step[i].level = level;
    stage->levels = level + 1;
  }
  stage->level_begin = sl__arena_take(arena, (size_t)stage->levels + 2, sizeof *stage->level_begin);
  if (!stage->level_begin) return SL_NO_MEMORY;
  for (int32_t i = 0; i < stage->steps; i++) stage->level_begin[stage->step[i].level + 1] = i + 1;
  return SL_OK;
}

/* Fills constants and computes what depends on nothing else. */
static sl_status compute_constants(sl__plan *p) {
  sl__program *out = p->program;
  sl__frame frame = {.program = out, .rows = 1, .lead = 1};
  for (sl_node i = 1; i < p->nodes; i++) {
    const sl__node *n = &p->g->nodes[i];
    if (!p->live[i] || n->operation != SL__OP_CONSTANT) continue;
    const double *from = n->data;
    void *to = sl__address(&frame, &out->values[p->value[i]]);
    const int64_t count = sl__shape_count(n->shape);
    for (int64_t k = 0; k < count; k++) {
      if (n->type == SL_F32)
        ((float *)to)[k] = (float)from[k];
      else
        ((double *)to)[k] = from[k];
    }
  }
  sl__stage constant = {0};
  SL__TRY(make_stage(p, SL__CONSTANT_STAGE, &p->arena, &constant));
  for (int32_t i = 0; i < constant.steps; i++) {
    const size_t bytes = sl__step_scratch(&frame, &constant.step[i]);
    frame.scratch = sl__arena_take(&p->arena, bytes + 64, 1);
    if (!frame.scratch) return SL_NO_MEMORY;
    sl__run_step(&frame, &constant.step[i], 0, 1);
  }
  return SL_OK;
}

static sl_status list_inputs(sl__plan *p) {
  sl__program *out = p->program;
  out->input_count = p->g->inputs;
  out->inputs = sl__arena_take(&out->arena, (size_t)out->input_count + 1, sizeof *out->inputs);
  if (!out->inputs) return SL_NO_MEMORY;
  for (sl_node i = 1; i < p->nodes; i++) {
    const sl__node *n = &p->g->nodes[i];
    if (!p->live[i] || (n->operation != SL__OP_INPUT && n->operation != SL__OP_SHARED_INPUT))
      continue;
    out->inputs[n->integer[0]] =
        (sl__input){.value = p->value[i], .batched = n->batched, .used = true};
  }
  return SL_OK;
}

static sl_status list_outputs(sl__plan *p, int count, const sl_node *outputs) {
  sl__program *out = p->program;
  out->output_count = count;
  out->outputs = sl__arena_take(&out->arena, (size_t)count + 1, sizeof *out->outputs);
  if (!out->outputs) return SL_NO_MEMORY;
  for (int k = 0; k < count; k++) {
    const sl__value *v = &out->values[p->value[outputs[k]]];
    out->outputs[k] = p->value[outputs[k]];
    out->batched_outputs += out->values[out->outputs[k]].batched;
    if (v->area != SL__AREA_ACCUMULATOR || v->view_offset != 0) continue;
    sl__accumulator *a = &out->accumulators[v->offset];
    if (a->output >= 0 || a->count != v->count) continue;
    a->output = k;
  }
  return SL_OK;
}

static sl_status copy_labels(sl__plan *p) {
  sl__program *out = p->program;
  out->labels = sl__arena_take(&out->arena, p->g->label_count, sizeof *out->labels);
  if (!out->labels) return SL_NO_MEMORY;
  for (int i = 0; i < p->g->label_count; i++) {
    out->labels[i] = sl__arena_text(&out->arena, p->g->labels[i], strlen(p->g->labels[i]));
    if (!out->labels[i]) return SL_NO_MEMORY;
  }
  return SL_OK;
}

/* Of all that is computed for a block: by nodes, so that it does not depend on how they are made
 * into steps. */
static float cost_of_block(const sl__plan *p) {
  float cost = 0;
  for (sl_node i = 1; i < p->nodes; i++) {
    const sl__node *n = &p->g->nodes[i];
    if (p->live[i] && p->stage[i] == SL__BLOCK_STAGE && n->root == i) cost += cost_of(n, p->g);
  }
  return cost;
}

/* Every shard of blocks adds into sums of its own: where these are small, short blocks let more
 * threads share a batch; where they are large, or there is too little work to share, a block should
 * be long enough to pay for them.
 * Without sums, a block should stay in a core's level 2 cache. Where a row alone is so long that
 * this is hopeless, memory decides: 16 rows, or a row at a time. */
static int32_t choose_block_rows(const sl__plan *p) {
  const sl__program *program = p->program;
  if (program->accumulator_count) {
    const bool small = program->accumulator_bytes <= SL__SMALL_SUMS;
    return small && cost_of_block(p) > SL__SMALL_COST ? SL__BLOCK_ROWS / 4 : SL__BLOCK_ROWS;
  }
  int32_t rows = SL__BLOCK_ROWS;
  while (rows > SL__BLOCK_ROWS / 4 && program->block_units * 4 * rows > SL__BLOCK_BYTES) rows /= 2;
  while (rows > 16 && program->block_units * 4 * rows > SL__WIDE_BYTES) rows /= 2;
  const bool very_wide = program->block_units * 4 * 16 > SL__WIDE_BYTES;
  return very_wide && program->can_be_narrow ? 1 : rows;
}

/* The search for roots works on sixteen lanes at a time; and runs begin where numbers of 8 bytes
 * may lie only if there are no shorter ones. */
static bool can_be_narrow(const sl__plan *p) {
  for (sl_node i = 1; i < p->nodes; i++) {
    const sl__node *n = &p->g->nodes[i];
    if (p->live[i] && n->batched && (n->type == SL_F32 || n->operation == SL__OP_ROOT))
      return false;
  }
  return true;
}

static bool allocate(sl__plan *p) {
  const size_t n = p->nodes;
#define TAKE(field) (p->field = sl__arena_take(&p->arena, n, sizeof *p->field))
  const bool ok = TAKE(live) && TAKE(stage) && TAKE(ready) && TAKE(level) && TAKE(birth) &&
                  TAKE(death) && TAKE(value) && TAKE(home) && TAKE(home_offset) && TAKE(group) &&
                  TAKE(group_first) && TAKE(group_next) && TAKE(kept) && TAKE(strip_op) &&
                  TAKE(strip_group) && TAKE(place) && TAKE(loop) && TAKE(loop_memory) &&
                  TAKE(last_uses);
#undef TAKE
  return ok;
}

static sl_status make_program(sl__plan *p, int count, const sl_node *outputs) {
  if (!allocate(p)) return SL_NO_MEMORY;
  for (int k = 0; k < count; k++) p->live[outputs[k]] = true;
  for (sl_node i = p->nodes - 1; i >= 1; i--) {
    p->home[i] = i;
    if (!p->live[i]) continue;
    sl__for_operands(p, i, mark_live);
    p->live[p->g->nodes[i].root] = true;
  }
  SL__TRY(sl__find_loops(p, count, outputs));
  SL__TRY(find_stages(p));
  SL__TRY(sl__fuse(p, count, outputs));
  sl__settle_parts(p);
  sl__find_lifetimes(p, count, outputs);
  SL__TRY(sl__place_block_values(p));
  SL__TRY(place_shared_values(p));
  SL__TRY(make_values(p));
  SL__TRY(copy_labels(p));
  SL__TRY(list_inputs(p));
  SL__TRY(compute_constants(p));
  SL__TRY(list_outputs(p, count, outputs));
  for (int8_t stage = SL__SHARED_STAGE; stage <= SL__FINAL_STAGE; stage++) {
    SL__TRY(make_stage(p, stage, &p->program->arena, &p->program->stage[stage]));
  }
  p->program->can_be_narrow = can_be_narrow(p);
  p->program->block_rows = choose_block_rows(p);
  return SL_OK;
}

sl_status sl__program_new(sl_context *context, sl__graph *g, int count, const sl_node *outputs,
                          sl__program **out) {
  *out = NULL;
  sl_node *dense = sl__allocate(context, (size_t)count, sizeof *dense);
  sl__program *program = sl__allocate(context, 1, sizeof *program);
  if (!dense || !program) {
    sl__free(&context->allocator, dense);
    sl__free(&context->allocator, program);
    return SL_NO_MEMORY;
  }
  for (int k = 0; k < count; k++) {
    dense[k] = sl__contiguous(g, outputs[k]);
    if (!dense[k]) sl__graph_refuse(g, SL_BAD_ARGUMENT, "output %d of a program is no value", k);
  }
  sl_status status = g->status;
  sl__arena_open(&program->arena, context);
  if (status == SL_OK) {
    sl__plan p = {.context = context, .g = g, .program = program, .nodes = g->count};
    sl__arena_open(&p.arena, context);
    program->kernels[SL_F32] = sl__kernels_for(context->cpu_features, SL_F32);
    program->kernels[SL_F64] = sl__kernels_for(context->cpu_features, SL_F64);
    status = make_program(&p, count, dense);
    sl__arena_close(&p.arena);
  }
  sl__free(&context->allocator, dense);
  if (status != SL_OK)
    sl__program_free(program);
  else
    *out = program;
  return status;
}

void sl__program_free(sl__program *program) {
  if (!program) return;
  const sl__allocator allocator = program->arena.allocator;
  sl__arena_close(&program->arena);
  sl__free(&allocator, program);
}
