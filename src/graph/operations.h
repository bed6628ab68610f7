/* What the rows of operations.def point to. */
#ifndef SL_GRAPH_OPERATIONS_H
#define SL_GRAPH_OPERATIONS_H
#include "graph/program.h"

void sl__gradient_reshape(sl__tape *tape, sl__graph *g, sl_node node, sl_node dy);
void sl__gradient_slice(sl__tape *tape, sl__graph *g, sl_node node, sl_node dy);
void sl__gradient_transpose(sl__tape *tape, sl__graph *g, sl_node node, sl_node dy);
void sl__gradient_broadcast(sl__tape *tape, sl__graph *g, sl_node node, sl_node dy);
void sl__gradient_elementwise(sl__tape *tape, sl__graph *g, sl_node node, sl_node dy);
void sl__gradient_special(sl__tape *tape, sl__graph *g, sl_node node, sl_node dy);
void sl__gradient_cast(sl__tape *tape, sl__graph *g, sl_node node, sl_node dy);
void sl__gradient_rows(sl__tape *tape, sl__graph *g, sl_node node, sl_node dy);
void sl__gradient_concatenate(sl__tape *tape, sl__graph *g, sl_node node, sl_node dy);
void sl__gradient_gather(sl__tape *tape, sl__graph *g, sl_node node, sl_node dy);
void sl__gradient_scatter(sl__tape *tape, sl__graph *g, sl_node node, sl_node dy);
void sl__gradient_sum(sl__tape *tape, sl__graph *g, sl_node node, sl_node dy);
void sl__gradient_sum_log(sl__tape *tape, sl__graph *g, sl_node node, sl_node dy);
void sl__gradient_max(sl__tape *tape, sl__graph *g, sl_node node, sl_node dy);
void sl__gradient_cumulative_sum(sl__tape *tape, sl__graph *g, sl_node node, sl_node dy);
void sl__gradient_sum_rows(sl__tape *tape, sl__graph *g, sl_node node, sl_node dy);
void sl__gradient_dot_rows(sl__tape *tape, sl__graph *g, sl_node node, sl_node dy);
void sl__gradient_take(sl__tape *tape, sl__graph *g, sl_node node, sl_node dy);
void sl__gradient_put(sl__tape *tape, sl__graph *g, sl_node node, sl_node dy);
void sl__gradient_linear(sl__tape *tape, sl__graph *g, sl_node node, sl_node dy);
void sl__gradient_linear_transposed(sl__tape *tape, sl__graph *g, sl_node node, sl_node dy);
void sl__gradient_outer_rows(sl__tape *tape, sl__graph *g, sl_node node, sl_node dy);
void sl__gradient_matmul(sl__tape *tape, sl__graph *g, sl_node node, sl_node dy);
void sl__gradient_cholesky(sl__tape *tape, sl__graph *g, sl_node node, sl_node dy);
void sl__gradient_triangular_solve(sl__tape *tape, sl__graph *g, sl_node node, sl_node dy);
void sl__gradient_qr_q(sl__tape *tape, sl__graph *g, sl_node node, sl_node dy);
void sl__gradient_qr_r(sl__tape *tape, sl__graph *g, sl_node node, sl_node dy);
void sl__gradient_eigen(sl__tape *tape, sl__graph *g, sl_node node, sl_node dy);
void sl__gradient_root(sl__tape *tape, sl__graph *g, sl_node node, sl_node dy);
void sl__gradient_solution(sl__tape *tape, sl__graph *g, sl_node node, sl_node dy);
void sl__gradient_outside(sl__tape *tape, sl__graph *g, sl_node node, sl_node dy);
void sl__gradient_outside_value(sl__tape *tape, sl__graph *g, sl_node node, sl_node dy);
int64_t sl__units_features(const sl__frame *frame, const sl__step *step);
int64_t sl__units_elementwise(const sl__frame *frame, const sl__step *step);
int64_t sl__units_strips(const sl__frame *frame, const sl__step *step);
int64_t sl__units_rows(const sl__frame *frame, const sl__step *step);
int64_t sl__units_product(const sl__frame *frame, const sl__step *step);
void sl__run_input(const sl__frame *frame, const sl__step *step, int64_t begin, int64_t end);
void sl__run_random(const sl__frame *frame, const sl__step *step, int64_t begin, int64_t end);
void sl__run_elementwise(const sl__frame *frame, const sl__step *step, int64_t begin, int64_t end);
void sl__run_strips(const sl__frame *frame, const sl__step *step, int64_t begin, int64_t end);
void sl__run_cast(const sl__frame *frame, const sl__step *step, int64_t begin, int64_t end);
void sl__run_rows(const sl__frame *frame, const sl__step *step, int64_t begin, int64_t end);
void sl__run_concatenate(const sl__frame *frame, const sl__step *step, int64_t begin, int64_t end);
void sl__run_gather(const sl__frame *frame, const sl__step *step, int64_t begin, int64_t end);
void sl__run_scatter(const sl__frame *frame, const sl__step *step, int64_t begin, int64_t end);
void sl__run_sum(const sl__frame *frame, const sl__step *step, int64_t begin, int64_t end);
void sl__run_sum_rows(const sl__frame *frame, const sl__step *step, int64_t begin, int64_t end);
void sl__run_dot_rows(const sl__frame *frame, const sl__step *step, int64_t begin, int64_t end);
void sl__run_take(const sl__frame *frame, const sl__step *step, int64_t begin, int64_t end);
void sl__run_product(const sl__frame *frame, const sl__step *step, int64_t begin, int64_t end);
void sl__run_matmul(const sl__frame *frame, const sl__step *step, int64_t begin, int64_t end);
void sl__run_cholesky(const sl__frame *frame, const sl__step *step, int64_t begin, int64_t end);
void sl__run_triangular_solve(const sl__frame *frame, const sl__step *step, int64_t begin,
                              int64_t end);
void sl__run_qr(const sl__frame *frame, const sl__step *step, int64_t begin, int64_t end);
void sl__run_eigen(const sl__frame *frame, const sl__step *step, int64_t begin, int64_t end);
void sl__run_root(const sl__frame *frame, const sl__step *step, int64_t begin, int64_t end);
void sl__run_ode(const sl__frame *frame, const sl__step *step, int64_t begin, int64_t end);
void sl__run_outside(const sl__frame *frame, const sl__step *step, int64_t begin, int64_t end);
void sl__run_outside_value(const sl__frame *frame, const sl__step *step, int64_t begin,
                           int64_t end);
#endif
