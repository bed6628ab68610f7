/* The Gaussian baseline: mean and covariance of the training rows, and what that density gives the
 * test rows. A flow that does not beat it has learnt nothing.
 *
 * Rows are added in 16 shards whose limits depend on the number of rows alone; the shards are added
 * in order, so that threads change no bit. The covariance is centred before it is squared. */
#include <math.h>
#include <string.h>
#include "base/pool.h"
#include "infer/baseline.h"

enum { SHARDS = 16, BLOCK = 128 };

typedef struct gaussian {
  const sl__kernels *kernels;
  int64_t rows; /* of data */
  int32_t dim;
  int64_t lead;       /* dim rounded up to whole vectors */
  const double *data; /* [rows][dim] */
  double *mean;       /* [dim] */
  double *factor;     /* [dim][dim] lower Cholesky factor of the covariance */
  double log_norm;    /* log of the density at the mean */
  double *sums;       /* [SHARDS][dim] */
  double *products;   /* [SHARDS][dim][lead] */
  double *blocks;     /* [workers][BLOCK x lead or dim x BLOCK] */
  char *scratch;      /* [workers][scratch_size] */
  size_t scratch_size;
  double *log_density; /* [rows] of the test data */
} gaussian;

static void shard_limits(int64_t rows, int64_t shard, int64_t *begin, int64_t *end) {
  *begin = rows * shard / SHARDS;
  *end = rows * (shard + 1) / SHARDS;
}

static void add_shard_sums(void *user, int64_t shard, int worker) {
  (void)worker;
  gaussian *g = user;
  double *sums = g->sums + shard * g->dim;
  int64_t begin, end;
  shard_limits(g->rows, shard, &begin, &end);
  for (int64_t r = begin; r < end; r++)
    for (int32_t i = 0; i < g->dim; i++) sums[i] += g->data[r * g->dim + i];
}

static sl__product covariance_product(const gaussian *g, int64_t rows, double *block,
                                      double *products) {
  return (sl__product){
      .m = g->dim,
      .n = g->dim,
      .k = rows,
      .a = block,
      .a_row = 1,
      .a_column = g->lead,
      .b = block,
      .b_row = g->lead,
      .c = products,
      .c_row = g->lead,
      .accumulate = true,
  };
}

static void add_shard_products(void *user, int64_t shard, int worker) {
  gaussian *g = user;
  double *block = g->blocks + worker * BLOCK * g->lead;
  double *products = g->products + shard * g->dim * g->lead;
  int64_t begin, end;
  shard_limits(g->rows, shard, &begin, &end);
  for (int64_t first = begin; first < end; first += BLOCK) {
    const int64_t rows = end - first < BLOCK ? end - first : BLOCK;
    for (int64_t r = 0; r < rows; r++)
      for (int32_t i = 0; i < g->dim; i++)
        block[r * g->lead + i] = g->data[(first + r) * g->dim + i] - g->mean[i];
    const sl__product product = covariance_product(g, rows, block, products);
    g->kernels->product_run(&product, 0, g->kernels->product_units(&product),
                            g->scratch + (size_t)worker * g->scratch_size);
  }
}

/* Adds the shards, in order, into the first. */
static void add_up(double *shards, int64_t count) {
  for (int64_t shard = 1; shard < SHARDS; shard++)
    for (int64_t i = 0; i < count; i++) shards[i] += shards[shard * count + i];
}

/* Factors the covariance [dim][lead] into g->factor; where it is singular (or as good as), with a
 * ridge of growing size in units of each column's variance. */
static bool factor_covariance(gaussian *g, const double *covariance, double *work) {
  const int64_t dim = g->dim;
  for (double ridge = 0; ridge < 1; ridge = ridge == 0 ? 1e-9 : 10 * ridge) {
    for (int64_t i = 0; i < dim; i++) {
      for (int64_t j = 0; j < dim; j++) work[i * dim + j] = covariance[i * g->lead + j];
      const double variance = work[i * dim + i];
      work[i * dim + i] = variance > 0 ? variance * (1 + ridge) : ridge;
    }
    g->kernels->cholesky(dim, 1, g->factor, work);
    double log_det = 0;
    bool sound = true;
    for (int64_t i = 0; i < dim; i++) {
      const double pivot = g->factor[i * dim + i];
      sound = sound && pivot * pivot > 1e-12 * work[i * dim + i];
      log_det += log(pivot);
    }
    g->log_norm = -0.5 * (double)dim * sl__log_two_pi - log_det;
    if (sound) return true;
  }
  return false;
}

