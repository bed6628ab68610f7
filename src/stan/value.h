/* What expressions are worth while a program is traced: known numbers, or nodes of a graph.
 *
 * Tracing executes the program once, with its data, statement by statement. What depends on data
 * alone is computed on the spot; what depends on parameters becomes nodes, so that loops over data
 * are unrolled and conditions on data are decided. The graph that is left is the log density.
 * Generated quantities are the same execution with every parameter known.
 *
 * Elements of containers are in row-major order over all sizes, the last index fastest: arrays from
 * the outside in, then a vector's elements, or a matrix's rows, then columns. (Stan's own vectors
 * of unconstrained parameters and CSV columns have matrices by columns: transforms.c and names.c
 * see to that.) A node is flat, [count], or a scalar's, []; a matrix is reshaped to [rows, columns]
 * for linear algebra, which costs nothing. All nodes are float64. */
#ifndef SL_STAN_VALUE_H
#define SL_STAN_VALUE_H
#include "graph/graph.h"
#include "stan/signatures.h"

typedef enum sl__stan_form {
  SL__STAN_INTEGERS, /* int and arrays of int that are known */
  SL__STAN_NUMBERS,  /* known reals */
  SL__STAN_NODE,    /* one node for all elements; of type int: a comparison of parameters, 0 or 1 */
  SL__STAN_PIECES,  /* every element for itself, known or a node: assigned one at a time */
  SL__STAN_CALLABLE /* a user's function, as an argument */
} sl__stan_form;

typedef struct sl__stan_piece {
  sl_node node;  /* 0: known */
  int32_t index; /* which element of a flat node, or -1: the node is a scalar */
  double number; /* known */
} sl__stan_piece;

enum { SL__STAN_MAX_DIMS = SL__STAN_MAX_ARRAYS + 2 };

/* Values are not changed once made (assignment makes new ones, or writes into pieces that the
 * variable alone holds). Memory: the tracer's arena. */
typedef struct sl__stan_value {
  sl__stan_type type;
  sl__stan_form form;
  int32_t dims; /* array dimensions and those of vector (1) or matrix (2) */
  int32_t size[SL__STAN_MAX_DIMS];
  int64_t count;
  union {
    const int64_t *integers;
    const double *numbers;
    sl_node node;
    const sl__stan_piece *pieces;
    const sl__stan_function *function;
  };
  sl_node *kept; /* where a variable keeps the node once it is made of its numbers, or NULL */
} sl__stan_value;

typedef struct sl__stan_tracer sl__stan_tracer; /* trace.h */

/* A builtin's call. */
typedef struct sl__stan_call {
  sl__stan_tracer *tracer;
  const sl__stan_builtin *builtin;
  int signature;
  sl__stan_type type;                    /* of the result, as the checker found it */
  const sl__stan_expression *expression; /* for messages; may be NULL */
  size_t place;
  int count;
  const sl__stan_value *argument;
  bool drop_constants; /* a density: terms without parameters may be left out */
  bool inside; /* set by a builder that makes a sub-graph (a root, an ODE): what functions it
                        * applies require is not asked, since their nodes mean nothing outside */
  sl__stan_value *result;
} sl__stan_call;

/* ---- for builders (value.c) ----
 * A builder reads its arguments as nodes, makes nodes with op_..., and gives its result. It is the
 * same when everything is known: then g is a graph of constants, and the caller computes the
 * result's numbers at once. */
sl__graph *sl__stan_graph(const sl__stan_call *call);
/* Argument i as a node: [] of a scalar, else flat [count]. Integers become reals. */
sl_node sl__stan_argument(sl__stan_call *call, int i);
/* The same as [rows, columns]: of a matrix; a vector is a column, a row vector a row. */
sl_node sl__stan_matrix(sl__stan_call *call, int i);
/* Whether argument i is known; its numbers (reals or integers, converted) or integers then. */
bool sl__stan_is_known(const sl__stan_value *value);
const double *sl__stan_numbers(sl__stan_call *call, int i);
const int64_t *sl__stan_integers(sl__stan_call *call, int i);
/* Gives the result: a scalar; elements of these sizes and type; elements shaped as argument i. */
sl_status sl__stan_give_scalar(sl__stan_call *call, sl_node node);
sl_status sl__stan_give(sl__stan_call *call, sl__stan_type type, int32_t dims, const int32_t *size,
                        sl_node node);
sl_status sl__stan_give_like(sl__stan_call *call, int i, sl_node node);
sl_status sl__stan_give_numbers(sl__stan_call *call, sl__stan_type type, int32_t dims,
                                const int32_t *size, const double *numbers);
sl_status sl__stan_give_integers(sl__stan_call *call, int32_t dims, const int32_t *size,
                                 const int64_t *integers);
/* What Stan throws an exception for: a known violation refuses the call ("normal_lpdf: scale is -1
 * but must be positive"), one that depends on parameters makes the log density -infinity in the
 * rows where it happens. condition: 1 where all is well, elementwise. */
sl_status sl__stan_require(sl__stan_call *call, sl_node condition, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Refuses the call with its place: sizes that do not match and the like. */
sl_status sl__stan_refuse(sl__stan_call *call, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* The same for arguments of the right sizes whose values are not allowed: in generated quantities
 * that is a fault of the draw, not of the program. */
sl_status sl__stan_refuse_value(sl__stan_call *call, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Counts work on known numbers, so many multiplications and the like: a builder that computes by
 * itself and does more than touch its arguments and its result says so before. (What it leaves to a
 * graph, and the memory it takes, are counted by the tracer.) */
sl_status sl__stan_work(sl__stan_call *call, double work);
/* The same for a builder that makes nodes in a loop: so many, one after another. */
sl_status sl__stan_count_nodes(sl__stan_call *call, double nodes);
/* Memory until the end of the statement, zeroed; NULL: none. */
void *sl__stan_memory(sl__stan_call *call, size_t count, size_t size);
/* Calls argument i, a user's function (CALLABLE), with these values; its statements add nodes to
 * sl__stan_graph(call). A value of one's own: sl__stan_value_of_node. */
sl_status sl__stan_apply(sl__stan_call *call, int i, int count, const sl__stan_value *argument,
                         sl__stan_value *result);
sl__stan_value sl__stan_value_of_node(sl__stan_type type, int32_t dims, const int32_t *size,
                                      sl_node node);
/* A random number of the tracer's stream (generated quantities): uniform in (0, 1), normal. */
double sl__stan_uniform(sl__stan_call *call);
double sl__stan_normal(sl__stan_call *call);

/* ---- for densities (density.c) ----
 * Vectorised arguments: scalars, or flat [n], all of one n. A density is written elementwise, as a
 * sum of terms; a term that no parameter enters is left out when constants may be dropped. */
int32_t sl__stan_length(sl__stan_call *call, int first,
                        int last); /* n; 1: all scalars; -1: refused */
/* The sum over elements of a term that is [] or [n]: [] counts n times. */
sl_node sl__stan_sum(sl__stan_call *call, sl_node term, int32_t n);
#endif
