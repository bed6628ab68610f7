/* Types and declarations, in today's form and in the one before arrays had their own word:
 *
 *   array[N, M] vector<lower=0>[K] a, b = ...;      vector<lower=0>[K] a[N, M], b = ...;
 *
 * Both make the same tree: one DECLARE statement for each variable. */
#include "stan/parse.h"
#include <string.h>
#include "base/option.h"

/* A type's word, and how many sizes stand behind it. */
typedef struct type_row {
  sl__stan_token_kind token;
  sl__stan_base base;
  sl__stan_constraint constraint; /* that the word says by itself */
  int fewest, most;
  const char *sizes; /* for messages */
} type_row;

static const type_row types[] = {
    {SL__TOKEN_INT, SL__STAN_INT_TYPE, SL__STAN_UNCONSTRAINED, 0, 0, ""},
    {SL__TOKEN_REAL, SL__STAN_REAL_TYPE, SL__STAN_UNCONSTRAINED, 0, 0, ""},
    {SL__TOKEN_VECTOR, SL__STAN_VECTOR_TYPE, SL__STAN_UNCONSTRAINED, 1, 1, "[N]"},
    {SL__TOKEN_ROW_VECTOR, SL__STAN_ROW_VECTOR_TYPE, SL__STAN_UNCONSTRAINED, 1, 1, "[N]"},
    {SL__TOKEN_MATRIX, SL__STAN_MATRIX_TYPE, SL__STAN_UNCONSTRAINED, 2, 2, "[M, N]"},
    {SL__TOKEN_COMPLEX, SL__STAN_COMPLEX_TYPE, SL__STAN_UNCONSTRAINED, 0, 0, ""},
    {SL__TOKEN_COMPLEX_VECTOR, SL__STAN_COMPLEX_VECTOR_TYPE, SL__STAN_UNCONSTRAINED, 1, 1, "[N]"},
    {SL__TOKEN_COMPLEX_ROW_VECTOR, SL__STAN_COMPLEX_ROW_VECTOR_TYPE, SL__STAN_UNCONSTRAINED, 1, 1,
     "[N]"},
    {SL__TOKEN_COMPLEX_MATRIX, SL__STAN_COMPLEX_MATRIX_TYPE, SL__STAN_UNCONSTRAINED, 2, 2,
     "[M, N]"},
    {SL__TOKEN_ORDERED, SL__STAN_VECTOR_TYPE, SL__STAN_ORDERED, 1, 1, "[N]"},
    {SL__TOKEN_POSITIVE_ORDERED, SL__STAN_VECTOR_TYPE, SL__STAN_POSITIVE_ORDERED, 1, 1, "[N]"},
    {SL__TOKEN_SIMPLEX, SL__STAN_VECTOR_TYPE, SL__STAN_SIMPLEX, 1, 1, "[N]"},
    {SL__TOKEN_UNIT_VECTOR, SL__STAN_VECTOR_TYPE, SL__STAN_UNIT_VECTOR, 1, 1, "[N]"},
    {SL__TOKEN_SUM_TO_ZERO_VECTOR, SL__STAN_VECTOR_TYPE, SL__STAN_SUM_TO_ZERO, 1, 1, "[N]"},
    {SL__TOKEN_SUM_TO_ZERO_MATRIX, SL__STAN_MATRIX_TYPE, SL__STAN_SUM_TO_ZERO, 2, 2, "[M, N]"},
    {SL__TOKEN_CORR_MATRIX, SL__STAN_MATRIX_TYPE, SL__STAN_CORR_MATRIX, 1, 1, "[N]"},
    {SL__TOKEN_COV_MATRIX, SL__STAN_MATRIX_TYPE, SL__STAN_COV_MATRIX, 1, 1, "[N]"},
    {SL__TOKEN_CHOLESKY_FACTOR_CORR, SL__STAN_MATRIX_TYPE, SL__STAN_CHOLESKY_FACTOR_CORR, 1, 1,
     "[N]"},
    {SL__TOKEN_CHOLESKY_FACTOR_COV, SL__STAN_MATRIX_TYPE, SL__STAN_CHOLESKY_FACTOR_COV, 1, 2,
     "[N] or [M, N]"},
    {SL__TOKEN_COLUMN_STOCHASTIC_MATRIX, SL__STAN_MATRIX_TYPE, SL__STAN_COLUMN_STOCHASTIC, 2, 2,
     "[M, N]"},
    {SL__TOKEN_ROW_STOCHASTIC_MATRIX, SL__STAN_MATRIX_TYPE, SL__STAN_ROW_STOCHASTIC, 2, 2,
     "[M, N]"},
};

