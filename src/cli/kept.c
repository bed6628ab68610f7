/* Writing the command line down. What only says where results go, how many threads there are or what
 * is shown is left out. */
#include "cli/kept.h"
#include <string.h>

static const char *const left_out[] = {"output", "threads",    "json",
                                       "quiet",  "checkpoint", "checkpoint-every",
                                       "resume", "track",      "seed"};

static bool is_left_out(const char *name) {
  for (size_t i = 0; i < sizeof left_out / sizeof *left_out; i++)
    if (strcmp(left_out[i], name) == 0) return true;
  return false;
}

void sl__cli_add_word(sl__text *text, const char *word) {
  static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                              "_./,=:+-@%";
  if (*word && strspn(word, plain) == strlen(word)) {
    sl__text_add(text, " %s", word);
    return;
  }
  sl__text_add(text, " '");
  for (; *word; word++)
    if (*word == '\'')
      sl__text_add(text, "'\\''");
    else
      sl__text_add_bytes(text, word, 1);
  sl__text_add(text, "'");
}

static void add_command(const sl__cli *cli, sl__text *text) {
  sl__text_add(text, "sluice %s", cli->command->name);
  for (int i = 0; i < cli->argument_count; i++) sl__cli_add_word(text, cli->arguments[i]);
  for (int row = 0; row < cli->row_count; row++) {
    const sl__option_row *option = &cli->rows[row];
    if (!cli->texts[row] || is_left_out(option->name)) continue;
    sl__text_add(text, " --%s", option->name);
    if (option->type == SL__OPTION_BOOL && cli->values[row].integer) continue;
    sl__cli_add_word(text, cli->texts[row]);
  }
  if (cli->seed != 0) sl__text_add(text, " --seed %llu", (unsigned long long)cli->seed);
}

sl_status sl__cli_keep_command(sl__cli *cli, sl__model *model) {
  const size_t length = model->training ? strlen(model->training) : 0;
  if (length < 2 || model->training[length - 1] != '}') return SL_OK;
  sl__text command, record, entry;
  sl__text_open(&command, cli->context);
  sl__text_open(&record, cli->context);
  sl__text_open(&entry, cli->context);
  add_command(cli, &command);
  sl__json json = {.text = &entry};
  sl__json_open_object(&json, NULL);
  sl__json_text(&json, "command_line", command.failed ? "" : command.data);
  sl__json_close_object(&json);
  /* the record's last brace becomes a comma, and the entry's own closes the whole */
  sl__text_add_bytes(&record, model->training, length - 1);
  if (!entry.failed) sl__text_add(&record, "%s", length > 2 ? ", " : "");
  if (!entry.failed) sl__text_add_bytes(&record, entry.data + 1, entry.length - 1);
  const bool failed = command.failed || entry.failed || record.failed;
  const sl_status status = failed ? SL_NO_MEMORY : sl__model_set_training(model, record.data);
  sl__text_close(&command);
  sl__text_close(&record);
  sl__text_close(&entry);
  return status;
}

const char *sl__cli_kept_text(const sl__json_value *record, const char *key) {
  const sl__json_value *value = record ? sl__json_member(record, key) : NULL;
  return value && value->kind == SL__JSON_TEXT ? value->text : NULL;
}
