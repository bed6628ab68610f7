/* iaf: inverse autoregressive flow (Kingma et al. 2016, arXiv:1606.04934, eqs. 10, 11): maf the
 * other way round. The network reads the noise: sampling is one pass, scoring goes feature by
 * feature. */
#include "flow/bijector/autoregressive.h"

static const char *const examples[] = {"iaf*2", "iaf(rqs,hidden=12)", NULL};
const sl__kind sl__bijector_iaf = {
    .name = "iaf",
    .summary = "maps each feature by a network of the noise's features before it",
    .source = "Kingma et al. 2016, eqs. 10, 11",
    .examples = examples,
    .arguments = sl__autoregressive_arguments,
    .argument_count = SL__AUTOREGRESSIVE_ARGUMENTS,
    .sample_how = SL__HOW_CLOSED_FORM,
    .log_prob_how = SL__HOW_SEQUENTIAL,
    .conditioning = SL__CONDITION_NETWORK,
    .build = sl__autoregressive_build,
    .sample = sl__autoregressive_pass,
    .log_prob = sl__autoregressive_walk,
};