static const type_row *find_type(sl__stan_token_kind token) {
  for (size_t i = 0; i < sizeof types / sizeof *types; i++)
    if (types[i].token == token) return &types[i];
  return NULL;
}

static const char *type_word(const type_row *row) {
  int count;
  return sl__stan_keywords(&count)[row->token - SL__TOKEN_FIRST_KEYWORD];
}

/* ---- constraints ---- */

/* Which member of the variable a bound's word fills. */
static sl__stan_expression **bound_of(sl__stan_variable *variable, sl__stan_token_kind kind) {
  switch (kind) {
    case SL__TOKEN_LOWER: return &variable->lower;
    case SL__TOKEN_UPPER: return &variable->upper;
    case SL__TOKEN_OFFSET: return &variable->offset;
    case SL__TOKEN_MULTIPLIER: return &variable->multiplier;
    default: return NULL;
  }
}

static bool refuse_constraint(sl__stan_parser *p, const type_row *row) {
  if (row->constraint != SL__STAN_UNCONSTRAINED)
    return sl__stan_parse_fail(
        p, p->token.begin, "%s is a constraint by itself; remove the bounds, or use %s",
        type_word(row), row->base == SL__STAN_VECTOR_TYPE ? "vector" : "matrix");
  if (p->top) return true;
  return sl__stan_parse_fail(
      p, p->token.begin,
      "a local variable has no constraint; remove it, or declare the variable "
      "at the top of a block");
}

/* Perhaps nearly one. */
static bool refuse_bound(sl__stan_parser *p) {
  static const char *const names[] = {"lower", "upper", "offset", "multiplier"};
  char word[16] = "";
  const size_t length = p->token.end - p->token.begin;
  if (length < sizeof word) memcpy(word, p->program->source.text + p->token.begin, length);
  const char *nearest = word[0] ? sl__nearest_name(word, names, 4) : NULL;
  if (!nearest) return sl__stan_refuse_token(p, "lower, upper, offset or multiplier");
  return sl__stan_parse_fail(p, p->token.begin, "there is no bound '%s'; did you mean '%s'?", word,
                             nearest);
}

static bool parse_one_bound(sl__stan_parser *p, const type_row *row, sl__stan_variable *variable) {
  sl__stan_expression **bound = bound_of(variable, p->token.kind);
  if (!bound) return refuse_bound(p);
  bool affine = p->token.kind == SL__TOKEN_OFFSET || p->token.kind == SL__TOKEN_MULTIPLIER;
  sl__stan_constraint constraint = affine ? SL__STAN_AFFINE : SL__STAN_BOUNDED;
  if (*bound) return sl__stan_refuse_token(p, "each bound once");
  if (affine && row->base == SL__STAN_INT_TYPE)
    return sl__stan_refuse_token(p, "lower or upper, the bounds of an int");
  if (variable->constraint != SL__STAN_UNCONSTRAINED && variable->constraint != constraint)
    return sl__stan_refuse_token(p, "lower with upper, or offset with multiplier");
  variable->constraint = constraint;
  sl__stan_advance(p);
  if (!sl__stan_expect(p, SL__TOKEN_ASSIGN, "'=' and the bound's value")) return false;
  *bound = sl__stan_parse_bound(p);
  return *bound != NULL;
}

