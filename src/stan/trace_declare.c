/* Declarations: sizes, values before the first assignment (NaN, and Stan's smallest integer), and
 * the check of constraints on data and on what the program computes. */
#include "stan/trace.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { SMALLEST_INTEGER = INT32_MIN };
static const double tolerance = 1e-8; /* Stan's, of sums and symmetry */

static bool is_square(const sl__stan_variable *v) {
  return v->constraint == SL__STAN_CORR_MATRIX || v->constraint == SL__STAN_COV_MATRIX ||
         v->constraint == SL__STAN_CHOLESKY_FACTOR_CORR ||
         v->constraint == SL__STAN_CHOLESKY_FACTOR_COV;
}

sl_status sl__stan_sizes(sl__stan_tracer *t, const sl__stan_variable *variable, int32_t *dims,
                         int32_t size[SL__STAN_MAX_DIMS], int64_t *count) {
  *dims = 0;
  *count = 1;
  for (int i = 0; i < variable->size_count; i++) {
    int64_t one;
    const size_t place = variable->size[i]->place;
    SL__TRY(sl__stan_evaluate_integer(t, variable->size[i], "a size", &one));
    if (one < 0) {
      t->wrong = true;
      return sl__stan_stop(t, SL_BAD_ARGUMENT, place, "size %lld of '%.60s' is negative",
                           (long long)one, variable->name);
    }
    size[(*dims)++] = (int32_t)one;
  }
  if (is_square(variable) && *dims == variable->type.arrays + 1) {
    size[*dims] = size[*dims - 1];
    ++*dims;
  }
  for (int d = 0; d < *dims; d++) {
    if (__builtin_mul_overflow(*count, (int64_t)size[d], count) || *count > 1 << 30)
      return sl__stan_stop(t, SL_UNSUPPORTED, variable->place,
                           "'%.60s' would have more than 2^30 elements", variable->name);
  }
  return SL_OK;
}

/* The slot's memory, filled. */
static sl_status fill(sl__stan_tracer *t, sl__stan_slot *slot) {
  sl__stan_value *value = &slot->value;
  SL__TRY(sl__stan_slot_reserve(t, slot, value->count, sizeof(double)));
  void *memory = value->dims > 0 ? slot->memory : (void *)&slot->own.number;
  if (value->type.base == SL__STAN_INT_TYPE) {
    int64_t *integers = memory;
    value->form = SL__STAN_INTEGERS;
    for (int64_t i = 0; i < value->count; i++) integers[i] = SMALLEST_INTEGER;
  } else {
    double *numbers = memory;
    value->form = SL__STAN_NUMBERS;
    for (int64_t i = 0; i < value->count; i++) numbers[i] = (double)NAN;
  }
  value->numbers = memory;
  return SL_OK;
}

sl_status sl__stan_declare_slot(sl__stan_tracer *t, const sl__stan_variable *variable) {
  sl__stan_slot *slot = &t->frame->slot[variable->slot];
  if (sl__stan_is_complex(variable->type) || variable->type.base >= SL__STAN_TUPLE_TYPE)
    return sl__stan_stop(t, SL_UNSUPPORTED, variable->place,
                         "tuples and complex numbers are not supported");
  sl__stan_value value = {.type = variable->type};
  const sl__stan_mark mark = sl__stan_stack_mark(t);
  SL__TRY(sl__stan_sizes(t, variable, &value.dims, value.size, &value.count));
  sl__stan_stack_release(t, mark);
  SL__TRY(sl__stan_count_steps(t, variable->place, value.count / 16));
  slot->node = 0;
  slot->value = value;
  return fill(t, slot);
}

sl_status sl__stan_check_sizes(sl__stan_tracer *t, const char *name, size_t place,
                               const sl__stan_value *declared, const sl__stan_value *value) {
  if (sl__stan_same_shape(declared, value)) return SL_OK;
  char wanted[128], found[128];
  t->wrong = true;
  return sl__stan_stop(t, SL_BAD_ARGUMENT, place,
                       "sizes do not match: '%.60s' takes %s, and the value has %s", name,
                       sl__stan_shape_text(declared->dims, declared->size, wanted),
                       sl__stan_shape_text(value->dims, value->size, found));
}

/* ---- constraints ---- */

/* The element of a container that is declared with further array dimensions around it. */
typedef struct element {
  const double *x; /* [rows][columns], or [rows] */
  int32_t rows, columns;
} element;

static bool is_ordered(const element *e) {
  for (int32_t i = 1; i < e->rows; i++)
    if (!(e->x[i] > e->x[i - 1])) return false;
  return true;
}

static bool is_simplex(const double *x, int32_t count, int32_t stride) {
  double sum = 0;
  for (int32_t i = 0; i < count; i++) {
    if (!(x[(int64_t)i * stride] >= 0)) return false;
    sum += x[(int64_t)i * stride];
  }
  return fabs(sum - 1) <= tolerance;
}

