/* Schemas: whatever the bytes, either entries whose types print as texts that read back the same
 * and whose columns can be mapped, or a message with a place. */
#include "flow/columns.h"
#include "fuzz.h"
#include <stdlib.h>
#include <string.h>

enum { COLUMNS = 8 };
static const char *const names[COLUMNS] = {"a",         "b",           "c", "p, q",
                                           "say \"x\"", "blood sugar", "7", "h"};

static void check_type(sl_context *context, const sl__column_type *type) {
  sl__text text;
  sl__column_type again;
  sl__text_open(&text, context);
  sl__type_print(type, &text);
  if (text.failed || sl__type_read(context, text.data, &again) != SL_OK) abort();
  if (memcmp(&again, type, sizeof again) != 0) abort();
  sl__text_close(&text);
}

static void check_entries(sl_context *context, const sl__schema_entry *entries) {
  sl__column_type types[COLUMNS];
  sl__columns map;
  sl__arena arena;
  for (int i = 0; i < COLUMNS; i++) {
    types[i] = entries[i].type;
    check_type(context, &types[i]);
  }
  sl__arena_open(&arena, context);
  const sl_status status = sl__columns_new(context, &arena, COLUMNS, types, &map);
  if (status == SL_OK) {
    double x[COLUMNS], features[COLUMNS];
    for (int i = 0; i < COLUMNS; i++) x[i] = 0.5;
    if (map.features < 1 || map.features > COLUMNS) abort();
    sl__columns_features(&map, x, features);
  } else if (status != SL_BAD_ARGUMENT) {
    abort();
  }
  sl__arena_close(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  sl_context_options options = {.size = sizeof options, .threads = 1};
  sl_context *context = NULL;
  if (sl_context_new(&options, &context) != SL_OK) return 0;
  sl__arena arena;
  sl__arena_open(&arena, context);
  const char *text = sl__arena_text(&arena, (const char *)data, size);
  if (!text) abort();
  const sl__schema_table table = {COLUMNS, names};
  sl__schema_entry entries[COLUMNS] = {0};
  const sl_status status = sl__schema_read(context, &table, text, SL__PART_DATA, entries);
  if (status == SL_OK)
    check_entries(context, entries);
  else if (status != SL_BAD_ARGUMENT || !*sl_error(context) || context->error.line < 1 ||
           context->error.column < 1)
    abort();
  sl__column_type type;
  if (sl__type_read(context, text, &type) == SL_OK) check_type(context, &type);
  sl__arena_close(&arena);
  sl_context_free(context);
  return 0;
}

const fuzz_seed fuzz_seeds[] = {
    FUZZ_SEED("a: positive, b: interval(0,1), c: periodic(0,360), 7..h: simplex"),
    FUZZ_SEED("a: data count, b: context, c: weight, 4: skip"),
    FUZZ_SEED("\"p, q\": positive,\n\"say \"\"x\"\"\": skip, blood sugar: positive integer"),
    FUZZ_SEED("a: simplex(3), b: simplex(1), c: simplex(3), h: simplex(1)"),
    FUZZ_SEED("1..2: interval ( -1 , 2.5e3 ) width(0.5), 3: integer interval(-4,0)"),
    FUZZ_SEED("a: real width(1e-9), b: periodic(-2.5,1e6), c: integer periodic(0,12)"),
    FUZZ_SEED("a..h: positive"),
    FUZZ_SEED("interval(-0.001,0.002)"),
    FUZZ_SEED("periodic(0,24) integer"),
    FUZZ_SEED("simplex(2)"),
    FUZZ_SEED("positive width(0.1)"),
    {0},
};
