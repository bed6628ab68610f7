/* Running programs: stages, blocks of rows, shards, threads. Nothing is allocated while one runs.
 *
 * Rows are cut into blocks of equal size that depends on the number of rows alone; a run of
 * consecutive blocks is a shard, with accumulators of its own; shards are added in order. Threads
 * pick up shards (many blocks) or share one block's steps. */
#include <math.h>
#include <string.h>

#include "base/pool.h"
#include "graph/operations.h"
#include "kernels/kernels.h"

/* ---- one step ---- */

void sl__run_step(const sl__frame *frame, const sl__step *step, int64_t part, int64_t parts) {
  const sl__operation_row *row = &sl__operations[step->operation];
  if (!row->units) {
    if (part == 0) row->run(frame, step, 0, 1);
    return;
  }
  const int64_t units = row->units(frame, step);
  const int64_t begin = units * part / parts, end = units * (part + 1) / parts;
  if (begin < end) row->run(frame, step, begin, end);
}

/* ---- memory ---- */

/* Runs a large power of two apart would fall on the same few cache sets, which a matrix product
 * cannot bear. */
static int64_t lead_for(int64_t rows) {
  const int64_t lead = (rows + 15) & ~(int64_t)15;
  return lead % 128 ? lead : lead + 16;
}

typedef struct cutting {
  int64_t blocks, block_rows, shards;
} cutting;

static cutting cut_rows(const sl__program *program, int64_t rows) {
  cutting c = {.blocks = (rows + program->block_rows - 1) / program->block_rows};
  if (c.blocks < 1) c.blocks = 1;
  c.block_rows = (rows + c.blocks - 1) / c.blocks;
  if (program->block_rows > 1) c.block_rows = (c.block_rows + 15) & ~(int64_t)15;
  if (c.block_rows < 1) c.block_rows = 1;
  c.blocks = rows > 0 ? (rows + c.block_rows - 1) / c.block_rows : 1;
  c.shards = c.blocks;
  if (program->accumulator_count && c.shards > SL__MAX_SHARDS) c.shards = SL__MAX_SHARDS;
  return c;
}

static size_t largest_scratch(const sl__workspace *w) {
  size_t most = 0;
  sl__frame frame = {.program = w->program,
                     .shared = w->shared,
                     .block = w->shared,
                     .accumulators = w->accumulator_pointer,
                     .rows = w->max_lead,
                     .lead = w->max_lead,
                     .parameters = w->shared};
  const int64_t rows[5] = {1, 2, 3, 4, w->max_lead}; /* few rows may take another road */
  for (int stage = 0; stage < 3; stage++) {
    for (int32_t i = 0; i < w->program->stage[stage].steps; i++) {
      const sl__step *s = &w->program->stage[stage].step[i];
      for (int k = 0; k < 5; k++) {
        frame.rows = rows[k];
        const size_t bytes = sl__step_scratch(&frame, s);
        if (bytes > most) most = bytes;
      }
    }
  }
  return most;
}

static void *take(sl__workspace *w, size_t count, size_t size) {
  return sl__arena_take(&w->arena, count + 1, size);
}

