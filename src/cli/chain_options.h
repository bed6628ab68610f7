/* What the commands that run chains read alike: options of the sampler, and where chains start. */
#ifndef SL_CLI_CHAIN_OPTIONS_H
#define SL_CLI_CHAIN_OPTIONS_H
#include "cli/cli.h"
#include "infer/chain/sampler.h"

/* Options of these names that were typed; the others stay as they are. */
void sl__cli_read_sampler(sl__cli *cli, sl__sampler_options *out);
/* --init: a radius, a table of points, "pathfinder", a fitted flow. *first [chains][dim] in the
 * cli's arena, or NULL when the sampler is to draw them within options->init_radius. */
sl_status sl__cli_first_points(sl__cli *cli, const sl__target *target, sl__sampler_options *options,
                               const double **first);
/* Comment lines for the top of Stan CSV files, in the cli's arena: options as they were asked for.
 * What the warm-up made of them stands where it ended. */
sl_status sl__cli_comments(sl__cli *cli, const sl__target *target,
                           const sl__sampler_options *options, int64_t *count,
                           const char *const **lines);
#endif
