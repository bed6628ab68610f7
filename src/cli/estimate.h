/* Estimates and their standard errors, as the commands of variational inference show them. */
#ifndef SL_CLI_ESTIMATE_H
#define SL_CLI_ESTIMATE_H
#include "cli/cli.h"

/* "key": {"value": .., "se": ..} */
void sl__cli_json_estimate(sl__json *json, const char *key, double value, double se);
/* A line of the table: name, value, and the error unless it is NaN. */
void sl__cli_add_estimate(sl__text *text, const char *name, double value, double se);
/* Its line, with what it means. */
void sl__cli_add_khat(sl__text *text, double khat, double threshold);
/* The line above the table's. */
void sl__cli_add_estimate_heads(sl__text *text);
/* Before a fit: whether the model can be written to path (NULL: nowhere), and has the ending of what
 * will be in it. Devices have none. */
sl_status sl__cli_check_model_file(sl__cli *cli, const char *path);
/* Where a fit that did not come to its end is written: to path, or beside it, as NAME.unfinished.EXT,
 * when a file is there, which may hold a fit that did. *out is freed by sl__free. */
sl_status sl__cli_unfinished_path(sl__cli *cli, const char *path, char **out);
/* "WHAT is in PLACE", and that path is as it was if that is another file. */
void sl__cli_say_unfinished(sl__cli *cli, const char *what, const char *place, const char *path);
/* Writes the model to --output, if that is given; a failure is told, and turned into its code.
 * code: SL__EXIT_DONE, or why the fit did not come to its end. */
struct sl__model;
int sl__cli_save_fit(sl__cli *cli, const struct sl__model *model, int code);
/* A failure that has a place and no excerpt of its own, as those in programs have, is in --flow. */
void sl__cli_about_formula(sl__cli *cli, const char *formula);
#endif
