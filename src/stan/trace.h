/* What the tracer's files share. A tracer executes statements of a checked program: in data and
 * generated quantities everything is known, in the density parameters are nodes of a graph.
 *
 * Temporary values live on a stack that is cut back when their statement ends; a variable owns the
 * memory of its value. Every count of steps and bytes is limited, so that no program runs for ever
 * or exhausts the machine. */
#ifndef SL_STAN_TRACE_H
#define SL_STAN_TRACE_H
#include "base/random.h"
#include "base/text.h"
#include "stan/value.h"

enum {
  SL__STAN_MAX_STEPS = 100 << 20,  /* expressions and statements of one execution */
  SL__STAN_MAX_MEMORY = 1 << 30,   /* bytes of values */
  SL__STAN_MAX_NESTING = 2000,     /* of expressions and calls being evaluated: the C stack */
  SL__STAN_NODE_STEPS = 20,        /* what making a node counts as */
  SL__STAN_STEP_WORK = 64,         /* multiplications of numbers that count as a step, */
  SL__STAN_STEP_BYTES = 64,        /* and bytes of values that do */
  SL__STAN_PROGRAM_WORK = 64 * 64, /* what making and running a program for a call counts as, */
  SL__STAN_CUMULATIVE_WORK = 64 * 1024, /* the series and fractions of a distribution function, */
  SL__STAN_SPECIAL_WORK =
      16384, /* and those of a special function, for as long as they may iterate */
  /* What depends on parameters: */
  SL__STAN_USUAL_WORK = 1024,      /* of a special function; they seldom iterate long */
  SL__STAN_MAX_NODES = 6000000,    /* of a density, before loops are joined */
  SL__STAN_MAX_OPERATIONS = 600000 /* of a density, after that */
};
#define SL__STAN_MAX_WORK 1e10 /* multiplications of a density at one point, without gradient */

/* A variable's place in a frame. */
typedef struct sl__stan_slot {
  sl__stan_value value; /* type VOID: not declared */
  sl_node node;         /* of the whole value, once it is made; 0 after every change */
  sl__stan_piece own;   /* memory of a scalar */
  void *memory;         /* of more */
  size_t bytes;
} sl__stan_slot;

typedef struct sl__stan_frame {
  sl__stan_slot *slot;
  int count;
  bool drop;    /* _lupdf leaves constants out */
  int branches; /* whose conditions depend on parameters, around the statement */
  sl_node done; /* where a return in such a branch has been reached; 0: nowhere */
  sl__stan_value result;
} sl__stan_frame;

/* A condition that holds unless the density is zero. */
typedef struct sl__stan_requirement {
  sl_node condition; /* 0 or 1, elementwise */
  char *message;     /* while a call with known arguments is built */
  struct sl__stan_requirement *next;
} sl__stan_requirement;

typedef struct sl__stan_chunk sl__stan_chunk;
typedef struct sl__stan_mark {
  sl__stan_chunk *chunk;
  size_t used;
} sl__stan_mark;

struct sl__stan_tracer {
  sl_context *context;
  const sl__stan_program *program;
  sl__graph *graph;       /* where nodes are made now; NULL: not needed yet */
  sl__graph *main_graph;  /* the density's; NULL: everything is known */
  sl__graph *spare_graph; /* an empty one, for the next call with known arguments */
  bool graph_used;        /* by the call that is being built */
  sl__stan_frame *frame;  /* of the function being executed */
  sl__stan_frame global;
  sl__stan_chunk *chunk, *spare; /* the stack */
  size_t memory;
  int64_t steps;
  size_t place;                        /* of what was counted last */
  const sl__stan_statement *statement; /* of a block, while it is executed or as it failed */
  sl__graph_cost cost;                 /* of the main graph */
  sl_node most_nodes;                  /* that a statement of the density has made, */
  size_t most_place;                   /* and where it stands */
  int nesting;
  bool wrong; /* an index or a size: a fault of the program, not of the point it is asked about */
  bool drop_constants, jacobian;
  bool in_callback; /* a function inside of a sub-graph: its requirements are not ours */
  sl_node mask; /* in a branch whose condition depends on parameters: where it is taken; else 0 */
  /* the density so far */
  sl_node *term; /* scalars */
  int term_count, term_capacity;
  double known, known_low; /* the sum of known terms, and its rounding error */
  sl__stan_requirement *requirements;
  sl__arena arena; /* of requirements */
  /* random numbers */
  sl__random_key key;
  uint64_t row;
  uint32_t drawn;
};

/* ---- trace.c: a tracer, its memory, limits and failures ---- */

sl_status sl__stan_tracer_open(sl__stan_tracer *t, sl_context *context,
                               const sl__stan_program *program, sl__graph *graph);
