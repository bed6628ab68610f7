/* Points of a target from the file of the option --at. */
#ifndef SL_CLI_POINTS_H
#define SL_CLI_POINTS_H
#include "cli/cli.h"
#include "target/target.h"

/* q [rows][dim], in the command's arena. With a header, columns are found by name, in any order,
 * and a sampler's and those of computed quantities are passed over; without one, by position.
 * constrained: they are parameters on their own scale. */
sl_status sl__cli_read_points(sl__cli *cli, const sl__target *target, bool constrained,
                              int64_t *rows, double **q);
#endif
