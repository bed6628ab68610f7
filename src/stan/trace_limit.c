/* What a density may cost at one point. A few statements on parameters can ask for any amount of
 * work, since making a node is cheap whatever its size; so the work and the numbers of nodes are
 * counted as they are made, and an operation too many is refused at its place. A gradient takes
 * about two to three times the work, and its numbers are about twice as many.
 *
 * Operations on scalars are counted twice. Tracing a loop makes nodes for each of its rounds, which
 * cost memory until equal ones are joined; a recurrence leaves operations that cannot be joined, of
 * which each then costs some kilobytes of planning. */
#include "stan/trace.h"

static sl_status refuse_work(sl__stan_tracer *t, size_t place, const char *operation,
                             double before) {
  const double all = t->cost.work + SL__STAN_USUAL_WORK * t->cost.iterated;
  if (operation && all - before > SL__STAN_MAX_WORK / 2)
    return sl__stan_stop(t, SL_UNSUPPORTED, place,
                         "'%.60s' takes about %.2g multiplications with arguments of this size, "
                         "and a density has %.2g at a point; make them smaller, or what does not "
                         "depend on parameters data",
                         operation, all - before, SL__STAN_MAX_WORK);
  return sl__stan_stop(t, SL_UNSUPPORTED, place,
                       "the density takes %.2g multiplications at a point by now, and it has %.2g%s"
                       "%.60s%s; make loops shorter, or arguments smaller",
                       all, SL__STAN_MAX_WORK, operation ? "; the last are those of '" : "",
                       operation ? operation : "", operation ? "'" : "");
}

sl_status sl__stan_limit_nodes(sl__stan_tracer *t, size_t place, const char *operation) {
  if (!t->main_graph || t->graph != t->main_graph) return SL_OK;
  const double before = t->cost.work + SL__STAN_USUAL_WORK * t->cost.iterated;
  sl__graph_add_cost(t->graph, &t->cost);
  if (t->cost.work + SL__STAN_USUAL_WORK * t->cost.iterated > SL__STAN_MAX_WORK)
    return refuse_work(t, place, operation, before);
  if (t->cost.kept > SL__STAN_MAX_MEMORY)
    return sl__stan_stop(t, SL_UNSUPPORTED, place,
                         "the density needs %.0f megabytes of values at a point by now, and it has "
                         "%d; make containers smaller, or loops over them shorter",
                         t->cost.kept / (1 << 20), SL__STAN_MAX_MEMORY >> 20);
  if (t->cost.seen > SL__STAN_MAX_NODES)
    return sl__stan_stop(t, SL_UNSUPPORTED, place,
                         "the density consists of more than %d operations by now, which is all it "
                         "has; make loops shorter, or operations on vectors",
                         SL__STAN_MAX_NODES);
  return SL_OK;
}

sl_status sl__stan_limit_operations(sl__stan_tracer *t, sl_node density) {
  const int64_t operations = sl__graph_operations(t->graph, density);
  if (operations < 0) return SL_NO_MEMORY;
  if (operations <= SL__STAN_MAX_OPERATIONS) return SL_OK;
  return sl__stan_stop(t, SL_UNSUPPORTED, t->most_place,
                       "the density consists of %lld operations that follow upon one another, most "
                       "of them from here, and it has %d; make loops shorter, or operations on "
                       "vectors",
                       (long long)operations, SL__STAN_MAX_OPERATIONS);
}