static bool parse_constraint(sl__stan_parser *p, const type_row *row, sl__stan_variable *variable) {
  size_t open = p->token.begin;
  if (p->token.kind != SL__TOKEN_LESS) return true;
  if (!refuse_constraint(p, row)) return false;
  sl__stan_advance(p);
  do {
    if (!parse_one_bound(p, row, variable)) return false;
  } while (sl__stan_accept(p, SL__TOKEN_COMMA));
  return sl__stan_expect_close(p, SL__TOKEN_GREATER, open, "',' or '>' behind the bound");
}

/* ---- sizes ---- */

static bool add_sizes(sl__stan_parser *p, sl__stan_list *sizes, sl__stan_expression *const *more,
                      int count) {
  for (int i = 0; i < count; i++)
    if (!sl__stan_append(p, sizes, more[i])) return false;
  return true;
}

/* [a, b], appended; returns how many, or -1. */
static int parse_sizes(sl__stan_parser *p, sl__stan_list *sizes, const char *what) {
  size_t open = p->token.begin;
  int before = sizes->count;
  if (!sl__stan_expect(p, SL__TOKEN_OPEN_SQUARE, what)) return -1;
  if (p->token.kind == SL__TOKEN_CLOSE_SQUARE) {
    sl__stan_refuse_token(p, "a size; only arguments and results of functions have none");
    return -1;
  }
  if (!sl__stan_parse_list(p, SL__TOKEN_CLOSE_SQUARE, open, false, sizes)) return -1;
  return sizes->count - before;
}

/* Array sizes, at most SL__STAN_MAX_ARRAYS with those before; returns how many, or -1. */
static int parse_array_sizes(sl__stan_parser *p, sl__stan_list *sizes, const char *what) {
  size_t place = p->token.begin;
  int count = parse_sizes(p, sizes, what);
  if (count <= SL__STAN_MAX_ARRAYS) return count;
  sl__stan_parse_fail(p, place, "an array of %d dimensions; there may be %d", count,
                      SL__STAN_MAX_ARRAYS);
  return -1;
}

static bool parse_type_sizes(sl__stan_parser *p, const type_row *row, sl__stan_list *sizes) {
  size_t place = p->token.begin;
  if (row->most == 0) return true;
  if (p->token.kind != SL__TOKEN_OPEN_SQUARE)
    return sl__stan_parse_fail(p, p->previous_end, "%s needs its size here: %s%s", type_word(row),
                               type_word(row), row->sizes);
  int count = parse_sizes(p, sizes, "'['");
  if (count < 0) return false;
  if (count >= row->fewest && count <= row->most) return true;
  return sl__stan_parse_fail(p, place, "%s has %d size%s here and needs %s%s", type_word(row),
                             count, count == 1 ? "" : "s", type_word(row), row->sizes);
}

/* ---- sized types ---- */

static bool parse_sized_type(sl__stan_parser *p, sl__stan_variable *variable);

static bool append_element(sl__stan_parser *p, sl__stan_variable *element,
                           sl__stan_variable ***elements, int *count) {
  sl__stan_variable **grown = sl__stan_grow(p, *elements, *count, sizeof *grown);
  if (!grown) return false;
  *elements = grown;
  grown[(*count)++] = element;
  return true;
}

/* tuple(T, U), where each type is sized or, in functions, not. */
static bool parse_tuple_type(sl__stan_parser *p, sl__stan_variable *tuple,
                             bool (*parse_element)(sl__stan_parser *, sl__stan_variable *)) {
  sl__stan_advance(p);
  size_t open = p->token.begin;
  tuple->type.base = SL__STAN_TUPLE_TYPE;
  if (!sl__stan_expect(p, SL__TOKEN_OPEN, "'(' and the tuple's types") || !sl__stan_descend(p))
    return false;
  do {
    if (tuple->element_count == 1 && p->token.kind == SL__TOKEN_CLOSE) break; /* tuple(int,) */
    sl__stan_variable *element = sl__stan_take(p, 1, sizeof *element);
    if (!element) return false;
    element->place = p->token.begin;
    element->block = p->block;
    if (!parse_element(p, element) ||
        !append_element(p, element, &tuple->element, &tuple->element_count))
      return false;
    if (tuple->element_count == 1 && p->token.kind == SL__TOKEN_CLOSE)
      return sl__stan_refuse_token(p, "','; a tuple of one type is written tuple(int,)");
  } while (sl__stan_accept(p, SL__TOKEN_COMMA));
  p->depth--;
  return sl__stan_expect_close(p, SL__TOKEN_CLOSE, open, "',' or ')'");
}

