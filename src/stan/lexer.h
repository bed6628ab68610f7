/* Stan's tokens, one at a time. */
#ifndef SL_STAN_LEXER_H
#define SL_STAN_LEXER_H
#include "stan/syntax.h"

/* Reserved words, in alphabetical order: a name is looked for among those of its first letter. */
#define SL__STAN_KEYWORDS(X)                              \
  X(ARRAY, "array")                                       \
  X(BREAK, "break")                                       \
  X(CHOLESKY_FACTOR_CORR, "cholesky_factor_corr")         \
  X(CHOLESKY_FACTOR_COV, "cholesky_factor_cov")           \
  X(COLUMN_STOCHASTIC_MATRIX, "column_stochastic_matrix") \
  X(COMPLEX, "complex")                                   \
  X(COMPLEX_MATRIX, "complex_matrix")                     \
  X(COMPLEX_ROW_VECTOR, "complex_row_vector")             \
  X(COMPLEX_VECTOR, "complex_vector")                     \
  X(CONTINUE, "continue")                                 \
  X(CORR_MATRIX, "corr_matrix")                           \
  X(COV_MATRIX, "cov_matrix")                             \
  X(DATA, "data")                                         \
  X(ELSE, "else")                                         \
  X(FATAL_ERROR, "fatal_error")                           \
  X(FOR, "for")                                           \
  X(FUNCTIONS, "functions")                               \
  X(IF, "if")                                             \
  X(IN, "in")                                             \
  X(INT, "int")                                           \
  X(JACOBIAN, "jacobian")                                 \
  X(LOWER, "lower")                                       \
  X(MATRIX, "matrix")                                     \
  X(MODEL, "model")                                       \
  X(MULTIPLIER, "multiplier")                             \
  X(OFFSET, "offset")                                     \
  X(ORDERED, "ordered")                                   \
  X(PARAMETERS, "parameters")                             \
  X(POSITIVE_ORDERED, "positive_ordered")                 \
  X(PRINT, "print")                                       \
  X(PROFILE, "profile")                                   \
  X(REAL, "real")                                         \
  X(REJECT, "reject")                                     \
  X(RETURN, "return")                                     \
  X(ROW_STOCHASTIC_MATRIX, "row_stochastic_matrix")       \
  X(ROW_VECTOR, "row_vector")                             \
  X(SIMPLEX, "simplex")                                   \
  X(SUM_TO_ZERO_MATRIX, "sum_to_zero_matrix")             \
  X(SUM_TO_ZERO_VECTOR, "sum_to_zero_vector")             \
  X(TARGET, "target")                                     \
  X(TUPLE, "tuple")                                       \
  X(UNIT_VECTOR, "unit_vector")                           \
  X(UPPER, "upper")                                       \
  X(VECTOR, "vector")                                     \
  X(VOID, "void")                                         \
  X(WHILE, "while")

