/* What the files of the sources share: making a target. src/target only. */
#ifndef SL_TARGET_SOURCE_H
#define SL_TARGET_SOURCE_H
#include "target/target.h"

/* A target of this source, without names; state_size bytes of zeroed state. */
sl_status sl__target_make(sl_context *context, const sl__target_source *source, const char *title,
                          int32_t dim, size_t state_size, sl__target **out);
/* Names the coordinates: copies of names [dim], or x1, x2, ... if it is NULL. */
sl_status sl__target_set_names(sl__target *target, const char *const *names);
#endif
