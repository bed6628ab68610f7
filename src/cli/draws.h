/* What the commands on draws share. */
#ifndef SL_CLI_DRAWS_H
#define SL_CLI_DRAWS_H
#include "cli/cli.h"
#include "infer/diagnose/diagnose.h"
#include "io/draws.h"

/* Draws with a summary of every parameter. */
typedef struct sl__cli_draws {
  const char *name; /* the file, for messages */
  sl__draws draws;
  sl__summary_row *rows; /* [parameters] */
  int64_t undefined;     /* divergences where the density was NaN, where a run just counted them */
  int64_t refused;       /* and where it was -infinity */
  const char *refusal;   /* what the program said against the first such point, or NULL */
} sl__cli_draws;

/* Files of one run, by name, where "%d" stands for the number of a chain; options --format and
 * --chains. Says what was passed over. Close draws in any case. */
sl_status sl__cli_read_draws(sl__cli *cli, int64_t count, const char *const *patterns,
                             sl__cli_draws *out);
sl__series sl__cli_series(const sl__cli_draws *d, int64_t parameter);
/* The array "parameters": an object for each, with all that the summary says. */
void sl__cli_json_summary(sl__json *json, const sl__cli_draws *d);
/* Adds value with so many significant digits, padded on the left to width. */
void sl__cli_significant(sl__text *text, double value, int digits, int width);
#endif
