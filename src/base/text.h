/* Growable text, a JSON writer, and numbers without a locale. */
#ifndef SL_BASE_TEXT_H
#define SL_BASE_TEXT_H
#include "base/context.h"

/* Sticky: after a failed growth every later call is a no-op and .failed stays set. */
typedef struct sl__text {
  sl_context *context;
  char *data; /* NUL-terminated once anything was added */
  size_t length, capacity;
  bool failed;
} sl__text;
void sl__text_open(sl__text *text, sl_context *context);
void sl__text_add(sl__text *text, const char *format, ...)
    __attribute__((format(printf, 2, 3))); /* no %f %g %e: use _real */
void sl__text_add_bytes(sl__text *text, const char *bytes, size_t length);
void sl__text_add_real(sl__text *text, double value,
                       sl_dtype precision); /* %.17g / %.9g or shorter, reads back the same bits */
void sl__text_close(sl__text *text);

/* Whether a file's name has this ending, ".csv", in letters of either case. */
bool sl__has_ending(const char *path, const char *ending);

/* JSON out: objects in order, commas by itself. Non-finite numbers become "nan", "inf", "-inf". */
typedef struct sl__json {
  sl__text *text;
  int depth;
  bool comma[32];
} sl__json;
void sl__json_open_object(sl__json *json,
                          const char *key); /* key NULL: in an array or at the top */
void sl__json_close_object(sl__json *json);
void sl__json_open_array(sl__json *json, const char *key);
void sl__json_close_array(sl__json *json);
void sl__json_text(sl__json *json, const char *key, const char *value); /* value NULL: null */
void sl__json_real(sl__json *json, const char *key, double value);
void sl__json_integer(sl__json *json, const char *key, int64_t value);
void sl__json_boolean(sl__json *json, const char *key, bool value);

/* JSON in: a tree in an arena, with a depth limit of 64; errors carry line and column. */
typedef enum {
  SL__JSON_NULL,
  SL__JSON_BOOL,
  SL__JSON_NUMBER,
  SL__JSON_TEXT,
  SL__JSON_ARRAY,
  SL__JSON_OBJECT
} sl__json_kind;
typedef struct sl__json_value {
  sl__json_kind kind;
  double number;
  bool is_integer;
  int64_t integer;                     /* when the number was written without fraction and fits */
  const char *text;                    /* TEXT */
  const char *key;                     /* inside an object */
  struct sl__json_value *child, *next; /* first member / next sibling */
  int64_t count;                       /* members */
} sl__json_value;
sl_status sl__json_parse(sl_context *context, sl__arena *arena, const char *bytes, size_t length,
                         sl__json_value **out);
const sl__json_value *sl__json_member(const sl__json_value *object,
                                      const char *key); /* NULL when absent */

/* Numbers, independent of the locale. Parse returns the first byte not used, or NULL when there is
 * no number; correctly rounded. Accepts nan, inf, infinity in any case. */
const char *sl__parse_real(const char *begin, const char *end, double *out);
const char *sl__parse_integer(const char *begin, const char *end,
                              int64_t *out); /* NULL also on overflow */
int sl__format_real(char *buffer /* >= 32 */, double value, sl_dtype precision);
int sl__format_fixed(char *buffer /* >= 64 */, double value, int decimals); /* for tables */
#endif
