/* What columns are for, and which values they can hold, as text:
 *
 *   "age: positive, share1..share3: simplex, 7: count, w: weight, id: skip"
 *
 *   schema  := item (',' item)*
 *   item    := column ['..' column] [':' word+]     a..b: from one to the other, both included
 *   column  := name | number, from 1 | '"' name '"' with quotes inside doubled
 *   word    := part | type ['(' number (',' number)* ')']
 *
 * Parts are data, context, weight, skip and label, a context whose numbers only name categories;
 * types are
 *
 *   real                any number: what a column is unless told otherwise
 *   positive            above 0
 *   interval(a,b)       between a and b
 *   periodic(a,b)       a and b are the same place, as the angles 0 and 360
 *   simplex             the columns of the item together are positive and sum to 1; simplex(1) for
 *                       columns that are not neighbours: those of one number belong together
 *   integer             whole numbers; with positive from 1, with interval(a,b) from a to b, with
 *                       periodic(a,b) from a to b - 1
 *   count               whole numbers from 0
 *   width(w)            with real, positive, interval, periodic: rounded to multiples of w */
#ifndef SL_FLOW_SCHEMA_H
#define SL_FLOW_SCHEMA_H
#include "base/text.h"

typedef enum sl__part {
  SL__PART_NONE, /* not mentioned */
  SL__PART_DATA,
  SL__PART_CONTEXT,
  SL__PART_WEIGHT,
  SL__PART_SKIP
} sl__part;

typedef enum sl__support {
#define COLUMN_TYPE(name, ...) SL__SUPPORT_##name,
#include "flow/column_types.def"
} sl__support;
enum {
  SL__SUPPORTS = 0
#define COLUMN_TYPE(...) +1
#include "flow/column_types.def"
};

/* The registry of types. */
typedef struct sl__column_kind {
  const char *name;
  const char *const *examples; /* texts that sl__type_read takes; NULL at the end */
} sl__column_kind;
const sl__column_kind *sl__column_kinds(void); /* [SL__SUPPORTS], by support */

typedef struct sl__column_type {
  sl__support support;
  bool integer;
  double low, high; /* as written; positive: 0, or of integers the least one */
  double width;     /* of the noise that spreads rounded values: 1 of integers; 0: none declared */
  int32_t group;    /* simplex: which, numbered from 1 by first appearance */
} sl__column_type;

typedef struct sl__schema_entry {
  sl__part part;
  bool chosen; /* named as data in so many words: then columns not mentioned are no data */
  bool label;  /* a part context of which each value is a condition of its own */
  sl__column_type type;
} sl__schema_entry;

/* The columns that a schema is about. */
typedef struct sl__schema_table {
  int64_t count;
  const char *const *names; /* [count], or NULL */
} sl__schema_table;

/* Reads a text into entries [table->count], which hold what earlier texts said (zeros: nothing).
 * bare: the part of items that name none. Refusals have line and column of the text. */
sl_status sl__schema_read(sl_context *context, const sl__schema_table *table, const char *text,
                          sl__part bare, sl__schema_entry *entries);
/* The words of one column, as sl__type_print writes them. */
sl_status sl__type_read(sl_context *context, const char *text, sl__column_type *out);
/* Canonical: reads back the same. */
void sl__type_print(const sl__column_type *type, sl__text *text);
bool sl__type_is_real(const sl__column_type *type); /* and nothing more */
#endif
