/* How far two sets of draws are apart, for `sluice compare`. */
#ifndef SL_CLI_COMPARE_H
#define SL_CLI_COMPARE_H
#include "cli/draws.h"

typedef struct sl__difference {
  int64_t a, b; /* columns of the two */
  double mean_in_mcse, mean_in_sd, sd_ratio;
  sl__wasserstein wasserstein;
} sl__difference;

typedef struct sl__comparison {
  sl__cli_draws of[2];
  int64_t count;          /* parameters that both have */
  sl__difference *differ; /* [count] */
  sl__energy_test test;
  bool same;
  char verdict[1024];
} sl__comparison;

/* Of two sets that are read: pairs their parameters and compares each pair, and all together. */
sl_status sl__compare(sl__cli *cli, sl__comparison *c);
/* The verdict, in words and in `same`. */
void sl__conclude(sl__comparison *c);
/* For qsort, of sl__difference. */
int sl__farthest_first(const void *a, const void *b);
#endif
