/* sluice summary DRAWS...: what draws of chains show of every parameter, and whether they are to be
 * trusted. */
#include "cli/summary.h"

static const sl__option_row options[] = {
    {"format", SL__OPTION_CHOICE, NULL, 0, 0, "csv|npy", "format of DRAWS, whatever their names"},
    {"chains", SL__OPTION_INT, NULL, 1, 1e6, NULL,
     "cut the rows of one file without chain__ into N chains"},
    {"all", SL__OPTION_BOOL, "false", 0, 0, NULL,
     "show all parameters of a long table, not the worst"},
};

static int print_text(sl__cli *cli, const sl__cli_summary *s) {
  sl__text text;
  sl__text_open(&text, cli->context);
  const bool all = sl__cli_option(cli, "all")->integer != 0;
  if (sl__cli_add_summary(cli, s, all, &text) != SL_OK) text.failed = true;
  return sl__cli_print(cli, &text);
}

static int print_json(sl__cli *cli, const sl__cli_summary *s) {
  sl__text text;
  sl__json json;
  sl__cli_json_open(cli, &text, &json);
  sl__cli_json_judged(&json, s);
  return sl__cli_json_close(cli, &text, &json);
}

static int run(sl__cli *cli) {
  sl__cli_draws of;
  sl__cli_summary s;
  sl_status status = sl__cli_read_draws(cli, cli->argument_count, cli->arguments, &of);
  if (status == SL_OK) status = sl__cli_judge(cli, &of, &s);
  int code;
  if (status != SL_OK)
    code = sl__cli_fail(cli, status);
  else
    code = cli->json ? print_json(cli, &s) : print_text(cli, &s);
  if (status == SL_OK && code == SL__EXIT_DONE && !s.trusted) code = SL__EXIT_FAILED;
  sl__draws_close(&of.draws);
  return code;
}

const sl__command sl__command_summary = {
    .name = "summary",
    .arguments = "DRAWS...",
    .summary = "summarise draws of chains, and say whether they are to be trusted",
    .details =
        "DRAWS: Stan CSV, a file for each chain or one with a column chain__ (\"%d\" in a name\n"
        "stands for all numbers from 1); plain CSV, where a column .chain or chain of whole\n"
        "numbers, as R and ArviZ write it, is taken as chain__; NPY; safetensors. Exit code 1:\n"
        "the draws are not to be trusted, for the reason that the verdict says.\n",
    .examples = "  sluice summary draws.csv\n"
                "  sluice summary 'chain_%d.csv' --all\n"
                "  sluice summary rows.npy --chains 4 --json\n",
    .minimum = 1,
    .maximum = 10000,
    .options = options,
    .option_count = sizeof options / sizeof *options,
    .run = run,
};
