/* The robust mode of `sluice vi`. */
#ifndef SL_CLI_VI_ROBUST_H
#define SL_CLI_VI_ROBUST_H
#include "cli/cli.h"
#include "target/target.h"

/* Fits, writes the model (--output), prints the report; the exit code. */
int sl__cli_vi_robust(sl__cli *cli, const sl__target *target);
#endif
