/* What a model consists of, for the files that ask it: model.c as graphs, model_known.c with known
 * numbers. */
#ifndef SL_STAN_MODEL_INSIDE_H
#define SL_STAN_MODEL_INSIDE_H
#include "stan/model.h"
#include "stan/trace.h"
#include "stan/transform.h"

/* A variable that draws have, with its sizes. */
typedef struct sl__stan_output {
  const sl__stan_variable *variable;
  int32_t dims, size[SL__STAN_MAX_DIMS];
  int64_t count;
} sl__stan_output;

typedef struct sl__stan_model_part {
  sl__stan_output *output;
  int count;
  int64_t numbers;
  const char **names;
} sl__stan_model_part;

struct sl__stan_model {
  sl__stan_tracer base; /* after transformed data */
  sl__stan_program *program;
  sl__arena arena;
  const char *data_name; /* of the file, for messages */
  sl__stan_transform *parameter;
  int parameters;
  int64_t dim, name_bytes;
  const char **free_names; /* [dim] */
  sl__stan_model_part part[SL__STAN_PARTS];
};

/* Streams of random numbers: apart from all of base/random.h. */
enum { SL__STREAM_TRANSFORMED_DATA = 0x57414E01, SL__STREAM_GENERATED };

/* A tracer whose frame has the data. */
sl_status sl__stan_model_open(const sl__stan_model *model, sl_context *context, sl__graph *g,
                              sl__stan_tracer *t);
/* Gives the parameters their values, as functions of q [dim]; adds the log Jacobians. */
sl_status sl__stan_model_set_parameters(sl__stan_tracer *t, const sl__stan_model *model, sl_node q);

/* model_blame.c. Appends to the context's message the first number of the data that is not finite,
 * or is NaN, of those that stand in the statement; not, what its functions' or variables' values were
 * made of. name: of the data. */
void sl__stan_blame_data(sl__stan_tracer *t, const char *name, const sl__stan_statement *culprit,
                         bool nan_only);
/* The same for NaN after a block was executed, if its status says that a value was refused. */
void sl__stan_blame_refused(sl__stan_tracer *t, const char *name, sl_status status);
#endif
