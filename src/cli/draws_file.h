/* The file of -o for commands that make draws. */
#ifndef SL_CLI_DRAWS_FILE_H
#define SL_CLI_DRAWS_FILE_H
#include "cli/cli.h"
#include "io/draws.h"

/* Refuses, before any work is done, a name that cannot be written, that has another ending than the
 * formats of draws, or that is a file which the command reads. chains: for how many "%d" in a name
 * stands, 0: for none. */
sl_status sl__cli_check_draws_file(sl__cli *cli, int32_t chains);
/* Where a run of chains keeps its draws till it is over: "x.npy.part.csv" for "x.npy", in the arena
 * of cli; *out NULL: path is a CSV, which is written as the run goes. */
sl_status sl__cli_draws_part(sl__cli *cli, const char *path, char **out);
/* The name of a quantity as `sluice summary` has it, in the arena: "z[1]", also of "z.1". */
char *sl__cli_draws_name(sl__arena *arena, const char *name);
/* Writes text to standard output, or to standard error where the draws themselves go to standard
 * output; the exit code. */
int sl__cli_print_beside_draws(sl__cli *cli, sl__text *text);
#endif
