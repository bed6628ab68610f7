/* A report in the making, and its tables. */
#ifndef SL_CLI_REPORT_H
#define SL_CLI_REPORT_H
#include "cli/figures.h"
#include "cli/page.h"

typedef struct sl__report {
  sl__cli *cli;
  sl__page page;
  sl__cli_figures figures;
  const sl__json_value *record; /* or NULL */
  int drawn;
} sl__report;

/* report_tables.c. Nothing is added of what the record does not hold. */
/* Log densities of rows, of a fit to data. */
void sl__report_scores(sl__report *r);
/* ELBO, evidence and k-hat, of a variational fit. */
void sl__report_estimates(sl__report *r);
/* Means, deviations and quantiles of the columns. */
sl_status sl__report_summary(sl__report *r);
/* The flow, and the record. */
void sl__report_facts(sl__report *r);
#endif
