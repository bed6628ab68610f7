/* Which flow and which budget, from the number of rows and columns alone: no clock decides, so that
 * a fit gives the same bits on a slow machine.
 *
 * Few rows: the enemy is overfitting, so networks are small and patience short. Many rows: the
 * enemy is time. Autoregressive rational-quadratic splines (Durkan et al. 2019, "Neural spline
 * flows", section 4) are the strongest layer per second here; an LU layer between them (Kingma
 * and Dhariwal 2018; Oliva et al. 2018) mixes the features, so that no order of them is special. */
#include <math.h>
#include <stdio.h>

#include "infer/recipe.h"

typedef struct level {
  int64_t rows;    /* this line is for up to so many training rows */
  int layers;      /* spline layers, an LU layer before each */
  int hidden;      /* width of the two hidden layers of each network */
  int bins;
  int64_t steps, batch;
  double rate;
} level;

static const level levels[] = {
    {500, 2, 16, 6, 1500, 128, 2e-3},
    {3000, 3, 32, 8, 3000, 256, 2e-3},
    {10000, 4, 64, 8, 5000, 256, 1e-3},
    {30000, 5, 96, 8, 8000, 512, 1e-3},
    {INT64_MAX, 6, 128, 8, 12000, 512, 1e-3},
};

void sl__recipe_choose(int64_t rows, int32_t dim, int32_t context_dim, sl__recipe *out) {
  const level *chosen = levels;
  while (rows > chosen->rows) chosen++;
  *out = (sl__recipe){
      .steps = chosen->steps,
      .batch = chosen->batch,
      .patience = 20,
      .valid_every = chosen->steps / 50,
      .warmup = chosen->steps / 50,
      .rate = chosen->rate,
      .clip = 5,
      .ema = 0.995,
      .optimiser = "adam",
      .schedule = "cosine",
  };
  /* One column without conditions has nothing to be conditioned on: splines alone, no networks. */
  if (dim == 1 && context_dim == 0) {
    snprintf(out->formula, sizeof out->formula, "maf(rqs,bins=%d,hidden=8)*2", 2 * chosen->bins);
    return;
  }
  snprintf(out->formula, sizeof out->formula, "(lu-maf(rqs,bins=%d,hidden=%dx%d))*%d", chosen->bins,
           chosen->hidden, chosen->hidden, chosen->layers);
}