static sl_status estimate(sl_context *context, gaussian *g, double *work) {
  sl__parallel(context, SHARDS, add_shard_sums, g);
  add_up(g->sums, g->dim);
  for (int32_t i = 0; i < g->dim; i++) g->mean[i] = g->sums[i] / (double)g->rows;
  sl__parallel(context, SHARDS, add_shard_products, g);
  add_up(g->products, g->dim * g->lead);
  for (int64_t i = 0; i < g->dim * g->lead; i++) g->products[i] /= (double)g->rows;
  if (!factor_covariance(g, g->products, work))
    return sl__fail(context, SL_NUMERIC, "the covariance of the data is not finite");
  return SL_OK;
}

/* Blocks of test rows: whiten by forward substitution, then sum squares. */
static void score_block(void *user, int64_t index, int worker) {
  gaussian *g = user;
  double *block = g->blocks + worker * BLOCK * g->lead; /* [dim][BLOCK] */
  const int64_t first = index * BLOCK;
  const int64_t rows = g->rows - first < BLOCK ? g->rows - first : BLOCK;
  for (int64_t r = 0; r < BLOCK; r++) {
    const double *row = g->data + (first + (r < rows ? r : rows - 1)) * g->dim;
    for (int32_t i = 0; i < g->dim; i++) block[i * BLOCK + r] = row[i] - g->mean[i];
  }
  g->kernels->triangular_solve(g->dim, 1, BLOCK, 1, block, g->factor, block, false, false, false);
  for (int64_t r = 0; r < rows; r++) {
    double squares = 0;
    for (int32_t i = 0; i < g->dim; i++) squares += block[i * BLOCK + r] * block[i * BLOCK + r];
    g->log_density[first + r] = g->log_norm - 0.5 * squares;
  }
}

sl_status sl__baseline_gaussian(sl_context *context, int64_t rows, int64_t test_rows, int32_t dim,
                                const double *train, const double *test, double *log_density) {
  if (rows < 1 || test_rows < 1 || dim < 1)
    return sl__fail(context, SL_BAD_ARGUMENT, "a Gaussian needs training rows and test rows");
  sl__arena arena;
  sl__arena_open(&arena, context);
  const size_t width = (size_t)dim, lead = (width + 15) / 16 * 16;
  const size_t workers = (size_t)context->threads;
  gaussian g = {.kernels = sl__kernels_for(context->cpu_features, SL_F64),
                .rows = rows,
                .dim = dim,
                .lead = (int64_t)lead,
                .data = train,
                .log_density = log_density};
  const sl__product largest = covariance_product(&g, BLOCK, NULL, NULL);
  g.scratch_size = (g.kernels->product_scratch(&largest) + 63) / 64 * 64;
  g.mean = sl__arena_take(&arena, width, sizeof(double));
  g.factor = sl__arena_take(&arena, width * width, sizeof(double));
  double *work = sl__arena_take(&arena, width * width, sizeof(double));
  g.sums = sl__arena_take(&arena, SHARDS * width, sizeof(double));
  g.products = sl__arena_take(&arena, SHARDS * width * lead, sizeof(double));
  g.blocks = sl__arena_take(&arena, workers * BLOCK * lead, sizeof(double));
  g.scratch = sl__arena_take(&arena, workers * g.scratch_size + 64, 1);
  sl_status status = SL_NO_MEMORY;
  if (g.mean && g.factor && work && g.sums && g.products && g.blocks && g.scratch)
    status = estimate(context, &g, work);
  if (status == SL_OK) {
    g.rows = test_rows;
    g.data = test;
    sl__parallel(context, (test_rows + BLOCK - 1) / BLOCK, score_block, &g);
  }
  sl__arena_close(&arena);
  return status;
}
