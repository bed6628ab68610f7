/* What -o may be: a typing error must not cost a program, its data or the draws of an older run. */
#include "cli/draws_file.h"

#include <string.h>
#include <sys/stat.h>

static bool is_same_file(const char *a, const char *b) {
  struct stat of_a, of_b;
  return stat(a, &of_a) == 0 && stat(b, &of_b) == 0 && S_ISREG(of_a.st_mode) &&
         of_a.st_dev == of_b.st_dev && of_a.st_ino == of_b.st_ino;
}

static sl_status refuse_input(sl__cli *cli, const char *path) {
  static const char *const options[] = {"data", "init", "precondition"};
  const char *what = NULL;
  for (int i = 0; i < cli->argument_count; i++)
    if (is_same_file(path, cli->arguments[i])) what = "TARGET";
  for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
    const char *input = sl__cli_option(cli, options[i])->text;
    if (input && is_same_file(path, input)) what = options[i];
  }
  if (!what) return SL_OK;
  return sl__fail(cli->context, SL_BAD_ARGUMENT,
                  "%s: the draws would overwrite what %s%s is read from; give -o another name",
                  path, strcmp(what, "TARGET") == 0 ? "" : "--", what);
}

static sl_status check_name(sl__cli *cli, const char *path, int32_t chains) {
  sl__draws_format format;
  if (cli->json && strcmp(path, "-") == 0)
    return sl__fail(cli->context, SL_BAD_ARGUMENT,
                    "draws by -o - and the object of --json would share standard output; write one "
                    "of them elsewhere");
  if (!sl__draws_find_format(path, &format))
    return sl__fail(cli->context, SL_BAD_ARGUMENT,
                    "%s: draws are written as .csv, .npy or .safetensors; give the name one of "
                    "these endings",
                    path);
  if (strchr(path, '%') && chains == 0)
    return sl__fail(cli->context, SL_BAD_ARGUMENT,
                    "%s: the draws are of no chains, to be told apart by %%d; leave it out", path);
  if (strchr(path, '%') && format != SL__DRAWS_CSV)
    return sl__fail(cli->context, SL_BAD_ARGUMENT,
                    "%s: only CSV has a file for each chain; leave the %%d out", path);
  return SL_OK;
}

sl_status sl__cli_draws_part(sl__cli *cli, const char *path, char **out) {
  sl__draws_format format;
  *out = NULL;
  if (!sl__draws_find_format(path, &format) || format == SL__DRAWS_CSV) return SL_OK;
  sl__text text;
  sl__text_open(&text, cli->context);
  sl__text_add(&text, "%s.part.csv", path);
  if (!text.failed) *out = sl__arena_text(&cli->arena, text.data, text.length);
  sl__text_close(&text);
  return *out ? SL_OK : SL_NO_MEMORY;
}

sl_status sl__cli_check_draws_file(sl__cli *cli, int32_t chains) {
  const char *path = sl__cli_option(cli, "output")->text;
  if (!path) return SL_OK;
  SL__TRY(check_name(cli, path, chains));
  const int32_t files = strstr(path, "%d") ? chains : 1;
  for (int32_t i = 0; i < files; i++) {
    const char *one = sl__draws_path(&cli->arena, path, i + 1);
    if (!one) return SL_NO_MEMORY;
    SL__TRY(refuse_input(cli, one));
    SL__TRY(sl__os_check_out(cli->context, one));
  }
  char *part = NULL;
  if (chains > 0) SL__TRY(sl__cli_draws_part(cli, path, &part));
  return part ? refuse_input(cli, part) : SL_OK;
}

char *sl__cli_draws_name(sl__arena *arena, const char *name) {
  return sl__draws_name(arena, name, name + strlen(name));
}

int sl__cli_print_beside_draws(sl__cli *cli, sl__text *text) {
  const char *path = sl__cli_option(cli, "output")->text;
  if (!path || strcmp(path, "-") != 0 || text->failed) return sl__cli_print(cli, text);
  if (!cli->quiet) fwrite(text->data, 1, text->length, stderr);
  sl__text_close(text);
  return SL__EXIT_DONE;
}
