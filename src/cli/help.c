/* Help texts, written from the registry and the option rows; nothing is said twice. */
#include "cli/cli.h"

#include <string.h>

void sl__cli_overview(sl__text *text) {
  int count;
  const sl__command *const *commands = sl__commands(&count);
  sl__text_add(text, "sluice: normalizing flows. Usage: sluice COMMAND ARGUMENTS [OPTIONS]\n\n");
  for (int i = 0; i < count; i++)
    sl__text_add(text, "  %-8s %-14s %s\n", commands[i]->name, commands[i]->arguments,
                 commands[i]->summary);
  sl__text_add(text,
               "\n`sluice help COMMAND` lists a command's options; `-` is standard input or "
               "output.\nExit codes: 0 done, 1 failed, 2 wrong request or input, 130 interrupted, "
               "best\n"
               "so far saved.\n");
}

static const char *placeholder(const sl__option_row *row) {
  switch (row->type) {
    case SL__OPTION_INT: return "N";
    case SL__OPTION_REAL: return "X";
    case SL__OPTION_CHOICE: return row->choices;
    case SL__OPTION_SIZES: return "NxN";
    case SL__OPTION_TEXT: return "TEXT";
    case SL__OPTION_FORMULA: return "FORMULA";
    case SL__OPTION_BOOL: break;
  }
  return "";
}

static void add_row(sl__text *text, const sl__option_row *row) {
  char left[96];
  const char *letter = strcmp(row->name, "output") == 0 ? "-o, "
                       : strcmp(row->name, "rows") == 0 ? "-n, "
                                                        : "";
  snprintf(left, sizeof left, "%s--%s %s", letter, row->name, placeholder(row));
  sl__text_add(text, "  %-28s %s", left, row->help);
  if (row->fallback && row->type != SL__OPTION_BOOL)
    sl__text_add(text, " [%s]", row->fallback);
  sl__text_add(text, "\n");
}

void sl__cli_usage(sl__text *text, const sl__command *command) {
  sl__text_add(text, "sluice %s %s [OPTIONS]\n  %s\n", command->name, command->arguments,
               command->summary);
  if (command->details) sl__text_add(text, "\n%s", command->details);
  sl__text_add(text, "\nOptions:\n");
  for (int i = 0; i < command->option_count; i++) add_row(text, &command->options[i]);
  int shared_count = 0;
  const sl__option_row *shared = NULL;
  if (command->shared_options) shared = command->shared_options(&shared_count);
  for (int i = 0; i < shared_count; i++)
    if (strcmp(shared[i].name, "seed") != 0) add_row(text, &shared[i]);
  for (int i = 0; i < sl__cli_common_count; i++) add_row(text, &sl__cli_common_rows[i]);
  if (command->examples) sl__text_add(text, "\nExamples:\n%s", command->examples);
}
