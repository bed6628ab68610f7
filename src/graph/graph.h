/* The graph: typed operations on values that are shared (one value) or batched (one per row).
 *
 * Everything sluice computes is built here once, by calling op_... functions, differentiated by
 * sl__gradient (which adds more nodes), compiled by sl__program_new and run by sl__program_run.
 *
 * A node is an index; 0 means "failed earlier": any op on 0 gives 0, so an expression is built
 * unchecked and sl__graph_status (or sl__program_new) reports the first failure. Equal nodes are
 * made once (hash-consing). Shapes never include the row axis. Elementwise operations broadcast as
 * numpy does (right-aligned, 1s stretch); shared values broadcast over rows. A result is batched
 * when any operand is. All operands of an operation have one element type (op_cast joins them).
 * Truth values and indices are numbers (0/1, 0..n-1) of that same type. */
#ifndef SL_GRAPH_GRAPH_H
#define SL_GRAPH_GRAPH_H
#include "base/context.h"
#include "base/random.h"

typedef struct sl__graph sl__graph;
typedef uint32_t sl_node;
enum { SL__MAX_DIMS = 4 };
typedef struct sl_shape {
  int32_t dims; /* 0: a scalar */
  int32_t size[SL__MAX_DIMS];
} sl_shape;
static inline sl_shape sl__scalar_shape(void) {
  return (sl_shape){0};
}
static inline sl_shape sl__shape1(int32_t a) {
  return (sl_shape){1, {a}};
}
static inline sl_shape sl__shape2(int32_t a, int32_t b) {
  return (sl_shape){2, {a, b}};
}
static inline sl_shape sl__shape3(int32_t a, int32_t b, int32_t c) {
  return (sl_shape){3, {a, b, c}};
}
int64_t sl__shape_count(sl_shape shape); /* how many numbers */

sl_status sl__graph_new(sl_context *context, sl__graph **out);
void sl__graph_free(sl__graph *graph); /* programs made from it stay valid */
/* SL_OK, or the first failure (message in the context). */
sl_status sl__graph_status(const sl__graph *graph);
sl_context *sl__graph_context(const sl__graph *graph); /* the one it was made with */
/* Nodes made from now on carry this label ("layer 3: coupling(affine)"); failure reports print
 * it. */
