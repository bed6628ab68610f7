/* The builders: what the last columns of functions.def and distributions.def stand for. The builder
 * NAME is the function sl__stan_build_NAME; several rows may share one. Names that have no function
 * are listed below as NULL: who writes one takes its line out. */
#ifndef SL_STAN_BUILDERS_H
#define SL_STAN_BUILDERS_H
#include "stan/value.h"

#define SL__STAN_PROTOTYPE(builder)         sl_status sl__stan_build_##builder(sl__stan_call *call);
#define FUNCTION(name, signatures, builder) SL__STAN_PROTOTYPE(builder)
#include "stan/functions.def"
#define DENSITY(name, signatures, builder) SL__STAN_PROTOTYPE(builder)
#define MASS(name, signatures, builder)    SL__STAN_PROTOTYPE(builder)
#define CDF(name, signatures, builder)     SL__STAN_PROTOTYPE(builder)
#define LOG_CDF(name, signatures, builder) SL__STAN_PROTOTYPE(builder)
#define DRAW(name, signatures, builder)    SL__STAN_PROTOTYPE(builder)
#include "stan/distributions.def"
#undef SL__STAN_PROTOTYPE

/* ---- functions: operator is what the tracer does itself ---- */
#define sl__stan_build_none     NULL
#define sl__stan_build_operator NULL
#endif
