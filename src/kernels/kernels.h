/* Kernels: loops over runs. One table per instruction set and element type; a plain C reference
 * table is the oracle. Every kernel of a table is a pure function of its arguments: no allocation,
 * no state, and the split of work into units or ranges never changes a bit of the result.
 *
 * Layout (all of sluice): a value of shape [D] for a block of rows lies feature-major: D runs of
 * `lead` numbers, of which the first `rows` are real. lead is a multiple of 16; pad lanes hold
 * anything finite or not and are never read by a reduction over rows. Pointers are 64-byte aligned
 * at the start of a run unless the value is shared (no row axis). T below is float in the f32 table
 * and double in the f64 table. */
#ifndef SL_KERNELS_KERNELS_H
#define SL_KERNELS_KERNELS_H
#include "base/context.h"
#include "base/random.h"

typedef enum sl__elementwise {
#define UNARY(name, low, high) SL__EW_##name,
#define BINARY(name, low, high) SL__EW_##name,
#define TERNARY(name, low, high) SL__EW_##name,
#include "kernels/elementwise.def"
  SL__EW_COUNT
} sl__elementwise;

/* y[i] = f(a[i], b[i], c[i]) for i < n. Bit k of `scalars`: operand k is one value, read at
 * index 0, for all i. y may be one of the operands (same address), else no overlap. Unused
 * operands are NULL. Any n, any alignment. */
typedef void (*sl__elementwise_kernel)(int64_t n, void *y, const void *a, const void *b,
                                       const void *c, unsigned scalars, double attribute);

/* One call of an elementwise kernel; or, is_strided, of one whose operands are n numbers `stride`
 * apart, at most SL__FEW_STRIDED, and y is none of them; or `pieces` calls (0 is 1), one after
 * another, whose operands and results are `stride` apart. */
enum { SL__FEW_STRIDED = 32, SL__FEW_PIECES = 255 };
typedef struct sl__few {
  sl__elementwise_kernel kernel;
  uint8_t elementwise; /* which it is */
  uint8_t scalars;
  bool is_strided;
  uint8_t pieces;
  int32_t n, stride[4]; /* of a, b, c; y */
  void *y;
  const void *a, *b, *c;
  double attribute;
} sl__few;

/* An elementwise operation on `features` runs, those of an operand `between` numbers apart, 0: one
 * run for all; those of y one after another. scalars: bit k, operand k has one number in place of
 * each run. y is no operand, or exactly one. */
typedef struct sl__runs_call {
  sl__elementwise_kernel kernel;
  uint8_t elementwise, scalars;
  int64_t features;
  void *y;
  const void *operand[3];
  int64_t between[3];
  double attribute;
} sl__runs_call;

/* C[m][n] = bias[m] + sum_k A(m,k) B(k,n), or C += when accumulate.
 *   A(m,k) = a[m*a_row + k*a_column]  (any strides; the broadcast operand)
 *   B(k,n) = b[k*b_row + n]           or, b_transposed, b[n*b_row + k] (packed into scratch)
 *   C[m][n] = c[m*c_row + n]
 * Structure, each NULL or an array of m entries, known zeros that are skipped tile by tile (A or
 * the result is zero there; a tile may do more than needed, since A is zero outside):
 *   k_begin[m] <= k < k_end[m]: where A(m, .) may be non-zero;
 *   n_end[m]: the columns of C to compute; beyond it C[m][n] is set to 0 (or left alone when
 *   accumulate).
 * Unless b_transposed, C's and B's rows may be written and read up to n rounded up to 16 (they
 * are runs). Order of summation: k ascending for every element, one accumulator (fused
 * multiply-add), so that splitting changes nothing; for very few columns (n <= 4; b_transposed:
 * or rows, m <= 4) a different, equally fixed order may be used. A product with a base has at most
 * SL__BASE_ROWS rows m, SL__BASE_DEPTH terms k and SL__BASE_COLUMNS columns n, and no structure. */
