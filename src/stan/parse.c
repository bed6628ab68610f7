/* A program: blocks in their order, functions, and the entry to the parser. */
#include "stan/parse.h"
#include "base/option.h"
#include <string.h>

static const char *const block_names[] = {"functions",
                                          "data",
                                          "transformed data",
                                          "parameters",
                                          "transformed parameters",
                                          "model",
                                          "generated quantities"};

const char *sl__stan_block_name(sl__stan_block block) {
  return block_names[block];
}

/* ---- functions ---- */

static bool parse_argument(sl__stan_parser *p, sl__stan_function *function) {
  sl__stan_variable *variable = sl__stan_take(p, 1, sizeof *variable);
  sl__stan_variable **arguments =
      sl__stan_grow(p, function->argument, function->argument_count, sizeof *arguments);
  if (!variable || !arguments) return false;
  function->argument = arguments;
  arguments[function->argument_count++] = variable;
  variable->block = SL__STAN_FUNCTIONS;
  variable->local = true;
  variable->data_only_argument = sl__stan_accept(p, SL__TOKEN_DATA);
  if (!sl__stan_parse_unsized(p, variable)) return false;
  variable->place = p->token.begin;
  variable->name = sl__stan_parse_new_name(p, "an argument");
  if (variable->name && p->token.kind == SL__TOKEN_OPEN_SQUARE)
    return sl__stan_refuse_token(p, "',' or ')'; an array is written array[] real x");
  return variable->name != NULL;
}

static bool parse_arguments(sl__stan_parser *p, sl__stan_function *function) {
  size_t open = p->token.begin;
  if (!sl__stan_expect(p, SL__TOKEN_OPEN, "'(' and the function's arguments")) return false;
  if (sl__stan_accept(p, SL__TOKEN_CLOSE)) return true;
  do {
    if (!parse_argument(p, function)) return false;
  } while (sl__stan_accept(p, SL__TOKEN_COMMA));
  return sl__stan_expect_close(p, SL__TOKEN_CLOSE, open, "',' or ')'");
}

static bool parse_function_body(sl__stan_parser *p, sl__stan_function *function) {
  if (sl__stan_accept(p, SL__TOKEN_SEMICOLON)) return true;
  if (p->token.kind != SL__TOKEN_OPEN_BRACE)
    return sl__stan_refuse_token(p, "the function's body in braces, or ';' to declare it only");
  return sl__stan_parse_body_block(p, &function->body);
}

static bool parse_function(sl__stan_parser *p, sl__stan_function ***end) {
  sl__stan_function *function = sl__stan_take(p, 1, sizeof *function);
  sl__stan_variable result = {0};
  if (!function) return false;
  if (sl__stan_at_block(p)) return sl__stan_refuse_inner_block(p);
  if (!sl__stan_is_type(p->token.kind) && p->token.kind != SL__TOKEN_VOID)
    return sl__stan_refuse_token(p, "a function's type (void, real, ...) or '}'");
  if (!sl__stan_accept(p, SL__TOKEN_VOID) && !sl__stan_parse_unsized(p, &result)) return false;
  function->result = result.type;
  function->result_element = result.element;
  function->result_element_count = result.element_count;
  function->place = p->token.begin;
  function->name = sl__stan_parse_new_name(p, "a function");
  if (!function->name || !parse_arguments(p, function) || !parse_function_body(p, function))
    return false;
  **end = function;
  *end = &function->next;
  return true;
}

static bool parse_functions(sl__stan_parser *p, size_t open) {
  sl__stan_function **end = &p->program->functions;
  while (p->token.kind != SL__TOKEN_CLOSE_BRACE) {
    if (p->token.kind == SL__TOKEN_END)
      return sl__stan_expect_close(p, SL__TOKEN_CLOSE_BRACE, open, "a function or '}'");
    if (!parse_function(p, &end)) return false;
  }
  sl__stan_advance(p);
  return true;
}

/* ---- blocks ---- */

static bool refuse_block(sl__stan_parser *p, size_t place) {
  if (p->token.kind != SL__TOKEN_NAME || p->status != SL_OK) {
    if (p->token.kind == SL__TOKEN_CLOSE_BRACE)
      return sl__stan_parse_fail(p, place, "'}' without '{'; remove it");
    return sl__stan_refuse_token(
        p, "a block; blocks are functions, data, transformed data, parameters, "
           "transformed parameters, model, generated quantities");
  }
  const char *word = sl__stan_token_text(p);
  if (!word) return false;
  static const char *const words[] = {"functions", "data",      "transformed", "parameters",
                                      "model",     "generated", "quantities"};
  const char *nearest = sl__nearest_name(word, words, sizeof words / sizeof *words);
  if (nearest)
    return sl__stan_parse_fail(p, place, "there is no block '%.40s'; did you mean '%s'?", word,
                               nearest);
  return sl__stan_parse_fail(
      p, place,
      "there is no block '%.40s'; blocks are functions, data, transformed data, "
      "parameters, transformed parameters, model, generated quantities",
      word);
}

