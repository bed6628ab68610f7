/* Targets: unnormalised log densities on R^dim, whatever they come from: a Stan program with its
 * data, a function of the caller's, a loaded library, one of the standard targets, an expression.
 *
 * All are graphs: whoever infers something calls sl__target_log_density while building a graph of
 * its own (a variational objective), or makes a density (below) and calls that with points. A target
 * does not change once made; any number of threads may use it at once, each with a context of its
 * own. Everything is float64 and on the unconstrained scale unless it says otherwise. */
#ifndef SL_TARGET_TARGET_H
#define SL_TARGET_TARGET_H
#include "base/text.h"
#include "graph/graph.h"

typedef struct sl__target sl__target;

/* What one draw is written as: parameters on their own scale, then what is computed from them. */
typedef enum sl__target_part {
  SL__TARGET_PARAMETERS,
  SL__TARGET_TRANSFORMED,
  SL__TARGET_GENERATED,
  SL__TARGET_PARTS
} sl__target_part;

enum {
  SL__DENSITY_NO_JACOBIAN = 1,    /* of the density of the constrained parameters */
  SL__DENSITY_DROP_CONSTANTS = 2, /* terms that no parameter enters, as Stan's `~` does */
  SL__DENSITY_VALUE_ONLY = 4,     /* no gradient will be asked for */
};

/* How a source of targets works: each source's file ends in one. state is the source's own. */
typedef struct sl__target_source {
  const char *kind; /* "Stan program", "expression": for reports */
  /* x [dim], batched, float64 -> log density [], a number per row; -infinity where there is none. */
  sl_node (*log_density)(const sl__target *target, sl__graph *g, sl_node x, uint32_t flags);
  /* The rest may be NULL: the parameters are the coordinates themselves, and nothing else is. */
  int32_t (*count)(const sl__target *target, sl__target_part part);
  const char *(*name)(const sl__target *target, sl__target_part part, int32_t i);
  /* q [rows][dim] -> out [rows][count of the parts up to `last`]; random numbers are a function of
   * (seed, first_row + row). A row that the program rejects becomes NaN. */
  sl_status (*write)(sl_context *context, const sl__target *target, sl__target_part last,
                     int64_t rows, const double *q, uint64_t seed, int64_t first_row, double *out);
  /* Parameters [count] on their own scale -> q [dim]; names the one that breaks its constraint. */
  sl_status (*unconstrain)(sl_context *context, const sl__target *target, const double *parameters,
                           double *q);
  /* Instead of unconstrain, where many rows at once are cheaper: [rows][count] -> q [rows][dim];
   * *row: the one that was done last. */
  sl_status (*unconstrain_rows)(sl_context *context, const sl__target *target, int64_t rows,
                                const double *parameters, double *q, int64_t *row);
  /* x [dim] -> log |det| of the map from coordinates to parameters []; NULL: the difference of the
   * two log densities. */
  sl_node (*log_jacobian)(const sl__target *target, sl__graph *g, sl_node x);
  /* Fails with the reason why the density of q [dim] is 0; SL_OK: none is found. */
  sl_status (*explain)(sl_context *context, const sl__target *target, const double *q);
  void (*close)(sl__target *target); /* frees state */
} sl__target_source;

struct sl__target {
  const sl__target_source *source;
  sl__arena arena; /* of the target itself: title, names, state */
  void *state;
  const char *title; /* "pot1", "eight_schools.stan" */
  int32_t dim;
  const char *const *names; /* [dim], of the unconstrained coordinates */
  double log_evidence;      /* log of its integral where that is known exactly, else NaN */
  /* NULL, or writes exact draws x [rows][dim], row r a function of (key, first_row + r). */
  void (*draw)(const sl__target *target, sl__random_key key, int64_t first_row, int64_t rows,
               double *x);
  /* What it was made of, for sl__target_recall: JSON text; NULL: a function, or another target seen
   * differently. */
  const char *origin;
  bool direct; /* the parameters are the coordinates themselves, and nothing else is written */
  const void *parameters; /* what op_parameter reads in its graph, if it does */
  bool serial;            /* a function of the caller's that two threads must not call at once */
};

/* ---- making ---- */
/* A Stan program. name: of the file, for messages; data: Stan's JSON, NULL: none; data_name alike.
 * seed: of random numbers in transformed data. */
sl_status sl__target_stan(sl_context *context, const char *name, const char *program, size_t length,
                          const char *data_name, const char *data, size_t data_length,
                          uint64_t seed, sl__target **out);
