/* A Stan program as a tree: what the parser makes, the checker completes and the tracer walks.
 * Everything lives in the program's arena. A place is a byte offset into the text. */
#ifndef SL_STAN_SYNTAX_H
#define SL_STAN_SYNTAX_H
#include "stan/source.h"
#include "stan/types.h"

typedef struct sl__stan_expression sl__stan_expression;
typedef struct sl__stan_statement sl__stan_statement;
typedef struct sl__stan_variable sl__stan_variable;
typedef struct sl__stan_function sl__stan_function;

typedef enum sl__stan_operator {
  SL__STAN_ADD,
  SL__STAN_SUBTRACT,
  SL__STAN_MULTIPLY,
  SL__STAN_DIVIDE,
  SL__STAN_INTEGER_DIVIDE, /* %/% */
  SL__STAN_MODULO,
  SL__STAN_LEFT_DIVIDE,    /* \ */
  SL__STAN_TIMES_EACH,     /* .* */
  SL__STAN_DIVIDE_EACH,    /* ./ */
  SL__STAN_POWER,
  SL__STAN_POWER_EACH,     /* .^ */
  SL__STAN_EQUAL,
  SL__STAN_NOT_EQUAL,
  SL__STAN_LESS,
  SL__STAN_LESS_EQUAL,
  SL__STAN_GREATER,
  SL__STAN_GREATER_EQUAL,
  SL__STAN_AND,
  SL__STAN_OR,
  SL__STAN_NOT,      /* unary */
  SL__STAN_NEGATE,   /* unary */
  SL__STAN_PLUS,     /* unary */
  SL__STAN_TRANSPOSE /* postfix ' */
} sl__stan_operator;
const char *sl__stan_operator_text(sl__stan_operator op);

typedef enum sl__stan_expression_kind {
  SL__STAN_INTEGER,   /* integer */
  SL__STAN_REAL,      /* real */
  SL__STAN_IMAGINARY, /* real: 3i */
  SL__STAN_STRING,    /* name: the text without quotes; in print, reject, fatal_error only */
  SL__STAN_VARIABLE,  /* name, variable; a function's name where one is an argument */
  SL__STAN_CALL,      /* name(arguments), or name(first | rest) when bar */
  SL__STAN_INDEXED,   /* argument[0][indices] */
  SL__STAN_UNARY,     /* op, argument[0]: prefix, and the postfix transpose */
  SL__STAN_BINARY,    /* op, argument[0], argument[1] */
  SL__STAN_TERNARY,   /* argument[0] ? argument[1] : argument[2] */
  SL__STAN_ARRAY,     /* { arguments } */
  SL__STAN_ROW,       /* [ arguments ]: a row vector, or a matrix of rows */
  SL__STAN_TUPLE,     /* ( arguments ): (a, b), and (a,) of one */
  SL__STAN_MEMBER,    /* argument[0].integer: of a tuple */
  SL__STAN_TARGET     /* target() */
} sl__stan_expression_kind;

typedef enum sl__stan_index_kind {
  SL__STAN_INDEX_ALL,  /* empty or : */
  SL__STAN_INDEX_AT,   /* low: an integer, or an array of them */
  SL__STAN_INDEX_FROM, /* low: */
  SL__STAN_INDEX_TO,   /* :high */
  SL__STAN_INDEX_RANGE /* low:high */
} sl__stan_index_kind;

typedef struct sl__stan_index {
  sl__stan_index_kind kind;
  sl__stan_expression *low, *high;
} sl__stan_index;

struct sl__stan_expression {
  sl__stan_expression_kind kind;
  sl__stan_operator op;
  bool bar;           /* CALL: a | stands after the first argument */
  bool data_only;     /* checker: depends on no parameter; integers count as data, as in Stan */
  sl__stan_type type; /* checker */
  int height;         /* of the tree below, at most SL__STAN_MAX_HEIGHT of parse.h */
  size_t place, end;  /* where a caret points: the operator of BINARY and TERNARY, else the first
                       * byte; and behind the last byte */
  const char *name;
  int64_t integer;
  double real;
  sl__stan_expression **argument;
  int argument_count;
  sl__stan_index *index;
  int index_count;
  /* checker: what the name means */
  sl__stan_variable *variable;
  const struct sl__stan_builtin *builtin; /* signatures.h */
  int signature;                          /* which of builtin's */
  sl__stan_function *function;            /* user-defined */
};

/* Constraints of a declared type. LOWER to MULTIPLIER may come in pairs. */
typedef enum sl__stan_constraint {
  SL__STAN_UNCONSTRAINED,
  SL__STAN_BOUNDED,       /* lower and/or upper */
  SL__STAN_AFFINE,        /* offset and/or multiplier */
  SL__STAN_ORDERED,
  SL__STAN_POSITIVE_ORDERED,
  SL__STAN_SIMPLEX,
  SL__STAN_UNIT_VECTOR,
  SL__STAN_SUM_TO_ZERO,   /* vector or matrix */
  SL__STAN_CORR_MATRIX,
  SL__STAN_COV_MATRIX,
  SL__STAN_CHOLESKY_FACTOR_CORR,
  SL__STAN_CHOLESKY_FACTOR_COV,
  SL__STAN_COLUMN_STOCHASTIC,
  SL__STAN_ROW_STOCHASTIC
} sl__stan_constraint;