enum { SL__BASE_ROWS = 4, SL__BASE_DEPTH = 8, SL__BASE_COLUMNS = 512 };
typedef struct sl__product {
  int64_t m, n, k;
  const void *a; int64_t a_row, a_column;
  const void *b; int64_t b_row; bool b_transposed;
  int64_t room; /* of rows of A and B along k, when b_transposed: so far they may be read */
  void *c; int64_t c_row;
  const void *bias; /* m values, or NULL */
  const void *base; int64_t base_row; /* m runs that are added, or NULL */
  bool accumulate;
  const int32_t *k_begin, *k_end, *n_end;
} sl__product;

/* y [m][n] = sum over k of A(i,k) B(k,j), each element a run of `lanes` numbers; where a_lanes or
 * b_lanes is 1, one number for all of them. A(i,k) is number or run i * a_row + k * a_column of a,
 * B(k,j) k * b_row + j * b_column of b. */
typedef struct sl__matrices {
  int64_t m, n, k, lanes;
  void *y;
  const void *a; int64_t a_row, a_column, a_lanes;
  const void *b; int64_t b_row, b_column, b_lanes;
} sl__matrices;

enum { SL__PARTIAL_SUMS = 32 }; /* interleaved sums of a sum inside a run */
enum { SL__ODE_LANES = 16, SL__ODE_SUMMANDS = 7 };
enum { SL__ROOT_STATE = 15 }; /* numbers that the search for a root keeps for a lane */

