/* sluice flows [NAME]: the registries of layers, base densities and transformers, with arguments,
 * how each direction is computed and about what it costs. */
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "flow/transformer/transformer.h"

static const char *how_text(sl__how how) {
  switch (how) {
    case SL__HOW_CLOSED_FORM: return "closed form";
    case SL__HOW_SEQUENTIAL: return "sequential";
    case SL__HOW_ITERATIVE: return "iterative";
  }
  return "";
}

static const char *type_text(const sl__option_row *row) {
  switch (row->type) {
    case SL__OPTION_INT: return "integer";
    case SL__OPTION_REAL: return "real";
    case SL__OPTION_BOOL: return "true or false";
    case SL__OPTION_TEXT: return "text";
    case SL__OPTION_CHOICE: return row->choices;
    case SL__OPTION_SIZES: return "sizes, 256x256";
    case SL__OPTION_FORMULA: return "formula";
  }
  return "";
}

/* A kind or a transformer, as this page shows it. */
typedef struct entry {
  const char *name, *summary, *source;
  const char *role; /* "layer", "base", "transformer" */
  const char *const *examples;
  const sl__option_row *arguments;
  int argument_count;
  const sl__transformer *transformer; /* whose arguments alone count, or NULL */
  sl__how sample_how, log_prob_how;
} entry;

enum { MOST_ENTRIES = 256 };

static bool takes(const entry *e, int argument) {
  return !e->transformer || sl__transformer_takes(e->transformer, argument);
}