static sl_status fill_workspace(sl_context *context, sl__workspace *w, int64_t max_rows) {
  const sl__program *program = w->program;
  const cutting c = cut_rows(program, max_rows);
  const bool any_rows = program->accumulator_count == 0 || max_rows >= program->block_rows;
  w->max_lead = (int32_t)lead_for(any_rows ? program->block_rows : max_rows);
  if (program->block_rows == 1) w->max_lead = 1;
  w->shards = program->accumulator_count ? (int32_t)c.shards : 1;
  w->shared = take(w, (size_t)program->shared_bytes + 64, 1);
  w->own_accumulators = take(w, (size_t)program->accumulator_bytes, 1);
  w->shard_memory = take(w, (size_t)(w->shards - 1) * (size_t)program->accumulator_bytes, 1);
  w->accumulator_pointer =
      take(w, (size_t)w->shards * (size_t)(program->accumulator_count + 1), sizeof(void *));
  w->block = take(w, (size_t)w->threads, sizeof(char *));
  w->scratch = take(w, (size_t)w->threads, sizeof(char *));
  if (!w->shared || !w->own_accumulators || !w->shard_memory || !w->accumulator_pointer ||
      !w->block || !w->scratch)
    return SL_NO_MEMORY;
  for (int32_t s = 0; s < w->shards; s++) {
    char *memory =
        s == 0 ? w->own_accumulators : w->shard_memory + (s - 1) * program->accumulator_bytes;
    for (int32_t a = 0; a < program->accumulator_count; a++) {
      w->accumulator_pointer[s * program->accumulator_count + a] =
          memory + program->accumulators[a].offset;
    }
  }
  const size_t block_bytes = (size_t)program->block_units * 4 * (size_t)w->max_lead,
               scratch = largest_scratch(w);
  for (int t = 0; t < w->threads; t++) {
    w->block[t] = take(w, block_bytes + 64, 1);
    w->scratch[t] = take(w, scratch + 64, 1);
    if (!w->block[t] || !w->scratch[t]) return SL_NO_MEMORY;
  }
  for (int stage = 0; stage < 3; stage++) {
    SL__TRY(sl__division_make(context, &w->arena, program, &program->stage[stage], w->threads,
                              &w->division[stage]));
  }
  return sl__lists_new(w);
}

sl_status sl__workspace_new(sl_context *context, const sl__program *program, int64_t max_rows,
                            sl__workspace **out) {
  *out = NULL;
  sl__workspace *w = sl__allocate(context, 1, sizeof *w);
  if (!w) return SL_NO_MEMORY;
  sl__arena_open(&w->arena, context);
  w->program = program;
  w->threads = context->threads;
  w->max_rows = max_rows > 0 ? max_rows : 1;
  const sl_status status = fill_workspace(context, w, w->max_rows);
  if (status != SL_OK)
    sl__workspace_free(w);
  else
    *out = w;
  return status;
}

void sl__workspace_free(sl__workspace *w) {
  if (!w) return;
  const sl__allocator allocator = w->arena.allocator;
  sl__arena_close(&w->arena);
  sl__free(&allocator, w);
}

/* ---- a run ---- */

typedef struct job {
  sl_context *context;
  const sl__program *program;
  sl__workspace *workspace;
  const sl__run *run;
  cutting cut;
  sl__frame frame;     /* what all steps share */
  _Atomic int failure; /* of a function from outside */
  int stage;
  const sl__lists *lists; /* NULL: there are none for this run */
} job;

static void store_outputs(const job *j, const sl__frame *f) {
  if (j->program->batched_outputs == 0) return;
  for (int32_t k = 0; k < j->program->output_count; k++) {
    const sl__value *v = &j->program->values[j->program->outputs[k]];
    const sl__sink *sink = &j->run->sinks[k];
    if (!v->batched || !sink->data) continue;
    const bool plain = sink->row_stride == 0 && sink->column_stride == 0;
    const int64_t row_stride = plain ? v->count : sink->row_stride,
                  column_stride = plain ? 1 : sink->column_stride;
    char *target = (char *)sink->data + f->first_row * row_stride * sl__type_size(sink->type);
    j->program->kernels[v->type]->store_rows(v->count, f->rows, f->lead, sl__address(f, v), target,
                                             sink->type, row_stride, column_stride);
  }
}

static sl__frame block_frame(const job *j, int64_t block, int worker) {
  sl__frame f = j->frame;
  f.first_row = block * j->cut.block_rows;
  f.rows = j->run->rows - f.first_row < j->cut.block_rows ? j->run->rows - f.first_row
                                                          : j->cut.block_rows;
  const bool one_row = j->run->rows == 1 || j->program->block_rows == 1;
  f.lead = one_row && j->program->can_be_narrow ? 1 : lead_for(f.rows);
  f.block = j->workspace->block[worker];
  f.scratch = j->workspace->scratch[worker];
  return f;
}

static bool is_listed(const job *j, int stage) {
  return j->lists && j->lists->listed[stage];
}

