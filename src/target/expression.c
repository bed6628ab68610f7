/* Expressions as targets: "-(x^2-y)^2 - 0.5*y^2" over "x,y". The text is put into a small Stan
 * program, on lines of its own, so that columns stay what they are; messages are led back from the
 * program's lines to the user's. */
#include <stdio.h>
#include <string.h>
#include "stan/syntax.h"
#include "target/source.h"

static const char title[] = "expression";

typedef struct wrapping {
  sl_context *context;
  const char *expression;
  sl__text program;
  int first_line; /* where the expression begins */
} wrapping;

static bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
static bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/* The end of the name that begins at `at`; at itself if none does. */
static const char *end_of_name(const char *at) {
  if (!is_letter(*at)) return at;
  while (is_letter(*at) || is_digit(*at) || *at == '_') at++;
  return at;
}

/* Whether a name of this length stands in the list before it. */
static bool is_named_before(const char *names, const char *name, size_t length) {
  for (const char *at = names; at < name; at++) {
    const bool begins = at == names || !(is_letter(at[-1]) || is_digit(at[-1]) || at[-1] == '_');
    const char *end = end_of_name(at);
    if (begins && (size_t)(end - at) == length && strncmp(at, name, length) == 0) return true;
  }
  return false;
}

/* Declares the coordinates of "x, y" or "x[10], tau": a line each. */
static sl_status declare(wrapping *w, const char *names) {
  const char *at = names;
  for (;;) {
    int64_t count = 0;
    while (*at == ' ') at++;
    const char *begin = at, *end = end_of_name(at), *closing = end;
    if (*end == '[') closing = sl__parse_integer(end + 1, end + strlen(end), &count);
    const bool sized = *end == '[';
    at = !sized ? end : closing && *closing == ']' ? closing + 1 : NULL;
    while (at && *at == ' ') at++;
    if (end == begin || !at || (*at && *at != ',') || (sized && (count < 1 || count > 1000000)))
      return sl__fail(w->context, SL_SYNTAX,
                      "'%.40s' is no list of coordinates; write names, or names with a size, with "
                      "commas between: x,y or x[10],tau",
                      begin);
    const int length = (int)(end - begin);
    if (is_named_before(names, begin, (size_t)length))
      return sl__fail(w->context, SL_SYNTAX,
                      "the coordinate '%.*s' is named twice; give each a name of its own",
                      length < 40 ? length : 40, begin);
    if (sized)
      sl__text_add(&w->program, "vector[%lld] %.*s;\n", (long long)count, length, begin);
    else
      sl__text_add(&w->program, "real %.*s;\n", length, begin);
    w->first_line++;
    if (!*at) return SL_OK;
    at++;
  }
}

/* The offset of a line and column of the user's text. */
static size_t offset_of(const char *text, int line, int column) {
  const char *at = text;
  for (; line > 1 && *at; at++) line -= *at == '\n';
  const size_t offset = (size_t)(at - text) + (size_t)(column - 1);
  return line > 1 || offset > strlen(text) ? strlen(text) : offset;
}

/* "'(' was opened at 6:5" is a place of the program too. */
static void relocate_bracket(const wrapping *w, char *message, size_t size) {
  static const char words[] = "opened at ";
  char *at = strstr(message, words);
  int64_t line;
  if (!at) return;
  at += sizeof words - 1;
  const char *end = sl__parse_integer(at, message + strlen(message), &line);
  if (!end || line < w->first_line) return;
  char rest[256];
  snprintf(rest, sizeof rest, "%s", end);
  snprintf(at, size - (size_t)(at - message), "%lld%s", (long long)(line - w->first_line + 1),
           rest);
}

/* What follows the expression in the program is its end to the user. */
static void relocate_end(char *message, size_t size) {
  static const char words[] = "found ';'", end[] = "found its end";
  char *at = strstr(message, words), rest[256];
  if (!at) return;
  snprintf(rest, sizeof rest, "%s", at + sizeof words - 1);
  snprintf(at, size - (size_t)(at - message), "%s%s", end, rest);
}

