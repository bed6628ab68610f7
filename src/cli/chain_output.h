/* What the commands that run chains share: their draws kept and written as they come, progress with
 * divergences counted live, the summary at the end. */
#ifndef SL_CLI_CHAIN_OUTPUT_H
#define SL_CLI_CHAIN_OUTPUT_H
#include "cli/summary.h"
#include "cli/watch.h"
#include "infer/chain/record.h"

typedef struct sl__chain_output {
  sl__cli *cli;
  const sl__target *target;
  const sl__sampler_options *options;
  const sl__sampler_report *report; /* of the run, as it grows */
  const char *path;                 /* of -o, or NULL */
  sl__cli_draws kept;               /* [chains][rows of a chain], filled as far as `filled` says */
  int64_t *filled;                  /* [chains] */
  int64_t *divergences;             /* [chains], as last told */
  char *part;        /* CSV that holds the draws till the end, or NULL: path is CSV */
  sl__stan_csv *csv; /* NULL: no path */
  sl__watch watch;
  double begun, warm, next, next_flush; /* seconds */
  bool interrupted, failed_to_write;
} sl__chain_output;

/* Makes room and opens the file, which is made with its first row and gets these comment lines on
 * top. Close it in any case. */
sl_status sl__chain_output_open(sl__cli *cli, const sl__target *target,
                                const sl__sampler_options *options,
                                const sl__sampler_report *report, int64_t comments,
                                const char *const *comment, sl__chain_output *out);
/* What to give sl__record_run, or whatever else makes draws. */
sl__record_listener sl__chain_output_listener(sl__chain_output *out);
/* After the run: writes the rest. status: how the run ended; it comes back unless a write fails. */
sl_status sl__chain_output_finish(sl__chain_output *out, sl_status status);
/* Whether there is anything to be summarised: a draw of each chain. */
bool sl__chain_output_has_draws(const sl__chain_output *out);
void sl__chain_output_close(sl__chain_output *out);
#endif
