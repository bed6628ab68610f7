/* The registry of transformers, and how a layer's arguments choose one. */
#include "flow/transformer/transformer.h"

#define TRANSFORMER(name, separator) extern const sl__transformer sl__transformer_##name;
#include "flow/transformer/transformers.def"

static const sl__transformer *const transformers[] = {
#define TRANSFORMER(name, separator) &sl__transformer_##name,
#include "flow/transformer/transformers.def"
};

const char sl__transformer_names[] =
#define TRANSFORMER(name, separator) separator #name
#include "flow/transformer/transformers.def"
    ;

static const struct {
  const sl__transformer *owner;
  const char *name;
} owners[SL__TRANSFORMER_ARGUMENTS] = {
#define ARGUMENT(transformer, name, type, fallback, low, high, choices, help) \
  {&sl__transformer_##transformer, #name},
#include "flow/transformer/transformers.def"
};

sl_status sl__transform_read(sl_context *context, const sl__layer *layer, int first_argument,
                             sl__transform *out) {
  *out = (sl__transform){.kind = transformers[layer->arguments[0].integer],
                         .arguments = layer->arguments + first_argument,
                         .type = layer->type};
  for (int i = 0; i < SL__TRANSFORMER_ARGUMENTS; i++)
    if (out->arguments[i].given && owners[i].owner != out->kind)
      return sl__fail(context, SL_BAD_ARGUMENT,
                      "argument '%s' belongs to the transformer %s, not to %s; leave it out",
                      owners[i].name, owners[i].owner->name, out->kind->name);
  out->kind->measure(out);
  for (int k = 0; k < out->group_count; k++) out->total += out->group_size[k];
  return SL_OK;
}