/* Two words behind "transformed" and "generated", which alone may be names elsewhere. */
static bool parse_second_word(sl__stan_parser *p, bool transformed) {
  sl__stan_advance(p);
  if (transformed) {
    p->block = p->token.kind == SL__TOKEN_DATA ? SL__STAN_TRANSFORMED_DATA
                                               : SL__STAN_TRANSFORMED_PARAMETERS;
    if (p->token.kind != SL__TOKEN_DATA && p->token.kind != SL__TOKEN_PARAMETERS)
      return sl__stan_refuse_token(p, "'data' or 'parameters' behind 'transformed'");
  } else {
    p->block = SL__STAN_GENERATED_QUANTITIES;
    if (!sl__stan_token_is(p, "quantities"))
      return sl__stan_refuse_token(p, "'quantities' behind 'generated'");
  }
  sl__stan_advance(p);
  return true;
}

/* The block's name, into p->block. */
static bool parse_block_name(sl__stan_parser *p) {
  switch (p->token.kind) {
    case SL__TOKEN_FUNCTIONS: p->block = SL__STAN_FUNCTIONS; break;
    case SL__TOKEN_DATA: p->block = SL__STAN_DATA; break;
    case SL__TOKEN_PARAMETERS: p->block = SL__STAN_PARAMETERS; break;
    case SL__TOKEN_MODEL: p->block = SL__STAN_MODEL; break;
    case SL__TOKEN_NAME:
      if (sl__stan_token_is(p, "transformed")) return parse_second_word(p, true);
      if (sl__stan_token_is(p, "generated")) return parse_second_word(p, false);
      return refuse_block(p, p->token.begin);
    default: return refuse_block(p, p->token.begin);
  }
  sl__stan_advance(p);
  return true;
}

static bool check_block_order(sl__stan_parser *p) {
  if (p->program->has_block[p->block])
    return sl__stan_parse_fail(p, p->block_place, "the block '%s' stands twice; make one of both",
                               block_names[p->block]);
  for (int later = p->block + 1; later < SL__STAN_BLOCKS; later++)
    if (p->program->has_block[later])
      return sl__stan_parse_fail(p, p->block_place, "the block '%s' must stand before '%s'",
                                 block_names[p->block], block_names[later]);
  return true;
}

static bool parse_block(sl__stan_parser *p) {
  p->block_place = p->token.begin;
  if (!parse_block_name(p) || !check_block_order(p)) return false;
  p->program->has_block[p->block] = true;
  size_t open = p->block_open = p->token.begin;
  if (p->token.kind != SL__TOKEN_OPEN_BRACE)
    return sl__stan_refuse_token(p, "'{' behind the block's name");
  sl__stan_advance(p);
  if (p->block == SL__STAN_FUNCTIONS) return parse_functions(p, open);
  p->top = p->block != SL__STAN_MODEL;
  bool good = sl__stan_parse_statements(p, open, &p->program->block[p->block]);
  p->top = false;
  return good;
}

static sl_status parse_program(sl_context *context, sl__stan_program *program) {
  sl__stan_parser p = {.context = context, .program = program};
  sl__stan_lexer_open(&p.lexer, context, &program->source);
  sl__stan_advance(&p);
  while (p.status == SL_OK && p.token.kind != SL__TOKEN_END) {
    if (!parse_block(&p)) break;
  }
  return p.status;
}

sl_status sl__stan_parse(sl_context *context, const char *name, const char *text, size_t length,
                         sl__stan_program **out) {
  *out = NULL;
  if (length > SL__STAN_MAX_TEXT)
    return sl__fail(context, SL_SYNTAX, "%.200s: the program has %zu bytes; at most %d are read",
                    name, length, SL__STAN_MAX_TEXT);
  sl__stan_program *program = sl__allocate(context, 1, sizeof *program);
  if (!program) return SL_NO_MEMORY;
  sl__arena_open(&program->arena, context);
  program->source.name = sl__arena_text(&program->arena, name, strlen(name));
  program->source.text = sl__arena_text(&program->arena, text, length);
  program->source.length = length;
  sl_status status =
      program->source.name && program->source.text ? parse_program(context, program) : SL_NO_MEMORY;
  if (status != SL_OK) {
    sl__stan_program_free(context, program);
    return status;
  }
  *out = program;
  return SL_OK;
}

void sl__stan_program_free(sl_context *context, sl__stan_program *program) {
  (void)context;
  if (!program) return;
  sl__allocator allocator = program->arena.allocator;
  sl__arena_close(&program->arena);
  sl__free(&allocator, program);
}
