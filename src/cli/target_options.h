/* What the commands that take a TARGET share: the options that name one, and opening it. */
#ifndef SL_CLI_TARGET_OPTIONS_H
#define SL_CLI_TARGET_OPTIONS_H
#include "cli/cli.h"
#include "target/target.h"

/* The rows --data, --target, --density, --dim, --allow-native: a command's shared_options. */
const sl__option_row *sl__cli_target_rows(int *count);
/* Opens the .stan file with --data, or the .so file if it may run. */
sl_status sl__cli_open_target_file(sl__cli *cli, const char *path, sl__target **out);
/* Opens the target that arguments[0] or the options name; exactly one of them must. */
sl_status sl__cli_open_target(sl__cli *cli, sl__target **out);
/* The same; one without parameters is refused. */
sl_status sl__cli_open_sampled_target(sl__cli *cli, sl__target **out);
/* "target  model.stan, 3 coordinates", with which reports begin. */
void sl__cli_add_target(sl__text *text, const sl__target *target);
#endif
