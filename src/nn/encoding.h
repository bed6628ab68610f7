/* What a network reads of a feature: the number itself, or also sines and cosines of it. */
#ifndef SL_NN_ENCODING_H
#define SL_NN_ENCODING_H
#include "graph/graph.h"

enum { SL__ENCODING_MOST_SINES = 16 };

#define SL__ENCODING_FASTEST "6.3" /* unless asked for otherwise */

/* A feature x becomes one or more columns of the network's input. */
typedef struct sl__encoding {
  int32_t sines;  /* how many frequencies, 0 .. SL__ENCODING_MOST_SINES */
  double fastest; /* the last of them, radians per unit; not of circles */
  /* 0: the columns are x, then the sines, then the cosines of `sines` frequencies of x. Else x is a
   * point of a circle of this length: the columns are the sines and cosines of its first `sines`
   * harmonics, without x itself. */
  double period;
} sl__encoding;

int32_t sl__encoding_columns(const sl__encoding *encoding);
/* x [n] -> [n * columns], feature by feature. */
sl_node sl__encode(const sl__encoding *encoding, sl__graph *g, sl_node x);
/* ---- numbers kept in an interval ---- */

/* The number in -period / 2 .. period / 2 that differs from x by a whole number of periods. */
sl_node sl__wrap(sl__graph *g, sl_node x, double period);
/* a moved into low .. high, for what only rounding can have put outside: its slope stays 1. */
sl_node sl__confine(sl__graph *g, sl_node a, double low, double high);
#endif
