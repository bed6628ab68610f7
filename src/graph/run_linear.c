/* Running linear algebra: dense layers as products, small matrices as loops over runs. */
#include <string.h>

#include "graph/operations.h"
#include "kernels/kernels.h"

/* The product of a step, or m = 0 when it is not one (a shared vector). */
static sl__product product_of(const sl__frame *f, const sl__step *s) {
  const sl__value *y = sl__output_value(f, s), *a = sl__operand_value(f, s, 0),
                  *x = sl__operand_value(f, s, 1);
  sl__product p = {
      .k_begin = s->k_begin, .k_end = s->k_end, .n_end = s->n_end, .c = sl__address(f, y)};
  if (s->operation ==
      SL__OP_OUTER_ROWS) { /* C[out][in] (+)= sum over rows of y[out][row] x[in][row] */
    p.m = y->shape.size[0];
    p.n = y->shape.size[1];
    p.k = f->rows;
    p.a = sl__address(f, a);
    p.a_row = a->stride[0] * f->lead;
    p.a_column = 1;
    p.b = sl__address(f, x);
    p.b_row = x->stride[0] * f->lead;
    p.b_transposed = true;
    p.c_row = p.n;
    p.accumulate = f->accumulate;
    return p;
  }
  const bool transposed = s->operation == SL__OP_LINEAR_TRANSPOSED;
  const int64_t row = a->stride[transposed], column = a->stride[!transposed];
  const int64_t out = a->shape.size[transposed], in = a->shape.size[!transposed];
  if (!y->batched) return p;
  p.m = out;
  p.n = f->rows;
  p.k = in;
  p.a = sl__address(f, a);
  p.a_row = row;
  p.a_column = column;
  p.b = sl__address(f, x);
  p.b_row = x->stride[0] * f->lead;
  p.c_row = f->lead;
  p.bias = s->operands == 3 ? sl__address(f, sl__operand_value(f, s, 2)) : NULL;
  return p;
}

/* Products of one row whose matrix lies by columns: the kernels would work on sixteen rows, which
 * are not there. */
static bool is_narrow(const sl__frame *f, const sl__product *p) {
  return f->lead == 1 && p->m && !p->b_transposed && p->a_column != 1;
}

int64_t sl__units_product(const sl__frame *f, const sl__step *s) {
  const sl__product p = product_of(f, s);
  if (is_narrow(f, &p)) return 1;
  return p.m ? f->program->kernels[sl__output_value(f, s)->type]->product_units(&p) : 1;
}

size_t sl__step_scratch(const sl__frame *f, const sl__step *s) {
  const struct sl__kernels *k = sl__frame_kernels(f, s);
  const sl__value *x = s->operands ? sl__operand_value(f, s, 0) : NULL;
  if (s->strips) return sl__strips_scratch(f, s);
  switch (s->operation) {
    case SL__OP_LINEAR:
    case SL__OP_LINEAR_TRANSPOSED:
    case SL__OP_OUTER_ROWS: {
      const sl__product p = product_of(f, s);
      return p.m ? k->product_scratch(&p) : 0;
    }
    case SL__OP_QR_Q:
    case SL__OP_QR_R: {
      const int64_t m = x->shape.size[0], n = x->shape.size[1];
      return (size_t)((m * n + m + n + (m + n) * n) * sl__lanes(f, x) * k->element_size) + 64;
    }
    case SL__OP_ROOT: return sl__root_scratch(f, s);
    default: return 0;
  }
}

/* y = W x + b without rows: a sum of columns of W, in the order of the inputs. */
static void run_shared_linear(const sl__frame *f, const sl__step *s) {
  const sl__value *y = sl__output_value(f, s), *a = sl__operand_value(f, s, 0),
                  *x = sl__operand_value(f, s, 1);
  const struct sl__kernels *k = sl__frame_kernels(f, s);
  const bool transposed = s->operation == SL__OP_LINEAR_TRANSPOSED;
  const int64_t size = sl__type_size(y->type), out = a->shape.size[transposed],
                in = a->shape.size[!transposed];
  char *to = sl__address(f, y);
  const char *w = sl__address(f, a), *from = sl__address(f, x);
  const char *bias = s->operands == 3 ? sl__address(f, sl__operand_value(f, s, 2)) : NULL;
  for (int64_t o = 0; o < out; o++) {
    char *target = to + o * size;
    if (bias)
      memcpy(target, bias + o * size, (size_t)size);
    else
      memset(target, 0, (size_t)size);
    for (int64_t i = 0; i < in; i++) {
      k->elementwise[SL__EW_multiply_add](
          1, target, w + (o * a->stride[transposed] + i * a->stride[!transposed]) * size,
          from + i * x->stride[0] * size, target, 0, 0);
    }
  }
}

