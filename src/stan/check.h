/* What the checker's files share. A check completes a node of the tree (types, what a name means)
 * or records a failure with its place and returns its status; the first failure ends the check. */
#ifndef SL_STAN_CHECK_H
#define SL_STAN_CHECK_H
#include "base/text.h"
#include "stan/signatures.h"

/* What a name means at the moment. A function of the user's and one of Stan's may share a name with
 * a variable, which then hides them except in calls. */
typedef struct sl__stan_overload {
  sl__stan_function *function;
  struct sl__stan_overload *next;
} sl__stan_overload;

typedef struct sl__stan_name {
  const char *text;
  sl__stan_variable *variable; /* in scope, or NULL */
  sl__stan_overload *overloads;
  const sl__stan_builtin *builtin;
  struct sl__stan_name *next;  /* of the same hash */
  struct sl__stan_name *below; /* the variable declared before this one, while both are in scope */
} sl__stan_name;

enum { SL__STAN_BUCKETS = 4096 };

/* A function's ending says what it may do and where it may be called. */
typedef enum sl__stan_suffix {
  SL__STAN_NO_SUFFIX,
  SL__STAN_LPDF,
  SL__STAN_LPMF,
  SL__STAN_LUPDF, /* _lpdf without constant terms; defined as _lpdf */
  SL__STAN_LUPMF,
  SL__STAN_CDF_SUFFIX, /* _cdf, _lcdf, _lccdf */
  SL__STAN_RNG_SUFFIX,
  SL__STAN_LP,
  SL__STAN_JACOBIAN
} sl__stan_suffix;

typedef struct sl__stan_checker {
  sl_context *context;
  sl__stan_program *program;
  sl__arena scratch; /* what is needed during the check only */
  sl__stan_name *bucket[SL__STAN_BUCKETS];
  sl__stan_name *declared; /* the variable in scope that was declared last */
  sl__stan_block block;
  const sl__stan_function *function; /* whose body is checked; NULL: none */
  bool sizing;                       /* in a size at the top of a block */
  int loops;                         /* around the statement */
  int *slots;                        /* of the frame */
} sl__stan_checker;

/* ---- check_message.c ---- */

