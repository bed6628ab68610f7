/* sluice version. */
#include "cli/cli.h"

static int run(sl__cli *cli) {
  sl__text text;
  if (cli->json) {
    sl__json json;
    sl__cli_json_open(cli, &text, &json);
    return sl__cli_json_close(cli, &text, &json);
  }
  sl__text_open(&text, cli->context);
  sl__text_add(&text, "sluice %s\n", sl_version_text());
  return sl__cli_print(cli, &text);
}

const sl__command sl__command_version = {
    .name = "version",
    .arguments = "",
    .summary = "print the version",
    .run = run,
};
