/* Help texts, written from the registry and the option rows; nothing is said twice. */
#include "cli/cli.h"

#include <stdio.h>
#include <string.h>

enum { OVERVIEW_COLUMN = 29, HELP_COLUMN = 31, LINE_WIDTH = 92 };

void sl__cli_wrap(sl__text *text, size_t left, const char *words) {
  size_t column = left;
  while (*words) {
    const size_t length = strcspn(words, " ");
    if (column > left && column + 1 + length > LINE_WIDTH) {
      sl__text_add(text, "\n%*s", (int)left, "");
      column = left;
    } else if (column > left) {
      sl__text_add(text, " ");
      column++;
    }
    sl__text_add_bytes(text, words, length);
    column += length;
    words += length;
    words += strspn(words, " ");
  }
  sl__text_add(text, "\n");
}

void sl__cli_overview(sl__text *text) {
  int count;
  const sl__command *const *commands = sl__commands(&count);
  sl__text_add(text, "sluice: normalizing flows. Usage: sluice COMMAND ARGUMENTS [OPTIONS]\n\n");
  for (int i = 0; i < count; i++) {
    sl__text_add(text, "  %-11s %-14s ", commands[i]->name, commands[i]->arguments);
    sl__cli_wrap(text, OVERVIEW_COLUMN, commands[i]->summary);
  }
  const sl__topic *topics = sl__topics(&count);
  sl__text_add(text, "\nTopics: `sluice help TOPIC`\n");
  for (int i = 0; i < count; i++)
    sl__text_add(text, "  %-11s %s\n", topics[i].name, topics[i].summary);
  sl__text_add(text,
               "\n`sluice help COMMAND` lists a command's options; `-` is standard input or "
               "output.\nExit codes: 0 done, 1 failed, 2 wrong request or input, 130 interrupted, "
               "best\n"
               "so far saved.\n");
}

const char *sl__cli_placeholder(const sl__option_row *row) {
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

const sl__option_row *sl__cli_rows_of(const sl__command *command, int part, int *count) {
  *count = 0;
  if (part == 0) {
    *count = command->option_count;
    return command->options;
  }
  return command->shared_options ? command->shared_options(count) : NULL;
}

static void add_row(sl__text *text, const sl__option_row *row) {
  char left[96], help[600];
  const char letter[] = {'-', sl__cli_letter(row->name), ',', ' ', '\0'};
  snprintf(left, sizeof left, "%s--%s %s", letter[1] ? letter : "", row->name,
           sl__cli_placeholder(row));
  const bool said = row->fallback && row->type != SL__OPTION_BOOL;
  snprintf(help, sizeof help, "%s%s%s%s", row->help, said ? " [" : "", said ? row->fallback : "",
           said ? "]" : "");
  sl__text_add(text, "  %-*s ", HELP_COLUMN - 3, left);
  if (strlen(left) > HELP_COLUMN - 3) sl__text_add(text, "\n%*s", HELP_COLUMN, "");
  sl__cli_wrap(text, HELP_COLUMN, help);
}

void sl__cli_usage(sl__text *text, const sl__command *command) {
  sl__text_add(text, "sluice %s %s [OPTIONS]\n  %s\n", command->name, command->arguments,
               command->summary);
  if (command->details) sl__text_add(text, "\n%s", command->details);
  sl__text_add(text, "\nOptions:\n");
  for (int part = 0; part < 2; part++) {
    int count;
    const sl__option_row *rows = sl__cli_rows_of(command, part, &count);
    for (int i = 0; i < count; i++)
      if (strcmp(rows[i].name, "seed") != 0) add_row(text, &rows[i]);
  }
  for (int i = 0; i < sl__cli_common_count; i++) add_row(text, &sl__cli_common_rows[i]);
  if (command->examples) sl__text_add(text, "\nExamples:\n%s", command->examples);
}