sl_status sl__stan_fault(sl__stan_checker *c, size_t place, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Notes the use of something that is not evaluated. */
sl_status sl__stan_note(sl__stan_checker *c, const char *feature, size_t place);
/* "real, array[] int" of some expressions. */
void sl__stan_list_types(sl__text *text, const sl__stan_type *types, int count);
/* "(real x, data vector y) => real". */
void sl__stan_describe_function(sl__text *text, const sl__stan_function *function);
void sl__stan_describe_signature(sl__text *text, const sl__stan_signature *signature);
/* Adds what the general words of the signatures in the text mean. */
void sl__stan_explain_words(sl__text *text);
/* Fails with the text as its message, and closes it. */
sl_status sl__stan_fault_text(sl__stan_checker *c, size_t place, sl__text *text);

/* ---- check_name.c ---- */

/* The name's entry, made when it is new; NULL: no memory. */
sl__stan_name *sl__stan_name_of(sl__stan_checker *c, const char *text);
/* Puts a variable into scope and gives it a slot. */
sl_status sl__stan_declare(sl__stan_checker *c, sl__stan_variable *variable);
/* Ends the scope of all that was declared after `mark`, a value that c->declared had. */
void sl__stan_leave(sl__stan_checker *c, sl__stan_name *mark);
sl__stan_suffix sl__stan_suffix_of(const char *name);
/* The name under which a density is defined: "foo_lupdf" -> "foo_lpdf"; NULL: no memory. */
const char *sl__stan_defined_name(sl__stan_checker *c, const char *name);
/* "name" with another ending, in scratch memory. */
const char *sl__stan_join(sl__stan_checker *c, const char *name, int length, const char *ending);
/* The nearest variable (or function, if callable) for "did you mean"; NULL: none is near. */
sl_status sl__stan_nearest(sl__stan_checker *c, const char *name, bool callable,
                           const char **nearest);
sl_status sl__stan_nearest_distribution(sl__stan_checker *c, const char *name,
                                        const char **nearest);

/* ---- check_expression.c, check_index.c ---- */

sl_status sl__stan_check_expression(sl__stan_checker *c, sl__stan_expression *e);
/* The same for a place where a value of that kind must stand; what: "the loop's lower bound". */
sl_status sl__stan_check_int(sl__stan_checker *c, sl__stan_expression *e, const char *what);
sl_status sl__stan_check_indexed(sl__stan_checker *c, sl__stan_expression *e);
sl_status sl__stan_check_member(sl__stan_checker *c, sl__stan_expression *e);
/* Whether an index keeps its dimension: a range, or an array of integers. */
bool sl__stan_is_multiple(const sl__stan_index *index);

/* ---- check_resolve.c, check_call.c ---- */

/* The argument list of a call, and what it means. */
typedef struct sl__stan_call_site {
  const char *name; /* as written */
  size_t place;
  sl__stan_expression **argument;
  int count;
  sl__stan_type *types; /* [count] */
  bool *data_only;      /* [count]; NULL in generated quantities, where nothing is varied */
  bool tilde;           /* the first argument stands before ~ */
} sl__stan_call_site;
typedef struct sl__stan_meaning {
  sl__stan_function *function;     /* the user's, */
  const sl__stan_builtin *builtin; /* or Stan's */
  int signature;                   /* of builtin */
  sl__stan_type type;              /* VOID: returns nothing */
} sl__stan_meaning;
sl_status sl__stan_open_site(sl__stan_checker *c, const char *name, size_t place,
                             sl__stan_expression **argument, int count, sl__stan_call_site *site);
/* Looks the site's arguments up among the functions of `name`; good is false if none fits. */
sl_status sl__stan_resolve(sl__stan_checker *c, const sl__stan_call_site *site, const char *name,
                           bool *good, sl__stan_meaning *meaning);
/* Refuses a call that resolve did not find good: why, and what there is. */
sl_status sl__stan_refuse_call(sl__stan_checker *c, const sl__stan_call_site *site,
                               const char *name);
/* Checks the functions among the arguments against what the builtin wants of them. */
sl_status sl__stan_check_callbacks(sl__stan_checker *c, const sl__stan_call_site *site,
                                   const sl__stan_meaning *meaning);
sl_status sl__stan_check_call(sl__stan_checker *c, sl__stan_expression *e, bool as_statement);
/* Whether NAME_lupdf or NAME_lupmf may stand here. */
sl_status sl__stan_check_unnormalised(sl__stan_checker *c, const sl__stan_expression *e);
/* How a user's function takes these arguments. */
sl__stan_fit sl__stan_function_fit(const sl__stan_function *function, const sl__stan_type *types,
                                   int count, const bool *data_only);

/* ---- check_declare.c, check_assign.c, check_tilde.c, check_statement.c ---- */

sl_status sl__stan_check_declaration(sl__stan_checker *c, sl__stan_variable *variable);
/* A hint for a message: what turns the found type into the wanted one; "" if nothing simple does.
 * */
const char *sl__stan_conversion(sl__stan_type wanted, sl__stan_type found);
sl_status sl__stan_check_assignment(sl__stan_checker *c, sl__stan_statement *s);
sl_status sl__stan_check_tilde(sl__stan_checker *c, sl__stan_statement *s);
/* Whether the density may be added to here. */
sl_status sl__stan_check_target(sl__stan_checker *c, size_t place, const char *what);

/* How control leaves a statement. */
typedef enum sl__stan_flow {
  SL__STAN_GOES_ON,
  SL__STAN_RETURNS, /* on every path, or ends the program */
  SL__STAN_LEAVES   /* a loop, on some path */
} sl__stan_flow;
sl_status sl__stan_check_statements(sl__stan_checker *c, sl__stan_statement *first,
                                    sl__stan_flow *flow);

/* ---- check_function.c ---- */

/* Enters all functions, so that each may call the others, then checks their bodies. */
sl_status sl__stan_check_functions(sl__stan_checker *c);
#endif
