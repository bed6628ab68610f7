/* Words of the command line -> option values and arguments, by the rows of the command.
 *
 * Options may stand anywhere, as `--name value` or `--name=value`; flags take no value; `--`
 * ends the options; a lone `-` is an argument (standard input). */
#include <string.h>

#include "cli/cli.h"

const sl__option_row sl__cli_common_rows[] = {
    {"seed", SL__OPTION_INT, "0", 0, 9007199254740991.0, NULL, "seed of everything random"},
    {"threads", SL__OPTION_INT, NULL, 1, 1024, NULL,
     "threads to use, all cores by default; never changes a result"},
    {"json", SL__OPTION_BOOL, "false", 0, 0, NULL, "one JSON object on standard output"},
    {"quiet", SL__OPTION_BOOL, "false", 0, 0, NULL, "no talk on standard error"},
    {"help", SL__OPTION_BOOL, "false", 0, 0, NULL, "what this command takes"},
};
const int sl__cli_common_count = sizeof sl__cli_common_rows / sizeof *sl__cli_common_rows;

static const struct {
  char letter;
  const char *name;
} letters[] = {{'o', "output"}, {'n', "rows"}, {'h', "help"}, {'q', "quiet"}};

char sl__cli_letter(const char *option) {
  for (size_t i = 0; i < sizeof letters / sizeof *letters; i++)
    if (strcmp(letters[i].name, option) == 0) return letters[i].letter;
  return 0;
}

static sl_status gather_rows(sl__cli *cli) {
  const sl__command *command = cli->command;
  int shared_count = 0;
  const sl__option_row *shared = NULL;
  if (command->shared_options) shared = command->shared_options(&shared_count);
  const sl__option_row *groups[] = {sl__cli_common_rows, command->options, shared};
  const int counts[] = {sl__cli_common_count, command->option_count, shared_count};
  size_t total = (size_t)(counts[0] + counts[1] + counts[2]);

  sl__option_row *rows = sl__arena_take(&cli->arena, total, sizeof *rows);
  cli->values = sl__arena_take(&cli->arena, total, sizeof *cli->values);
  cli->texts = sl__arena_take(&cli->arena, total, sizeof *cli->texts);
  if (!rows || !cli->values || !cli->texts) return SL_NO_MEMORY;
  cli->rows = rows;
  for (int group = 0; group < 3; group++)
    for (int i = 0; i < counts[group]; i++) {
      bool repeated = false; /* an option that is common already: seed */
      for (int j = 0; j < cli->row_count; j++)
        repeated |= strcmp(rows[j].name, groups[group][i].name) == 0;
      if (!repeated) rows[cli->row_count++] = groups[group][i];
    }
  return sl__options_default(cli->context, &cli->arena, rows, cli->row_count, cli->values);
}

static int row_named(const sl__cli *cli, const char *name) {
  for (int i = 0; i < cli->row_count; i++)
    if (strcmp(cli->rows[i].name, name) == 0) return i;
  return -1;
}

/* One option word: as typed, name (without dashes), attached value or NULL, the next word or NULL.
 * Refusals begin with a letter that was typed: "option -n, --rows". */
static sl_status take_option(sl__cli *cli, const char *word, const char *name, const char *value,
                             const char *next, bool *used_next) {
  int row = row_named(cli, name);
  char before[] = "option -n, --";
  if (word[1] == '-')
    memcpy(before, "option --", sizeof "option --");
  else
    before[strlen("option -")] = word[1];
  *used_next = false;
  if (row >= 0 && !value) {
    if (cli->rows[row].type == SL__OPTION_BOOL) {
      value = "true";
    } else if (next) {
      value = next;
      *used_next = true;
    } else {
      return sl__fail(cli->context, SL_BAD_ARGUMENT, "%s%s needs a value; %s", before, name,
                      cli->rows[row].help);
    }
  }
  SL__TRY(sl__options_set(cli->context, &cli->arena, cli->rows, cli->row_count, cli->values, before,
                          name, value ? value : ""));
  cli->texts[row] = value;
  return SL_OK;
}

static const char *long_name(char letter) {
  for (size_t i = 0; i < sizeof letters / sizeof *letters; i++)
    if (letters[i].letter == letter) return letters[i].name;
  return NULL;
}

/* Whether a word is an option; then its name goes to name and an attached value to *value. */
static sl_status split_word(sl__cli *cli, const char *word, const char **name, const char **value) {
  *name = *value = NULL;
  if (word[0] != '-' || word[1] == '\0') return SL_OK;
  if (word[1] == '-') {
    size_t length = strcspn(word + 2, "=");
    *name = sl__arena_text(&cli->arena, word + 2, length);
    if (!*name) return SL_NO_MEMORY;
    if (word[2 + length] == '=') *value = word + 3 + length;
    return SL_OK;
  }
  *name = long_name(word[1]);
  if (word[2] != '\0' && row_named(cli, word + 1) >= 0)
    return sl__fail(cli->context, SL_BAD_ARGUMENT, "unknown option %s; did you mean -%s?", word,
                    word);
  if (!*name || row_named(cli, *name) < 0)
    return sl__fail(cli->context, SL_BAD_ARGUMENT, "unknown option %s; see `sluice help %s`", word,
                    cli->command->name);
  if (word[2] != '\0') *value = word[2] == '=' ? word + 3 : word + 2;
  return SL_OK;
}

sl_status sl__cli_parse(sl__cli *cli, int count, char *const *words) {
  SL__TRY(gather_rows(cli));
  cli->arguments = sl__arena_take(&cli->arena, (size_t)count + 1, sizeof *cli->arguments);
  if (!cli->arguments) return SL_NO_MEMORY;
  bool options_over = false;
  for (int i = 0; i < count; i++) {
    const char *name = NULL, *value = NULL;
    if (!options_over && strcmp(words[i], "--") == 0) {
      options_over = true;
      continue;
    }
    if (!options_over) SL__TRY(split_word(cli, words[i], &name, &value));
    if (!name) {
      cli->arguments[cli->argument_count++] = words[i];
      continue;
    }
    bool used_next;
    SL__TRY(
        take_option(cli, words[i], name, value, i + 1 < count ? words[i + 1] : NULL, &used_next));
    i += used_next;
  }
  cli->seed = (uint64_t)sl__cli_option(cli, "seed")->integer;
  cli->json = sl__cli_option(cli, "json")->integer != 0;
  cli->quiet = sl__cli_option(cli, "quiet")->integer != 0;
  return SL_OK;
}
