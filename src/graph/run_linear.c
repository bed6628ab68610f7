/* Running linear algebra: dense layers as products, small matrices as loops over runs. */
#include <string.h>

#include "graph/operations.h"
#include "kernels/kernels.h"

/* A bias, or runs that the product is added to. */
static void add_third(const sl__frame *f, const sl__value *third, sl__product *p) {
  if (third->batched) {
    p->base = sl__address(f, third);
    p->base_row = f->lead;
  } else {
    p->bias = sl__address(f, third);
  }
}

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
    p.room = f->lead;
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
  if (s->operands == 3) add_third(f, sl__operand_value(f, s, 2), &p);
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

static size_t matmul_scratch(const sl__frame *f, const sl__step *s);

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
    case SL__OP_MATMUL: return matmul_scratch(f, s);
    case SL__OP_EIGEN: return sl__eigen_scratch(f, s);
    case SL__OP_ROOT: return sl__root_scratch(f, s);
    case SL__OP_OUTSIDE: return sl__outside_scratch(f, s);
    case SL__OP_ODE: return sl__ode_scratch(f, s);
    default: return 0;
  }
}

/* y = W x of one row, or without rows. */
static sl__matrices single_of(const sl__frame *f, const sl__step *s) {
  const sl__value *a = sl__operand_value(f, s, 0), *x = sl__operand_value(f, s, 1);
  const bool transposed = s->operation == SL__OP_LINEAR_TRANSPOSED;
  return (sl__matrices){.m = a->shape.size[transposed],
                        .n = 1,
                        .k = a->shape.size[!transposed],
                        .lanes = 1,
                        .y = sl__address(f, sl__output_value(f, s)),
                        .a = sl__address(f, a),
                        .a_row = a->stride[transposed],
                        .a_column = a->stride[!transposed],
                        .a_lanes = 1,
                        .b = sl__address(f, x),
                        .b_row = x->stride[0],
                        .b_column = 1,
                        .b_lanes = 1};
}

/* And its bias. */
static sl__few addition_of(const sl__frame *f, const sl__step *s, const sl__matrices *single) {
  return (sl__few){.kernel = sl__frame_kernels(f, s)->elementwise[SL__EW_add],
                   .elementwise = SL__EW_add,
                   .n = (int32_t)single->m,
                   .y = single->y,
                   .a = single->y,
                   .b = sl__address(f, sl__operand_value(f, s, 2))};
}

static void run_single(const sl__frame *f, const sl__step *s) {
  const sl__matrices single = single_of(f, s);
  sl__frame_kernels(f, s)->multiply_matrices(&single);
  if (s->operands < 3) return;
  const sl__few add = addition_of(f, s, &single);
  add.kernel(add.n, add.y, add.a, add.b, NULL, 0, 0);
}

void sl__run_product(const sl__frame *f, const sl__step *s, int64_t begin, int64_t end) {
  const sl__product p = product_of(f, s);
  if (is_narrow(f, &p) || !p.m)
    run_single(f, s);
  else
    sl__frame_kernels(f, s)->product_run(&p, begin, end, f->scratch);
}

bool sl__list_product(sl__lists *lists, const sl__frame *f, const sl__step *s) {
  const int type = sl__output_value(f, s)->type;
  const sl__product p = product_of(f, s);
  if (p.m && !is_narrow(f, &p)) {
    *(sl__product *)sl__list_call(lists, SL__CALL_PRODUCT, type) = p;
    lists->call[lists->calls - 1].count = (int32_t)f->program->kernels[type]->product_units(&p);
    return true;
  }
  const sl__matrices single = single_of(f, s);
  *(sl__matrices *)sl__list_call(lists, SL__CALL_MATRICES, type) = single;
  if (s->operands == 3)
    *(sl__few *)sl__list_call(lists, SL__CALL_FEW, type) = addition_of(f, s, &single);
  return true;
}

/* ---- products of matrices that may both be batched ---- */

static sl__matrices matrices_of(const sl__frame *f, const sl__step *s) {
  const sl__value *y = sl__output_value(f, s), *a = sl__operand_value(f, s, 0),
                  *b = sl__operand_value(f, s, 1);
  return (sl__matrices){.m = y->shape.size[0],
                        .n = y->shape.size[1],
                        .k = a->shape.size[1],
                        .lanes = sl__lanes(f, y),
                        .y = sl__address(f, y),
                        .a = sl__address(f, a),
                        .a_row = a->stride[0],
                        .a_column = a->stride[1],
                        .a_lanes = sl__lanes(f, a),
                        .b = sl__address(f, b),
                        .b_row = b->stride[0],
                        .b_column = b->stride[1],
                        .b_lanes = sl__lanes(f, b)};
}

/* Where one factor is shared and the other's lines are contiguous runs, the product is one of the
 * kind that layers have, or many: which, and how many; 0: too small for that, or not so. */
static int64_t products_of(const sl__matrices *x, sl__product *first) {
  enum { FEWEST = 4096 };
  if (x->lanes == 1 || x->m * x->n * x->k < FEWEST || (x->a_lanes > 1) == (x->b_lanes > 1))
    return 0;
  if (x->a_lanes == 1) { /* A times the columns of B side by side */
    if (x->n > 1 && x->b_column != 1) return 0;
    *first = (sl__product){.m = x->m,
                           .n = x->n * x->lanes,
                           .k = x->k,
                           .a = x->a,
                           .a_row = x->a_row,
                           .a_column = x->a_column,
                           .b = x->b,
                           .b_row = x->b_row * x->lanes,
                           .c = x->y,
                           .c_row = x->n * x->lanes};
    return 1;
  }
  *first = (sl__product){.m = x->n, /* B transposed times a row of A: a row of the result */
                         .n = x->lanes,
                         .k = x->k,
                         .a = x->b,
                         .a_row = x->b_column,
                         .a_column = x->b_row,
                         .b = x->a,
                         .b_row = x->a_column * x->lanes,
                         .c = x->y,
                         .c_row = x->lanes};
  return x->m;
}

static size_t matmul_scratch(const sl__frame *f, const sl__step *s) {
  const sl__matrices x = matrices_of(f, s);
  sl__product p;
  return products_of(&x, &p) ? sl__frame_kernels(f, s)->product_scratch(&p) : 0;
}

void sl__run_matmul(const sl__frame *f, const sl__step *s, int64_t begin, int64_t end) {
  (void)begin, (void)end;
  const struct sl__kernels *k = sl__frame_kernels(f, s);
  const sl__matrices x = matrices_of(f, s);
  sl__product p;
  const int64_t products = products_of(&x, &p);
  if (products == 0) k->multiply_matrices(&x);
  for (int64_t i = 0; i < products; i++) {
    k->product_run(&p, 0, k->product_units(&p), f->scratch);
    p.b = (const char *)p.b + x.a_row * x.lanes * k->element_size;
    p.c = (char *)p.c + x.n * x.lanes * k->element_size;
  }
}

bool sl__list_matmul(sl__lists *lists, const sl__frame *f, const sl__step *s) {
  const sl__matrices x = matrices_of(f, s);
  sl__product p;
  if (products_of(&x, &p)) return false;
  *(sl__matrices *)sl__list_call(lists, SL__CALL_MATRICES, sl__output_value(f, s)->type) = x;
  return true;
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
