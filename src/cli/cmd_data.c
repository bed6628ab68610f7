/* sluice data [NAME]: the standard two-dimensional toys, whose exact entropies are known, so
 * that a fit can be held against the floor of its loss. */
#include <string.h>

#include "cli/cli.h"
#include "infer/infer.h"

static const sl__option_row options[] = {
    {"rows", SL__OPTION_INT, "1000", 1, 1e9, NULL, "how many rows"},
    {"output", SL__OPTION_TEXT, "-", 0, 0, NULL,
     "file to write, .csv or .npy; - is standard output"},
    {"format", SL__OPTION_CHOICE, NULL, 0, 0, "csv|npy", "format, whatever the file's name"},
};

static int list(sl__cli *cli) {
  int count;
  const sl__toy *toys = sl__toys(&count);
  sl__text text;
  sl__json json;
  if (cli->json) {
    sl__cli_json_open(cli, &text, &json);
    sl__json_open_array(&json, "data");
    for (int i = 0; i < count; i++) {
      sl__json_open_object(&json, NULL);
      sl__json_text(&json, "name", toys[i].name);
      sl__json_text(&json, "summary", toys[i].summary);
      sl__json_real(&json, "entropy", toys[i].entropy);
      sl__json_close_object(&json);
    }
    sl__json_close_array(&json);
    return sl__cli_json_close(cli, &text, &json);
  }
  sl__text_open(&text, cli->context);
  sl__text_add(&text, "%-14s %-15s %s\n", "name", "entropy (nats)", "what it is");
  for (int i = 0; i < count; i++) {
    sl__text_add(&text, "%-14s ", toys[i].name);
    sl__cli_fixed(&text, toys[i].entropy, 5, 14);
    sl__text_add(&text, "  %s\n", toys[i].summary);
  }
  return sl__cli_print(cli, &text);
}

static const sl__toy *find_toy(const sl__cli *cli, const char *name) {
  int count;
  const sl__toy *toys = sl__toys(&count);
  const char *names[64];
  for (int i = 0; i < count && i < 64; i++) {
    names[i] = toys[i].name;
    if (strcmp(name, toys[i].name) == 0) return &toys[i];
  }
  const char *near = sl__nearest_name(name, names, count < 64 ? count : 64);
  sl__cli_refuse(cli, "no data called \"%s\"; %s%s%s", name, near ? "did you mean \"" : "",
                 near ? near : "`sluice data` lists them", near ? "\"?" : "");
  return NULL;
}

static int run(sl__cli *cli) {
  if (cli->argument_count == 0) return list(cli);
  const sl__toy *toy = find_toy(cli, cli->arguments[0]);
  if (!toy) return SL__EXIT_WRONG;
  int64_t rows = sl__cli_option(cli, "rows")->integer;
  const char *path = sl__cli_option(cli, "output")->text;
  bool to_json = cli->json && strcmp(path, "-") == 0;
  sl_status status = sl__cli_check_table_file(cli);
  if (status != SL_OK) return sl__cli_fail(cli, status);
  double *x = sl__allocate(cli->context, (size_t)rows, 2 * sizeof *x);
  if (!x) return sl__cli_fail(cli, SL_NO_MEMORY);
  toy->draw((sl__random_key){cli->seed, SL__STREAM_DATA, 0}, 0, rows, x);
  if (!to_json) {
    static const char *const names[] = {"x", "y"};
    status = sl__table_write(cli->context, sl__cli_about(cli, path, NULL),
                             sl__cli_option(cli, "format")->text, rows, 2, SL_F64, x, names);
  }
  int code = status == SL_OK ? SL__EXIT_DONE : sl__cli_fail(cli, status);
  if (cli->json && status == SL_OK) {
    sl__text text;
    sl__json json;
    sl__cli_json_open(cli, &text, &json);
    sl__json_text(&json, "name", toy->name);
    sl__json_integer(&json, "rows", rows);
    sl__json_real(&json, "entropy", toy->entropy);
    if (to_json) sl__cli_json_rows(&json, "samples", rows, 2, 2, x);
    code = sl__cli_json_close(cli, &text, &json);
  }
  sl__free(&cli->context->allocator, x);
  return code;
}

const sl__command sl__command_data = {
    .name = "data",
    .arguments = "[NAME]",
    .summary = "write rows of a standard 2-D toy; without NAME list them",
    .examples = "  sluice data\n  sluice data moons -n 10000 --seed 1 -o moons.csv\n",
    .maximum = 1,
    .options = options,
    .option_count = sizeof options / sizeof *options,
    .run = run,
};
