/* hmm_marginal(log_omega [K,N], Gamma [K,K], rho [K]): the log density of N observations of a
 * hidden Markov chain with K states, its states summed out by the forward algorithm (Rabiner 1989),
 * in logarithms. log_omega holds the log densities of the observations in each state. */
#include "stan/functions_matrix.h"

sl_status sl__stan_build_hmm_marginal(sl__stan_call *call) {
  sl__graph *g = sl__stan_graph(call);
  const sl__stan_value *omega = &call->argument[0];
  const int32_t states = omega->size[0], steps = omega->size[1];
  int32_t k;
  SL__TRY(sl__matrix_square(call, 1, &k));
  if (k != states || call->argument[2].size[0] != states)
    return sl__stan_refuse(call,
                           "log_omega has %d rows, but there are %d transitions and %d "
                           "starting probabilities",
                           states, k, call->argument[2].size[0]);
  if (states == 0 || steps == 0) return sl__call_give_real(call, 0);
  SL__TRY(sl__stan_count_nodes(call, 12.0 * steps));
  const sl_node density = sl__stan_matrix(call, 0), moves = op_log(g, sl__stan_matrix(call, 1));
  sl_node forward = op_add(g, op_log(g, sl__stan_argument(call, 2)), op_element(g, density, 1, 0));
  for (int32_t t = 1; t < steps; t++) {
    const sl_node from = op_reshape(g, forward, sl__shape2(states, 1));
    const sl_node arrived = op_log_sum_exp(g, op_add(g, from, moves), 0);
    forward = op_add(g, arrived, op_element(g, density, 1, t));
  }
  return sl__stan_give_scalar(call, op_log_sum_exp(g, forward, 0));
}
