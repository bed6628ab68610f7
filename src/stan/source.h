/* A program's text, and failures that point into it. */
#ifndef SL_STAN_SOURCE_H
#define SL_STAN_SOURCE_H
#include "base/context.h"

typedef struct sl__source {
  const char *name; /* of the file, for messages */
  const char *text;
  size_t length;
} sl__source;

/* 1-based line and column (bytes) of an offset. */
void sl__source_place(const sl__source *source, size_t offset, int *line, int *column);
/* Records "message" with the file, line and column of the offset, and the source line with a caret
 * (context->error.excerpt); returns status. */
sl_status sl__source_fail(sl_context *context, const sl__source *source, sl_status status,
                          size_t offset, const char *format, ...)
    __attribute__((format(printf, 5, 6)));
#endif
