/* What the files of the sources share: making a target. src/target only. */
#ifndef SL_TARGET_SOURCE_H
#define SL_TARGET_SOURCE_H
#include "target/target.h"

/* A target of this source, without names; state_size bytes of zeroed state. */
sl_status sl__target_make(sl_context *context, const sl__target_source *source, const char *title,
                          int32_t dim, size_t state_size, sl__target **out);
/* Names the coordinates: copies of names [dim], or x1, x2, ... if it is NULL. */
sl_status sl__target_set_names(sl__target *target, const char *const *names);
/* Keeps what the target was made of (origin.c): of a Stan program, its texts; of others, pairs of a
 * key and its text, and NULL. */
typedef struct sl__stan_texts {
  const char *name, *program;
  size_t length;
  const char *data_name, *data; /* or NULL */
  size_t data_length;
} sl__stan_texts;
sl_status sl__target_remember_stan(sl_context *context, sl__target *target,
                                   const sl__stan_texts *texts, uint64_t seed);
sl_status sl__target_remember(sl_context *context, sl__target *target, const char *kind,
                              const char *const *pairs);
#endif
