/* What the solvers of differential equations share: the memory of a run, its lanes, and how output
 * is written. src/graph only. */
#ifndef SL_GRAPH_ODE_H
#define SL_GRAPH_ODE_H
#include "graph/operations.h"
#include "kernels/kernels.h"

enum { SL__ODE_SLOPES = SL__ODE_SUMMANDS }; /* of a step, at most */

/* Rows are walked along SL__ODE_LANES at a time: a lane that has arrived takes the next row, so
 * that none waits for its neighbours until there are no more rows. Each has its own time and
 * step. */
typedef struct sl__ode_lane {
  int64_t row;
  double time, step;        /* step: to be tried next */
  double trial;             /* being tried; 0: the lane rests */
  double scale;             /* what a time is compared with */
  double taken;             /* steps since the last output */
  double tried;             /* steps since the start */
  int64_t next;             /* output */
  bool active, fresh;       /* fresh: at its start */
  bool accepted, to_output; /* to_output: the trial ends at an output time */
} sl__ode_lane;

/* A piece of work of the function: calls, then a step of the loop that is none, or NULL. */
typedef struct sl__ode_piece {
  int64_t calls;
  const sl__step *step;
} sl__ode_piece;

/* A solution as it is found. Arrays of states are [size][lanes], of columns fastest: state i,
 * column c is number i * columns + c. */
typedef struct sl__ode_run {
  sl__frame inner; /* for the steps of the loop: a block of `lanes` rows */
  const sl__frame *outer;
  const sl__loop *loop;
  const sl__kernels *kernels;
  int64_t lanes, states, columns, size, outputs;
  int64_t rows, row, lead; /* row: the next to be taken; lead: from number to number of a row */
  double relative, absolute, max_steps;
  double most_tried;       /* steps of a solution, taken or not */
  const double *start;     /* [1 + size][lead] */
  const double *times;     /* [outputs][lead] */
  double *out;             /* [outputs][size][lead] */
  double *variable;        /* [1 + size][lanes]: where the loop reads */
  const double *value;     /* [size][lanes]: what it has computed */
  const double *jacobian;  /* [states][states][lanes] */
  double *x;               /* [size][lanes] at every lane's time */
  double *slopes;          /* [SL__ODE_SLOPES][size][lanes] */
  double *work;            /* [size][lanes] */
  double *weights;         /* [SL__ODE_SLOPES][lanes] */
  double *trial, *norm;    /* [lanes] */
  double *power;           /* [lanes] */
  double less, more;       /* of the error, by which a step shrinks and grows */
  double least, most;      /* errors beyond which it does no more */
  double *matrix, *vector; /* of the implicit method: [lanes][states][states], [states] */
  int32_t *pivot;          /* [lanes][states] */
  sl__ode_lane *lane;      /* [lanes] */
  sl__runs_call *call;     /* all calls, piece by piece */
  sl__ode_piece *piece;    /* [pieces] */
  int64_t pieces;
} sl__ode_run;

/* run_ode_tape.c: room for the calls of a loop; the calls, once addresses are known. */
int64_t sl__ode_most_calls(const sl__frame *f, const sl__loop *loop);
void sl__ode_list_calls(sl__ode_run *r);
/* Computes value (and jacobian) at variable, and copies value to `slope` [size][lanes]. */
void sl__ode_evaluate(const sl__ode_run *r, double *slope);
/* The lane has no solution: all its output is not a number. */
void sl__ode_fail(const sl__ode_run *r, int64_t lane);
/* The method's control of steps, before the first: after an error, relative to what is allowed, a
 * step shrinks by its power `less` or grows by its power `more`. */
void sl__ode_control(sl__ode_run *r, double less, double more);
/* Gives rows to lanes that rest and sets the trial steps; at_outputs: they end at output times.
 * False: no lane is active any more. */
bool sl__ode_begin_step(sl__ode_run *r, bool at_outputs);
/* A trial's error is known (norm): the lane moves on, or its step shrinks. */
void sl__ode_judge(const sl__ode_run *r);
/* Writes state `from` [size][lanes] as the next output of the lane. */
void sl__ode_put(const sl__ode_run *r, int64_t lane, const double *from);
/* The same where an accepted trial ended at an output time, the new state being in the variable. */
void sl__ode_put_ends(const sl__ode_run *r);
static inline double sl__ode_next_time(const sl__ode_run *r, int64_t lane) {
  const sl__ode_lane *l = &r->lane[lane];
  return r->times[l->next * r->lead + l->row];
}

void sl__ode_explicit(sl__ode_run *r, bool at_outputs);
void sl__ode_stiff(sl__ode_run *r);
#endif
