/* A network as part of a layer: its weights are parameters of the layer. */
#ifndef SL_FLOW_CONDITIONER_H
#define SL_FLOW_CONDITIONER_H
#include "flow/flow.h"
#include "nn/encoding.h"
#include "nn/network.h"

typedef struct sl__conditioner {
  sl__network network;
  int weight[SL__NETWORK_MAX_LINEARS], bias[SL__NETWORK_MAX_LINEARS]; /* parameters of the layer */
} sl__conditioner;

/* The rows of arguments that any layer with networks has, for its table, and their places in it. */
#define SL__CONDITIONER_ROWS                                                                     \
  {"hidden", SL__OPTION_SIZES, "64x64", 0, 0, NULL, "widths of the hidden layers"},              \
      {"blocks",                                                                                 \
       SL__OPTION_INT,                                                                           \
       "0",                                                                                      \
       0,                                                                                        \
       SL__NETWORK_MAX_BLOCKS,                                                                   \
       NULL,                                                                                     \
       "residual blocks of two layers each; 0: a plain stack"},                                  \
      {"activation",         SL__OPTION_CHOICE,    SL__ACTIVATION_DEFAULT, 0, 0,                 \
       sl__activation_names, "between linear maps"},                                             \
      {"dropout",                                                                                \
       SL__OPTION_REAL,                                                                          \
       "0",                                                                                      \
       0,                                                                                        \
       0.9,                                                                                      \
       NULL,                                                                                     \
       "fraction of hidden units left out at each step of a fit"},                               \
      {"fastest",                                                                                \
       SL__OPTION_REAL,                                                                          \
       SL__ENCODING_FASTEST,                                                                     \
       0.5,                                                                                      \
       1e4,                                                                                      \
       NULL,                                                                                     \
       "the highest of the frequencies that sines counts, in radians per unit"},                 \
  {                                                                                              \
    "sines", SL__OPTION_INT, "0", 0, SL__ENCODING_MOST_SINES, NULL,                              \
        "frequencies of which each feature enters as sine and cosine too; circular: as nothing " \
        "else, 0 meaning 2"                                                                      \
  }
enum {
  SL__CONDITIONER_HIDDEN,
  SL__CONDITIONER_BLOCKS,
  SL__CONDITIONER_ACTIVATION,
  SL__CONDITIONER_DROPOUT,
  SL__CONDITIONER_FASTEST,
  SL__CONDITIONER_SINES,
  SL__CONDITIONER_ARGUMENTS
};

/* How the network reads features, of a circle of this length or, period 0, of the line. Columns of
 * context enter as they are. */
sl__encoding sl__conditioner_encoding(const sl__option_value *arguments, double period);
/* Builds the network and declares its weights as PREFIX.0.weight, PREFIX.0.bias, PREFIX.1.weight,
 * ... inputs: columns. features: see sl__network_plan; if not 0, the inputs are the context and
 * behind it as many columns for each feature. */
sl_status sl__conditioner_build(sl_context *context, sl__layer *layer, const char *prefix,
                                const sl__option_value *arguments, int64_t inputs, int64_t outputs,
                                int32_t features, sl__conditioner *out);
void sl__conditioner_nodes(const sl__layer *layer, sl__graph *g, const sl__conditioner *conditioner,
                           sl__network_nodes *out);
#endif
