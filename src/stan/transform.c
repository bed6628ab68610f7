/* Transforms of whole parameters: how many numbers each needs, and arrays of them. Vectors of an
 * array are transformed all at once, matrices one by one. */
#include "stan/transform.h"
#include <string.h>

static int64_t triangle(int64_t n) {
  return n * (n - 1) / 2;
}

/* Unconstrained numbers of one element; -1: the constraint cannot hold for these sizes. */
static int64_t free_count(sl__stan_constraint constraint, int own, int64_t rows, int64_t columns) {
  switch (constraint) {
    case SL__STAN_SIMPLEX: return rows - 1;
    case SL__STAN_UNIT_VECTOR: return rows > 0 ? rows : -1;
    case SL__STAN_SUM_TO_ZERO:
      if (rows < 1 || columns < 1) return -1;
      return own == 2 ? (rows - 1) * (columns - 1) : rows - 1;
    case SL__STAN_CORR_MATRIX:
    case SL__STAN_CHOLESKY_FACTOR_CORR: return triangle(rows);
    case SL__STAN_COV_MATRIX: return rows + triangle(rows);
    case SL__STAN_CHOLESKY_FACTOR_COV:
      return rows < columns ? -1 : columns + triangle(columns) + (rows - columns) * columns;
    case SL__STAN_COLUMN_STOCHASTIC: return rows < 1 ? -1 : (rows - 1) * columns;
    case SL__STAN_ROW_STOCHASTIC: return columns < 1 ? -1 : rows * (columns - 1);
    default: return rows * columns;
  }
}

sl_status sl__stan_transform_of(sl__stan_tracer *t, const sl__stan_variable *v,
                                sl__stan_transform *out) {
  *out = (sl__stan_transform){.variable = v, .elements = 1, .rows = 1, .columns = 1};
  SL__TRY(sl__stan_sizes(t, v, &out->dims, out->size, &out->count));
  out->own = out->dims - v->type.arrays;
  for (int d = 0; d < v->type.arrays; d++) out->elements *= out->size[d];
  if (out->own > 0) out->rows = out->size[v->type.arrays];
  if (out->own > 1) out->columns = out->size[v->type.arrays + 1];
  out->free = free_count(v->constraint, out->own, out->rows, out->columns);
  if (out->free >= 0) return SL_OK;
  char shape[128];
  return sl__stan_stop(t, SL_BAD_ARGUMENT, v->place,
                       "'%.60s' has sizes %s, for which its constraint cannot hold", v->name,
                       sl__stan_shape_text(out->own, out->size + v->type.arrays, shape));
}

/* [a, columns, rows] by columns -> the same by rows, flat. */
static sl_node turn(sl__graph *g, sl_node x, int32_t a, int32_t rows, int32_t columns) {
  if (rows == 1 || columns == 1) return x;
  const sl_node by_columns = op_reshape(g, x, sl__shape3(a, columns, rows));
  return op_reshape(g, op_transpose(g, by_columns), sl__shape1(a * rows * columns));
}

static sl__stan_constrained constrain_vectors(sl__stan_tracer *t, const sl__stan_transform *f,
                                              sl_node free) {
  sl__graph *g = t->graph;
  const int32_t n = (int32_t)f->elements, k = f->rows;
  const sl_node y = f->free > 0 ? op_reshape(g, free, sl__shape2(n, (int32_t)f->free)) : 0;
  switch (f->variable->constraint) {
    case SL__STAN_ORDERED: return sl__stan_constrain_ordered(t, y, n, k, false);
    case SL__STAN_POSITIVE_ORDERED: return sl__stan_constrain_ordered(t, y, n, k, true);
    case SL__STAN_SIMPLEX: return sl__stan_constrain_simplex(t, y, n, k);
    case SL__STAN_UNIT_VECTOR: return sl__stan_constrain_unit(t, y);
    default: return sl__stan_constrain_zero_sum(t, y, n, k);
  }
}

