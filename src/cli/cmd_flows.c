/* sluice flows [NAME]: the registries of layers, base densities and transformers, with arguments
 * and their defaults, how each direction is computed, about what it costs, and where it was
 * published. */
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/flow_entries.h"

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

static const int32_t cost_dims[] = {2, 8, 64};
enum { COST_DIMS = sizeof cost_dims / sizeof cost_dims[0], LIST_DIM = 8 };

/* ---- printing ---- */

static void add_arguments(sl__json *json, const sl__flow_entry *e) {
  sl__json_open_array(json, "arguments");
  for (int i = 0; i < e->argument_count; i++) {
    const sl__option_row *row = &e->arguments[i];
    if (!sl__flow_entry_takes(e, i)) continue;
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
    const sl__flow_cost c = sl__flow_cost_of(context, formula, cost_dims[i]);
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

static void add_json(sl__json *json, sl_context *context, const sl__flow_entry *e) {
  char formula[128];
  sl__flow_entry_formula(e, formula, sizeof formula);
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
    sl__text_add(text,
                 "Layers, with what drawing and scoring a row of %d features costs on one core,\n"
                 "estimated, their arguments with defaults, and their sources\n",
                 LIST_DIM);
  else if (strcmp(role, "base") == 0)
    sl__text_add(text, "\nBase densities (first in a formula, or --base)\n");
  else
    sl__text_add(text, "\nTransformers (in coupling, maf, iaf, elementwise), each in a coupling\n");
}

/* "closed form (a root with naf, sos)" */
static void add_direction(sl__text *text, const sl__flow_entry *e, bool sampling) {
  char note[128] = "";
  if (e->kind) sl__kind_how_note(e->kind, sampling, note, sizeof note);
  sl__text_add(text, note[0] ? "%s (%s)" : "%s",
               how_text(sampling ? e->sample_how : e->log_prob_how), note);
}

/* ", word" or on a line of its own; *column: how far the line has come. */
static void add_word(sl__text *text, const char *word, bool first, size_t *column) {
  enum { INDENT = 4, MOST_COLUMNS = 98 };
  const size_t length = strlen(word);
  const bool wraps = !first && *column + length + 2 > MOST_COLUMNS;
  if (first || wraps) {
    sl__text_add(text, "%s\n%*s", wraps ? "," : "", INDENT, "");
    *column = INDENT;
  } else {
    sl__text_add(text, ", ");
    *column += 2;
  }
  sl__text_add(text, "%s", word);
  *column += length;
}

static void add_defaults(sl__text *text, const sl__flow_entry *e) {
  char word[256];
  size_t column = 0;
  bool first = true, hands_on = false;
  for (int i = 0; i < e->argument_count; i++) {
    const sl__option_row *row = &e->arguments[i];
    if (!sl__flow_entry_takes(e, i)) continue;
    if (sl__flow_entry_hands_on(e, i)) {
      hands_on = true;
      continue;
    }
    if (row->fallback)
      snprintf(word, sizeof word, "%s=%s", row->name, row->fallback);
    else
      snprintf(word, sizeof word, "%s (%s)", row->name,
               row->choices == sl__transformer_names ? "see below" : type_text(row));
    add_word(text, word, first, &column);
    first = false;
  }
  if (hands_on) add_word(text, "those of the transformer", first, &column);
}

static void add_line(sl__text *text, sl_context *context, const sl__flow_entry *e) {
  char formula[128], score[64], sample[64];
  sl__flow_entry_formula(e, formula, sizeof formula);
  sl__text_add(text, "%-16s %s\n", e->name, e->summary);
  const sl__flow_cost c = sl__flow_cost_of(context, formula, LIST_DIM);
  sl__format_fixed(score, c.score / 1000, 3);
  sl__format_fixed(sample, c.sample / 1000, 3);
  sl__text_add(text, "    drawn: ");
  add_direction(text, e, true);
  if (c.parameters >= 0) sl__text_add(text, ", %s us", sample);
  sl__text_add(text, "; scored: ");
  add_direction(text, e, false);
  if (c.parameters >= 0)
    sl__text_add(text, ", %s us; %lld trained numbers", score, (long long)c.parameters);
  if (c.parameters >= 0 && !e->transformer && strcmp(formula, e->name) != 0)
    sl__text_add(text, ", as %s", formula);
  add_defaults(text, e);
  if (strcmp(e->source, "-") != 0) sl__text_add(text, "\n    [%s]", e->source);
  sl__text_add(text, "\n");
}

static void add_page(sl__text *text, sl_context *context, const sl__flow_entry *e) {
  sl__text_add(text, "%s (%s): %s\n", e->name, e->role, e->summary);
  sl__text_add(text, "  sampling: ");
  add_direction(text, e, true);
  sl__text_add(text, ", log density: ");
  add_direction(text, e, false);
  sl__text_add(text, "\n");
  sl__text_add(text, "  source: %s\n", e->source);
  for (int i = 0; i < e->argument_count; i++) {
    const sl__option_row *row = &e->arguments[i];
    if (!sl__flow_entry_takes(e, i)) continue;
    sl__text_add(text, "  %-14s %s (%s)", row->name, row->help, type_text(row));
    if (row->fallback) sl__text_add(text, " [%s]", row->fallback);
    sl__text_add(text, "\n");
  }
  for (int i = 0; e->examples && e->examples[i]; i++)
    sl__text_add(text, "%s%s%s", i == 0 ? "  examples: " : ", ", e->examples[i],
                 e->examples[i + 1] ? "" : "\n");
  char formula[128];
  sl__flow_entry_formula(e, formula, sizeof formula);
  sl__text_add(text, "  cost of %s, estimated, per row on one core:\n", formula);
  for (int i = 0; i < COST_DIMS; i++) {
    const sl__flow_cost c = sl__flow_cost_of(context, formula, cost_dims[i]);
    if (c.parameters < 0) continue;
    char score[64], sample[64];
    sl__format_fixed(score, c.score / 1000, 3);
    sl__format_fixed(sample, c.sample / 1000, 3);
    sl__text_add(text, "    %2d features: scored in %s us, drawn in %s us; %lld parameters\n",
                 cost_dims[i], score, sample, (long long)c.parameters);
  }
}

static int unknown_flow(const sl__cli *cli, const sl__flow_entry *entries, int count,
                        const char *name) {
  const char *names[SL__MOST_FLOW_ENTRIES];
  for (int i = 0; i < count; i++) names[i] = entries[i].name;
  const char *near = sl__nearest_name(name, names, count);
  if (near) return sl__cli_refuse(cli, "no flow \"%s\"; did you mean \"%s\"?", name, near);
  return sl__cli_refuse(cli, "no flow \"%s\"; `sluice flows` lists them", name);
}

static int run(sl__cli *cli) {
  sl__flow_entry entries[SL__MOST_FLOW_ENTRIES];
  int count = sl__flow_entries(entries), found = 0;
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
    const sl__flow_entry *e = &entries[i];
    if (wanted && strcmp(e->name, wanted) != 0) continue;
    found++;
    if (cli->json) {
      add_json(&json, cli->context, e);
    } else if (wanted) {
      add_page(&text, cli->context, e);
    } else {
      if (strcmp(role, e->role) != 0) add_heading(&text, e->role);
      role = e->role;
      add_line(&text, cli->context, e);
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
