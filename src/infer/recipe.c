/* Which flow and which budget, from the number of rows and columns alone: no clock decides, so that
 * a fit gives the same bits on a slow machine.
 *
 * Autoregressive rational-quadratic splines (Durkan et al. 2019, "Neural spline flows", section 4)
 * are the strongest layer per second here, since masked products skip their zeros; an LU layer
 * between them (Oliva et al. 2018; Kingma and Dhariwal 2018) mixes the features, so that no order
 * of them is special. Few rows: the enemy is overfitting, and dropout in residual networks (Nash
 * and Durkan 2019) is the best remedy tried, better than small networks. Many rows: the enemy is
 * time. Few columns: detail is cheap in bins (32 where many rows show it), and dear in units.
 *
 * The numbers were tuned on the sets of docs/benchmarks.md. */
#include <math.h>
#include <stdio.h>

#include "infer/recipe.h"

typedef struct level {
  int64_t rows; /* this line is for up to so many training rows */
  int layers;   /* spline layers, an LU layer before each */
  int hidden;   /* width of the networks ... */
  int blocks;   /* ... and how many residual blocks; 0: two plain hidden layers */
  double dropout;
  int bins;
  int64_t steps, batch;
  double rate;
} level;

static const level few_columns[] = {
    {500, 3, 32, 0, 0.2, 6, 1500, 128, 1e-2},
    {3000, 4, 64, 1, 0.3, 8, 3000, 256, 2e-3},
    {20000, 4, 64, 1, 0.1, 16, 6000, 256, 1e-3},
    {INT64_MAX, 4, 64, 0, 0, 32, 10000, 512, 1e-3},
};
static const level many_columns[] = {
    {500, 3, 32, 0, 0.2, 6, 1500, 128, 1e-2},     {3000, 3, 64, 1, 0.4, 6, 2000, 256, 2e-3},
    {10000, 5, 384, 1, 0.7, 4, 3500, 256, 1e-3},  {30000, 5, 128, 2, 0.2, 8, 6000, 512, 1e-3},
    {100000, 6, 192, 1, 0.3, 8, 8000, 512, 1e-3}, {INT64_MAX, 5, 128, 2, 0, 16, 9000, 512, 1e-3},
};
enum { FEW_COLUMNS = 3, FEWEST_STEPS = 500 };

#define LONE_ANGLE_RATE 2e-2

/* Multiplications and additions of the whole fit: about two minutes of two cores. */
#define MOST_WORK 1.5e13

static double work_of_step(const level *l, int32_t dim, int32_t context_dim) {
  const double width = l->hidden, inner = (l->blocks > 0 ? 2 * l->blocks : 1) * width * width;
  const double weights =
      l->layers * (width * (dim + context_dim) + inner + width * dim * (3 * l->bins - 1));
  return 3 * weights * (double)l->batch; /* forward and two products backward; masks skip half */
}

static void write_formula(const level *l, int32_t dim, int32_t context_dim, sl__recipe *out) {
  char network[64], dropout[16] = "";
  if (l->dropout > 0)
    snprintf(dropout, sizeof dropout, ",dropout=0.%d", (int)lround(10 * l->dropout));
  if (dim == 1 && context_dim == 0) /* nothing to be conditioned on: splines alone, no networks */
    snprintf(network, sizeof network, "hidden=8");
  else if (l->blocks == 0)
    snprintf(network, sizeof network, "hidden=%dx%d%s", l->hidden, l->hidden, dropout);
  else
    snprintf(network, sizeof network, "hidden=%d,blocks=%d%s", l->hidden, l->blocks, dropout);
  if (dim == 1 && context_dim == 0)
    snprintf(out->formula, sizeof out->formula, "maf(rqs,bins=%d,%s)*2", 2 * l->bins, network);
  else
    snprintf(out->formula, sizeof out->formula, "(lu-maf(rqs,bins=%d,%s))*%d", l->bins, network,
             l->layers);
}

void sl__recipe_choose(int64_t rows, int32_t dim, int32_t context_dim, sl__recipe *out) {
  const level *chosen = dim <= FEW_COLUMNS ? few_columns : many_columns;
  while (rows > chosen->rows) chosen++;
  const double affordable = MOST_WORK / work_of_step(chosen, dim, context_dim);
  int64_t steps = chosen->steps;
  if (affordable < (double)steps)
    steps = affordable > FEWEST_STEPS ? (int64_t)affordable : FEWEST_STEPS;
  *out = (sl__recipe){
      .steps = steps,
      .batch = chosen->batch,
      .patience = 20,
      .valid_every = steps / 50,
      .warmup = steps / 50,
      .rate = chosen->rate,
      .clip = 5,
      .ema = 0.999,
      .optimiser = "adam",
      .schedule = "cosine",
  };
  /* Angles alone have layers of their own (flow/circle.c), and no others. One angle has no network:
   * its splines' numbers are trained themselves, and want larger steps than weights do. */
  if (dim == 0 && context_dim == 2) out->rate = LONE_ANGLE_RATE;
  if (dim == 0)
    snprintf(out->formula, sizeof out->formula, "standardize");
  else
    write_formula(chosen, dim, context_dim, out);
}
