/* Points of a target from a file. */
#ifndef SL_CLI_POINTS_H
#define SL_CLI_POINTS_H
#include "cli/cli.h"
#include "target/target.h"

/* Whether two columns are of one name: "theta[1,2]" is theta.1.2 too. */
bool sl__cli_same_name(const char *a, const char *b);
/* Whether it is a .csv file of draws as CmdStan writes it. */
bool sl__cli_is_stan_csv(sl__cli *cli, const char *path);
/* q [rows][dim], in the command's arena. With a header, columns are found by name, in any order,
 * and a sampler's, log_prob and those of computed quantities are passed over; without one, by
 * position. *constrained: they are parameters on their own scale; a header that says
 * unconstrained(tau), as `sluice sample --unconstrained` writes it, makes it false. */
sl_status sl__cli_read_points(sl__cli *cli, const char *path, const sl__target *target,
                              bool *constrained, int64_t *rows, double **q);
/* The same of draws of chains: q [chains][draws][dim]. Close draws, which need not be there after a
 * failure, in any case. */
struct sl__draws;
sl_status sl__cli_draws_to_points(sl__cli *cli, const struct sl__draws *draws,
                                  const sl__target *target, double **q);
#endif
