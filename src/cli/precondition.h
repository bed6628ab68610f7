/* --precondition: the flow in whose space chains run. */
#ifndef SL_CLI_PRECONDITION_H
#define SL_CLI_PRECONDITION_H
#include "cli/cli.h"
#include "infer/chain/preconditioned.h"

typedef struct sl__precondition {
  sl__model *model;
  sl__target *target;  /* to sample from; NULL: the option was not given */
  const char *formula; /* of the flow */
  const double *first; /* [chains][dim] in its space, or NULL */
  int64_t gradients;   /* that were used to find it */
  bool diverges;       /* it was sought, and runs in its space still diverged */
} sl__precondition;
/* Reads the flow that the option names, or fits one, and then takes smaller steps unless told
 * otherwise; after sl__watch_signals, as a fit may be interrupted. Close it in any case, before the
 * target. */
sl_status sl__cli_precondition(sl__cli *cli, const sl__target *target, sl__sampler_options *options,
                               sl__precondition *out);
void sl__precondition_close(sl__cli *cli, sl__precondition *precondition);
#endif
