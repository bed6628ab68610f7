/* sluice flows [NAME]: the registry of bijectors, with arguments and how each direction is
 * computed. */
#include <string.h>

#include "cli/cli.h"
#include "flow/flow.h"

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
  }
  return "";
}

static void add_json(sl__json *json, const sl__kind *kind) {
  sl__json_open_object(json, NULL);
  sl__json_text(json, "name", kind->name);
  sl__json_text(json, "summary", kind->summary);
  sl__json_open_array(json, "arguments");
  for (int i = 0; i < kind->argument_count; i++) {
    const sl__option_row *row = &kind->arguments[i];
    sl__json_open_object(json, NULL);
    sl__json_text(json, "name", row->name);
    sl__json_text(json, "type", type_text(row));
    sl__json_text(json, "default", row->fallback);
    sl__json_text(json, "help", row->help);
    sl__json_close_object(json);
  }
  sl__json_close_array(json);
  sl__json_text(json, "sample", how_text(kind->sample_how));
  sl__json_text(json, "log_prob", how_text(kind->log_prob_how));
  sl__json_text(json, "source", kind->source);
  sl__json_close_object(json);
}

static void add_line(sl__text *text, const sl__kind *kind) {
  sl__text_add(text, "%-12s %-12s %-12s %s\n", kind->name, how_text(kind->sample_how),
               how_text(kind->log_prob_how), kind->summary);
}

static void add_page(sl__text *text, const sl__kind *kind) {
  sl__text_add(text, "%s: %s\n  sampling: %s, log density: %s\n  source: %s\n", kind->name,
               kind->summary, how_text(kind->sample_how), how_text(kind->log_prob_how),
               kind->source);
  for (int i = 0; i < kind->argument_count; i++) {
    const sl__option_row *row = &kind->arguments[i];
    sl__text_add(text, "  %-14s %s (%s)", row->name, row->help, type_text(row));
    if (row->fallback) sl__text_add(text, " [%s]", row->fallback);
    sl__text_add(text, "\n");
  }
}

static int unknown_flow(const sl__cli *cli, const char *name) {
  int count;
  const sl__kind *const *kinds = sl__kinds(&count);
  const char *names[128];
  if (count > 128) count = 128;
  for (int i = 0; i < count; i++) names[i] = kinds[i]->name;
  const char *near = sl__nearest_name(name, names, count);
  if (near) return sl__cli_refuse(cli, "no flow \"%s\"; did you mean \"%s\"?", name, near);
  return sl__cli_refuse(cli, "no flow \"%s\"; `sluice flows` lists them", name);
}

static int run(sl__cli *cli) {
  int count;
  const sl__kind *const *kinds = sl__kinds(&count);
  const char *wanted = cli->argument_count > 0 ? cli->arguments[0] : NULL;
  int found = 0;
  sl__text text;
  sl__json json;
  if (cli->json) {
    sl__cli_json_open(cli, &text, &json);
    sl__json_open_array(&json, "flows");
  } else {
    sl__text_open(&text, cli->context);
    if (!wanted)
      sl__text_add(&text, "%-12s %-12s %-12s %s\n", "flow", "sampling", "log density",
                   "what it is");
  }
  for (int i = 0; i < count; i++) {
    if (wanted && strcmp(kinds[i]->name, wanted) != 0) continue;
    found++;
    if (cli->json)
      add_json(&json, kinds[i]);
    else if (wanted)
      add_page(&text, kinds[i]);
    else
      add_line(&text, kinds[i]);
  }
  if (found == 0) {
    sl__text_close(&text);
    return unknown_flow(cli, wanted);
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