void sl__graph_label(sl__graph *graph, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* From now on the graph is one to fit with: op_dropout drops. Otherwise op_dropout does nothing. */
void sl__graph_for_fitting(sl__graph *graph);
/* Fails the graph from outside (a layer finds its arguments wrong while building); returns 0. */
sl_node sl__graph_refuse(sl__graph *graph, sl_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

sl_shape sl__node_shape(const sl__graph *graph, sl_node node);
sl_dtype sl__node_type(const sl__graph *graph, sl_node node);
bool sl__node_batched(const sl__graph *graph, sl_node node);
/* The numbers of a node that depends on constants alone, row-major; SL_BAD_ARGUMENT of any other.
 * Elementwise operations on few constants are computed when they are made: asking for their
 * numbers, or those of views, costs next to nothing. */
sl_status sl__graph_numbers(sl__graph *graph, sl_node node, double *out);

/* What it takes, about, to compute nodes for one row: by which a caller limits what it begins. */
typedef struct sl__graph_cost {
  sl_node seen;    /* the last node that is counted */
  double work;     /* multiplications; a root has a hundred rounds; an ODE, whose numbers decide how
                      many it takes, one */
  double iterated; /* numbers that special functions give, which iterate: not in work */
  double bytes;    /* of all numbers, */
  double kept;     /* and of all but the elementwise ones, which may never be stored */
} sl__graph_cost;
/* Adds what nodes made behind `seen` cost; *cost begins as zeros. */
void sl__graph_add_cost(const sl__graph *graph, sl__graph_cost *cost);
/* How many operations a node depends on, itself included; -1: no memory. */
int64_t sl__graph_operations(const sl__graph *graph, sl_node node);

/* ---- leaves ---- */
/* Inputs are the run's feeds in order of declaration: batched, row r of the feed; shared, one value
 * for the run. */
sl_node op_input(sl__graph *g, sl_dtype type, sl_shape shape);
sl_node op_shared_input(sl__graph *g, sl_dtype type, sl_shape shape);
/* The numbers from `offset` on of the run's parameter vector. */
sl_node op_parameter(sl__graph *g, sl_dtype type, sl_shape shape, int64_t offset);
sl_node op_constant(sl__graph *g, sl_dtype type, sl_shape shape, const double *values);
sl_node op_number(sl__graph *g, sl_dtype type, double value); /* a scalar constant */
/* Batched; a function of the run's key, the stream, the row and the element. */
sl_node op_random_normal(sl__graph *g, sl_dtype type, sl_shape shape, uint32_t stream);
sl_node op_random_uniform(sl__graph *g, sl_dtype type, sl_shape shape, uint32_t stream);

/* ---- elementwise ---- */
/* op_exp(g, a), op_add(g, a, b), op_select(g, c, a, b), ...: elementwise_ops.h has one for every
 * row of elementwise.def. op_scale, op_shift, op_leaky_relu and op_leaky_gate take the attribute
 * last. */
sl_node sl__op_elementwise(sl__graph *g, int elementwise, sl_node a, sl_node b, sl_node c,
                           double attribute);
#include "graph/elementwise_ops.h"
sl_node op_cast(sl__graph *g, sl_node a, sl_dtype type);
sl_node op_stop_gradient(sl__graph *g, sl_node a);

/* ---- composites (built of the above) ---- */
sl_node op_relu(sl__graph *g, sl_node a);
sl_node op_silu(sl__graph *g, sl_node a);
sl_node op_clamp(sl__graph *g, sl_node a, double low, double high);
/* Srivastava et al. 2014: zero with this probability, else scaled up. */
sl_node op_dropout(sl__graph *g, sl_node a, double rate);
sl_node op_softmax(sl__graph *g, sl_node a, int axis);
sl_node op_log_sum_exp(sl__graph *g, sl_node a, int axis); /* removes the axis; max is subtracted */

/* ---- reductions over features: axis counts from 0, negative from the end; it is removed ---- */
sl_node op_sum(sl__graph *g, sl_node a, int axis);
sl_node op_sum_all(sl__graph *g, sl_node a); /* over all features: a scalar per row (or shared) */
sl_node op_max(sl__graph *g, sl_node a, int axis);
/* Inclusive; keeps the axis. reverse: from the end. */
sl_node op_cumulative_sum(sl__graph *g, sl_node a, int axis, bool reverse);

/* ---- over rows: batched -> shared ---- */
/* Added in fixed blocks in fixed order; the result may not feed batched values again. */
sl_node op_sum_rows(sl__graph *g, sl_node a);

/* ---- shape; slices, reshapes, transposes and broadcasts are views where they can be ---- */
sl_node op_reshape(sl__graph *g, sl_node a, sl_shape shape);
/* Elements begin, begin + stride, ...: `count` of them. Keeps the axis. */
sl_node op_slice(sl__graph *g, sl_node a, int axis, int32_t begin, int32_t count, int32_t stride);
sl_node op_element(sl__graph *g, sl_node a, int axis, int32_t index); /* removes the axis */
sl_node op_transpose(sl__graph *g, sl_node a);                        /* of the last two axes */
sl_node op_broadcast(sl__graph *g, sl_node a, sl_shape shape);
sl_node op_rows(sl__graph *g, sl_node a); /* batched: the same value for every row */
sl_node op_concatenate(sl__graph *g, int count, const sl_node *parts, int axis);
/* Constant index: permutes, selects or repeats features. */
sl_node op_gather(sl__graph *g, sl_node a, int axis, int32_t count, const int32_t *index);

/* ---- an index for each row ---- */
/* Element index[...] of a along the axis, which is removed; index has the shape of the result. */
sl_node op_take(sl__graph *g, sl_node a, sl_node index, int axis);
/* How many knots along the axis are <= x; x has the shape of knots without the axis. */
sl_node op_search(sl__graph *g, sl_node knots, sl_node x, int axis);

/* ---- linear algebra ---- */
/* [m,k] x [k,n] or [k]; either may be shared or batched. */
sl_node op_matmul(sl__graph *g, sl_node a, sl_node b);
/* y = w x + bias, w [out,in] shared, x [in] batched or shared, bias [out] shared, or 0. extent:
 * NULL, or for each output the number of leading inputs it may use (a staircase of zeros: MADE with
 * sorted degrees): w must be zero beyond it, its gradient will be, and the zeros are not computed.
 * The array is copied. */
sl_node op_linear(sl__graph *g, sl_node w, sl_node bias, sl_node x, const int32_t *extent);
sl_node op_cholesky(sl__graph *g, sl_node a); /* lower factor of [n,n] */
/* Of symmetric [n,n]: [n + 1, n], rising eigenvalues, then eigenvectors by columns (eigen.c). */
sl_node op_eigen(sl__graph *g, sl_node a);
/* Solves op(t) y = b; t [n,n], b [n] or [n,m]; only the named triangle of t is read. */
sl_node op_triangular_solve(sl__graph *g, sl_node t, sl_node b, bool upper, bool transposed,
                            bool unit_diagonal);
/* Thin Householder QR of [m,n], m >= n: Q [m,n], and R [n,n] with positive diagonal. */
sl_node op_qr_q(sl__graph *g, sl_node a);
sl_node op_qr_r(sl__graph *g, sl_node a);
/* Keeps i - j >= -diagonal of [n,n]: 0 with the diagonal, -1 strictly below it. */
sl_node op_lower(sl__graph *g, sl_node a, int diagonal);
sl_node op_diagonal(sl__graph *g, sl_node a);        /* [n,n] -> [n] */
sl_node op_diagonal_matrix(sl__graph *g, sl_node a); /* [n] -> [n,n] */

/* ---- roots: the inverse of a function that has no closed form ---- */
/* f(user, g, x): builds the graph of a function that is increasing in every element of x and whose
 * element i depends on element i of x only; x has the shape and type of y. It may read any other
 * nodes, shared or batched, but must not hold a root that depends on x. */
typedef sl_node (*sl__root_function)(void *user, sl__graph *g, sl_node x);
/* x with f(x) = y, elementwise, to a few ulp. low, high: a bracket, f(low) <= y <= f(high)
 * (broadcast to y's shape; shared or batched); where it does not hold it is widened by doubling its
 * width. Batched if y or anything f reads is. Elements for which no root is found (f never reaches
 * y, y not finite) become NaN in that row only. f is called while building only, once or more.
 * Derivatives are those of the implicit function; low and high get none. */
sl_node op_root(sl__graph *g, sl_node y, sl_node low, sl_node high, sl__root_function f,
                void *user);

/* ---- ordinary differential equations ---- */
typedef enum sl__ode_method {
  SL__ODE_DORMAND_PRINCE, /* explicit, order 5, output by interpolation */
  SL__ODE_CASH_KARP,      /* explicit, order 5, steps end at output times */
  SL__ODE_STIFF           /* implicit, L-stable, order 4 */
} sl__ode_method;
typedef struct sl__ode {
  sl__ode_method method;
  double relative, absolute; /* tolerances of a step's error, of states and sensitivities */
  double max_steps;          /* from one output time to the next */
  sl_node start_time;        /* [] */
  sl_node start;             /* [m] */
  sl_node times;             /* [n], ascending, not before start_time */
  int parameters;            /* what the function depends on, beside constants: */
  const sl_node *parameter;  /* of any shapes */
} sl__ode;
/* Builds slope[i] = d state[i] / d time, scalars all, i < m. Of nodes that are no constants it may
 * use only time, state and parameter[], which stand for those of sl__ode. False: it could not, for
 * a reason that the user knows; op_ode gives 0 then. */
typedef bool (*sl__ode_function)(void *user, sl__graph *g, sl_node time, const sl_node *state,
                                 const sl_node *parameter, sl_node *slope);
/* The states at the times, [n, m], in float64. Every lane has steps of its own; one that has no
 * solution (more steps than max_steps, numbers that are not finite) becomes NaN and leaves the
 * others alone. Derivatives by all the nodes of sl__ode, of first order only. f is called while
 * building only, more than once where the times are no constants. */
sl_node op_ode(sl__graph *g, const sl__ode *ode, sl__ode_function f, void *user);

/* ---- functions from outside ---- */
/* x [rows][n] -> value [rows], gradient [rows][n]; gradient NULL: not wanted. Called for blocks of
 * rows, by several threads at once. Anything but SL_OK ends the run with that status. */
typedef sl_status (*sl__outside_function)(void *user, int64_t rows, const double *x, double *value,
                                          double *gradient);
/* The function's value at x [n], a scalar; its derivative is the gradient, if it is to be asked for
 * one, and there is no second. */
sl_node op_outside(sl__graph *g, sl_node x, sl__outside_function function, void *user,
                   bool with_gradient);

/* ---- grouping (before differentiation) ---- */
/* Many equal operations on scalars or small values, as a loop of a traced program leaves them,
 * become few on vectors, and long chains of additions sums over vectors. outputs become nodes with
 * the same values to rounding (sums are added in another order); other nodes stay what they are,
 * and so do those made no later than `after` (0: none). */
sl_status sl__graph_group(sl__graph *g, sl_node after, int count, sl_node *outputs);

/* ---- differentiation ---- */
/* gradients[i] = d (sum over rows of y) / d wrt[i]; y is a scalar. A wrt that y does not depend on
 * gets zeros. */
sl_status sl__gradient(sl__graph *g, sl_node y, int count, const sl_node *wrt, sl_node *gradients);

/* ---- programs ---- */
/* Immutable: may be run by several threads, each with its workspace. */
typedef struct sl__program sl__program;
/* All memory of one run at a time, made beforehand: running allocates nothing. */
typedef struct sl__workspace sl__workspace;
typedef struct sl__feed { /* an input, by order of declaration */
  const void *data;
  sl_dtype type;
  int64_t row_stride, column_stride; /* in elements; 0,0: contiguous row-major */
  const int64_t *index;              /* NULL, or which row of data is row r (mini-batches) */
} sl__feed;
typedef struct sl__sink { /* an output, by order of the outputs list; aligned for its type */
  void *data;             /* NULL: not wanted */
  sl_dtype type;
  int64_t row_stride, column_stride;
} sl__sink;
typedef struct sl__run {
  int64_t rows, first_row; /* first_row: the row number of row 0, for random numbers */
  const void *parameters;  /* of the graph's parameter type */
  const sl__feed *feeds;
  const sl__sink *sinks;
  sl__random_key key;
  double most_ode_steps; /* tried, of a solution, which has no value then; 0: the program's limit */
} sl__run;
/* The outputs are copied; a batched output is written row-major, a shared one contiguously. */
sl_status sl__program_new(sl_context *context, sl__graph *graph, int count, const sl_node *outputs,
                          sl__program **out);
void sl__program_free(sl__program *program);
/* max_rows: the most rows of a run. It binds only programs that sum over rows (a training batch);
 * others take any number of rows, a block at a time. */
sl_status sl__workspace_new(sl_context *context, const sl__program *program, int64_t max_rows,
                            sl__workspace **out);
void sl__workspace_free(sl__workspace *workspace);
/* Runs on the context's threads. Bits depend on rows, inputs and key only, not on threads. */
sl_status sl__program_run(sl_context *context, const sl__program *program, sl__workspace *workspace,
                          const sl__run *run);
/* After a non-finite result: runs again step by step and records in the context's error which
 * operation of which label is the first to make a non-finite value, and in which row of this run.
 * Returns SL_NUMERIC, or SL_OK if there is none. */
sl_status sl__program_diagnose(sl_context *context, const sl__program *program,
                               sl__workspace *workspace, const sl__run *run);
/* Bytes of values that a row needs while it runs; a work space has at least so many per thread. */
int64_t sl__program_row_bytes(const sl__program *program);
/* Whether it solves equations row by row: how long a row takes is then not known beforehand, and
 * rows do not depend on those beside them. */
bool sl__program_iterates(const sl__program *program);
/* About how many nanoseconds a row takes on one core: an estimate, the same on every machine. */
double sl__program_row_cost(const sl__program *program);
/* Lists the program's steps for people (docs, failing tests). */
struct sl__text;
void sl__program_print(const sl__program *program, struct sl__text *text);
#endif
