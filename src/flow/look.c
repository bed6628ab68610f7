/* Shows data to the layers that start from it. */
#include "flow/flow.h"

bool sl__flow_looks(const sl__flow *flow, bool again) {
  (void)flow, (void)again;
  return false;
}

sl_status sl__flow_look(sl_context *context, const sl__flow *flow, void *vector, int64_t rows,
                        const void *x, const void *context_rows, bool first) {
  (void)context, (void)flow, (void)vector, (void)rows, (void)x, (void)context_rows, (void)first;
  return SL_OK;
}
