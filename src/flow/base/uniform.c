/* uniform(low, high): the cube low..high in every coordinate, its boundary included. Outside, the
 * log density is -infinity; its gradient is 0 everywhere. */
#include <math.h>
#include "flow/flow.h"

enum { LOW, HIGH, ROWS };
static const sl__option_row arguments[ROWS] = {
    {"low", SL__OPTION_REAL, "0", -1e30, 1e30, NULL, "left end"},
    {"high", SL__OPTION_REAL, "1", -1e30, 1e30, NULL, "right end"},
};

static sl_status build(sl_context *context, sl__layer *layer) {
  double low = layer->arguments[LOW].real, high = layer->arguments[HIGH].real;
  bool fits = layer->type == SL_F32 ? (float)low < (float)high : low < high;
  if (fits) return SL_OK;
  return sl__fail(context, SL_BAD_ARGUMENT, "'low' must be less than 'high'; exchange them");
}

static sl_node density(const sl__layer *layer, sl__graph *g, sl_node z, sl_node context_value) {
  (void)context_value;
  double low = layer->arguments[LOW].real, high = layer->arguments[HIGH].real;
  sl_node above = op_less_equal(g, op_number(g, layer->type, low), z);
  sl_node below = op_less_equal(g, z, op_number(g, layer->type, high));
  sl_node inside = op_sum_all(g, op_multiply(g, above, below));
  sl_node all = op_equal(g, inside, op_number(g, layer->type, layer->dim));
  sl_node level = op_number(g, layer->type, -layer->dim * log(high - low));
  return op_select(g, all, level, op_number(g, layer->type, -INFINITY));
}

static sl_node draw(const sl__layer *layer, sl__graph *g, uint32_t stream, sl_node context_value) {
  (void)context_value;
  double low = layer->arguments[LOW].real, high = layer->arguments[HIGH].real;
  sl_node uniform = op_random_uniform(g, layer->type, sl__shape1(layer->dim), stream);
  /* Rounding may carry a draw over the end. */
  return op_clamp(g, op_shift(g, op_scale(g, uniform, high - low), low), low, high);
}

static double image(const sl__layer *layer, double x, bool low) {
  (void)x;
  return layer->arguments[low ? LOW : HIGH].real;
}

static const char *const examples[] = {"uniform", "uniform(low=-2,high=3)", NULL};
const sl__kind sl__base_uniform = {
    .name = "uniform",
    .summary = "uniform in a cube",
    .source = "-",
    .examples = examples,
    .arguments = arguments,
    .argument_count = ROWS,
    .build = build,
    .density = density,
    .draw = draw,
    .image = image,
};