static bool parse_basic_type(sl__stan_parser *p, sl__stan_variable *variable,
                             sl__stan_list *sizes) {
  if (p->token.kind == SL__TOKEN_TUPLE) return parse_tuple_type(p, variable, parse_sized_type);
  const type_row *row = find_type(p->token.kind);
  if (!row) return sl__stan_refuse_token(p, "a type");
  if (!p->top && row->constraint != SL__STAN_UNCONSTRAINED)
    return sl__stan_parse_fail(p, p->token.begin, "a local variable has no constraint; write %s%s",
                               row->base == SL__STAN_VECTOR_TYPE ? "vector" : "matrix",
                               row->base == SL__STAN_VECTOR_TYPE ? "[N]" : "[M, N]");
  sl__stan_advance(p);
  variable->type.base = (uint8_t)row->base;
  variable->constraint = row->constraint;
  return parse_constraint(p, row, variable) && parse_type_sizes(p, row, sizes);
}

static bool parse_sized_type(sl__stan_parser *p, sl__stan_variable *variable) {
  sl__stan_list sizes = {0};
  if (sl__stan_accept(p, SL__TOKEN_ARRAY)) {
    int count = parse_array_sizes(p, &sizes, "'[' and the array's sizes");
    if (count < 0) return false;
    variable->type.arrays = (uint8_t)count;
    if (p->token.kind == SL__TOKEN_ARRAY)
      return sl__stan_refuse_token(p, "a type that is no array; write array[M, N] for two sizes");
  }
  if (!parse_basic_type(p, variable, &sizes)) return false;
  variable->size = sizes.item;
  variable->size_count = sizes.count;
  return true;
}

/* ---- declarators ---- */

/* real y[N]: array sizes behind the name. */
static bool parse_old_sizes(sl__stan_parser *p, sl__stan_variable *variable) {
  if (p->token.kind != SL__TOKEN_OPEN_SQUARE) return true;
  if (variable->type.arrays > 0)
    return sl__stan_refuse_token(p, "'=', ',' or ';'; the array's sizes stand before the type");
  sl__stan_list sizes = {0};
  int count = parse_array_sizes(p, &sizes, "'['");
  if (count < 0 || !add_sizes(p, &sizes, variable->size, variable->size_count)) return false;
  variable->type.arrays = (uint8_t)count;
  variable->size = sizes.item;
  variable->size_count = sizes.count;
  return true;
}

static bool parse_value(sl__stan_parser *p, sl__stan_variable *variable) {
  if (p->token.kind == SL__TOKEN_LESS && p->program->source.text[p->token.end] == '-')
    return sl__stan_parse_fail(p, p->token.begin, "'<-' no longer assigns; write =");
  if (p->token.kind != SL__TOKEN_ASSIGN) return true;
  if (p->block == SL__STAN_DATA)
    return sl__stan_parse_fail(
        p, p->token.begin,
        "'%s' gets its value from the data; remove '=', or move it to the block "
        "'transformed data'",
        variable->name);
  if (p->block == SL__STAN_PARAMETERS)
    return sl__stan_parse_fail(
        p, p->token.begin,
        "a parameter has no value of its own; remove '=', or move '%s' to the "
        "block 'transformed parameters'",
        variable->name);
  sl__stan_advance(p);
  variable->value = sl__stan_parse_expression(p);
  return variable->value != NULL;
}