/* Nothing can be declared in an expression: its variables are the coordinates. */
static void relocate_mend(char *message, size_t size) {
  static const char words[] = "declare it before its use";
  char *at = strstr(message, words);
  if (at && at[sizeof words - 1] == '\0')
    snprintf(at, size - (size_t)(at - message), "list it among the coordinates' names");
}

/* Leads the context's error back to the user's text. */
static sl_status relocate(const wrapping *w, sl_status status) {
  sl_context *context = w->context;
  char prefix[64], message[sizeof context->error.message];
  const int line = context->error.line, column = context->error.column;
  if (line == 0) return status;
  const int length = snprintf(prefix, sizeof prefix, "%s:%d:%d: ", title, line, column);
  const char *said = context->error.message;
  if (strncmp(said, prefix, (size_t)length) == 0) said += length;
  snprintf(message, sizeof message, "%s", said);
  if (line < w->first_line)
    return sl__fail(context, status, "a coordinate cannot have this name: %s", message);
  relocate_bracket(w, message, sizeof message);
  if (!strchr(w->expression, ';')) relocate_end(message, sizeof message);
  relocate_mend(message, sizeof message);
  const sl__source source = {title, w->expression, strlen(w->expression)};
  sl__source_fail(context, &source, status,
                  offset_of(w->expression, line - w->first_line + 1, column), "%s", message);
  /* the place stands in the error; whose text it is, the caller knows */
  snprintf(context->error.message, sizeof context->error.message, "%s", message);
  return status;
}

/* A text that closes the bracket and goes on is no expression. */
static sl_status check_single(const wrapping *w, const char *program, size_t length) {
  sl__stan_program *tree;
  SL__TRY(sl__stan_parse(w->context, title, program, length, &tree));
  const sl__stan_statement *first = tree->block[SL__STAN_MODEL];
  bool single = first && !first->next;
  for (int b = 0; b < SL__STAN_BLOCKS; b++)
    single = single && tree->has_block[b] == (b == SL__STAN_MODEL || b == SL__STAN_PARAMETERS);
  sl__stan_program_free(w->context, tree);
  if (single) return SL_OK;
  return sl__fail(w->context, SL_SYNTAX, "'%.200s' is more than one expression; give one",
                  w->expression);
}

/* What depends on the values of sizes and indices shows only when the density is built: do so once,
 * so that later nothing but memory can fail. */
static sl_status build_once(sl_context *context, const sl__target *target) {
  sl__graph *g;
  SL__TRY(sl__graph_new(context, &g));
  const sl_node x = op_input(g, SL_F64, sl__shape1(target->dim));
  sl__target_log_density(target, g, x, 0);
  const sl_status status = sl__graph_status(g);
  sl__graph_free(g);
  return status;
}

static sl_status make(wrapping *w, const char *names, sl__target **out) {
  sl__text *program = &w->program;
  if (w->expression[strspn(w->expression, " \t\r\n")] == '\0')
    return sl__fail(w->context, SL_SYNTAX, "the expression is empty; write a log density");
  sl__text_add(program, "parameters {\n");
  w->first_line = 2;
  SL__TRY(declare(w, names));
  sl__text_add(program, "}\nmodel {\ntarget +=\n");
  w->first_line += 3;
  sl__text_add_bytes(program, w->expression, strlen(w->expression));
  sl__text_add(program, "\n;\n}\n");
  if (program->failed) return SL_NO_MEMORY;
  sl_status status = check_single(w, program->data, program->length);
  if (status == SL_OK)
    status =
        sl__target_stan(w->context, title, program->data, program->length, NULL, NULL, 0, 0, out);
  if (status == SL_OK) status = build_once(w->context, *out);
  const char *const texts[] = {"expression", w->expression, "names", names, NULL};
  if (status == SL_OK) status = sl__target_remember(w->context, *out, "expression", texts);
  if (status == SL_OK) (*out)->direct = true;
  return status == SL_OK ? SL_OK : relocate(w, status);
}

sl_status sl__target_expression(sl_context *context, const char *expression, const char *names,
                                sl__target **out) {
  wrapping w = {.context = context, .expression = expression};
  *out = NULL;
  sl__text_open(&w.program, context);
  const sl_status status = make(&w, names, out);
  sl__text_close(&w.program);
  if (status != SL_OK) {
    sl__target_free(*out);
    *out = NULL;
  }
  return status;
}
