/* The registry of transformers, and how a layer's arguments choose one. */
#include <string.h>
#include "flow/transformer/transformer.h"

#define TRANSFORMER(name, separator) extern const sl__transformer sl__transformer_##name;
#include "flow/transformer/transformers.def"

static const sl__transformer *const transformers[] = {
#define TRANSFORMER(name, separator) &sl__transformer_##name,
#include "flow/transformer/transformers.def"
};

const sl__transformer *const *sl__transformers(int *count) {
  *count = (int)(sizeof transformers / sizeof transformers[0]);
  return transformers;
}

const char sl__transformer_names[] =
#define TRANSFORMER(name, separator) separator #name
#include "flow/transformer/transformers.def"
    ;

static const struct {
  const char *owners; /* "rqs | linear" */
  const char *name;
} rows[SL__TRANSFORMER_ARGUMENTS] = {
#define ARGUMENT(transformers, name, type, fallback, low, high, choices, help) \
  {#transformers, #name},
#include "flow/transformer/transformers.def"
};

static bool is_among(const char *owners, const char *name) {
  for (const char *at = owners; *at;) {
    size_t length = strcspn(at, " |");
    if (length == strlen(name) && strncmp(at, name, length) == 0) return true;
    at += length;
    at += strspn(at, " |");
  }
  return false;
}

bool sl__transformer_takes(const sl__transformer *transformer, int row) {
  return is_among(rows[row].owners, transformer->name);
}

sl_status sl__transform_read(sl_context *context, sl__layer *layer, int first_argument,
                             sl__transform *out) {
  *out = (sl__transform){.kind = transformers[layer->arguments[0].integer],
                         .arguments = layer->arguments + first_argument,
                         .type = layer->type};
  for (int i = 0; i < SL__TRANSFORMER_ARGUMENTS; i++)
    if (out->arguments[i].given && !sl__transformer_takes(out->kind, i))
      return sl__fail(context, SL_BAD_ARGUMENT,
                      "argument '%s' belongs to the transformer %s, not to %s; leave it out",
                      rows[i].name, rows[i].owners, out->kind->name);
  out->kind->measure(out);
  layer->period = out->period;
  for (int k = 0; k < out->group_count; k++) out->total += out->group_size[k];
  return SL_OK;
}

sl_node sl__transform_across(sl__graph *g, sl_node x, int axis) {
  int32_t n = sl__node_shape(g, x).size[0];
  return op_reshape(g, x, axis == 0 ? sl__shape2(1, n) : sl__shape2(n, 1));
}

sl_node sl__transform_soft(sl__graph *g, sl_node s, double limit) {
  return op_divide(g, s, op_shift(g, op_scale(g, op_absolute(g, s), 1 / limit), 1));
}