/* Matrices whose columns, or rows, are simplexes. */
static sl__stan_constrained constrain_stochastic(sl__stan_tracer *t, const sl__stan_transform *f,
                                                 sl_node free) {
  sl__graph *g = t->graph;
  const int32_t a = (int32_t)f->elements, rows = f->rows, columns = f->columns;
  const bool by_columns = f->variable->constraint == SL__STAN_COLUMN_STOCHASTIC;
  const int32_t n = a * (by_columns ? columns : rows), k = by_columns ? rows : columns;
  sl_node y = 0;
  if (f->free > 0) {
    y = by_columns ? free : turn(g, free, a, rows, columns - 1);
    y = op_reshape(g, y, sl__shape2(n, k - 1));
  }
  sl__stan_constrained c = sl__stan_constrain_simplex(t, y, n, k);
  if (c.x && by_columns) c.x = turn(g, op_reshape(g, c.x, sl__shape1(n * k)), a, rows, columns);
  return c;
}

static sl_status constrain_matrices(sl__stan_tracer *t, const sl__stan_transform *f, sl_node free,
                                    sl_node *values, sl_node *log_jacobian) {
  sl__graph *g = t->graph;
  sl_node *part = sl__stan_temporary(t, f->elements, sizeof *part);
  if (!part) return SL_NO_MEMORY;
  *log_jacobian = 0;
  for (int64_t i = 0; i < f->elements; i++) {
    const sl_node y =
        f->free > 0 ? op_slice(g, free, 0, (int32_t)(i * f->free), (int32_t)f->free, 1) : 0;
    const sl__stan_constrained c =
        sl__stan_constrain_matrix(t, f->variable->constraint, y, f->rows, f->columns);
    part[i] = c.x ? op_reshape(g, c.x, sl__shape1(f->rows * f->columns)) : 0;
    if (c.log_jacobian)
      *log_jacobian = *log_jacobian ? op_add(g, *log_jacobian, c.log_jacobian) : c.log_jacobian;
    if (!part[i]) return sl__stan_no_node(t, f->variable->place);
  }
  *values = op_concatenate(g, (int)f->elements, part, 0);
  return SL_OK;
}

sl_status sl__stan_constrain(sl__stan_tracer *t, const sl__stan_transform *f, sl_node free,
                             sl_node *values, sl_node *log_jacobian) {
  sl__graph *g = t->graph;
  sl__stan_constrained c = {0};
  switch (f->variable->constraint) {
    case SL__STAN_UNCONSTRAINED:
    case SL__STAN_BOUNDED:
    case SL__STAN_AFFINE:
      c.x = turn(g, free, (int32_t)f->elements, f->rows, f->columns);
      SL__TRY(sl__stan_constrain_bounds(t, f, c.x, &c.x, &c.log_jacobian));
      break;
    case SL__STAN_SUM_TO_ZERO:
      if (f->own == 2)
        SL__TRY(constrain_matrices(t, f, free, &c.x, &c.log_jacobian));
      else
        c = constrain_vectors(t, f, free);
      break;
    case SL__STAN_ORDERED:
    case SL__STAN_POSITIVE_ORDERED:
    case SL__STAN_SIMPLEX:
    case SL__STAN_UNIT_VECTOR: c = constrain_vectors(t, f, free); break;
    case SL__STAN_COLUMN_STOCHASTIC:
    case SL__STAN_ROW_STOCHASTIC: c = constrain_stochastic(t, f, free); break;
    default: SL__TRY(constrain_matrices(t, f, free, &c.x, &c.log_jacobian)); break;
  }
  *log_jacobian = c.log_jacobian;
  *values =
      c.x ? op_reshape(g, c.x, f->dims ? sl__shape1((int32_t)f->count) : sl__scalar_shape()) : 0;
  return *values ? SL_OK : sl__stan_no_node(t, f->variable->place);
}
