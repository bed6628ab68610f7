/* sluice help [COMMAND|TOPIC], and what packages install beside the command: the manual page and
 * the shells' completions. */
#include <string.h>

#include "cli/cli.h"

enum { MOST_NAMES = 64 };

static const sl__topic *find_topic(const char *name) {
  int count;
  const sl__topic *topics = sl__topics(&count);
  for (int i = 0; i < count; i++)
    if (strcmp(topics[i].name, name) == 0) return &topics[i];
  return NULL;
}

static int unknown(const sl__cli *cli, const char *name) {
  const char *names[MOST_NAMES];
  int found = 0, count;
  const sl__command *const *commands = sl__commands(&count);
  for (int i = 0; i < count && found < MOST_NAMES; i++) names[found++] = commands[i]->name;
  const sl__topic *topics = sl__topics(&count);
  for (int i = 0; i < count && found < MOST_NAMES; i++) names[found++] = topics[i].name;
  const char *near = sl__nearest_name(name, names, found);
  if (near) return sl__cli_refuse(cli, "no help on \"%s\"; did you mean \"%s\"?", name, near);
  return sl__cli_refuse(cli, "no help on \"%s\"; `sluice help` lists commands and topics", name);
}

static int run(sl__cli *cli) {
  const char *name = cli->argument_count > 0 ? cli->arguments[0] : NULL;
  const sl__command *command = name ? sl__command_find(name) : NULL;
  const sl__topic *topic = name && !command ? find_topic(name) : NULL;
  if (name && !command && !topic) return unknown(cli, name);

  const char *shell = sl__cli_option(cli, "completion")->text;
  sl__text body;
  sl__text_open(&body, cli->context);
  if (command)
    sl__cli_usage(&body, command);
  else if (topic)
    topic->write(&body);
  else if (sl__cli_option(cli, "man")->integer)
    sl__cli_manual(&body);
  else if (shell)
    sl__cli_completion(&body, shell);
  else
    sl__cli_overview(&body);
  if (!cli->json) return sl__cli_print(cli, &body);

  sl__text text;
  sl__json json;
  sl__cli_json_open(cli, &text, &json);
  sl__json_text(&json, "text", body.data);
  text.failed |= body.failed;
  sl__text_close(&body);
  return sl__cli_json_close(cli, &text, &json);
}

static const sl__option_row options[] = {
    {"man", SL__OPTION_BOOL, "false", 0, 0, NULL, "the manual page, for man -l"},
    {"completion", SL__OPTION_CHOICE, NULL, 0, 0, "bash|zsh|fish",
     "what this shell completes from"},
};

const sl__command sl__command_help = {
    .name = "help",
    .arguments = "[NAME]",
    .summary = "list the commands, show a command's options, or explain a topic",
    .examples =
        "  sluice help vi\n  sluice help formulas\n"
        "  sluice help --completion bash > ~/.local/share/bash-completion/completions/sluice\n",
    .maximum = 1,
    .options = options,
    .option_count = sizeof options / sizeof *options,
    .run = run,
};