/* A sum of columns, in order. */
static void run_narrow(const sl__frame *f, const sl__step *s, const sl__product *p) {
  const sl__elementwise_kernel *kernels = sl__frame_kernels(f, s)->elementwise;
  const int64_t size = sl__type_size(sl__output_value(f, s)->type);
  if (p->bias)
    memcpy(p->c, p->bias, (size_t)(p->m * size));
  else
    memset(p->c, 0, (size_t)(p->m * size));
  for (int64_t k = 0; k < p->k; k++) {
    const char *column = (const char *)p->a + k * p->a_column * size;
    const char *x = (const char *)p->b + k * p->b_row * size;
    const int64_t length = p->a_row == 1 ? p->m : 1;
    for (int64_t m = 0; m < p->m; m += length) {
      char *c = (char *)p->c + m * size;
      kernels[SL__EW_multiply_add](length, c, column + m * p->a_row * size, x, c, 2, 0);
    }
  }
}

void sl__run_product(const sl__frame *f, const sl__step *s, int64_t begin, int64_t end) {
  const sl__product p = product_of(f, s);
  if (is_narrow(f, &p))
    run_narrow(f, s, &p);
  else if (p.m)
    sl__frame_kernels(f, s)->product_run(&p, begin, end, f->scratch);
  else
    run_shared_linear(f, s);
}

/* Y[m][n] = sum over k of A[m][k] B[k][n], every element a run (batched) or a number (shared). */
void sl__run_matmul(const sl__frame *f, const sl__step *s, int64_t begin, int64_t end) {
  (void)begin, (void)end;
  const sl__value *y = sl__output_value(f, s), *a = sl__operand_value(f, s, 0),
                  *b = sl__operand_value(f, s, 1);
  const sl__elementwise_kernel multiply_add =
      sl__frame_kernels(f, s)->elementwise[SL__EW_multiply_add];
  const int64_t m = y->shape.size[0], n = y->shape.size[1], inner = a->shape.size[1],
                size = sl__type_size(y->type);
  const int64_t la = sl__lanes(f, a) * size, lb = sl__lanes(f, b) * size,
                ly = sl__lanes(f, y) * size;
  char *py = sl__address(f, y);
  const char *pa = sl__address(f, a), *pb = sl__address(f, b);
  memset(py, 0, (size_t)(m * n * ly));
  for (int64_t i = 0; i < m; i++) {
    for (int64_t k = 0; k < inner; k++) {
      const char *factor = pa + (i * inner + k) * la, *row = pb + k * n * lb;
      char *target = py + i * n * ly;
      if (!a->batched && b->batched == y->batched) { /* the whole row of B in one call */
        multiply_add(n * sl__lanes(f, y), target, factor, row, target, 1, 0);
        continue;
      }
      const unsigned scalars = (a->batched ? 0u : 1u) | (b->batched ? 0u : 2u);
      for (int64_t j = 0; j < n; j++)
        multiply_add(f->lead, target + j * ly, factor, row + j * lb, target + j * ly, scalars, 0);
    }
  }
}

void sl__run_cholesky(const sl__frame *f, const sl__step *s, int64_t begin, int64_t end) {
  (void)begin, (void)end;
  const sl__value *y = sl__output_value(f, s);
  sl__frame_kernels(f, s)->cholesky(y->shape.size[0], sl__lanes(f, y), sl__address(f, y),
                                    sl__address(f, sl__operand_value(f, s, 0)));
}

void sl__run_triangular_solve(const sl__frame *f, const sl__step *s, int64_t begin, int64_t end) {
  (void)begin, (void)end;
  const sl__value *y = sl__output_value(f, s), *t = sl__operand_value(f, s, 0);
  const int64_t m = y->shape.dims == 2 ? y->shape.size[1] : 1;
  sl__frame_kernels(f, s)->triangular_solve(
      y->shape.size[0], m, sl__lanes(f, y), sl__lanes(f, t), sl__address(f, y), sl__address(f, t),
      sl__address(f, sl__operand_value(f, s, 1)), s->integer[0], s->integer[1], s->integer[2]);
}

void sl__run_qr(const sl__frame *f, const sl__step *s, int64_t begin, int64_t end) {
  (void)begin, (void)end;
  const sl__value *y = sl__output_value(f, s), *a = sl__operand_value(f, s, 0);
  const int64_t m = a->shape.size[0], n = a->shape.size[1], lanes = sl__lanes(f, a),
                size = sl__type_size(y->type);
  char *other = f->scratch; /* the factor that is not asked for, then the kernel's scratch */
  const bool is_q = s->operation == SL__OP_QR_Q;
  char *work = other + (is_q ? n : m) * n * lanes * size;
  sl__frame_kernels(f, s)->qr(m, n, lanes, is_q ? sl__address(f, y) : (void *)other,
                              is_q ? (void *)other : sl__address(f, y), sl__address(f, a), work);
}
