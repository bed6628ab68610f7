/* sluice: finds the subcommand, reads its options, runs it. */
#include <signal.h>
#include <string.h>

#include "cli/cli.h"

static int unknown_command(const sl__cli *cli, const char *name) {
  int count;
  const sl__command *const *commands = sl__commands(&count);
  const char *names[32];
  for (int i = 0; i < count; i++) names[i] = commands[i]->name;
  const char *near = sl__nearest_name(name, names, count);
  if (near) return sl__cli_refuse(cli, "no command \"%s\"; did you mean `sluice %s`?", name, near);
  if (strpbrk(name, "./")) /* a file */
    return sl__cli_refuse(cli, "no command \"%s\"; for a file of rows: `sluice fit %s`", name,
                          name);
  return sl__cli_refuse(cli, "no command \"%s\"; `sluice help` lists them", name);
}

static int refuse_argument(sl__cli *cli, const char *extra) {
  const sl__command *command = cli->command;
  const char *takes = command->maximum ? command->arguments : "none";
  if (sl__has_ending(extra, ".json") && sl__cli_has(cli, "data"))
    return sl__cli_refuse(cli, "argument \"%s\" is one too many; for data write --data %s", extra,
                          extra);
  return sl__cli_refuse(cli, "argument \"%s\" is one too many; %s takes %s", extra, command->name,
                        takes);
}

static int run(sl__cli *cli, int count, char *const *words) {
  const char *name = words[0];
  if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0) name = "help";
  if (strcmp(name, "--version") == 0) name = "version";
  cli->command = sl__command_find(name);
  if (!cli->command) return unknown_command(cli, name);

  sl_status status = sl__cli_parse(cli, count - 1, words + 1);
  if (status != SL_OK) return sl__cli_fail(cli, status);
  if (sl__cli_option(cli, "help")->integer) {
    sl__text text;
    sl__text_open(&text, cli->context);
    sl__cli_usage(&text, cli->command);
    return sl__cli_print(cli, &text);
  }
  if (cli->argument_count < cli->command->minimum)
    return sl__cli_refuse(cli, "%s needs %s; see `sluice help %s`", cli->command->name,
                          cli->command->arguments, cli->command->name);
  if (cli->argument_count > cli->command->maximum)
    return refuse_argument(cli, cli->arguments[cli->command->maximum]);
  return cli->command->run(cli);
}

/* What the library has to say while it works. */
static void log_line(void *user, int32_t level, const char *line) {
  (void)level;
  sl__cli_say(user, "%s", line);
}

int main(int count, char **words) {
  sl__cli cli = {.start = sl__os_seconds()};
  /* A file as long as the system allows (ulimit -f) is a write that fails, and told like a full
   * disk; by default the signal would end the program in the middle of a row. */
  signal(SIGXFSZ, SIG_IGN);
  /* Workers are hired later, by the commands that compute, in the number that --threads says. */
  sl_context_options options = {
      .size = sizeof options, .threads = 1, .log = log_line, .user = &cli};
  if (sl_context_new(&options, &cli.context) != SL_OK) {
    fputs("sluice: out of memory\n", stderr);
    return SL__EXIT_FAILED;
  }
  sl__arena_open(&cli.arena, cli.context);
  int code;
  if (count < 2) {
    sl__text text;
    sl__text_open(&text, cli.context);
    sl__cli_overview(&text);
    code = sl__cli_print(&cli, &text);
    if (code == SL__EXIT_DONE) code = SL__EXIT_WRONG;
  } else {
    code = run(&cli, count - 1, words + 1);
  }
  sl__arena_close(&cli.arena);
  sl_context_free(cli.context);
  return code;
}