/* The standard targets, by name ("pot1"; targets.def lists them). */
sl_status sl__target_standard(sl_context *context, const char *name, sl__target **out);
/* Stan's expression grammar over the named coordinates: "-(x^2-y)^2 - 0.5*y^2", "x,y". */
sl_status sl__target_expression(sl_context *context, const char *expression, const char *names,
                                sl__target **out);
/* A function of the caller's: x [rows][dim] -> value [rows], gradient [rows][dim] or NULL when it is
 * not wanted. Anything but SL_OK ends the run with that status. */
typedef sl_status (*sl__target_function)(void *user, int64_t rows, const double *x, double *value,
                                         double *gradient);
sl_status sl__target_callback(sl_context *context, int32_t dim, const char *const *names,
                              sl__target_function function, void *user, bool serial,
                              sl__target **out);
/* A shared object with BridgeStan's C interface: runs its code. */
sl_status sl__target_library(sl_context *context, const char *path, const char *data, uint64_t seed,
                             sl__target **out);
/* The target of which `origin` is the text, of a file that is not trusted. SL_UNSUPPORTED: the text
 * only names it; the message says what to give. */
sl_status sl__target_recall(sl_context *context, const char *origin, sl__target **out);
/* Leaves the program and its data out of the origin. */
sl_status sl__target_forget(sl_context *context, sl__target *target);
void sl__target_free(sl__target *target);

/* ---- asking ---- */
sl_node sl__target_log_density(const sl__target *target, sl__graph *g, sl_node x, uint32_t flags);
sl_node sl__target_log_jacobian(const sl__target *target, sl__graph *g, sl_node x);
int32_t sl__target_count(const sl__target *target, sl__target_part part);
const char *sl__target_name(const sl__target *target, sl__target_part part, int32_t i);
int32_t sl__target_width(const sl__target *target, sl__target_part last); /* counts added up */
sl_status sl__target_write(sl_context *context, const sl__target *target, sl__target_part last,
                           int64_t rows, const double *q, uint64_t seed, int64_t first_row,
                           double *out);
sl_status sl__target_unconstrain(sl_context *context, const sl__target *target,
                                 const double *parameters, double *q);
/* The same of many rows; *row: after a failure, the row that fails. */
sl_status sl__target_unconstrain_rows(sl_context *context, const sl__target *target, int64_t rows,
                                      const double *parameters, double *q, int64_t *row);

sl_status sl__target_explain(sl_context *context, const sl__target *target, const double *q);

/* ---- a target made ready to be called with points: program and work memory made beforehand ---- */
typedef struct sl__density sl__density;
sl_status sl__density_new(sl_context *context, const sl__target *target, uint32_t flags,
                          bool with_gradient, sl__density **out);
void sl__density_free(sl__density *density);
/* Element (row, column) of q and gradient stands at [row * row_stride + column * column_stride];
 * value [rows]; gradient NULL: not wanted. Runs on the context's threads; one thread at a time uses a
 * density. A value that is NaN becomes -infinity. Allocates nothing. */
typedef struct sl__points {
  int64_t rows;
  const double *q;
  double *value, *gradient;
  int64_t row_stride, column_stride;
} sl__points;
sl_status sl__density_run(sl_context *context, sl__density *density, const sl__points *points);
/* The same; undefined [rows], or NULL: tells where the value was NaN. */
sl_status sl__density_run_marking(sl_context *context, sl__density *density,
                                  const sl__points *points, bool *undefined);
/* The same as sl__density_run; where rows may each take long, by slices of them, between which
 * may_go_on is asked. It says no: SL_STOPPED, and the rest has no values. */
sl_status sl__density_run_asking(sl_context *context, sl__density *density,
                                 const sl__points *points, bool (*may_go_on)(void *user),
                                 void *user);
/* What looks far and wide for mass gives up a solution of differential equations that takes many
 * times the steps of any where mass is known to be: at a rate of 1e20 a solver takes minutes to find
 * that a point explains nothing. *out: so many steps, by points with mass; 0, which is no limit, where
 * no equations are solved and where none of the points has a value. */
sl_status sl__density_learn_patience(sl_context *context, sl__density *density,
                                     const sl__points *points, double *out);
/* From now on; a point that is given up has the value -infinity. */
void sl__density_set_patience(sl__density *density, double most_ode_steps);
/* Whether equations are solved in it, which may take any time where they are hard. */
bool sl__density_solves(const sl__density *density);
/* Rows evaluated so far: with the gradient, without. */
int64_t sl__density_gradients(const sl__density *density);
int64_t sl__density_values(const sl__density *density);
#endif