static double sum_of_squares(const double *x, int32_t count) {
  double sum = 0;
  for (int32_t i = 0; i < count; i++) sum += x[i] * x[i];
  return sum;
}

static bool sums_to_zero(const element *e, int dims) {
  for (int32_t i = 0; i < e->rows; i++) {
    double sum = 0;
    for (int32_t j = 0; dims == 2 && j < e->columns; j++) sum += e->x[i * e->columns + j];
    if (!(fabs(sum) <= tolerance)) return false;
  }
  for (int32_t j = 0; j < e->columns; j++) {
    double sum = 0;
    for (int32_t i = 0; i < e->rows; i++) sum += e->x[i * e->columns + j];
    if (!(fabs(sum) <= tolerance)) return false;
  }
  return true;
}

static bool is_cholesky(const element *e, bool unit_rows) {
  for (int32_t i = 0; i < e->rows; i++) {
    for (int32_t j = i + 1; j < e->columns; j++)
      if (e->x[i * e->columns + j] != 0) return false;
    if (i < e->columns && !(e->x[i * e->columns + i] > 0)) return false;
    if (unit_rows && !(fabs(sum_of_squares(e->x + i * e->columns, e->columns) - 1) <= tolerance))
      return false;
  }
  return true;
}

/* Symmetric with positive pivots of the Cholesky factorisation. */
static sl_status check_definite(sl__stan_tracer *t, const sl__stan_variable *v, const element *e,
                                bool *good) {
  const int32_t n = e->rows;
  double *l = sl__stan_temporary(t, (int64_t)n * n, sizeof *l);
  if (!l) return SL_NO_MEMORY;
  SL__TRY(sl__stan_count_work(t, v->place, v->name, (double)n * n * n / 3));
  *good = true;
  for (int32_t i = 0; i < n && *good; i++) {
    for (int32_t j = 0; j <= i && *good; j++) {
      double sum = e->x[i * n + j];
      if (!(fabs(sum - e->x[j * n + i]) <= tolerance)) *good = false;
      for (int32_t k = 0; k < j; k++) sum -= l[i * n + k] * l[j * n + k];
      if (i == j && !(sum > 0)) *good = false;
      l[i * n + j] = i == j ? sqrt(sum) : sum / l[j * n + j];
    }
  }
  return SL_OK;
}

static bool has_unit_diagonal(const element *e) {
  for (int32_t i = 0; i < e->rows; i++)
    if (!(fabs(e->x[i * e->rows + i] - 1) <= tolerance)) return false;
  return true;
}

static bool are_simplexes(const element *e, bool by_columns) {
  for (int32_t k = 0; k < (by_columns ? e->columns : e->rows); k++) {
    const double *x = by_columns ? e->x + k : e->x + (int64_t)k * e->columns;
    if (!is_simplex(x, by_columns ? e->rows : e->columns, by_columns ? e->columns : 1))
      return false;
  }
  return true;
}

/* what: "an ordered vector", for the message. */
static sl_status check_element(sl__stan_tracer *t, const sl__stan_variable *v, const element *e,
                               int dims, bool *good, const char **what) {
  *good = true;
  switch (v->constraint) {
    case SL__STAN_ORDERED:
      *good = is_ordered(e);
      *what = "strictly increasing";
      break;
    case SL__STAN_POSITIVE_ORDERED:
      *good = is_ordered(e) && (e->rows == 0 || e->x[0] >= 0);
      *what = "positive and strictly increasing";
      break;
    case SL__STAN_SIMPLEX:
      *good = is_simplex(e->x, e->rows, 1);
      *what = "non-negative with sum 1";
      break;
    case SL__STAN_UNIT_VECTOR:
      *good = fabs(sum_of_squares(e->x, e->rows) - 1) <= tolerance;
      *what = "of length 1";
      break;
    case SL__STAN_SUM_TO_ZERO:
      *good = sums_to_zero(e, dims);
      *what = "of sum 0";
      break;
    case SL__STAN_COV_MATRIX:
      SL__TRY(check_definite(t, v, e, good));
      *what = "symmetric and positive definite";
      break;
    case SL__STAN_CORR_MATRIX:
      SL__TRY(check_definite(t, v, e, good));
      *good = *good && has_unit_diagonal(e);
      *what = "symmetric and positive definite with diagonal 1";
      break;
    case SL__STAN_CHOLESKY_FACTOR_COV:
      *good = is_cholesky(e, false);
      *what = "lower triangular with positive diagonal";
      break;
    case SL__STAN_CHOLESKY_FACTOR_CORR:
      *good = is_cholesky(e, true);
      *what = "lower triangular with positive diagonal and rows of length 1";
      break;
    case SL__STAN_COLUMN_STOCHASTIC:
      *good = are_simplexes(e, true);
      *what = "of columns that are simplexes";
      break;
    case SL__STAN_ROW_STOCHASTIC:
      *good = are_simplexes(e, false);
      *what = "of rows that are simplexes";
      break;
    default: break;
  }
  return SL_OK;
}

