/* What `sluice summary` shows of draws, for every command that ends in some. */
#ifndef SL_CLI_SUMMARY_H
#define SL_CLI_SUMMARY_H
#include "cli/draws.h"

typedef struct sl__cli_summary {
  const sl__cli_draws *of;
  double *ebfmi; /* [chains], or NULL */
  sl__run_facts facts;
  bool trusted;
  char verdict[2048];
} sl__cli_summary;

/* Counts what the sampler recorded and comes to a verdict; d->rows are there already. */
sl_status sl__cli_judge(sl__cli *cli, const sl__cli_draws *d, sl__cli_summary *out);
/* The table, of all parameters or of those with the largest R-hat, and what was counted. */
sl_status sl__cli_add_summary(sl__cli *cli, const sl__cli_summary *s, bool all, sl__text *text);
/* The keys chains, draws, divergences, treedepth_hits, ebfmi, parameters, trusted, verdict. */
void sl__cli_json_judged(sl__json *json, const sl__cli_summary *s);
#endif
