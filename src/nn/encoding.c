/* Sines and cosines of features as inputs of networks: Fourier features, with which small networks
 * follow fast changes that they would otherwise learn late (Tancik et al. 2020, arXiv:2006.10739).
 *
 * Frequencies are geometric from 0.5 to, usually, 6.3 radians per unit: features are standardised,
 * so that these waves are some twelve to one standard deviations long. Faster ones hurt where
 * nothing is as fast: on smooth densities the network then fits what is not there. */
#include <math.h>
#include "nn/encoding.h"

#define SLOWEST 0.5
#define TWO_PI  6.28318530717958647693

int32_t sl__encoding_columns(const sl__encoding *encoding) {
  return 2 * encoding->sines + (encoding->period > 0 ? 0 : 1);
}

static double frequency(const sl__encoding *encoding, int32_t i) {
  if (encoding->period > 0) return (i + 1) * TWO_PI / encoding->period;
  const double ratio = encoding->fastest / SLOWEST;
  return i == 0 ? SLOWEST : SLOWEST * pow(ratio, (double)i / (encoding->sines - 1));
}

sl_node sl__encode(const sl__encoding *encoding, sl__graph *g, sl_node x) {
  if (encoding->sines == 0) return x;
  sl_dtype type = sl__node_type(g, x);
  int32_t n = sl__node_shape(g, x).size[0], count = encoding->sines;
  double frequencies[SL__ENCODING_MOST_SINES];
  for (int32_t i = 0; i < count; i++) frequencies[i] = frequency(encoding, i);
  bool open = encoding->period <= 0;
  sl_node column = op_reshape(g, open ? x : sl__wrap(g, x, encoding->period), sl__shape2(n, 1));
  sl_node waves = op_constant(g, type, sl__shape1(count), frequencies);
  sl_node phases = op_multiply(g, column, waves);
  sl_node parts[3] = {column, op_sin(g, phases), op_cos(g, phases)};
  sl_node joined = op_concatenate(g, open ? 3 : 2, open ? parts : parts + 1, 1);
  return op_reshape(g, joined, sl__shape1(n * sl__encoding_columns(encoding)));
}

sl_node sl__wrap(sl__graph *g, sl_node x, double period) {
  sl_node turns = op_floor(g, op_scale(g, op_shift(g, x, period / 2), 1 / period));
  sl_node wrapped = op_subtract(g, x, op_scale(g, turns, period));
  return sl__confine(g, wrapped, -period / 2, period / 2); /* of huge numbers, by far */
}

sl_node sl__confine(sl__graph *g, sl_node a, double low, double high) {
  sl_node missing = op_subtract(g, op_clamp(g, a, low, high), a);
  return op_add(g, a, op_stop_gradient(g, missing));
}