/* All blocks of one shard, one after another, on one thread. */
static void run_shard(void *user, int64_t shard, int worker) {
  const job *j = user;
  const sl__stage *stage = &j->program->stage[1];
  const int64_t begin = j->cut.blocks * shard / j->cut.shards;
  const int64_t end = j->cut.blocks * (shard + 1) / j->cut.shards;
  for (int64_t block = begin; block < end; block++) {
    sl__frame f = block_frame(j, block, worker);
    if (j->program->accumulator_count)
      f.accumulators = j->workspace->accumulator_pointer + shard * j->program->accumulator_count;
    f.accumulate = block > begin;
    if (worker == 0 && is_listed(j, 1))
      sl__run_list(j->lists, 1, &f);
    else
      for (int32_t i = 0; i < stage->steps; i++) sl__run_step(&f, &stage->step[i], 0, 1);
    store_outputs(j, &f);
  }
}

/* One stage (for stage 1: one block) on all threads together. */
static void run_team(void *user, sl__team *team, int worker, int workers) {
  const job *j = user;
  const sl__stage *stage = &j->program->stage[j->stage];
  const sl__division *division = &j->workspace->division[j->stage];
  sl__frame f = j->frame;
  f.scratch = j->workspace->scratch[worker];
  for (int32_t level = 0; level < stage->levels; level++) {
    if (division->barrier[level]) sl__barrier(team, worker);
    const int32_t *begin = &division->begin[level * workers + worker];
    for (int32_t i = begin[0]; i < begin[1]; i++) {
      const sl__assignment a = division->assignment[i];
      sl__run_step(&f, &stage->step[a.step], a.part, a.parts);
    }
  }
}

/* A stage that is not cut into blocks. */
static void run_stage(job *j, int stage) {
  const sl__stage *s = &j->program->stage[stage];
  if (s->steps == 0) return;
  j->stage = stage;
  if (!j->workspace->division[stage].alone) {
    sl__team_run(j->context, run_team, j);
    return;
  }
  j->frame.scratch = j->workspace->scratch[0];
  if (is_listed(j, stage)) {
    sl__run_list(j->lists, stage, &j->frame);
    return;
  }
  for (int32_t i = 0; i < s->steps; i++) sl__run_step(&j->frame, &s->step[i], 0, 1);
}

enum { REDUCE_CHUNK = 1 << 14 };

/* Adds the shards of one stretch of one accumulator, in order, into the first. */
static void add_shards(void *user, int64_t chunk, int worker) {
  (void)worker;
  const job *j = user;
  int64_t rest = chunk;
  for (int32_t a = 0; a < j->program->accumulator_count; a++) {
    const sl__accumulator *accumulator = &j->program->accumulators[a];
    const int64_t chunks = (accumulator->count + REDUCE_CHUNK - 1) / REDUCE_CHUNK;
    if (rest >= chunks) {
      rest -= chunks;
      continue;
    }
    const int64_t begin = rest * REDUCE_CHUNK, size = sl__type_size(accumulator->type);
    const int64_t count =
        accumulator->count - begin < REDUCE_CHUNK ? accumulator->count - begin : REDUCE_CHUNK;
    const sl__elementwise_kernel add =
        j->program->kernels[accumulator->type]->elementwise[SL__EW_add];
    char *sum = (char *)j->workspace->accumulator_pointer[a] + begin * size;
    for (int64_t s = 1; s < j->cut.shards; s++) {
      add(count, sum, sum,
          (char *)j->workspace->accumulator_pointer[s * j->program->accumulator_count + a] +
              begin * size,
          NULL, 0, 0);
    }
    return;
  }
}

