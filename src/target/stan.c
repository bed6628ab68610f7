/* Stan programs as targets. The model of src/stan does the work; here stand its questions in a
 * target's terms. */
#include <math.h>
#include "stan/model.h"
#include "target/source.h"

typedef struct stan {
  sl_context *context; /* whose memory the model is; it outlives the target */
  sl__stan_model *model;
} stan;

static const sl__stan_model *model_of(const sl__target *target) {
  return ((const stan *)target->state)->model;
}

static sl_node log_density(const sl__target *target, sl__graph *g, sl_node x, uint32_t flags) {
  return sl__stan_model_log_density(model_of(target), g, x, flags & SL__DENSITY_DROP_CONSTANTS,
                                    !(flags & SL__DENSITY_NO_JACOBIAN));
}

static sl_node log_jacobian(const sl__target *target, sl__graph *g, sl_node x) {
  return sl__stan_model_log_jacobian(model_of(target), g, x);
}

static int32_t count(const sl__target *target, sl__target_part part) {
  return sl__stan_model_count(model_of(target), (sl__stan_part)part);
}

static const char *name(const sl__target *target, sl__target_part part, int32_t i) {
  return sl__stan_model_name(model_of(target), (sl__stan_part)part, i);
}

/* Parameters, and transformed ones, of all rows: a program's work. width: numbers in a row of
 * out. */
static sl_status write_constrained(sl_context *context, const sl__target *target, bool transformed,
                                   int64_t rows, const double *q, int64_t width, double *out) {
  sl__graph *g;
  sl__program *program = NULL;
  sl__workspace *workspace = NULL;
  SL__TRY(sl__graph_new(context, &g));
  const sl_node x = target->dim > 0 ? op_input(g, SL_F64, sl__shape1(target->dim)) : 0;
  const sl_node y = sl__stan_model_constrain(model_of(target), g, x, transformed);
  sl_status status = sl__graph_status(g);
  if (status == SL_OK) status = sl__program_new(context, g, 1, &y, &program);
  if (status == SL_OK) status = sl__workspace_new(context, program, rows, &workspace);
  if (status == SL_OK) {
    const sl__feed feed = {q, SL_F64, target->dim, 1, NULL};
    const sl__sink sink = {out, SL_F64, width, 1};
    const sl__run run = {.rows = rows, .feeds = &feed, .sinks = &sink};
    status = sl__program_run(context, program, workspace, &run);
  }
  sl__workspace_free(workspace);
  sl__program_free(program);
  sl__graph_free(g);
  return status;
}

/* Generated quantities of one row. What the program says against this row (reject, a constraint
 * that does not hold, a distribution's argument) makes it NaN; an index that is out of range or
 * sizes that do not match are faults of the program, and end it. */
static sl_status write_generated(sl_context *context, const sl__target *target, const double *q,
                                 uint64_t seed, int64_t row, int32_t numbers, double *out) {
  const sl_status status =
      sl__stan_model_generate(context, model_of(target), q, seed, (uint64_t)row, out);
  if (status != SL_NUMERIC) return status;
  for (int32_t i = 0; i < numbers; i++) out[i] = (double)NAN;
  return SL_OK;
}

static sl_status write(sl_context *context, const sl__target *target, sl__target_part last,
                       int64_t rows, const double *q, uint64_t seed, int64_t first_row,
                       double *out) {
  const int32_t width = sl__target_width(target, last);
  const int32_t generated = last == SL__TARGET_GENERATED ? count(target, SL__TARGET_GENERATED) : 0;
  const int32_t constrained = width - generated;
  if (constrained > 0)
    SL__TRY(
        write_constrained(context, target, last >= SL__TARGET_TRANSFORMED, rows, q, width, out));
  for (int64_t r = 0; r < rows && generated > 0; r++)
    SL__TRY(write_generated(context, target, q + r * target->dim, seed, first_row + r, generated,
                            out + r * width + constrained));
  return SL_OK;
}

static sl_status unconstrain_rows(sl_context *context, const sl__target *target, int64_t rows,
                                  const double *parameters, double *q, int64_t *row) {
  return sl__stan_model_unconstrain(context, model_of(target), rows, parameters, q, row);
}

static sl_status explain(sl_context *context, const sl__target *target, const double *q) {
  return sl__stan_model_explain(context, model_of(target), q);
}

static void close_model(sl__target *target) {
  const stan *s = target->state;
  sl__stan_model_free(s->context, s->model);
}

static const sl__target_source source = {.kind = "Stan program",
                                         .log_density = log_density,
                                         .count = count,
                                         .name = name,
                                         .write = write,
                                         .unconstrain_rows = unconstrain_rows,
                                         .log_jacobian = log_jacobian,
                                         .explain = explain,
                                         .close = close_model};

/* Takes the model over. */
static sl_status wrap_model(sl_context *context, const char *title, sl__stan_model *model,
                            sl__target **out) {
  const int32_t dim = sl__stan_model_dim(model);
  const sl_status status = sl__target_make(context, &source, title, dim, sizeof(stan), out);
  if (status != SL_OK) {
    sl__stan_model_free(context, model);
    return status;
  }
  *(stan *)(*out)->state = (stan){context, model};
  const char **names = sl__arena_take(&(*out)->arena, (size_t)dim, sizeof *names);
  if (!names) {
    sl__target_free(*out);
    *out = NULL;
    return SL_NO_MEMORY;
  }
  for (int32_t i = 0; i < dim; i++) names[i] = sl__stan_model_unconstrained_name(model, i);
  (*out)->names = names;
  return SL_OK;
}

sl_status sl__target_stan(sl_context *context, const char *name_of_file, const char *program,
                          size_t length, const char *data_name, const char *data,
                          size_t data_length, uint64_t seed, sl__target **out) {
  sl__stan_program *tree;
  sl__stan_model *model;
  *out = NULL;
  SL__TRY(sl__stan_parse(context, name_of_file, program, length, &tree));
  sl_status status = sl__stan_check(context, tree);
  if (status == SL_OK && !data && tree->block[SL__STAN_DATA])
    status = sl__fail(context, SL_BAD_ARGUMENT,
                      "%.200s: the program has a block data, and there are none; give its data as "
                      "JSON, --data d.json",
                      name_of_file);
  if (status != SL_OK) {
    sl__stan_program_free(context, tree);
    return status;
  }
  SL__TRY(sl__stan_model_new(context, tree, data_name, data, data_length, seed, &model));
  SL__TRY(wrap_model(context, name_of_file, model, out));
  const sl__stan_texts texts = {name_of_file, program, length, data_name, data, data_length};
  status = sl__target_remember_stan(context, *out, &texts, seed);
  if (status != SL_OK) {
    sl__target_free(*out);
    *out = NULL;
  }
  return status;
}
