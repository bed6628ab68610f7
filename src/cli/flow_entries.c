/* What `sluice flows` shows: every registered layer, base density and transformer, and what a row
 * costs in each direction, which is estimated from the steps of a compiled example. */
#include "cli/flow_entries.h"

#include <stdio.h>
#include <string.h>

/* The arguments of all transformers, by SL__ARGUMENT_... */
static const sl__option_row transformer_arguments[] = {
#define ARGUMENT(transformers, name, type, fallback, low, high, choices, help) \
  {#name, type, fallback, low, high, choices, help},
#include "flow/transformer/transformers.def"
};

bool sl__flow_entry_takes(const sl__flow_entry *e, int argument) {
  return !e->transformer || sl__transformer_takes(e->transformer, argument);
}

bool sl__flow_entry_hands_on(const sl__flow_entry *e, int argument) {
  if (e->transformer || e->argument_count == 0 || e->arguments[0].choices != sl__transformer_names)
    return false;
  for (int i = 0; i < SL__TRANSFORMER_ARGUMENTS; i++)
    if (strcmp(transformer_arguments[i].name, e->arguments[argument].name) == 0) return true;
  return false;
}

int sl__flow_entries(sl__flow_entry *out) {
  int count, found = 0;
  const sl__kind *const *kinds = sl__kinds(&count);
  for (int base = 0; base < 2; base++)
    for (int i = 0; i < count && found < SL__MOST_FLOW_ENTRIES; i++)
      if (sl__kind_is_base(kinds[i]) == (base == 1))
        out[found++] = (sl__flow_entry){.name = kinds[i]->name,
                                        .summary = kinds[i]->summary,
                                        .source = kinds[i]->source,
                                        .role = base ? "base" : "layer",
                                        .examples = kinds[i]->examples,
                                        .arguments = kinds[i]->arguments,
                                        .argument_count = kinds[i]->argument_count,
                                        .kind = kinds[i],
                                        .sample_how = kinds[i]->sample_how,
                                        .log_prob_how = kinds[i]->log_prob_how};
  const sl__transformer *const *transformers = sl__transformers(&count);
  for (int i = 0; i < count && found < SL__MOST_FLOW_ENTRIES; i++)
    out[found++] = (sl__flow_entry){.name = transformers[i]->name,
                                    .summary = transformers[i]->summary,
                                    .source = transformers[i]->source,
                                    .role = "transformer",
                                    .arguments = transformer_arguments,
                                    .argument_count = SL__TRANSFORMER_ARGUMENTS,
                                    .transformer = transformers[i],
                                    .sample_how = transformers[i]->sample_how,
                                    .log_prob_how = transformers[i]->log_prob_how};
  return found;
}

/* ---- what a row costs ---- */

static sl_status program_cost(sl_context *context, const sl__flow *flow, bool sampling,
                              double *out) {
  sl__graph *g = NULL;
  sl__program *program = NULL;
  SL__TRY(sl__graph_new(context, &g));
  sl_node outputs[2] = {0};
  if (sampling) {
    sl__mapped x = sl__flow_sample(flow, g, 0);
    outputs[0] = x.value;
    outputs[1] = x.log_det;
  } else {
    outputs[0] = sl__flow_log_prob(flow, g, op_input(g, flow->type, sl__shape1(flow->dim)), 0);
  }
  sl_status status = sl__program_new(context, g, sampling ? 2 : 1, outputs, &program);
  if (status == SL_OK) *out = sl__program_row_cost(program);
  sl__program_free(program);
  sl__graph_free(g);
  return status;
}

void sl__flow_entry_formula(const sl__flow_entry *e, char *formula, size_t size) {
  if (e->transformer && strcmp(e->name, "circular") == 0) /* at home on a circle only */
    snprintf(formula, size, "uniform(low=-3.14159265,high=3.14159265)-coupling(%s)", e->name);
  else if (e->transformer)
    snprintf(formula, size, "coupling(%s)", e->name);
  else
    snprintf(formula, size, "%s", e->examples && e->examples[0] ? e->examples[0] : e->name);
}

sl__flow_cost sl__flow_cost_of(sl_context *context, const char *formula, int32_t dim) {
  sl__flow_cost out = {.parameters = -1};
  sl__flow *flow = NULL;
  const sl__flow_plan plan = {.formula = formula, .dim = dim, .type = SL_F32, .seed = 1};
  if (sl__flow_new(context, &plan, &flow) != SL_OK) return out;
  if (program_cost(context, flow, false, &out.score) == SL_OK &&
      program_cost(context, flow, true, &out.sample) == SL_OK)
    out.parameters = flow->trainable;
  sl__flow_free(context, flow);
  return out;
}
