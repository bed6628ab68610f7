/* TARGET arguments: a .stan file with --data, a standard target, an expression, or a shared object
 * that may run its code. */
#include <stdio.h>
#include <string.h>
#include "cli/target_options.h"
#include "target/standard.h"

static const sl__option_row rows[] = {
    {"data", SL__OPTION_TEXT, NULL, 0, 0, NULL,
     "the Stan program's data, JSON; - is standard input"},
    {"target", SL__OPTION_TEXT, NULL, 0, 0, NULL,
     "instead of a file: a standard target, pot1, funnel, ..."},
    {"density", SL__OPTION_TEXT, NULL, 0, 0, NULL,
     "instead of a file: a log density in Stan's grammar, \"-(x^2-y)^2 - 0.5*y^2\""},
    {"dim", SL__OPTION_TEXT, NULL, 0, 0, NULL,
     "the names of its coordinates: \"x,y\", or with sizes \"x[10],tau\""},
    {"allow-native", SL__OPTION_BOOL, "false", 0, 0, NULL,
     "run the code of a .so file that has BridgeStan's functions"},
};

const sl__option_row *sl__cli_target_rows(int *count) {
  *count = sizeof rows / sizeof *rows;
  return rows;
}

static sl_status read_text(sl__cli *cli, const char *path, const char **text, size_t *length) {
  char *data;
  SL__TRY(sl__os_read_file(cli->context, sl__cli_about(cli, path, NULL), &data, length));
  *text = sl__arena_text(&cli->arena, data, *length);
  sl__free(&cli->context->allocator, data);
  return *text ? SL_OK : SL_NO_MEMORY;
}

static sl_status open_stan(sl__cli *cli, const char *path, const char *data_path,
                           sl__target **out) {
  const char *program, *data = NULL;
  size_t length, data_length = 0;
  if (data_path && strcmp(path, "-") == 0 && strcmp(data_path, "-") == 0)
    return sl__fail(cli->context, SL_BAD_ARGUMENT,
                    "program and data both want standard input; give one as a file");
  SL__TRY(read_text(cli, path, &program, &length));
  if (data_path) SL__TRY(read_text(cli, data_path, &data, &data_length));
  /* messages name their file themselves */
  cli->place = NULL;
  return sl__target_stan(cli->context, path, program, length, data_path, data, data_length,
                         cli->seed, out);
}

static sl_status open_library(sl__cli *cli, const char *path, const char *data_path,
                              sl__target **out) {
  const char *data = NULL;
  size_t length;
  if (!sl__cli_option(cli, "allow-native")->integer)
    return sl__fail(cli->context, SL_BAD_ARGUMENT,
                    "%.300s: loading it runs its code, which is not done unasked; add "
                    "--allow-native if you trust it",
                    path);
  if (data_path) SL__TRY(read_text(cli, data_path, &data, &length));
  cli->place = NULL;
  return sl__target_library(cli->context, path, data, cli->seed, out);
}

/* And no file has that name. */
static bool is_standard(const char *name) {
  FILE *file = fopen(name, "rb");
  if (file) {
    fclose(file);
    return false;
  }
  int count;
  const sl__standard_target *const *targets = sl__standard_targets(&count);
  for (int k = 0; k < count; k++)
    if (strcmp(targets[k]->name, name) == 0) return true;
  return false;
}

sl_status sl__cli_open_target_file(sl__cli *cli, const char *path, sl__target **out) {
  const char *data = sl__cli_option(cli, "data")->text;
  SL__TRY(sl__cli_expect_program(cli, path));
  if (is_standard(path))
    return sl__fail(cli->context, SL_BAD_ARGUMENT,
                    "%s is no file but a standard target; give it as --target %s", path, path);
  return sl__has_ending(path, ".so") ? open_library(cli, path, data, out)
                                     : open_stan(cli, path, data, out);
}

sl_status sl__cli_open_target(sl__cli *cli, sl__target **out) {
  const char *file = cli->argument_count > 0 ? cli->arguments[0] : NULL;
  const char *standard = sl__cli_option(cli, "target")->text;
  const char *density = sl__cli_option(cli, "density")->text;
  const char *names = sl__cli_option(cli, "dim")->text;
  *out = NULL;
  if (!!file + !!standard + !!density != 1)
    return sl__fail(cli->context, SL_BAD_ARGUMENT,
                    "%s; name one target: a .stan file, --target NAME, or --density EXPR with "
                    "--dim NAMES",
                    file || standard || density ? "more than one target is given"
                                                : "there is no target");
  if (!density != !names)
    return sl__fail(cli->context, SL_BAD_ARGUMENT, "%s",
                    density ? "--density needs the names of its coordinates; add --dim x,y"
                            : "--dim names the coordinates of --density; leave it out or add that");
  if (!file && sl__cli_option(cli, "data")->text)
    return sl__fail(cli->context, SL_BAD_ARGUMENT,
                    "--data is for a Stan program, and there is none; leave it out");
  if (file) return sl__cli_open_target_file(cli, file, out);
  if (standard) return sl__target_standard(cli->context, standard, out);
  sl__cli_about(cli, "--density", density);
  return sl__target_expression(cli->context, density, names, out);
}

sl_status sl__cli_open_sampled_target(sl__cli *cli, sl__target **out) {
  SL__TRY(sl__cli_open_target(cli, out));
  if ((*out)->dim > 0) return SL_OK;
  return sl__fail(cli->context, SL_BAD_ARGUMENT, "%s has no parameters; there is nothing to sample",
                  (*out)->title);
}

void sl__cli_add_target(sl__text *text, const sl__target *target) {
  sl__text_add(text, "target  %s, %d coordinate%s", target->title, (int)target->dim,
               target->dim == 1 ? "" : "s");
}
