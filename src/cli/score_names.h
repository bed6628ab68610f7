/* What scores are called, on the terminal and on pages alike. */
#ifndef SL_CLI_SCORE_NAMES_H
#define SL_CLI_SCORE_NAMES_H
#include "sluice/sluice.h"

/* The Gaussian that a fit is held against: of a conditional model, its mean moves with c. */
static inline const char *sl__cli_gaussian_name(const sl_flow *flow) {
  return sl_flow_context_dim(flow) > 0 ? "Gaussian of x given c" : "one Gaussian, test";
}
#endif
