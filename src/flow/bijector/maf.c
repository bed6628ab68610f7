/* maf: masked autoregressive flow (Papamakarios et al. 2017, arXiv:1705.07057, eqs. 3 to 5; with
 * splines: Durkan et al. 2019, arXiv:1906.04032). The network reads the data: scoring is one pass,
 * sampling goes feature by feature. */
#include "flow/bijector/autoregressive.h"

static const char *const examples[] = {"maf*2", "maf(rqs,bins=4,hidden=16x12)-reverse-maf", NULL};
const sl__kind sl__bijector_maf = {
    .name = "maf",
    .summary = "maps each feature by a network of the data's features before it",
    .source = "Papamakarios et al. 2017, eqs. 3 to 5",
    .examples = examples,
    .arguments = sl__autoregressive_arguments,
    .argument_count = SL__AUTOREGRESSIVE_ARGUMENTS,
    .sample_how = SL__HOW_SEQUENTIAL,
    .log_prob_how = SL__HOW_CLOSED_FORM,
    .conditioning = SL__CONDITION_NETWORK,
    .build = sl__autoregressive_build,
    .sample = sl__autoregressive_walk,
    .log_prob = sl__autoregressive_pass,
};