/* What is wrong with a simplex; its numbers may all be good but for their sum. */
static void describe_sum(const element *e, char text[64]) {
  char number[32];
  double sum = 0;
  for (int32_t i = 0; i < e->rows; i++) sum += e->x[i];
  sl__format_real(number, sum, SL_F64);
  snprintf(text, 64, "; its sum is %s", number);
}

static sl_status check_known(sl__stan_tracer *t, const sl__stan_variable *v,
                             const sl__stan_value *value) {
  const int own = value->dims - v->type.arrays;
  element e = {.rows = 1, .columns = 1};
  if (own > 0) e.rows = value->size[value->dims - own];
  if (own > 1) e.columns = value->size[value->dims - 1];
  const int64_t each = (int64_t)e.rows * e.columns;
  const double *x = sl__stan_reals(t, value);
  if (!x) return SL_NO_MEMORY;
  for (int64_t begin = 0; each > 0 && begin < value->count; begin += each) {
    bool good;
    const char *what = "";
    e.x = x + begin;
    SL__TRY(check_element(t, v, &e, own, &good, &what));
    if (good) continue;
    char why[64] = "", which[32] = "it is";
    if (v->constraint == SL__STAN_SIMPLEX) describe_sum(&e, why);
    if (v->type.arrays > 0)
      snprintf(which, sizeof which, "element %lld is", (long long)(begin / each) + 1);
    return sl__stan_stop(t, SL_BAD_ARGUMENT, v->place, "'%.60s' must be %s, and %s not%s", v->name,
                         what, which, why);
  }
  return SL_OK;
}

/* ---- bounds ---- */

static sl_status check_bound_known(sl__stan_tracer *t, const sl__stan_variable *v,
                                   const sl__stan_value *value, const sl__stan_value *bound,
                                   bool lower) {
  const double *x = sl__stan_reals(t, value), *b = sl__stan_reals(t, bound);
  if (!x || !b) return SL_NO_MEMORY;
  for (int64_t i = 0; i < value->count; i++) {
    const double limit = b[bound->dims ? i : 0];
    if (lower ? x[i] >= limit : x[i] <= limit) continue;
    char found[32], wanted[32], where[48] = "";
    sl__format_real(found, x[i], SL_F64);
    sl__format_real(wanted, limit, SL_F64);
    if (value->dims > 0) snprintf(where, sizeof where, " (element %lld)", (long long)i + 1);
    return sl__stan_stop(t, SL_BAD_ARGUMENT, v->place, "'%.60s'%s is %s, but must be %s %s",
                         v->name, where, found, lower ? "at least" : "at most", wanted);
  }
  return SL_OK;
}

static sl_status check_bound(sl__stan_tracer *t, const sl__stan_variable *v,
                             const sl__stan_expression *e, bool lower) {
  const sl__stan_slot *slot = &t->frame->slot[v->slot];
  sl__stan_value bound;
  if (!e || slot->value.count == 0) return SL_OK;
  SL__TRY(sl__stan_evaluate(t, e, &bound));
  if (bound.dims > 0) SL__TRY(sl__stan_check_sizes(t, v->name, e->place, &slot->value, &bound));
  if (sl__stan_is_known(&bound) && sl__stan_is_known(&slot->value))
    return check_bound_known(t, v, &slot->value, &bound, lower);
  const sl_node x = sl__stan_node(t, &slot->value), b = sl__stan_node(t, &bound);
  const sl_node good = lower ? op_less_equal(t->graph, b, x) : op_less_equal(t->graph, x, b);
  if (!good) return sl__stan_no_node(t, v->place);
  return sl__stan_add_requirement(t, good);
}

sl_status sl__stan_check_constraint(sl__stan_tracer *t, const sl__stan_variable *v) {
  if (v->constraint == SL__STAN_UNCONSTRAINED || v->constraint == SL__STAN_AFFINE) return SL_OK;
  const sl__stan_mark mark = sl__stan_stack_mark(t);
  sl_status status = SL_OK;
  if (v->constraint == SL__STAN_BOUNDED) {
    status = check_bound(t, v, v->lower, true);
    if (status == SL_OK) status = check_bound(t, v, v->upper, false);
  } else if (sl__stan_is_known(&t->frame->slot[v->slot].value)) {
    status = check_known(t, v, &t->frame->slot[v->slot].value);
  }
  sl__stan_stack_release(t, mark);
  return status;
}
