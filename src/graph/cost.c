/* What a program costs, by the planner's estimates; and what a graph would, before one is made. */
#include "graph/program.h"

/* ---- graphs ---- */

enum {
  NODE_WORK = 512,  /* of planning and starting a step */
  ELEMENT_WORK = 4, /* of an elementwise function */
  QR_WORK = 6,      /* for m n^2: reflections go against the order of rows */
  EIGEN_WORK = 60,  /* for n^3: some ten sweeps of rotations */
  ROOT_ROUNDS = 100
};

static bool iterates(const sl__node *n) {
  return n->operation == SL__OP_ELEMENTWISE && n->elementwise >= SL__EW_log_gamma_p &&
         n->elementwise <= SL__EW_inv_inc_beta;
}

static double node_work(const sl__graph *g, const sl__node *n) {
  const double count = (double)sl__shape_count(n->shape);
  const sl_shape *a = n->operands > 0 ? &g->nodes[n->operand[0]].shape : &n->shape;
  const double inner = a->dims > 0 ? (double)a->size[a->dims - 1] : 1;
  switch (n->operation) {
    case SL__OP_ELEMENTWISE: return iterates(n) ? 0 : count * ELEMENT_WORK;
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

void sl__graph_add_cost(const sl__graph *g, sl__graph_cost *cost) {
  for (uint32_t i = cost->seen + 1; i < g->count; i++) {
    const sl__node *n = &g->nodes[i];
    const sl__operation_kind kind = sl__operations[n->operation].kind;
    const double count = (double)sl__shape_count(n->shape);
    if (kind == SL__KIND_VIEW) continue;
    cost->work += node_work(g, n);
    cost->bytes += count * (double)sizeof(double);
    if (iterates(n)) cost->iterated += count;
    if (n->operation != SL__OP_ELEMENTWISE) cost->kept += count * (double)sizeof(double);
    if (kind == SL__KIND_STEP) cost->work += NODE_WORK;
  }
  if (g->count > 1) cost->seen = g->count - 1;
}

int64_t sl__graph_operations(const sl__graph *g, sl_node node) {
  bool *used = sl__allocate(g->context, g->count, sizeof *used);
  if (!used) return -1;
  int64_t operations = 0;
  used[node] = true;
  for (sl_node i = node; i >= 1; i--) {
    const sl__node *n = &g->nodes[i];
    if (!used[i]) continue;
    operations += sl__operations[n->operation].kind == SL__KIND_STEP;
    for (int64_t k = 0; k < sl__operand_count(n); k++) used[sl__operand_at(n, k)] = true;
  }
  sl__free(&g->context->allocator, used);
  return operations;
}

/* ---- programs ---- */

int64_t sl__program_row_bytes(const sl__program *program) {
  return program->block_units * 4;
}

bool sl__program_iterates(const sl__program *program) {
  const sl__stage *stage = &program->stage[1];
  for (int32_t i = 0; i < stage->steps; i++)
    if (stage->step[i].loop) return true;
  return false;
}

double sl__program_row_cost(const sl__program *program) {
  double nanoseconds = 0;
  const sl__stage *stage = &program->stage[1];
  for (int32_t i = 0; i < stage->steps; i++) nanoseconds += (double)stage->step[i].cost;
  return nanoseconds / 128;
}
