/* The way back from a fitted flow to the density that it was fitted to. */
#ifndef SL_CLI_FIT_TARGET_H
#define SL_CLI_FIT_TARGET_H
#include "cli/cli.h"
#include "cli/draws.h"
#include "target/target.h"

/* The rows --model, --data, --allow-native, --unconstrained. */
const sl__option_row *sl__cli_fit_target_rows(int *count);
/* The target of a model: what --model gives, else what the model's file holds; *out NULL: the flow
 * was fitted to data, or to a function. place: of the file, for messages. SL_UNSUPPORTED: the file
 * only names it. */
sl_status sl__cli_fit_target(sl__cli *cli, const sl_flow *flow, const char *place,
                             sl__target **out);
/* The same for commands that can do without: with --unconstrained a target that the file only names
 * is none. */
sl_status sl__cli_maybe_fit_target(sl__cli *cli, const sl_flow *flow, const char *place,
                                   sl__target **out);
/* Whether draws are written on the model's own scale: there is one, and nothing else is asked. */
bool sl__cli_is_mapped(const sl__cli *cli, const sl__target *target);
/* Name of coordinate i of the flow, in the arena: "unconstrained(theta.1)", or its own if it is a
 * parameter itself. target: of the fit, or NULL. */
const char *sl__cli_coordinate_name(sl__arena *arena, const sl_flow *flow, const sl__target *target,
                                    int32_t i);
/* Names of all parts up to `last` into names [width]; copies in the arena. */
sl_status sl__cli_part_names(sl__arena *arena, const sl__target *target, sl__target_part last,
                             const char **names);
/* `rows` draws of the model in a file, with their summary: of a fit to a program its parameters and
 * transformed parameters, unless --unconstrained; else the model's columns. Close the draws. */
sl_status sl__cli_draws_of_model(sl__cli *cli, const char *path, uint64_t seed, int64_t rows,
                                 sl__cli_draws *out);
#endif