/* The arguments of all transformers, by SL__ARGUMENT_... */
static const sl__option_row transformer_arguments[] = {
#define ARGUMENT(transformers, name, type, fallback, low, high, choices, help) \
  {#name, type, fallback, low, high, choices, help},
#include "flow/transformer/transformers.def"
};

static int list_entries(entry *out) {
  int count, found = 0;
  const sl__kind *const *kinds = sl__kinds(&count);
  for (int base = 0; base < 2; base++)
    for (int i = 0; i < count && found < MOST_ENTRIES; i++)
      if (sl__kind_is_base(kinds[i]) == (base == 1))
        out[found++] = (entry){kinds[i]->name,           kinds[i]->summary,
                               kinds[i]->source,         base ? "base" : "layer",
                               kinds[i]->examples,       kinds[i]->arguments,
                               kinds[i]->argument_count, NULL,
                               kinds[i]->sample_how,     kinds[i]->log_prob_how};
  const sl__transformer *const *transformers = sl__transformers(&count);
  for (int i = 0; i < count && found < MOST_ENTRIES; i++)
    out[found++] = (entry){transformers[i]->name,
                           transformers[i]->summary,
                           transformers[i]->source,
                           "transformer",
                           NULL,
                           transformer_arguments,
                           SL__TRANSFORMER_ARGUMENTS,
                           transformers[i],
                           transformers[i]->sample_how,
                           transformers[i]->log_prob_how};
  return found;
}

/* ---- what a row costs ---- */

static const int32_t cost_dims[] = {2, 8, 64};
enum { COST_DIMS = sizeof cost_dims / sizeof cost_dims[0] };

typedef struct cost {
  int64_t parameters;   /* trained; -1: the flow cannot be made at this dim */
  double score, sample; /* nanoseconds a row */
} cost;

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

/* The first example of an entry as a flow of its own. */
static void example_formula(const entry *e, char *formula, size_t size) {
  if (e->transformer && strcmp(e->name, "circular") == 0) /* at home on a circle only */
    snprintf(formula, size, "uniform(low=-3.14159265,high=3.14159265)-coupling(%s)", e->name);
  else if (e->transformer)
    snprintf(formula, size, "coupling(%s)", e->name);
  else
    snprintf(formula, size, "%s", e->examples && e->examples[0] ? e->examples[0] : e->name);
}

static cost find_cost(sl_context *context, const char *formula, int32_t dim) {
  cost out = {.parameters = -1};
  sl__flow *flow = NULL;
  const sl__flow_plan plan = {.formula = formula, .dim = dim, .type = SL_F32, .seed = 1};
  if (sl__flow_new(context, &plan, &flow) != SL_OK) return out;
  if (program_cost(context, flow, false, &out.score) == SL_OK &&
      program_cost(context, flow, true, &out.sample) == SL_OK)
    out.parameters = flow->trainable;
  sl__flow_free(context, flow);
  return out;
}

/* ---- printing ---- */

static void add_arguments(sl__json *json, const entry *e) {
  sl__json_open_array(json, "arguments");
  for (int i = 0; i < e->argument_count; i++) {
    const sl__option_row *row = &e->arguments[i];
    if (!takes(e, i)) continue;
    sl__json_open_object(json, NULL);
    sl__json_text(json, "name", row->name);
    sl__json_text(json, "type", type_text(row));
    sl__json_text(json, "default", row->fallback);
    sl__json_text(json, "help", row->help);
    sl__json_close_object(json);
  }
  sl__json_close_array(json);
}

static void add_costs(sl__json *json, sl_context *context, const char *formula) {
  sl__json_open_array(json, "cost");
  for (int i = 0; i < COST_DIMS; i++) {
    cost c = find_cost(context, formula, cost_dims[i]);
    if (c.parameters < 0) continue;
    sl__json_open_object(json, NULL);
    sl__json_integer(json, "dim", cost_dims[i]);
    sl__json_integer(json, "parameters", c.parameters);
    sl__json_real(json, "score_ns", c.score);
    sl__json_real(json, "sample_ns", c.sample);
    sl__json_close_object(json);
  }
  sl__json_close_array(json);
}

static void add_json(sl__json *json, sl_context *context, const entry *e) {
  char formula[128];
  example_formula(e, formula, sizeof formula);
  sl__json_open_object(json, NULL);
  sl__json_text(json, "name", e->name);
  sl__json_text(json, "role", e->role);
  sl__json_text(json, "summary", e->summary);
  add_arguments(json, e);
  sl__json_text(json, "sample", how_text(e->sample_how));
  sl__json_text(json, "log_prob", how_text(e->log_prob_how));
  sl__json_text(json, "source", e->source);
  sl__json_open_array(json, "examples");
  for (int i = 0; e->examples && e->examples[i]; i++) sl__json_text(json, NULL, e->examples[i]);
  sl__json_close_array(json);
  sl__json_text(json, "cost_of", formula);
  add_costs(json, context, formula);
  sl__json_close_object(json);
}

static void add_heading(sl__text *text, const char *role) {
  if (strcmp(role, "layer") == 0)
    sl__text_add(text, "Layers%*s%-12s %-12s what it is\n", 11, "", "sampling", "log density");
  else if (strcmp(role, "base") == 0)
    sl__text_add(text, "\nBase densities (first in a formula, or --base)\n");
  else
    sl__text_add(text, "\nTransformers (in coupling, maf, iaf, elementwise)\n");
}

static bool turns_round(const entry *e) {
  return strcmp(e->name, "inverse") == 0;
}

static const char *direction_text(const entry *e, bool sampling) {
  if (turns_round(e)) return "exchanged";
  return how_text(sampling ? e->sample_how : e->log_prob_how);
}

static void add_line(sl__text *text, const entry *e) {
  sl__text_add(text, "%-16s %-12s %-12s %s\n", e->name, direction_text(e, true),
               direction_text(e, false), e->summary);
}

static void add_page(sl__text *text, sl_context *context, const entry *e) {
  sl__text_add(text, "%s (%s): %s\n", e->name, e->role, e->summary);
  if (turns_round(e))
    sl__text_add(text, "  sampling, log density: as its formula, exchanged\n");
  else
    sl__text_add(text, "  sampling: %s, log density: %s\n", how_text(e->sample_how),
                 how_text(e->log_prob_how));
  sl__text_add(text, "  source: %s\n", e->source);
  for (int i = 0; i < e->argument_count; i++) {
    const sl__option_row *row = &e->arguments[i];
    if (!takes(e, i)) continue;
    sl__text_add(text, "  %-14s %s (%s)", row->name, row->help, type_text(row));
    if (row->fallback) sl__text_add(text, " [%s]", row->fallback);
    sl__text_add(text, "\n");
  }
  for (int i = 0; e->examples && e->examples[i]; i++)
    sl__text_add(text, "%s%s%s", i == 0 ? "  examples: " : ", ", e->examples[i],
                 e->examples[i + 1] ? "" : "\n");
  char formula[128];
  example_formula(e, formula, sizeof formula);
  sl__text_add(text, "  cost of %s, estimated, per row on one core:\n", formula);
  for (int i = 0; i < COST_DIMS; i++) {
    cost c = find_cost(context, formula, cost_dims[i]);
    if (c.parameters < 0) continue;
    char score[64], sample[64];
    sl__format_fixed(score, c.score / 1000, 3);
    sl__format_fixed(sample, c.sample / 1000, 3);
    sl__text_add(text, "    %2d features: scored in %s us, drawn in %s us; %lld parameters\n",
                 cost_dims[i], score, sample, (long long)c.parameters);
  }
}

static int unknown_flow(const sl__cli *cli, const entry *entries, int count, const char *name) {
  const char *names[MOST_ENTRIES];
  for (int i = 0; i < count; i++) names[i] = entries[i].name;
  const char *near = sl__nearest_name(name, names, count);
  if (near) return sl__cli_refuse(cli, "no flow \"%s\"; did you mean \"%s\"?", name, near);
  return sl__cli_refuse(cli, "no flow \"%s\"; `sluice flows` lists them", name);
}

static int run(sl__cli *cli) {
  entry entries[MOST_ENTRIES];
  int count = list_entries(entries), found = 0;
  const char *wanted = cli->argument_count > 0 ? cli->arguments[0] : NULL;
  const char *role = "";
  sl__text text;
  sl__json json;
  if (cli->json) {
    sl__cli_json_open(cli, &text, &json);
    sl__json_open_array(&json, "flows");
  } else {
    sl__text_open(&text, cli->context);
  }
  for (int i = 0; i < count; i++) {
    const entry *e = &entries[i];
    if (wanted && strcmp(e->name, wanted) != 0) continue;
    found++;
    if (cli->json) {
      add_json(&json, cli->context, e);
    } else if (wanted) {
      add_page(&text, cli->context, e);
    } else {
      if (strcmp(role, e->role) != 0) add_heading(&text, e->role);
      role = e->role;
      add_line(&text, e);
    }
  }
  if (found == 0) {
    sl__text_close(&text);
    return unknown_flow(cli, entries, count, wanted);
  }
  if (!cli->json) return sl__cli_print(cli, &text);
  sl__json_close_array(&json);
  return sl__cli_json_close(cli, &text, &json);
}

const sl__command sl__command_flows = {
    .name = "flows",
    .arguments = "[NAME]",
    .summary = "list the layers a flow can be made of, or the arguments of one",
    .details = "A formula joins layers by '-', from the base noise to the data; *n repeats:\n"
               "  lu-coupling(rqs,bins=8,hidden=64x64)*4-(lu-maf)*2\n",
    .examples = "  sluice flows\n  sluice flows coupling\n",
    .maximum = 1,
    .run = run,
};
