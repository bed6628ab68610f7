/* The checker's failures: types and signatures in Stan's notation. */
#include "stan/check.h"
#include <stdio.h>
#include <string.h>

sl_status sl__stan_fault(sl__stan_checker *c, size_t place, const char *format, ...) {
  char message[sizeof c->context->error.message];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(message, sizeof message, format, arguments);
  va_end(arguments);
  return sl__source_fail(c->context, &c->program->source, SL_SYNTAX, place, "%s", message);
}

sl_status sl__stan_fault_text(sl__stan_checker *c, size_t place, sl__text *text) {
  sl_status status = SL_NO_MEMORY;
  if (!text->failed) status = sl__stan_fault(c, place, "%s", text->data);
  sl__text_close(text);
  return status;
}

sl_status sl__stan_note(sl__stan_checker *c, const char *feature, size_t place) {
  sl__stan_feature **end = &c->program->unsupported;
  for (; *end; end = &(*end)->next) {
    if (strcmp((*end)->name, feature) != 0) continue;
    (*end)->uses++;
    return SL_OK;
  }
  sl__stan_feature *added = sl__arena_take(&c->program->arena, 1, sizeof *added);
  if (!added) return SL_NO_MEMORY;
  *added = (sl__stan_feature){.name = feature, .place = place, .uses = 1};
  sl__source_place(&c->program->source, place, &added->line, &added->column);
  *end = added;
  return SL_OK;
}

void sl__stan_list_types(sl__text *text, const sl__stan_type *types, int count) {
  char buffer[SL__STAN_TYPE_TEXT];
  for (int i = 0; i < count; i++)
    sl__text_add(text, "%s%s", i > 0 ? ", " : "", sl__stan_type_text(types[i], buffer));
}

void sl__stan_describe_function(sl__text *text, const sl__stan_function *function) {
  char buffer[SL__STAN_TYPE_TEXT];
  sl__text_add(text, "(");
  for (int i = 0; i < function->argument_count; i++) {
    const sl__stan_variable *argument = function->argument[i];
    sl__text_add(text, "%s%s%s %.40s", i > 0 ? ", " : "",
                 argument->data_only_argument ? "data " : "",
                 sl__stan_type_text(argument->type, buffer), argument->name);
  }
  sl__text_add(text, ") => %s", sl__stan_type_text(function->result, buffer));
}

/* ---- signatures ---- */

typedef struct explained_word {
  sl__stan_word_kind kind;
  const char *word, *meaning;
} explained_word;

static const explained_word words[] = {
    {SL__STAN_ANY_VECTOR, "any_vector", "vector or row_vector"},
    {SL__STAN_SEQUENCE, "sequence", "vector, row_vector or array[] real"},
    {SL__STAN_CONTAINER, "container", "vector, row_vector, matrix or array[] real"},
    {SL__STAN_REALS, "reals", "real, vector, row_vector or array[] real"},
    {SL__STAN_REAL_OR_VECTOR, "real_or_vector", "real or vector"},
    {SL__STAN_INTS, "ints", "int or array[] int"},
    {SL__STAN_VECTORS, "vectors", "vector, row_vector or an array of them"},
    {SL__STAN_ANY, "any", "one type, whichever"},
    {SL__STAN_EACH, "each",
     "real, int, vector, row_vector, matrix or arrays; one type, or scalars"},
    {SL__STAN_EACH_INT, "each_int", "int, or arrays of int of that shape"},
    {SL__STAN_LIKE, "like", "real or the type of each"},
    {SL__STAN_DENSE, "dense", "real, vector, row_vector or matrix; one type, or scalars"},
    {SL__STAN_COMPLEX_EACH, "complex_each", "the same of complex"},
    {SL__STAN_COMPLEX_DENSE, "complex_dense", "the same of complex"},
};

static const explained_word *find_word(sl__stan_word_kind kind) {
  for (size_t i = 0; i < sizeof words / sizeof *words; i++)
    if (words[i].kind == kind) return &words[i];
  return NULL;
}

static void describe_word(sl__text *text, const sl__stan_word *word) {
  char buffer[SL__STAN_TYPE_TEXT];
  const explained_word *explained = find_word(word->kind);
  sl__text_add(text, "%s", word->data ? "data " : "");
  if (word->kind == SL__STAN_CALLBACK) {
    sl__stan_signature nested;
    if (sl__stan_signature_read(word->nested, &nested)) sl__stan_describe_signature(text, &nested);
    return;
  }
  if (!explained) {
    sl__text_add(text, "%s%s", word->star ? "arrays of " : "",
                 sl__stan_type_text(word->type, buffer));
    return;
  }
  if (word->type.arrays > 0) sl__text_add(text, "array[%.*s] ", word->type.arrays - 1, ",,,,,,,");
  sl__text_add(text, "%s", explained->word);
}

void sl__stan_describe_signature(sl__text *text, const sl__stan_signature *signature) {
  sl__text_add(text, "(");
  for (int i = 0; i < signature->count; i++) {
    bool bar = i == 1 && memchr(signature->text, '|', (size_t)signature->length);
    sl__text_add(text, "%s", i == 0 ? "" : bar ? " | " : ", ");
    describe_word(text, &signature->argument[i]);
  }
  if (signature->more) sl__text_add(text, signature->count > 0 ? ", ..." : "...");
  sl__text_add(text, ") => ");
  describe_word(text, &signature->result);
}

/* Whether the text contains the word by itself. */
static bool has_word(const char *text, const char *word) {
  size_t length = strlen(word);
  for (const char *at = strstr(text, word); at; at = strstr(at + 1, word)) {
    char before = at > text ? at[-1] : ' ', behind = at[length];
    if (!strchr("_abcdefghijklmnopqrstuvwxyz", before) &&
        (behind == '\0' || !strchr("_abcdefghijklmnopqrstuvwxyz", behind)))
      return true;
  }
  return false;
}

void sl__stan_explain_words(sl__text *text) {
  const char *begin = text->failed || !text->data ? NULL : strchr(text->data, '\n');
  if (!begin) return;
  bool used[sizeof words / sizeof *words];
  for (size_t i = 0; i < sizeof words / sizeof *words; i++)
    used[i] = has_word(begin, words[i].word);
  for (size_t i = 0; i < sizeof words / sizeof *words; i++)
    if (used[i]) sl__text_add(text, "\n  where %s: %s", words[i].word, words[i].meaning);
}
