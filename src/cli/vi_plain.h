/* What the objectives of `sluice vi --mode plain` take of their own. */
#ifndef SL_CLI_VI_PLAIN_H
#define SL_CLI_VI_PLAIN_H
#include "cli/cli.h"
#include "target/target.h"

/* In robust mode: refuses the options that only the plain mode reads. */
int sl__cli_vi_plain_alone(sl__cli *cli);
/* Refuses options of another objective or rule than the one asked for; SL__EXIT_DONE: none was given. */
int sl__cli_vi_plain_check(sl__cli *cli);
double sl__cli_vi_plain_norm(sl__cli *cli); /* of --stop-norm */
/* The draws of --draws as q [rows][dim], in the command's arena; NULL: there is none. */
sl_status sl__cli_vi_plain_draws(sl__cli *cli, const sl__target *target, int64_t *rows, double **q);
#endif