static void run_blocks(job *j) {
  if (j->cut.blocks == 1 && !j->workspace->division[1].alone) {
    j->stage = 1;
    const sl__frame shared = j->frame;
    j->frame = block_frame(j, 0, 0);
    sl__team_run(j->context, run_team, j);
    store_outputs(j, &j->frame);
    j->frame = shared;
    return;
  }
  if (j->workspace->threads == 1) {
    for (int64_t shard = 0; shard < j->cut.shards; shard++) run_shard(j, shard, 0);
  } else {
    sl__parallel(j->context, j->cut.shards, run_shard, j);
  }
  if (j->cut.shards > 1 && j->program->accumulator_count) {
    int64_t chunks = 0;
    for (int32_t a = 0; a < j->program->accumulator_count; a++)
      chunks += (j->program->accumulators[a].count + REDUCE_CHUNK - 1) / REDUCE_CHUNK;
    sl__parallel(j->context, chunks, add_shards, j);
  }
}

static void convert(int64_t count, void *to, int to_type, const void *from, int from_type) {
  if (to_type == from_type) {
    memcpy(to, from, (size_t)(count * sl__type_size(to_type)));
    return;
  }
  for (int64_t i = 0; i < count; i++) {
    if (to_type == SL_F32)
      ((float *)to)[i] = (float)((const double *)from)[i];
    else
      ((double *)to)[i] = (double)((const float *)from)[i];
  }
}

/* Sums over rows go straight into the caller's memory where that has their type. */
static void place_accumulators(job *j) {
  for (int32_t a = 0; a < j->program->accumulator_count; a++) {
    const sl__accumulator *accumulator = &j->program->accumulators[a];
    void *own = j->workspace->own_accumulators + accumulator->offset;
    const sl__sink *sink = accumulator->output >= 0 ? &j->run->sinks[accumulator->output] : NULL;
    const bool direct = sink && sink->data && (int)sink->type == accumulator->type;
    j->workspace->accumulator_pointer[a] = direct ? sink->data : own;
  }
}

static void store_shared_outputs(const job *j) {
  for (int32_t k = 0; k < j->program->output_count; k++) {
    const sl__value *v = &j->program->values[j->program->outputs[k]];
    const sl__sink *sink = &j->run->sinks[k];
    if (v->batched || !sink->data) continue;
    const void *from = sl__address(&j->frame, v);
    if (from != sink->data) convert(v->count, sink->data, (int)sink->type, from, v->type);
  }
}

static sl_status prepare(sl_context *context, const sl__program *program, sl__workspace *workspace,
                         const sl__run *run, job *j) {
  if (run->rows < 0 || (program->accumulator_count && run->rows > workspace->max_rows)) {
    return sl__fail(context, SL_BAD_ARGUMENT, "%lld rows for a workspace made for %lld",
                    (long long)run->rows, (long long)workspace->max_rows);
  }
  *j = (job){.context = context,
             .program = program,
             .workspace = workspace,
             .run = run,
             .cut = cut_rows(program, run->rows)};
  if (workspace->threads != context->threads) {
    return sl__fail(
        context, SL_BAD_ARGUMENT,
        "a workspace for %d threads in a context of %d; make the workspace with this context",
        workspace->threads, context->threads);
  }
  place_accumulators(j);
  j->frame = (sl__frame){.program = program,
                         .run = run,
                         .parameters = run->parameters,
                         .shared = workspace->shared,
                         .accumulators = workspace->accumulator_pointer,
                         .failure = &j->failure,
                         .rows = 1,
                         .lead = 1};
  for (int32_t i = 0; i < program->input_count; i++) {
    const sl__input *input = &program->inputs[i];
    if (!input->used || input->batched) continue;
    const sl__value *v = &program->values[input->value];
    convert(v->count, sl__address(&j->frame, v), v->type, run->feeds[i].data,
            (int)run->feeds[i].type);
  }
  return SL_OK;
}

/* No rows: sums over rows are zero. */
static void clear_accumulators(const job *j) {
  for (int32_t a = 0; a < j->program->accumulator_count; a++) {
    const sl__accumulator *accumulator = &j->program->accumulators[a];
    memset(j->workspace->accumulator_pointer[a], 0,
           (size_t)(accumulator->count * sl__type_size(accumulator->type)));
  }
}

static void find_lists(job *j) {
  if (j->run->rows == 0 || j->cut.blocks > 1) return;
  j->frame.scratch = j->workspace->scratch[0];
  const sl__frame block = block_frame(j, 0, 0);
  if (sl__lists_ready(j->workspace, &j->frame, &block)) j->lists = &j->workspace->lists;
}

