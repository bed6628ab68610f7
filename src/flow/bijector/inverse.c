/* inverse(formula): a chain turned round. It makes no layers of its own: the formula is expanded to
 * the layers of the chain, the last one first, each marked as inverted, so that its two directions
 * change places (flow.c). Two of them, one in the other, cancel. */
#include "flow/formula.h"

static const sl__option_row arguments[] = {
    {"formula", SL__OPTION_FORMULA, NULL, 0, 0, NULL, "the chain: planar*3-loc"},
};

static const char *const examples[] = {"inverse(scale-loc)", "inverse(lu-coupling(affine))*2",
                                       "inverse(loc-inverse(maf(affine)))", NULL};
const sl__kind sl__bijector_inverse = {
    .name = "inverse",
    .summary = "a chain of layers turned round: what sampled scores, what scored samples",
    .source = "-",
    .examples = examples,
    .arguments = arguments,
    .argument_count = 1,
    .sample_note = "or as its formula is scored",
    .log_prob_note = "or as its formula is sampled",
};