void sl__stan_tracer_close(sl__stan_tracer *t);
/* Fails at a place of the program. */
sl_status sl__stan_stop(sl__stan_tracer *t, sl_status status, size_t place, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* Turns a failure of the graph into one of the program, with its place. */
sl_status sl__stan_graph_check(sl__stan_tracer *t, size_t place);
/* Why a node could not be made: the graph's failure, or memory. Never SL_OK. */
sl_status sl__stan_no_node(sl__stan_tracer *t, size_t place);
sl_status sl__stan_count_steps(sl__stan_tracer *t, size_t place, int64_t steps);
/* The same of an operation on numbers, so many multiplications and the like. */
sl_status sl__stan_count_work(sl__stan_tracer *t, size_t place, const char *operation, double work);
sl_status sl__stan_enter(sl__stan_tracer *t, size_t place); /* the caller takes 1 from nesting */

/* ---- trace_limit.c: what the density costs at a point ---- */

/* After an operation: whether the nodes made so far may be computed. */
sl_status sl__stan_limit_nodes(sl__stan_tracer *t, size_t place, const char *operation);
/* At the end, when loops are joined. */
sl_status sl__stan_limit_operations(sl__stan_tracer *t, sl_node density);

/* ---- trace.c again: memory ---- */

/* Memory on the stack, not zeroed; NULL and a failure: too much. */
void *sl__stan_temporary(sl__stan_tracer *t, int64_t count, size_t size);
sl__stan_mark sl__stan_stack_mark(const sl__stan_tracer *t);
void sl__stan_stack_release(sl__stan_tracer *t, sl__stan_mark mark);
/* Makes the slot's memory hold count items. */
sl_status sl__stan_slot_reserve(sl__stan_tracer *t, sl__stan_slot *slot, int64_t count,
                                size_t size);
sl_status sl__stan_frame_open(sl__stan_tracer *t, sl__stan_frame *frame, int count);
void sl__stan_frame_close(sl__stan_tracer *t, sl__stan_frame *frame);

/* ---- trace_value.c: values of all forms ---- */

bool sl__stan_is_empty(const sl__stan_value *value);
sl__stan_value sl__stan_number(sl__stan_tracer *t, double number);    /* numbers NULL: no memory */
sl__stan_value sl__stan_integer(sl__stan_tracer *t, int64_t integer); /* the same */
sl__stan_value sl__stan_scalar_node(sl_node node);
/* The flat node of a value ([] of a scalar) in the tracer's graph; 0: failed. */
sl_node sl__stan_node(sl__stan_tracer *t, const sl__stan_value *value);
/* Known numbers, integers converted; NULL: no memory. */
const double *sl__stan_reals(sl__stan_tracer *t, const sl__stan_value *value);
/* "[3,2]", or "a scalar". */
const char *sl__stan_shape_text(int32_t dims, const int32_t *size, char buffer[128]);
/* "[2,1]", the place of element i of the flat value; "" of a scalar. */
const char *sl__stan_element_text(const sl__stan_value *value, int64_t i, char buffer[128]);
bool sl__stan_same_shape(const sl__stan_value *a, const sl__stan_value *b);
/* value as `type`: integers become reals. */
sl_status sl__stan_promote(sl__stan_tracer *t, sl__stan_value *value, sl__stan_type type);
/* A copy on the stack of known numbers or pieces. */
sl_status sl__stan_copy(sl__stan_tracer *t, sl__stan_value *value);
/* Known numbers where all pieces are known. */
sl_status sl__stan_settle(sl__stan_tracer *t, sl__stan_value *value);

/* ---- trace_index.c ---- */

/* Elements of a container: offset first + k * step, or list[k]. */
typedef struct sl__stan_selection {
  int32_t dims, size[SL__STAN_MAX_DIMS];
  int64_t count, first, step;
  const int32_t *list;
} sl__stan_selection;
sl_status sl__stan_select(sl__stan_tracer *t, const sl__stan_expression *indexed,
                          const sl__stan_value *whole, sl__stan_selection *selection);
sl_status sl__stan_read(sl__stan_tracer *t, const sl__stan_value *whole, sl__stan_type type,
                        const sl__stan_selection *selection, size_t place, sl__stan_value *out);

/* ---- trace_assign.c ---- */

/* Gives the slot, declared with this shape, the value. */
sl_status sl__stan_store(sl__stan_tracer *t, sl__stan_slot *slot, const sl__stan_value *value);
sl_status sl__stan_assign(sl__stan_tracer *t, const sl__stan_statement *s);

/* ---- trace_declare.c ---- */

/* Evaluates the sizes of a declared type. */
sl_status sl__stan_sizes(sl__stan_tracer *t, const sl__stan_variable *variable, int32_t *dims,
                         int32_t size[SL__STAN_MAX_DIMS], int64_t *count);
sl_status sl__stan_declare_slot(sl__stan_tracer *t, const sl__stan_variable *variable);
/* "assigning to": whether the value has the declared sizes. */
sl_status sl__stan_check_sizes(sl__stan_tracer *t, const char *name, size_t place,
                               const sl__stan_value *declared, const sl__stan_value *value);
/* Checks the constraint of a variable: known values at once, else as a requirement. */
sl_status sl__stan_check_constraint(sl__stan_tracer *t, const sl__stan_variable *variable);

/* ---- trace_operator.c, trace_arithmetic.c ---- */

sl_status sl__stan_unary(sl__stan_tracer *t, const sl__stan_expression *e, sl__stan_operator op,
                         const sl__stan_value *a, sl__stan_value *out);
/* type: of the result, as the checker found it. */
sl_status sl__stan_binary(sl__stan_tracer *t, sl__stan_operator op, sl__stan_type type,
                          size_t place, const sl__stan_value *a, const sl__stan_value *b,
                          sl__stan_value *out);
/* Both scalars and known. */
sl_status sl__stan_binary_known(sl__stan_tracer *t, sl__stan_operator op, sl__stan_type type,
                                size_t place, const sl__stan_value *a, const sl__stan_value *b,
                                sl__stan_value *out);
double sl__stan_apply_number(sl__stan_operator op, double a, double b);
/* The products of linear algebra; false: operands of other types. */
bool sl__stan_is_product(const sl__stan_value *a, const sl__stan_value *b);
sl_status sl__stan_product(sl__stan_tracer *t, sl__stan_type type, size_t place,
                           const sl__stan_value *a, const sl__stan_value *b, sl__stan_value *out);

/* ---- trace_call.c ---- */

/* Calls a builtin. */
sl_status sl__stan_call_builtin(sl__stan_tracer *t, sl__stan_call *call);
sl_status sl__stan_call_function(sl__stan_tracer *t, const sl__stan_function *function,
                                 size_t place, int count, const sl__stan_value *argument, bool drop,
                                 sl__stan_value *out);
sl_status sl__stan_evaluate_call(sl__stan_tracer *t, const sl__stan_expression *e,
                                 sl__stan_value *out);

/* ---- trace_expression.c ---- */

sl_status sl__stan_evaluate(sl__stan_tracer *t, const sl__stan_expression *e, sl__stan_value *out);
/* A known integer; what: for the message. */
sl_status sl__stan_evaluate_integer(sl__stan_tracer *t, const sl__stan_expression *e,
                                    const char *what, int64_t *out);
/* condition ? yes : no, elementwise, of equal shapes. */
sl_status sl__stan_choose(sl__stan_tracer *t, sl_node condition, size_t place,
                          const sl__stan_value *yes, const sl__stan_value *no, sl__stan_value *out);

/* ---- trace_statement.c, trace_branch.c ---- */

typedef enum sl__stan_control {
  SL__STAN_GO_ON,
  SL__STAN_DO_BREAK,
  SL__STAN_DO_CONTINUE,
  SL__STAN_DO_RETURN
} sl__stan_control;
sl_status sl__stan_execute(sl__stan_tracer *t, const sl__stan_statement *s,
                           sl__stan_control *control);
sl_status sl__stan_execute_list(sl__stan_tracer *t, const sl__stan_statement *first,
                                sl__stan_control *control);
/* An `if` whose condition is a node. */
sl_status sl__stan_execute_both(sl__stan_tracer *t, const sl__stan_statement *s, sl_node condition,
                                sl__stan_control *control);
/* Adds the value of a return to those of returns in branches. */
sl_status sl__stan_merge_return(sl__stan_tracer *t, size_t place, const sl__stan_value *value);
/* All statements of a block, then the constraints of what it declares. */
sl_status sl__stan_execute_block(sl__stan_tracer *t, sl__stan_block block);

/* ---- density.c ---- */

sl_status sl__stan_tilde(sl__stan_tracer *t, const sl__stan_statement *s);
/* Adds the sum of a value to the density. */
sl_status sl__stan_add_target(sl__stan_tracer *t, const sl__stan_value *value, size_t place);
/* The density is 0 where condition is not 1. */
sl_status sl__stan_add_requirement(sl__stan_tracer *t, sl_node condition);
/* The sum of what was added, as a value; target() and the end. */
sl_node sl__stan_target_sum(sl__stan_tracer *t);
sl_node sl__stan_density(sl__stan_tracer *t); /* -infinity where a requirement fails */
#endif
