/* Which numbers can come out of a chain of layers: an interval for every feature, followed from the
 * base to the data. A layer that cannot take all of them would lose a part of the mass without
 * anybody's noticing; it is refused. */
#include <math.h>
#include "flow/flow.h"

typedef struct interval {
  double low, high;
} interval;

static bool is_circle(const interval *in, double period) {
  double close = 1e-6 * period;
  return fabs(in->low + period / 2) < close && fabs(in->high - period / 2) < close;
}

static sl_status refuse(sl_context *context, const sl__layer *layer, const interval *in) {
  if (layer->period > 0)
    sl__fail(
        context, SL_BAD_ARGUMENT,
        "it maps a circle of period %.9g, but gets numbers of %.4g .. %.4g; declare the column "
        "periodic(low,high), which gives it such maps, and leave this one out",
        layer->period, in->low, in->high);
  else
    sl__fail(
        context, SL_BAD_ARGUMENT,
        "it cannot take numbers of %.4g .. %.4g, which come from the layers before it; put one "
        "there that maps into its domain, as softplus does for log and sigmoid for logit",
        in->low, in->high);
  sl__fail_prefix(context, "%s, %.80s", layer->title, layer->text);
  context->error.line = layer->line;
  context->error.column = layer->column;
  return SL_BAD_ARGUMENT;
}

static bool pass(const sl__layer *layer, interval *in) {
  if (layer->period > 0) return is_circle(in, layer->period);
  if (!layer->kind->image) {
    *in = (interval){-INFINITY, INFINITY};
    return true;
  }
  double low = layer->kind->image(layer, in->low, !layer->inverted);
  double high = layer->kind->image(layer, in->high, !layer->inverted);
  if (isnan(low) || isnan(high)) return false;
  in->low = low;
  in->high = high;
  return true;
}

sl_status sl__chain_check_reach(sl_context *context, const sl__chain *chain, double low,
                                double high) {
  interval in = {low, high};
  for (int i = 0; i < chain->count; i++)
    if (!pass(&chain->layers[i], &in)) return refuse(context, &chain->layers[i], &in);
  return SL_OK;
}
