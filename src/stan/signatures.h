/* Stan's functions, distributions and operators: one row each in functions.def, distributions.def
 * and operators.def.
 *
 * A signature is a short text, "real(reals|reals,reals)": the result, then the arguments; '|' is a
 * comma that messages show as the bar of a density. Words:
 *   void int real vector row_vector matrix complex complex_vector complex_row_vector
 *   complex_matrix tuple                that type
 *   any_vector vector or row_vector
 *   sequence   vector, row_vector or array of real
 *   container  sequence or matrix
 *   reals      real or sequence (vectorised densities)
 *   ints       int or array of int
 *   real_or_vector                      real or vector
 *   vectors    vector, row_vector or an array of either
 *   any        anything that is a value; every `any` of a signature stands for the same type
 *   each       real, vector, row_vector, matrix, int and arrays of them: elementwise functions
 *              of one or several arguments, all scalars or of one type, scalars being repeated
 *   each_int   beside `each`: int, or an array of int of the shape of `each`; alone: as `each`
 *   like       after `each`: real, or the type of `each`
 *   dense      as `each`, without arrays: operators
 *   complex_each complex_dense          the same for complex numbers
 * As a result, `any` is that type, the others with each or dense are the common type
 * (`each` with int turned real), `reals` (`ints`) is real (int) if all arguments are scalars and
 * else an array, `vectors` a vector, or an array of vectors if an argument is an array. Behind a
 * word:
 *   []         an array of it; as often as wanted
 *   [*]        an array of any number of dimensions or none, the same number everywhere
 * Before an argument: `data`, it must not depend on parameters. An argument may itself be a
 * signature, "vector(real,vector,...)": a user's function, where "..." stands for the arguments
 * that come in place of the last "..." of the outer signature; an outer "..." takes anything.
 * Alternatives are separated by ';'. Promotion: int -> real -> complex, elementwise in arrays. The
 * first alternative with the fewest promotions is taken. */
#ifndef SL_STAN_SIGNATURES_H
#define SL_STAN_SIGNATURES_H
#include "stan/syntax.h"

enum { SL__STAN_MAX_ARGUMENTS = 16 };

typedef enum sl__stan_role {
  SL__STAN_PLAIN,
  SL__STAN_DENSITY, /* NAME_lpdf, NAME_lupdf or NAME_lpmf, NAME_lupmf; `~ NAME` */
  SL__STAN_CDF,     /* NAME_cdf, NAME_lcdf, NAME_lccdf */
  SL__STAN_RNG      /* NAME_rng: transformed data and generated quantities only */
} sl__stan_role;

struct sl__stan_call; /* value.h: what a builtin's build function sees */

typedef struct sl__stan_builtin {
  const char *name;       /* in full: "normal_lpdf" */
  const char *signatures; /* see above */
  sl__stan_role role;
  bool discrete; /* DENSITY: _lpmf */
  bool known;    /* in the language, but outside what is evaluated; `sluice check` lists its use */
  /* Makes the result from the arguments' values; value.h. NULL: not evaluated. */
  sl_status (*build)(struct sl__stan_call *call);
} sl__stan_builtin;

/* By name; NULL: there is none. All: for "did you mean", tests and docs. */
const sl__stan_builtin *sl__stan_builtin_find(const char *name);
const sl__stan_builtin *sl__stan_builtins(int *count);
/* The names of the one or two functions (which = 0, 1; NULL: none) that an operator means. */
const char *sl__stan_operator_function(sl__stan_operator op, int which);
/* What has taken the place of a function that Stan has removed, "lmultiply"; NULL: nothing. */
const char *sl__stan_removed_function(const char *name);

/* ---- the language of signatures: signature_read.c, signature_match.c ---- */

typedef enum sl__stan_word_kind {
  SL__STAN_EXACT, /* type */
  SL__STAN_ANY_VECTOR,
  SL__STAN_SEQUENCE,
  SL__STAN_CONTAINER,
  SL__STAN_REALS,
  SL__STAN_REAL_OR_VECTOR,
  SL__STAN_INTS,
  SL__STAN_VECTORS,
  SL__STAN_ANY, /* with type.arrays further dimensions */
  SL__STAN_EACH,
  SL__STAN_EACH_INT,
  SL__STAN_LIKE,
  SL__STAN_DENSE,
  SL__STAN_COMPLEX_EACH,
  SL__STAN_COMPLEX_DENSE,
  SL__STAN_CALLBACK /* nested: the text of its signature */
} sl__stan_word_kind;

typedef struct sl__stan_word {
  sl__stan_word_kind kind;
  sl__stan_type type; /* its arrays: how many [] */
  bool data, star;    /* star: [*] */
  const char *nested;
} sl__stan_word;

typedef struct sl__stan_signature {
  const char *text;
  int length; /* of text */
  sl__stan_word result;
  sl__stan_word argument[SL__STAN_MAX_ARGUMENTS];
  int count;
  bool more; /* "..." at the end */
} sl__stan_signature;

/* Reads one alternative. Returns what follows it (";" or the end; of a nested one "," or ")"), NULL
 * if the text is not a signature. */
const char *sl__stan_signature_read(const char *text, sl__stan_signature *signature);

/* How argument types fit a signature. */
typedef struct sl__stan_fit {
  bool good;
  int cost;             /* good: promotions */
  sl__stan_type result; /* good */
  int argument;         /* else: the first that does not fit, or -1: their number is wrong */
  bool data;            /* else: it fits, but depends on parameters */
} sl__stan_fit;
/* data_only [count]: which arguments depend on no parameter; NULL: all. */
sl__stan_fit sl__stan_signature_fit(const sl__stan_signature *signature, const sl__stan_type *types,
                                    int count, const bool *data_only);
/* Which alternative takes these argument types, and how. -1: none. */
int sl__stan_signature_match(const sl__stan_builtin *builtin, const sl__stan_type *types, int count,
                             const bool *data_only, sl__stan_fit *fit);
/* The alternative of that number; false: there is none. */
bool sl__stan_signature_at(const sl__stan_builtin *builtin, int number,
                           sl__stan_signature *signature);
#endif
