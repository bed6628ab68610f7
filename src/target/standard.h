/* Standard targets: what one of them is. Each ends a block of its file; targets.def lists them. */
#ifndef SL_TARGET_STANDARD_H
#define SL_TARGET_STANDARD_H
#include "base/random.h"
#include "graph/graph.h"

typedef struct sl__standard_target {
  const char *name;
  const char *summary; /* one line */
  const char *origin;  /* where it was published */
  int32_t dim;
  double log_evidence;                             /* log of its integral, exact; NaN: not known */
  sl_node (*log_density)(sl__graph *g, sl_node x); /* x [dim] -> [] */
  /* NULL, or one exact draw x [dim], a function of (key, row). */
  void (*draw)(sl__random_key key, uint64_t row, double *x);
} sl__standard_target;

/* All of them, in the order of targets.def. */
const sl__standard_target *const *sl__standard_targets(int *count);

#define STANDARD(name) extern const sl__standard_target sl__standard_##name;
#include "target/targets.def"

/* log(exp(a) + exp(b)), elementwise, stable wherever the difference is. */
sl_node sl__log_add_exp(sl__graph *g, sl_node a, sl_node b);
/* A draw from the density that is flat on [-half_width, half_width] and falls off beyond like a
 * normal of this sd, of the numbers feature and feature + 2. (A uniform and a normal number of one
 * pair, 2 i and 2 i + 1, depend on each other: draws take even features only.) */
double sl__draw_plateau(sl__random_key key, uint64_t row, uint32_t feature, double half_width,
                        double sd);
#endif
