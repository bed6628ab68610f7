/* What a target was made of, as a text that a fit's file keeps: so that whoever has the file alone
 * can come back to the model. A JSON object; its "kind" says by which call of target.h:
 *
 *   stan        name, program, data_name, data, seed; without "program" where it was too large or
 *               was to be left out
 *   standard    name
 *   expression  expression, names
 *   library     name: of a file whose code would have to run, so that it is only named
 *
 * A file is not trusted: whatever it says goes through the parsers that texts of a user's go
 * through, and nothing else is opened or run. */
#include <string.h>
#include "target/source.h"

/* Program and data together; the file's reader takes 100 MB of text, and quoting it twice makes it
 * longer. */
static const size_t largest_kept = (size_t)8 << 20;

/* The length of the character of UTF-8 that begins at `at`; 0: none does. */
static size_t character_length(const unsigned char *at, size_t left) {
  const size_t length = at[0] < 0x80   ? 1
                        : at[0] < 0xC2 ? 0
                        : at[0] < 0xE0 ? 2
                        : at[0] < 0xF0 ? 3
                                       : 4;
  if (length == 0 || at[0] > 0xF4 || length > left) return 0;
  for (size_t i = 1; i < length; i++)
    if ((at[i] & 0xC0) != 0x80) return 0;
  if ((at[0] == 0xE0 && at[1] < 0xA0) || (at[0] == 0xED && at[1] > 0x9F)) return 0;
  if ((at[0] == 0xF0 && at[1] < 0x90) || (at[0] == 0xF4 && at[1] > 0x8F)) return 0;
  return length;
}

/* Metadata are UTF-8. Other bytes stand in a program's comments and printed words alone, where
 * another letter does no harm. */
static void make_utf8(char *text, size_t length) {
  for (size_t i = 0; i < length;) {
    const size_t step = character_length((const unsigned char *)text + i, length - i);
    if (step == 0) text[i] = '?';
    i += step ? step : 1;
  }
}

static sl_status add_copy(sl_context *context, sl__json *json, const char *key, const char *text,
                          size_t length) {
  char *copy = sl__allocate(context, length + 1, 1);
  if (!copy) return SL_NO_MEMORY;
  memcpy(copy, text, length);
  copy[length] = '\0';
  make_utf8(copy, length);
  sl__json_text(json, key, copy);
  sl__free(&context->allocator, copy);
  return SL_OK;
}

/* Ends the object and keeps it. */
static sl_status keep(sl__target *target, sl__json *json) {
  sl__json_close_object(json);
  const sl__text *text = json->text;
  target->origin = text->failed ? NULL : sl__arena_text(&target->arena, text->data, text->length);
  return target->origin ? SL_OK : SL_NO_MEMORY;
}

sl_status sl__target_remember_stan(sl_context *context, sl__target *target,
                                   const sl__stan_texts *texts, uint64_t seed) {
  sl__text text;
  sl__json json = {.text = &text};
  sl_status status = SL_OK;
  const size_t data_length = texts->data ? texts->data_length : 0;
  sl__text_open(&text, context);
  sl__json_open_object(&json, NULL);
  sl__json_text(&json, "kind", "stan");
  status = add_copy(context, &json, "name", texts->name, strlen(texts->name));
  if (texts->length <= largest_kept && data_length <= largest_kept - texts->length) {
    if (status == SL_OK)
      status = add_copy(context, &json, "program", texts->program, texts->length);
    if (status == SL_OK && texts->data_name)
      status = add_copy(context, &json, "data_name", texts->data_name, strlen(texts->data_name));
    if (status == SL_OK && texts->data)
      status = add_copy(context, &json, "data", texts->data, data_length);
    sl__json_integer(&json, "seed", (int64_t)seed);
  }
  if (status == SL_OK) status = keep(target, &json);
  sl__text_close(&text);
  return status;
}

sl_status sl__target_remember(sl_context *context, sl__target *target, const char *kind,
                              const char *const *pairs) {
  sl__text text;
  sl__json json = {.text = &text};
  sl_status status = SL_OK;
  sl__text_open(&text, context);
  sl__json_open_object(&json, NULL);
  sl__json_text(&json, "kind", kind);
  for (; pairs[0] && status == SL_OK; pairs += 2)
    status = add_copy(context, &json, pairs[0], pairs[1], strlen(pairs[1]));
  if (status == SL_OK) status = keep(target, &json);
  sl__text_close(&text);
  return status;
}

sl_status sl__target_forget(sl_context *context, sl__target *target) {
  const char *const name[] = {"name", target->title, NULL};
  const bool holds = target->origin && strstr(target->origin, "\"program\":");
  return holds ? sl__target_remember(context, target, "stan", name) : SL_OK;
}

/* ---- back ---- */

static const char *text_of(const sl__json_value *object, const char *key) {
  const sl__json_value *member = sl__json_member(object, key);
  return member && member->kind == SL__JSON_TEXT ? member->text : NULL;
}

static sl_status recall_stan(sl_context *context, const sl__json_value *object, const char *name,
                             sl__target **out) {
  const char *program = text_of(object, "program"), *data = text_of(object, "data");
  const char *data_name = text_of(object, "data_name");
  const sl__json_value *seed = sl__json_member(object, "seed");
  if (!program)
    return sl__fail(context, SL_UNSUPPORTED,
                    "the file names the program %.200s, but does not hold it; give the program and "
                    "its data",
                    name);
  return sl__target_stan(context, name, program, strlen(program), data_name ? data_name : "data",
                         data, data ? strlen(data) : 0,
                         seed && seed->is_integer ? (uint64_t)seed->integer : 0, out);
}

static sl_status recall(sl_context *context, const sl__json_value *object, sl__target **out) {
  const char *kind = text_of(object, "kind"), *name = text_of(object, "name");
  const char *expression = text_of(object, "expression"), *names = text_of(object, "names");
  if (kind && strcmp(kind, "stan") == 0 && name) return recall_stan(context, object, name, out);
  if (kind && strcmp(kind, "standard") == 0 && name) return sl__target_standard(context, name, out);
  if (kind && strcmp(kind, "expression") == 0 && expression && names)
    return sl__target_expression(context, expression, names, out);
  if (kind && strcmp(kind, "library") == 0 && name)
    return sl__fail(context, SL_UNSUPPORTED,
                    "the fit is of the library %.200s, whose code a model file does not make run; "
                    "give the library",
                    name);
  return sl__fail(context, SL_FORMAT,
                  "the file's target is of no kind that is known; was it edited, or written by a "
                  "newer sluice?");
}

sl_status sl__target_recall(sl_context *context, const char *origin, sl__target **out) {
  sl__arena arena;
  sl__json_value *object;
  *out = NULL;
  sl__arena_open(&arena, context);
  sl_status status = sl__json_parse(context, &arena, origin, strlen(origin), &object);
  if (status == SL_OK && object->kind != SL__JSON_OBJECT)
    status = sl__fail(context, SL_FORMAT, "the file's target is no JSON object; it was edited");
  if (status == SL_OK) status = recall(context, object, out);
  sl__arena_close(&arena);
  return status;
}