typedef struct sl__kernels {
  const char *name;        /* "reference", "portable", "avx2", "avx512" */
  int64_t element_size;    /* sizeof(T) */
  sl__elementwise_kernel elementwise[SL__EW_COUNT];

  /* The calls of a list, one after another; less time goes between them. */
  void (*run_few)(int64_t count, const sl__few *few);

  /* A product is cut into units along one axis; running all units, in any order, on any threads, is
   * the product. Each running thread brings scratch of product_scratch bytes (64-byte aligned). */
  int64_t (*product_units)(const sl__product *product);
  size_t (*product_scratch)(const sl__product *product);
  void (*product_run)(const sl__product *product, int64_t unit_begin, int64_t unit_end,
                      void *scratch);

  /* Reductions and scans along a middle axis: x is [outer][axis][inner], inner counts lanes
   * (features x lead). y is [outer][inner] for sum, sum of logarithms and max,
   * [outer][axis][inner] for cumulative_sum (inclusive; reverse: from the end). */
  void (*sum_axis)(int64_t outer, int64_t axis, int64_t inner, void *y, const void *x);
  void (*sum_log_axis)(int64_t outer, int64_t axis, int64_t inner, void *y, const void *x);
  void (*max_axis)(int64_t outer, int64_t axis, int64_t inner, void *y, const void *x);
  void (*cumulative_sum)(int64_t outer, int64_t axis, int64_t inner, void *y, const void *x,
                         bool reverse);
  /* y[f] (+)= sum over r < rows of x[f*lead + r], f < features; a fixed tree inside the run. */
  void (*sum_rows)(int64_t features, int64_t rows, int64_t lead, void *y, const void *x,
                   bool accumulate);
  /* y[f] (+)= sum over r < rows of x[f*lead + r] * z[f*lead + r]. */
  void (*dot_rows)(int64_t features, int64_t rows, int64_t lead, void *y, const void *x,
                   const void *z, bool accumulate);

  /* For fused steps, a strip being `features` runs of `lanes` numbers one after another. spread:
   * y[f][l] = x[f]. gather_runs: y[f][l] = x[index[f] * lead + l]; scatter_runs is its transpose,
   * y[index[f] * lead + l] += x[f][l]. add_strip: sums[l] += x[f][l], f ascending; for one lane
   * sums are SL__PARTIAL_SUMS partial ones, and strips but the last a multiple of that long;
   * end_sum adds these up. Strip by strip that is sum_axis. */
  void (*spread)(int64_t features, int64_t lanes, void *y, const void *x);
  void (*gather_runs)(int64_t features, int64_t lanes, void *y, const void *x, int64_t lead,
                      const int32_t *index);
  void (*scatter_runs)(int64_t features, int64_t lanes, void *y, int64_t lead, const void *x,
                       const int32_t *index);
  void (*add_strip)(int64_t features, int64_t lanes, void *sums, const void *x);
  void (*end_sum)(void *y, const void *sums);

  /* Indexing with an index per lane, held in T. take: y[o][i] = x[o][(int)index[o][i]][i]; put
   * is its transpose: y[o][j][i] = (j == index[o][i]) ? x[o][i] : 0. search: y[o][i] = how many
   * of knots[o][0..axis-1][i] are <= x[o][i]. Indices outside 0..axis-1 (NaN too) are clamped. */
  void (*take)(int64_t outer, int64_t axis, int64_t inner, void *y, const void *x,
               const void *index);
  void (*put)(int64_t outer, int64_t axis, int64_t inner, void *y, const void *x,
              const void *index);
  void (*search)(int64_t outer, int64_t axis, int64_t inner, void *y, const void *knots,
                 const void *x);

  /* Small dense linear algebra where every scalar is a run of `lanes` numbers (lanes = 1: one
   * shared matrix).
   * multiply_matrices: see sl__matrices; for small ones, or without lanes.
   * cholesky: l = lower factor of a [n][n][lanes]; upper part zeroed; NaN where not definite.
   * triangular_solve: solves op(T) y = b, T [n][n] with t_lanes = lanes or 1 (shared by all), b
   *   and y [n][m][lanes]; reads only the named triangle. y may be b.
   * qr: Householder; a [m][n][lanes], m >= n -> q [m][n][lanes], r [n][n][lanes], diagonal of r
   *   positive. scratch: (m*n + m + n) * lanes numbers. */
  void (*multiply_matrices)(const sl__matrices *matrices);
  void (*cholesky)(int64_t n, int64_t lanes, void *l, const void *a);
  void (*triangular_solve)(int64_t n, int64_t m, int64_t lanes, int64_t t_lanes, void *y,
                           const void *t, const void *b, bool upper, bool transposed,
                           bool unit_diagonal);
  void (*qr)(int64_t m, int64_t n, int64_t lanes, void *q, void *r, const void *a, void *scratch);

  /* Rows in and out. load: y[f*lead + j] = source[row(j)*row_stride + f*column_stride], row(j) =
   * index ? index[j] : j, for j < rows; pad lanes repeat the last row. store: the reverse,
   * without index. source_type is the foreign type. A small square is moved at a time, so that
   * both sides go by cache lines. */
  void (*load_rows)(int64_t features, int64_t rows, int64_t lead, void *y, const void *source,
                    sl_dtype source_type, int64_t row_stride, int64_t column_stride,
                    const int64_t *index);
  void (*store_rows)(int64_t features, int64_t rows, int64_t lead, const void *x, void *target,
                     sl_dtype target_type, int64_t row_stride, int64_t column_stride);
  /* Conversion to T of n contiguous numbers of the other type. */
  void (*from_other)(int64_t n, void *y, const void *x);

  /* Philox normals and uniforms for rows first_row .. first_row+rows-1 of so many features from
   * `feature` on, in runs `lead` apart; the same numbers whatever the cutting, and equal (to
   * rounding in T) to sl__random_normal/uniform of base/random.h. A uniform is below 1 in float
   * too. */
  void (*random_normal)(sl__random_key key, uint64_t first_row, uint32_t feature,
                        int64_t features, int64_t rows, int64_t lead, void *y);
  void (*random_uniform)(sl__random_key key, uint64_t first_row, uint32_t feature,
                         int64_t features, int64_t rows, int64_t lead, void *y);

  /* Roots of increasing functions: x[i] with f_i(x[i]) = y[i] for every lane i, all lanes at once.
   * root_begin writes to x where to evaluate first; then, until it returns 0 (the lanes still
   * searched for), root_step reads the functions' values f and slopes at x and writes where next;
   * root_end makes x NaN where nothing was found, should the caller give up before. A lane that is
   * found keeps its x, whatever the others do. n = features * lead; lanes beyond `rows` of a run
   * are not searched for. state: SL__ROOT_STATE * (n rounded up to 16) numbers. */
  void (*root_begin)(int64_t features, int64_t rows, int64_t lead, void *state, void *x,
                     const void *y, const void *low, const void *high);
  int64_t (*root_step)(int64_t n, void *state, void *x, const void *y, const void *f,
                       const void *slope);
  void (*root_end)(int64_t n, const void *state, void *x);

  /* For solvers of differential equations, whose states are x [features][lanes] and their slopes k
   * [count][features][lanes]; lanes: 1 or SL__ODE_LANES, count <= SL__ODE_SUMMANDS.
   * ode_calls: the calls of a list, one after another. ode_sum: y = x + sum over j of w[j] * k[j];
   * x NULL: zeros; w[j] is step[l] * weights[j] or, step NULL, weights[j][l]. ode_norm: largest[l]
   * = max over features of |error| / (absolute + relative * (|x| + |step[l] * slope|)), NaN where a
   * term is not finite. ode_choose: y = x in the lanes where take[l] is not 0. */
  void (*ode_calls)(int64_t lanes, int64_t count, const sl__runs_call *call);
  void (*ode_sum)(int64_t features, int64_t lanes, void *y, const void *x, const void *step,
                  int count, const void *weights, const void *k);
  void (*ode_norm)(int64_t features, int64_t lanes, void *largest, const void *error, const void *x,
                   const void *slope, const void *step, double absolute, double relative);
  void (*ode_choose)(int64_t features, int64_t lanes, void *y, const void *take, const void *x);

  /* Optimiser updates over n parameters w with gradient g (multiplied by g_scale first, which is
   * how clipping is applied). m, v: state; m NULL: no momentum. All read once, written once. The
   * weight decay of update_adam is decoupled (AdamW). */
  void (*update_sgd)(int64_t n, void *w, const void *g, void *m, double g_scale, double rate,
                     double momentum, bool nesterov, double weight_decay);
  void (*update_adam)(int64_t n, void *w, const void *g, void *m, void *v, double g_scale,
                      double rate, double beta1, double beta2, double epsilon, double correction1,
                      double correction2, double weight_decay);
  void (*update_rmsprop)(int64_t n, void *w, const void *g, void *v, void *m, double g_scale,
                         double rate, double decay, double epsilon, double momentum);
  void (*update_adagrad)(int64_t n, void *w, const void *g, void *v, double g_scale, double rate,
                         double epsilon);
  /* With epsilon inside the root: v = keep v + take g^2, w -= rate g / sqrt(v + epsilon). */
  void (*update_root)(int64_t n, void *w, const void *g, void *v, double g_scale, double rate,
                      double keep, double take, double epsilon);
  /* squares [count][n]: g^2 goes to squares[newest], and w -= rate g / sqrt(sum of all +
   * epsilon). */
  void (*update_window)(int64_t n, void *w, const void *g, void *const *squares, int count,
                        int newest, double g_scale, double rate, double epsilon);
  /* v, d: running means of g^2 and of the squared moves. */
  void (*update_adadelta)(int64_t n, void *w, const void *g, void *v, void *d, double g_scale,
                          double rate, double decay, double epsilon);
  /* m: running mean of g; u: running largest size; rate holds the correction of m. */
  void (*update_adamax)(int64_t n, void *w, const void *g, void *m, void *u, double g_scale,
                        double rate, double beta1, double beta2, double epsilon);
  /* average = decay * average + (1 - decay) * w. */
  void (*update_average)(int64_t n, void *average, const void *w, double decay);
  /* Sum of squares in double, fixed order; NaN or inf come through. */
  double (*sum_squares)(int64_t n, const void *x);
} sl__kernels;

/* The best table for these processor features (SL__CPU_* of base/os.h). */
const sl__kernels *sl__kernels_for(unsigned cpu_features, sl_dtype type);
/* All tables this build and this processor can run, the reference first; returns how many. */
int sl__kernels_all(unsigned cpu_features, sl_dtype type, const sl__kernels *tables[8]);
const char *sl__elementwise_name(sl__elementwise op);
int sl__elementwise_arity(sl__elementwise op);
#endif
