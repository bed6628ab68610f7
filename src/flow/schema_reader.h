/* The inside of reading a schema, shared by its columns (schema.c) and their words (schema_type.c).
 * One pass over the text, no tokens kept. src/flow only. */
#ifndef SL_FLOW_SCHEMA_READER_H
#define SL_FLOW_SCHEMA_READER_H
#include "flow/schema.h"

enum { SL__MOST_GROUP = 1 << 20 };

typedef struct sl__schema_reader {
  sl_context *context;
  const char *text, *at;
} sl__schema_reader;

/* A stretch of the text. */
typedef struct sl__span {
  const char *begin;
  size_t length;
  bool quoted;
} sl__span;

/* What the words of one item come to. */
typedef struct sl__meaning {
  sl__part part;
  bool typed, has_support, counts, label;
  sl__column_type type;
} sl__meaning;

void sl__schema_skip_blanks(sl__schema_reader *in);
/* Fails at a place of the text. */
sl_status sl__schema_refuse(const sl__schema_reader *in, const char *place, const char *message);
/* The same about a stretch of it: before "what" after. */
sl_status sl__schema_refuse_span(const sl__schema_reader *in, sl__span what, const char *before,
                                 const char *after);
/* Words up to the end of the item. */
sl_status sl__schema_read_words(sl__schema_reader *in, sl__meaning *out);
#endif
