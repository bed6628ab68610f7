/* What a program costs, by the planner's estimates; and what a graph would, before one is made. */
#include "graph/program.h"

/* ---- graphs ---- */

enum {
  NODE_WORK = 512,      /* of planning and starting a step */
  ELEMENT_WORK = 4,     /* of an elementwise function */
  SPECIAL_WORK = 16384, /* of one that iterates */
  QR_WORK = 6,          /* for m n^2: reflections go against the order of rows */
  EIGEN_WORK = 60,      /* for n^3: some ten sweeps of rotations */
  ROOT_ROUNDS = 100
};

static double elementwise_work(const sl__node *n) {
  const bool special =
      n->elementwise >= SL__EW_log_gamma_p && n->elementwise <= SL__EW_inv_inc_beta;
  return special ? SPECIAL_WORK : ELEMENT_WORK;
}

static double node_work(const sl__graph *g, const sl__node *n) {
  const double count = (double)sl__shape_count(n->shape);
  const sl_shape *a = n->operands > 0 ? &g->nodes[n->operand[0]].shape : &n->shape;
  const double inner = a->dims > 0 ? (double)a->size[a->dims - 1] : 1;
  switch (n->operation) {
    case SL__OP_ELEMENTWISE: return count * elementwise_work(n);
    case SL__OP_MATMUL:
    case SL__OP_LINEAR:
    case SL__OP_TRIANGULAR_SOLVE: return count * inner;
    case SL__OP_CHOLESKY: return inner * inner * inner / 3;
    case SL__OP_QR_Q:
    case SL__OP_QR_R: return QR_WORK * (double)sl__shape_count(*a) * inner;
    case SL__OP_EIGEN: return EIGEN_WORK * inner * inner * inner;
    case SL__OP_ROOT: return count * ROOT_ROUNDS * ELEMENT_WORK * ELEMENT_WORK;
    default: return count;
  }
}

double sl__graph_work(const sl__graph *g, double *bytes) {
  double work = 0, numbers = 0;
  for (uint32_t i = 1; i < g->count; i++) {
    const sl__node *n = &g->nodes[i];
    const sl__operation_kind kind = sl__operations[n->operation].kind;
    if (kind == SL__KIND_VIEW) continue;
    work += node_work(g, n) + (kind == SL__KIND_STEP ? NODE_WORK : 0);
    numbers += (double)sl__shape_count(n->shape);
  }
  if (bytes) *bytes = numbers * (double)sizeof(double);
  return work;
}

/* ---- programs ---- */

int64_t sl__program_row_bytes(const sl__program *program) {
  return program->block_units * 4;
}

double sl__program_row_cost(const sl__program *program) {
  double nanoseconds = 0;
  const sl__stage *stage = &program->stage[1];
  for (int32_t i = 0; i < stage->steps; i++) nanoseconds += (double)stage->step[i].cost;
  return nanoseconds / 128;
}