typedef enum sl__stan_block {
  SL__STAN_FUNCTIONS,
  SL__STAN_DATA,
  SL__STAN_TRANSFORMED_DATA,
  SL__STAN_PARAMETERS,
  SL__STAN_TRANSFORMED_PARAMETERS,
  SL__STAN_MODEL,
  SL__STAN_GENERATED_QUANTITIES,
  SL__STAN_BLOCKS
} sl__stan_block;
const char *sl__stan_block_name(sl__stan_block block); /* "transformed data" */

struct sl__stan_variable {
  const char *name;
  size_t place;
  sl__stan_type type;
  sl__stan_constraint constraint;
  sl__stan_expression *lower, *upper, *offset, *multiplier; /* or NULL */
  /* Array sizes from the outside in, then those of the type as written (one for corr_matrix[K]).
   * Variables of one declaration share size and bounds. */
  sl__stan_expression **size;
  int size_count;
  sl__stan_variable **element; /* of a tuple: types without names */
  int element_count;
  sl__stan_expression *value; /* declare-define, or NULL */
  sl__stan_block block;       /* where it is declared */
  bool local;                 /* in a statement, loop or function: not kept, no bounds */
  bool loop;                  /* of a for: cannot be assigned to; of a foreach: type VOID */
  bool data_only_argument;    /* `data` before a function's argument */
  int slot;                   /* checker: its place in its function's or the program's frame */
};

typedef enum sl__stan_statement_kind {
  SL__STAN_DECLARE,  /* variable */
  SL__STAN_ASSIGN,   /* target op= value; op only when compound */
  SL__STAN_TILDE,    /* value ~ name(argument...) T[lower, upper] */
  SL__STAN_TARGET_ADD, /* target += value */
  SL__STAN_JACOBIAN_ADD, /* jacobian += value */
  SL__STAN_EXPRESSION_STATEMENT, /* a call that returns nothing: value */
  SL__STAN_IF,       /* value, body, otherwise */
  SL__STAN_FOR,      /* variable in value : high, body */
  SL__STAN_FOREACH,  /* variable in value, body */
  SL__STAN_WHILE,    /* value, body */
  SL__STAN_BLOCK_STATEMENT, /* first, ...: also profile("name") { } */
  SL__STAN_RETURN,   /* value or NULL */
  SL__STAN_BREAK,
  SL__STAN_CONTINUE,
  SL__STAN_PRINT,    /* argument... */
  SL__STAN_REJECT,
  SL__STAN_FATAL_ERROR
} sl__stan_statement_kind;

struct sl__stan_statement {
  sl__stan_statement_kind kind;
  size_t place;
  sl__stan_statement *next; /* in its block */
  sl__stan_statement *first; /* of a block */
  sl__stan_statement *body, *otherwise;
  sl__stan_variable *variable;
  sl__stan_expression *left; /* ASSIGN: VARIABLE or INDEXED (or a tuple of them) */
  bool compound;             /* += and its kind */
  sl__stan_operator op;
  sl__stan_expression *value, *high;
  const char *name; /* of the distribution; of a profile, else NULL */
  sl__stan_expression **argument;
  int argument_count;
  bool truncated;
  sl__stan_expression *lower, *upper; /* T[lower, upper]: either may be NULL */
  /* checker, of TILDE: the density that is meant */
  const struct sl__stan_builtin *builtin;
  int signature;
  sl__stan_function *function;
};

struct sl__stan_function {
  const char *name;
  size_t place;
  sl__stan_type result; /* SL__STAN_VOID for none */
  sl__stan_variable **result_element; /* of a tuple */
  int result_element_count;
  sl__stan_variable **argument;
  int argument_count;
  sl__stan_statement *body; /* NULL: declared only */
  sl__stan_function *next;
  int slot_count; /* checker: size of a frame */
};

/* A part of the language that the program uses and that is not evaluated. */
typedef struct sl__stan_feature sl__stan_feature;
struct sl__stan_feature {
  const char *name; /* "tuples", "hmm_marginal" */
  size_t place;     /* where it is used first */
  int line, column;
  int uses;
  sl__stan_feature *next; /* in order of first use */
};

typedef struct sl__stan_program {
  sl__arena arena;
  sl__source source;
  sl__stan_function *functions;
  /* The statements of each block, declarations among them; NULL: the block is missing or empty. */
  sl__stan_statement *block[SL__STAN_BLOCKS];
  bool has_block[SL__STAN_BLOCKS];
  int slot_count; /* checker: of the global frame */
  sl__stan_feature *unsupported; /* checker */
} sl__stan_program;

/* Lexer and parser: text -> tree. Names are not looked up, types not filled in. The text is copied.
 * SL_SYNTAX with line, column, the source line and a caret. Depth of nesting, length of the text
 * and numbers of nodes are limited (limits in parse.h), so that no text can exhaust memory or
 * stack. */
sl_status sl__stan_parse(sl_context *context, const char *name, const char *text, size_t length,
                         sl__stan_program **out);
/* Names, types, overloads, blocks' rules: completes the tree. SL_SYNTAX as above. Messages say what
 * was expected, what was found, and the nearest name or signature. */
sl_status sl__stan_check(sl_context *context, sl__stan_program *program);
void sl__stan_program_free(sl_context *context, sl__stan_program *program);

/* Canonical text of the tree: parsing it gives the same tree (tests; `sluice check --print`). */
struct sl__text;
void sl__stan_print(const sl__stan_program *program, struct sl__text *text);
void sl__stan_print_expression(const sl__stan_expression *expression, struct sl__text *text);
/* The type as it is declared: "array[J] vector<lower=0>[K]". */
void sl__stan_print_type(const sl__stan_variable *variable, struct sl__text *text);
#endif
