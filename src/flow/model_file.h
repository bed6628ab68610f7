/* What writing and reading of models share: the tensor in which a parameter is kept. src/flow only.
 */
#ifndef SL_FLOW_MODEL_FILE_H
#define SL_FLOW_MODEL_FILE_H
#include "flow/model.h"
#include "io/io.h"

static inline size_t sl__number_size(sl_dtype type) {
  return type == SL_F32 ? sizeof(float) : sizeof(double);
}

/* Of one parameter; its numbers lie in vector [flow->size], which may be NULL. */
static inline sl__tensor sl__parameter_tensor(const sl__flow *flow, const sl__parameter *p,
                                              const void *vector) {
  sl__tensor tensor = {.name = p->name,
                       .type = flow->type,
                       .dims = p->shape.dims,
                       .count = sl__shape_count(p->shape)};
  if (vector) tensor.data = (const char *)vector + (size_t)p->offset * sl__number_size(flow->type);
  for (int i = 0; i < p->shape.dims; i++) tensor.shape[i] = p->shape.size[i];
  return tensor;
}

/* The shift or scale of the context, by name. */
static inline sl__tensor sl__context_tensor(const sl__flow *flow, const char *name,
                                            const double *data) {
  return (sl__tensor){.name = name,
                      .type = SL_F64,
                      .dims = 1,
                      .shape = {flow->context_dim},
                      .data = data,
                      .count = flow->context_dim};
}
#endif
