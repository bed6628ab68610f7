/* Base densities: log density and sampler of z in R^dim, as graphs. Registry: base.def. */
#ifndef SL_DIST_BASE_H
#define SL_DIST_BASE_H
#include "graph/graph.h"
typedef struct sl__base {
  const char *name, *summary, *source;
  sl_node (*log_prob)(sl__graph *g, sl_node z);                   /* [dim] batched -> scalar */
  sl_node (*sample)(sl__graph *g, sl_dtype type, int32_t dim, uint32_t stream);
} sl__base;
const sl__base *const *sl__bases(int *count);
const sl__base *sl__base_find(const char *name);
#endif