sl_status sl__program_run(sl_context *context, const sl__program *program, sl__workspace *workspace,
                          const sl__run *run) {
  job j;
  SL__TRY(prepare(context, program, workspace, run, &j));
  find_lists(&j);
  run_stage(&j, 0);
  if (run->rows == 0)
    clear_accumulators(&j);
  else
    run_blocks(&j);
  run_stage(&j, 2);
  store_shared_outputs(&j);
  const sl_status failure = (sl_status)atomic_load(&j.failure);
  if (failure == SL_OK) return SL_OK;
  return sl__fail(context, failure, "a function from outside ended the run");
}

/* ---- what went wrong ---- */

static bool all_finite(const sl__frame *f, const sl__value *v, int64_t *row) {
  const int64_t lanes = v->batched ? f->rows : 1, lead = sl__lanes(f, v);
  const char *data = sl__address(f, v);
  for (int64_t r = 0; r < lanes; r++) {
    for (int64_t i = 0; i < v->count; i++) {
      const int64_t at = i * lead + r;
      const double number =
          v->type == SL_F32 ? (double)((const float *)data)[at] : ((const double *)data)[at];
      if (isfinite(number)) continue;
      *row = v->batched ? f->first_row + r : -1;
      return false;
    }
  }
  return true;
}

static const char *operation_name(int operation, int elementwise) {
  return operation == SL__OP_ELEMENTWISE ? sl__elementwise_name((sl__elementwise)elementwise)
                                         : sl__operations[operation].name;
}

static sl_status name_culprit(const job *j, const sl__step *s, const char *name, int64_t row) {
  const char *label = j->program->labels[s->label];
  const char *where = *label ? label : "outside any layer";
  if (row < 0)
    return sl__fail(j->context, SL_NUMERIC, "%s: %s is the first to make a non-finite value", where,
                    name);
  return sl__fail(j->context, SL_NUMERIC,
                  "%s: %s is the first to make a non-finite value, in row %lld", where, name,
                  (long long)row);
}

static sl_status check_step(const job *j, const sl__frame *f, const sl__step *s) {
  static const sl__operation operations[] = {SL__OP_ELEMENTWISE, SL__OP_STRIPS, SL__OP_STRIPS,
                                             SL__OP_GATHER,      SL__OP_SUM,    SL__OP_SCATTER};
  const sl__value *values = j->program->values;
  int64_t row;
  for (int32_t i = 0; s->strips && i < s->strips->count; i++) {
    const sl__strip_op *op = &s->strips->op[i];
    if (op->value == SL__NO_VALUE || all_finite(f, &values[op->value], &row)) continue;
    return name_culprit(j, s, operation_name(operations[op->kind], op->elementwise), row);
  }
  if (s->strips || s->operation == SL__OP_CONCATENATE || all_finite(f, &values[s->value], &row))
    return SL_OK;
  return name_culprit(j, s, operation_name(s->operation, s->elementwise), row);
}

static sl_status check_stage(job *j, int stage, sl__frame *f) {
  const sl__stage *s = &j->program->stage[stage];
  for (int32_t i = 0; i < s->steps; i++) {
    sl__run_step(f, &s->step[i], 0, 1);
    SL__TRY(check_step(j, f, &s->step[i]));
  }
  return SL_OK;
}

sl_status sl__program_diagnose(sl_context *context, const sl__program *program,
                               sl__workspace *workspace, const sl__run *run) {
  job j;
  SL__TRY(prepare(context, program, workspace, run, &j));
  j.frame.scratch = workspace->scratch[0];
  SL__TRY(check_stage(&j, 0, &j.frame));
  for (int64_t block = 0; run->rows > 0 && block < j.cut.blocks; block++) {
    sl__frame f = block_frame(&j, block, 0);
    f.accumulate = block > 0;
    SL__TRY(check_stage(&j, 1, &f));
  }
  return check_stage(&j, 2, &j.frame);
}