static const sl__stan_variable *parse_declarator(sl__stan_parser *p, const sl__stan_variable *type,
                                                 sl__stan_statement ***end) {
  sl__stan_statement *statement = sl__stan_new_statement(p, SL__STAN_DECLARE, p->token.begin);
  sl__stan_variable *variable = sl__stan_take(p, 1, sizeof *variable);
  if (!statement || !variable) return NULL;
  *variable = *type;
  variable->place = p->token.begin;
  variable->block = p->block;
  variable->local = !p->top;
  statement->variable = variable;
  variable->name = sl__stan_parse_new_name(p, "a variable");
  if (!variable->name || !parse_old_sizes(p, variable) || !parse_value(p, variable)) return NULL;
  **end = statement;
  *end = &statement->next;
  return variable;
}

bool sl__stan_parse_declaration(sl__stan_parser *p, sl__stan_statement ***end) {
  sl__stan_variable type = {0};
  const sl__stan_variable *variable;
  if (!parse_sized_type(p, &type)) return false;
  for (;;) {
    variable = parse_declarator(p, &type, end);
    if (!variable) return false;
    if (!sl__stan_accept(p, SL__TOKEN_COMMA)) break;
    if (sl__stan_is_type(p->token.kind))
      return sl__stan_refuse_token(p, "a name; end the declaration with ';' before another type");
  }
  if (p->token.kind == SL__TOKEN_OPEN)
    return sl__stan_refuse_token(p, "'=', ',' or ';'; functions are defined in the block "
                                    "'functions' only");
  return sl__stan_expect_semicolon(p, variable->value ? "';' or an operator" : "'=', ',' or ';'");
}

/* ---- types of functions ---- */

/* [,] counts its dimensions. */
static bool parse_unsized_dimensions(sl__stan_parser *p, sl__stan_variable *variable) {
  size_t open = p->token.begin;
  int count = 1;
  if (!sl__stan_expect(p, SL__TOKEN_OPEN_SQUARE, "'['; as in array[] real")) return false;
  while (sl__stan_accept(p, SL__TOKEN_COMMA))
    if (count <= SL__STAN_MAX_ARRAYS) count++;
  if (p->token.kind != SL__TOKEN_CLOSE_SQUARE)
    return sl__stan_refuse_token(p, "',' or ']'; types of functions have no sizes");
  if (count > SL__STAN_MAX_ARRAYS)
    return sl__stan_parse_fail(p, open, "an array of more than %d dimensions", SL__STAN_MAX_ARRAYS);
  variable->type.arrays = (uint8_t)count;
  sl__stan_advance(p);
  return true;
}

bool sl__stan_parse_unsized(sl__stan_parser *p, sl__stan_variable *variable) {
  if (sl__stan_accept(p, SL__TOKEN_ARRAY) && !parse_unsized_dimensions(p, variable)) return false;
  if (p->token.kind == SL__TOKEN_TUPLE)
    return parse_tuple_type(p, variable, sl__stan_parse_unsized);
  const type_row *row = find_type(p->token.kind);
  if (!row) return sl__stan_refuse_token(p, "a type");
  if (row->constraint != SL__STAN_UNCONSTRAINED)
    return sl__stan_parse_fail(p, p->token.begin, "types of functions have no constraint; write %s",
                               row->base == SL__STAN_VECTOR_TYPE ? "vector" : "matrix");
  sl__stan_advance(p);
  if (p->token.kind == SL__TOKEN_LESS)
    return sl__stan_parse_fail(p, p->token.begin, "types of functions have no bounds; remove them");
  variable->type.base = (uint8_t)row->base;
  if (p->token.kind != SL__TOKEN_OPEN_SQUARE) return true;
  if (variable->type.arrays > 0)
    return sl__stan_refuse_token(p, "a name; types of functions have no sizes");
  return parse_unsized_dimensions(p, variable);
}
