/* A target seen from the base space of a flow: log p(T(z)) + log |det dT/dz|. Where the flow fits,
 * this is nearly the flow's base density, whose shape no sampler minds (Parno and Marzouk 2018,
 * arXiv:1412.5492; Hoffman et al. 2019, arXiv:1903.03704). Draws are exact however badly it fits:
 * it changes how fast they come. */
#ifndef SL_INFER_CHAIN_PRECONDITIONED_H
#define SL_INFER_CHAIN_PRECONDITIONED_H
#include "flow/model.h"
#include "infer/chain/sampler.h"

/* target and model are borrowed. Its written draws are those of the target: the same names, values
 * at T(z). Refuses a model of other coordinates, or whose base does not cover the whole space. */
sl_status sl__target_preconditioned(sl_context *context, const sl__target *target,
                                    const sl__model *model, sl__target **out);
/* x [rows][dim] = T(z [rows][dim]). */
sl_status sl__preconditioned_map(sl_context *context, const sl__target *preconditioned,
                                 int64_t rows, const double *z, double *x);
/* z [rows][dim], where T(z) = x [rows][dim]: first points for chains. */
sl_status sl__preconditioned_pull(sl_context *context, const sl__target *preconditioned,
                                  int64_t rows, const double *x, double *z);

typedef struct sl__auto_report {
  int64_t gradients; /* of the target, by first runs and fits */
  int rounds;        /* of a run and a fit */
  bool diverges;     /* runs in the space of the flow still did, or were not tried */
} sl__auto_report;
/* What is handed to the caller while a flow is sought. Any function may be NULL. */
typedef struct sl__auto_listener {
  /* After each run, round from 1: how often it diverged. */
  void (*round)(void *user, int round, int64_t divergences);
  /* Now and then in runs, and after each step of fits. false stops. */
  bool (*may_go_on)(void *user);
  void *user;
} sl__auto_listener;
/* A flow to precondition with, of short runs of the sampler's and fits to their draws and to the
 * density in turn. first [chains][dim]: draws to go on from, in the target's space. SL_STOPPED: the
 * listener said so, and there is no flow. */
sl_status sl__auto_precondition(sl_context *context, const sl__target *target,
                                const sl__sampler_options *options, sl__model **out, double *first,
                                const sl__auto_listener *listener, sl__auto_report *report);
#endif