typedef enum sl__stan_token_kind {
  SL__TOKEN_END,
  SL__TOKEN_BAD, /* refused by the lexer; no rule of the grammar takes it */
  SL__TOKEN_NAME,
  SL__TOKEN_INTEGER_NUMBER,
  SL__TOKEN_REAL_NUMBER,
  SL__TOKEN_POINT_INTEGER, /* .5: a number, or a tuple's member behind an expression */
  SL__TOKEN_IMAGINARY,
  SL__TOKEN_STRING,
  SL__TOKEN_OPEN,
  SL__TOKEN_CLOSE,
  SL__TOKEN_OPEN_SQUARE,
  SL__TOKEN_CLOSE_SQUARE,
  SL__TOKEN_OPEN_BRACE,
  SL__TOKEN_CLOSE_BRACE,
  SL__TOKEN_COMMA,
  SL__TOKEN_SEMICOLON,
  SL__TOKEN_COLON,
  SL__TOKEN_QUESTION,
  SL__TOKEN_BAR,
  SL__TOKEN_TILDE,
  SL__TOKEN_NOT,
  SL__TOKEN_APOSTROPHE,
  SL__TOKEN_ASSIGN,
  SL__TOKEN_ADD_ASSIGN,
  SL__TOKEN_SUBTRACT_ASSIGN,
  SL__TOKEN_MULTIPLY_ASSIGN,
  SL__TOKEN_DIVIDE_ASSIGN,
  SL__TOKEN_TIMES_EACH_ASSIGN,
  SL__TOKEN_DIVIDE_EACH_ASSIGN,
  /* The binary operators: SL__TOKEN_ADD + an sl__stan_operator up to SL__STAN_OR. */
  SL__TOKEN_ADD,
  SL__TOKEN_SUBTRACT = SL__TOKEN_ADD + SL__STAN_SUBTRACT,
  SL__TOKEN_MULTIPLY = SL__TOKEN_ADD + SL__STAN_MULTIPLY,
  SL__TOKEN_DIVIDE = SL__TOKEN_ADD + SL__STAN_DIVIDE,
  SL__TOKEN_INTEGER_DIVIDE = SL__TOKEN_ADD + SL__STAN_INTEGER_DIVIDE,
  SL__TOKEN_MODULO = SL__TOKEN_ADD + SL__STAN_MODULO,
  SL__TOKEN_LEFT_DIVIDE = SL__TOKEN_ADD + SL__STAN_LEFT_DIVIDE,
  SL__TOKEN_TIMES_EACH = SL__TOKEN_ADD + SL__STAN_TIMES_EACH,
  SL__TOKEN_DIVIDE_EACH = SL__TOKEN_ADD + SL__STAN_DIVIDE_EACH,
  SL__TOKEN_POWER = SL__TOKEN_ADD + SL__STAN_POWER,
  SL__TOKEN_POWER_EACH = SL__TOKEN_ADD + SL__STAN_POWER_EACH,
  SL__TOKEN_EQUAL = SL__TOKEN_ADD + SL__STAN_EQUAL,
  SL__TOKEN_NOT_EQUAL = SL__TOKEN_ADD + SL__STAN_NOT_EQUAL,
  SL__TOKEN_LESS = SL__TOKEN_ADD + SL__STAN_LESS,
  SL__TOKEN_LESS_EQUAL = SL__TOKEN_ADD + SL__STAN_LESS_EQUAL,
  SL__TOKEN_GREATER = SL__TOKEN_ADD + SL__STAN_GREATER,
  SL__TOKEN_GREATER_EQUAL = SL__TOKEN_ADD + SL__STAN_GREATER_EQUAL,
  SL__TOKEN_AND = SL__TOKEN_ADD + SL__STAN_AND,
  SL__TOKEN_OR = SL__TOKEN_ADD + SL__STAN_OR,
#define KEYWORD_KIND(name, text) SL__TOKEN_##name,
  SL__STAN_KEYWORDS(KEYWORD_KIND)
#undef KEYWORD_KIND
      SL__TOKEN_KINDS,
  SL__TOKEN_FIRST_KEYWORD = SL__TOKEN_ARRAY
} sl__stan_token_kind;

typedef struct sl__stan_token {
  sl__stan_token_kind kind;
  size_t begin, end; /* bytes of the text */
} sl__stan_token;

typedef struct sl__stan_lexer {
  sl_context *context;
  const sl__source *source; /* a NUL stands behind its text */
  size_t at;
  uint8_t first_keyword['z' - 'a' + 2]; /* of each letter, and one behind the last */
} sl__stan_lexer;

void sl__stan_lexer_open(sl__stan_lexer *lexer, sl_context *context, const sl__source *source);
/* The next token; SL_SYNTAX and kind BAD where none begins. */
sl_status sl__stan_next_token(sl__stan_lexer *lexer, sl__stan_token *token);
/* The reserved words, for "did you mean". */
const char *const *sl__stan_keywords(int *count);
#endif
