/* Data in Stan's JSON form. */
#ifndef SL_STAN_DATA_H
#define SL_STAN_DATA_H
#include "stan/trace.h"

/* Declares the variables of the block `data` and gives them the values of the JSON text; checks
 * types, sizes and constraints. name: of the file; data NULL: none. */
sl_status sl__stan_read_data(sl__stan_tracer *t, const char *name, const char *data, size_t length);
#endif
