/* The products of linear algebra: row_vector * vector, vector * row_vector, and those with
 * matrices. As nodes, a known matrix times values of the density is op_linear, whose product is the
 * fast one. */
#include "stan/trace.h"
#include <string.h>

typedef struct product {
  int32_t m, k, n; /* [m][k] times [k][n] */
} product;

bool sl__stan_is_product(const sl__stan_value *a, const sl__stan_value *b) {
  return a->dims > 0 && b->dims > 0 && a->type.arrays == 0 && b->type.arrays == 0;
}

static bool is_row(const sl__stan_value *value) {
  return value->type.base == SL__STAN_ROW_VECTOR_TYPE;
}

static void sizes_of(const sl__stan_value *value, int32_t *rows, int32_t *columns) {
  *rows = value->dims == 2 ? value->size[0] : is_row(value) ? 1 : value->size[0];
  *columns = value->dims == 2 ? value->size[1] : is_row(value) ? value->size[0] : 1;
}

static sl_status multiply_known(sl__stan_tracer *t, product p, const sl__stan_value *a,
                                const sl__stan_value *b, sl__stan_value *out) {
  const double *x = sl__stan_reals(t, a), *y = sl__stan_reals(t, b);
  double *z = sl__stan_temporary(t, out->count, sizeof *z);
  if (!x || !y || !z) return SL_NO_MEMORY;
  memset(z, 0, (size_t)out->count * sizeof *z);
  for (int64_t i = 0; i < p.m; i++)
    for (int64_t l = 0; l < p.k; l++)
      for (int64_t j = 0; j < p.n; j++) z[i * p.n + j] += x[i * p.k + l] * y[l * p.n + j];
  out->form = SL__STAN_NUMBERS;
  out->numbers = z;
  return SL_OK;
}

/* A matrix without rows (as one scalar, or [n]) times a column. */
static sl_node linear(sl__graph *g, sl_node matrix, sl_node vector) {
  const bool shared = !sl__node_batched(g, matrix) && sl__node_batched(g, vector);
  return shared ? op_linear(g, matrix, 0, vector, NULL) : op_matmul(g, matrix, vector);
}

static sl_node multiply_nodes(sl__graph *g, product p, sl_node a, sl_node b) {
  if (!a || !b) return 0;
  if (p.m == 1 && p.n == 1)
    return op_sum_all(
        g, op_multiply(g, op_reshape(g, a, sl__shape1(p.k)), op_reshape(g, b, sl__shape1(p.k))));
  if (p.k == 1)
    return op_multiply(g, op_reshape(g, a, sl__shape2(p.m, 1)),
                       op_reshape(g, b, sl__shape2(1, p.n)));
  const sl_node left = op_reshape(g, a, sl__shape2(p.m, p.k));
  const sl_node right = op_reshape(g, b, sl__shape2(p.k, p.n));
  if (!left || !right) return 0;
  if (p.n == 1) return linear(g, left, op_reshape(g, b, sl__shape1(p.k)));
  if (p.m == 1) return linear(g, op_transpose(g, right), op_reshape(g, a, sl__shape1(p.k)));
  return op_matmul(g, left, right);
}

sl_status sl__stan_product(sl__stan_tracer *t, sl__stan_type type, size_t place,
                           const sl__stan_value *a, const sl__stan_value *b, sl__stan_value *out) {
  product p;
  int32_t inner;
  sizes_of(a, &p.m, &p.k);
  sizes_of(b, &inner, &p.n);
  if (inner != p.k) {
    t->wrong = true;
    return sl__stan_stop(t, SL_BAD_ARGUMENT, place,
                         "a product of %d x %d and %d x %d: the inner sizes %d and %d differ", p.m,
                         p.k, inner, p.n, p.k, inner);
  }
  *out = (sl__stan_value){.type = type, .dims = sl__stan_dimensions(type), .count = 1};
  if (out->dims == 2) {
    out->size[0] = p.m;
    out->size[1] = p.n;
    out->count = (int64_t)p.m * p.n;
  } else if (out->dims == 1) {
    out->size[0] = p.m > p.n ? p.m : p.n;
    if (p.m == 0 || p.n == 0) out->size[0] = 0;
    out->count = out->size[0];
  }
  SL__TRY(sl__stan_count_work(t, place, "*", (double)out->count * p.k));
  const bool known = sl__stan_is_known(a) && sl__stan_is_known(b);
  if (known || p.k == 0 || out->count == 0) {
    if (known) return multiply_known(t, p, a, b, out);
    static const double nothing[1];
    const sl__stan_value empty = {.form = SL__STAN_NUMBERS, .numbers = nothing};
    return multiply_known(t, (product){p.m, 0, p.n}, &empty, &empty, out);
  }
  sl_node node = multiply_nodes(t->graph, p, sl__stan_node(t, a), sl__stan_node(t, b));
  if (node)
    node = op_reshape(t->graph, node,
                      out->dims ? sl__shape1((int32_t)out->count) : sl__scalar_shape());
  out->form = SL__STAN_NODE;
  out->node = node;
  SL__TRY(sl__stan_count_steps(t, place, SL__STAN_NODE_STEPS));
  return node ? SL_OK : sl__stan_no_node(t, place);
}
