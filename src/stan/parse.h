/* What the parser's files share: the limits, the parser's state, and one function per rule of the
 * grammar. Each makes a node or records the failure and returns NULL (false); the first failure
 * stays, since after it the current token is one that no rule takes. */
#ifndef SL_STAN_PARSE_H
#define SL_STAN_PARSE_H
#include "stan/lexer.h"

enum {
  SL__STAN_MAX_TEXT = 16 << 20,
  SL__STAN_MAX_DEPTH = 200,     /* of brackets, unary operators and statements within each other */
  SL__STAN_MAX_HEIGHT = 1000,   /* of an expression's tree: a + b + c ... makes it high, not deep */
  SL__STAN_MAX_BRANCHES = 1000, /* of one if ... else if ... */
  SL__STAN_MAX_NODES = 2 << 20
};

typedef struct sl__stan_parser {
  sl_context *context;
  sl__stan_program *program;
  sl__stan_lexer lexer;
  sl__stan_token token; /* the current one */
  size_t previous_end;  /* of the token before it */
  sl_status status;     /* of the first failure */
  sl__stan_block block;
  size_t block_place, block_open; /* of the block's name and brace */
  size_t statement_place;
  bool top; /* directly in a block other than model: constraints are allowed */
  int depth, nodes;
} sl__stan_parser;

/* ---- parse_token.c: tokens, lists, failures ---- */

void sl__stan_advance(sl__stan_parser *p);
/* Takes a token of that kind if it is the current one. */
bool sl__stan_accept(sl__stan_parser *p, sl__stan_token_kind kind);
/* Takes it, or fails with "expected WHAT, found ...". */
bool sl__stan_expect(sl__stan_parser *p, sl__stan_token_kind kind, const char *what);
/* The end of a statement; WHAT is said when something else follows on its line. */
bool sl__stan_expect_semicolon(sl__stan_parser *p, const char *what);
/* A closing bracket; `open` is where the opening one stands. */
bool sl__stan_expect_close(sl__stan_parser *p, sl__stan_token_kind kind, size_t open,
                           const char *what);
/* Whether the current token has that text. */
bool sl__stan_token_is(const sl__stan_parser *p, const char *text);
char *sl__stan_token_text(sl__stan_parser *p); /* a copy */
bool sl__stan_is_type(sl__stan_token_kind kind);
sl__stan_token_kind sl__stan_peek(const sl__stan_parser *p); /* the token after the current one */
/* Whether a block's name stands here, which inside of a block means that a brace is missing. */
bool sl__stan_at_block(const sl__stan_parser *p);
bool sl__stan_refuse_inner_block(sl__stan_parser *p);

/* Records a failure at a place; returns false. */
bool sl__stan_parse_fail(sl__stan_parser *p, size_t place, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* "expected WHAT, found ...", at the current token; what follows "; " in WHAT is said last. */
bool sl__stan_refuse_token(sl__stan_parser *p, const char *what);

/* Zeroed memory for one node or for count items; NULL and a failure when there is none, or when the
 * program has too many nodes. */
void *sl__stan_take(sl__stan_parser *p, size_t count, size_t size);
/* items, or their copy, with room for one more than count. */
void *sl__stan_grow(sl__stan_parser *p, void *items, int count, size_t size);
/* One level of nesting more; false: too deep. The caller takes 1 from depth when done. */
bool sl__stan_descend(sl__stan_parser *p);

/* A name that may be declared, or a failure. */
char *sl__stan_parse_new_name(sl__stan_parser *p, const char *what);

/* ---- parse_primary.c ---- */

/* A node of that kind that ends with the current token. */
sl__stan_expression *sl__stan_new_expression(sl__stan_parser *p, sl__stan_expression_kind kind,
                                             size_t place);
/* Notes that child stands below node; a tree too high for those who walk it is refused. */
bool sl__stan_raise(sl__stan_parser *p, sl__stan_expression *node,
                    const sl__stan_expression *child);
/* The current number without underscores. */
const char *sl__stan_plain_digits(sl__stan_parser *p);
/* A number, name, call, or what stands in brackets. */
sl__stan_expression *sl__stan_parse_primary(sl__stan_parser *p);

/* ---- parse_expression.c ---- */

enum { /* how strongly operators bind */
       SL__STAN_BIND_TERNARY = 1,
       SL__STAN_BIND_OR,
       SL__STAN_BIND_AND,
       SL__STAN_BIND_EQUAL,
       SL__STAN_BIND_COMPARE,
       SL__STAN_BIND_ADD,
       SL__STAN_BIND_MULTIPLY,
       SL__STAN_BIND_INTEGER_DIVIDE,
       SL__STAN_BIND_UNARY,
       SL__STAN_BIND_POWER,
       SL__STAN_BIND_POSTFIX,
       SL__STAN_BIND_PRIMARY
};
int sl__stan_operator_strength(sl__stan_operator op); /* of the binary ones */
sl__stan_expression *sl__stan_parse_expression(sl__stan_parser *p);
/* Without comparisons and logic: a bound, which ends at '>'. */
sl__stan_expression *sl__stan_parse_bound(sl__stan_parser *p);
typedef struct sl__stan_list {
  sl__stan_expression **item;
  int count;
} sl__stan_list;
bool sl__stan_append(sl__stan_parser *p, sl__stan_list *list, sl__stan_expression *item);
/* Expressions and commas up to the closing token, which is taken; texts too if allowed. */
bool sl__stan_parse_list(sl__stan_parser *p, sl__stan_token_kind close, size_t open, bool texts,
                         sl__stan_list *list);

/* ---- parse_declare.c ---- */

/* The declarations of one statement, appended to *end. */
bool sl__stan_parse_declaration(sl__stan_parser *p, sl__stan_statement ***end);
/* A type as functions take and return it, into the fields of *variable. */
bool sl__stan_parse_unsized(sl__stan_parser *p, sl__stan_variable *variable);

/* ---- parse_statement.c ---- */

/* A statement (or a declaration's several), appended to *end, which is moved on. */
bool sl__stan_parse_statement(sl__stan_parser *p, sl__stan_statement ***end);
/* A function's body. */
bool sl__stan_parse_body_block(sl__stan_parser *p, sl__stan_statement **body);
/* Statements up to the closing brace, which is taken. */
bool sl__stan_parse_statements(sl__stan_parser *p, size_t open, sl__stan_statement **first);
sl__stan_statement *sl__stan_new_statement(sl__stan_parser *p, sl__stan_statement_kind kind,
                                           size_t place);

/* ---- parse_refuse.c ---- */

/* The message for an expression (NULL: a beginning of one) that ends where no statement can. */
bool sl__stan_refuse_statement(sl__stan_parser *p, const sl__stan_expression *expression);
/* The word at `place` is no type; perhaps nearly one. */
bool sl__stan_refuse_unknown_type(sl__stan_parser *p, size_t place);
/* Where "<-" stands in what was read as a comparison; 0: nowhere. */
size_t sl__stan_find_arrow(const sl__stan_parser *p, const sl__stan_expression *expression);
/* Whether it is a variable, a part of one, or a tuple of such. */
bool sl__stan_check_assignable(sl__stan_parser *p, const sl__stan_expression *left);
#endif
