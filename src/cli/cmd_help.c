/* sluice help [COMMAND]. */
#include "cli/cli.h"

static int run(sl__cli *cli) {
  const sl__command *topic = NULL;
  if (cli->argument_count > 0) {
    topic = sl__command_find(cli->arguments[0]);
    if (!topic)
      return sl__cli_refuse(cli, "no help on \"%s\"; `sluice help` lists the commands",
                            cli->arguments[0]);
  }
  sl__text body;
  sl__text_open(&body, cli->context);
  if (topic)
    sl__cli_usage(&body, topic);
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

const sl__command sl__command_help = {
    .name = "help",
    .arguments = "[COMMAND]",
    .summary = "list the commands, or a command's options",
    .maximum = 1,
    .run = run,
};
