/* Bad Stan programs: where the parser points and what it says; and texts made to exhaust it, which
 * must end in a message soon and within little memory. */
#include "base/os.h"
#include "check.h"
#include "stan/parse.h"

typedef struct refusal {
  const char *program; /* @ stands where the caret must point and is taken out */
  const char *words;   /* a part of the message */
} refusal;

static const refusal lexing[] = {
    {"model { @# old\n}", "comments no longer begin with '#'; write //"},
    {"@#include functions.stan\nmodel { }", "#include is not read"},
    {"data { } @/* open", "this comment is not closed"},
    {"model { print(@\"open); }", "this text is not closed on its line"},
    {"model { print(@\"open\n\"); }", "this text is not closed on its line"},
    {"model { x = 2@x; }", "a letter right behind a number"},
    {"model { x = 1@_; }", "'_' in a number stands between two digits"},
    {"model { x = 1e@; }", "expected the digits of an exponent"},
    {"model { x = 1e+@; }", "expected the digits of an exponent"},
    {"model { x = a @& b; }", "'&' is no operator; write &&"},
    {"model { x@.y = 1; }", "'.' begins no operator here and stands in no name"},
    {"model { @_x = 1; }", "a name begins with a letter"},
    {"model { x = a @$ b; }", "'$' is no part of Stan"},
    {"model { x = @\xc3\xa9; }", "byte 0xc3 outside of comments and texts"},
    {"model { x = @2147483648; }", "integers reach up to 2147483647"},
    {"model { x = @99999999999999999999; }", "integers reach up to 2147483647"},
    {"model { x = @1e999; }", "too large for a real; use positive_infinity()"},
};

static const refusal blocks[] = {
    {"@modle { }", "there is no block 'modle'; did you mean 'model'?"},
    {"data { }\n@paramters { }", "did you mean 'parameters'?"},
    {"@potato { }", "there is no block 'potato'; blocks are functions, data"},
    {"transformed @paramaters { }", "expected 'data' or 'parameters' behind 'transformed'"},
    {"generated @quantites { }", "expected 'quantities' behind 'generated', found 'quantites'"},
    {"@3", "expected a block, found '3'; blocks are"},
    {"model { }\n@}", "'}' without '{'; remove it"},
    {"model { }\n@data { }", "the block 'data' must stand before 'model'"},
    {"model { }\n@model { }", "the block 'model' stands twice"},
    {"model @x = 1;", "expected '{' behind the block's name, found 'x'"},
    {"model@", "expected '{' behind the block's name, found the end of the program"},
    {"model {\n  x = 1;@\n", "found the end of the program; '{' was opened at 1:7"},
    {"data {\n  int N;\n@parameters { real x; }", "is a '}' missing above, for the '{' at 1:6?"},
    {"model {\n{ x = 1;\n}\n@generated quantities { }", "a block begins inside of another"},
    {"functions {\n real f() { return 1; }\n@model { }", "is a '}' missing above"},
};

static const refusal declarations[] = {
    {"data { @rael x; }", "there is no type 'rael'; did you mean 'real'?"},
    {"data { @integer N; }", "there is no type 'integer'; did you mean 'int'?"},
    {"model { @vectr[3] x; }", "there is no type 'vectr'; did you mean 'vector'?"},
    {"transformed data { @rael<lower=0> x; }", "did you mean 'real'?"},
    {"parameters { @quux x; }", "there is no type 'quux'; types are int, real"},
    {"data { vector@ x; }", "vector needs its size here: vector[N]"},
    {"data { matrix@[3] x; }", "matrix has 1 size here and needs matrix[M, N]"},
    {"data { corr_matrix@[3, 3] x; }", "corr_matrix has 2 sizes here and needs corr_matrix[N]"},
    {"data { cholesky_factor_cov@[3, 3, 3] x; }", "needs cholesky_factor_cov[N] or [M, N]"},
    {"data { vector[@] x; }", "expected a size, found ']'; only arguments and results"},
    {"data { array @x; }", "expected '[' and the array's sizes"},
    {"data { array[2] @array[3] real x; }", "write array[M, N] for two sizes"},
    {"data { array[2] real x@[3]; }", "the array's sizes stand before the type"},
    {"data { real x@[1,2,3,4,5,6,7,8]; }", "an array of 8 dimensions; there may be 7"},
    {"data { real x @= 1; }", "'x' gets its value from the data"},
    {"parameters { real x @= 1; }", "a parameter has no value of its own"},
    {"data { real x;\n@x = 1; }", "there is no type 'x'"},
    {"data { @print(1); }", "expected a declaration or '}', found the reserved word 'print'"},
    {"data { real x @y; }", "expected '=', ',' or ';', found 'y'"},
    {"data { real\n@}", "expected the name of a variable"},
    {"data { real x@\nreal y; }", "expected ';' here"},
    {"data { real x, @real y; }", "expected a name, found the reserved word 'real'; end the"},
    {"data { real @lower; }", "'lower' is a reserved word of Stan; choose another name"},
    {"data { real @true; }", "'true' is kept for Stan itself"},
    {"data { real @x__; }", "'x__' is kept for Stan itself"},
    {"data { real @3; }", "expected the name of a variable, found '3'"},
    {"data { real<@low=0> x; }", "there is no bound 'low'; did you mean 'lower'?"},
    {"data { real<lower@> x; }", "expected '=' and the bound's value"},
    {"data { real<lower=@> x; }", "expected an expression, found '>'"},
    {"data { real<lower=0 @x; }",
     "expected ',' or '>' behind the bound, found 'x'; '<' was opened"},
    {"data { real<lower=0, @lower=1> x; }", "expected each bound once"},
    {"data { real<lower=0, @offset=1> x; }", "lower with upper, or offset with multiplier"},
    {"data { int<@offset=1> x; }", "expected lower or upper, the bounds of an int"},
    {"data { simplex@<lower=0>[3] x; }", "simplex is a constraint by itself"},
    {"model { real@<lower=0> x; }", "a local variable has no constraint"},
    {"model { @simplex[3] x; }", "a local variable has no constraint; write vector[N]"},
    {"transformed data { { @cov_matrix[3] x; } }", "write matrix[M, N]"},
    {"data { tuple @int x; }", "expected '(' and the tuple's types"},
    {"data { tuple(int@) x; }", "a tuple of one type is written tuple(int,)"},
    {"data { tuple(@) x; }", "expected a type, found ')'"},
    {"data { @void x; }", "expected a declaration or '}'"},
    {"transformed data { @data real x; }", "'data' marks arguments of functions only"},
};

static const refusal functions[] = {
    {"functions { @foo(real x) { } }", "expected a function's type (void, real, ...) or '}'"},
    {"functions { real f@; }", "expected '(' and the function's arguments"},
    {"functions { real f(real x @{ } }", "expected ',' or ')', found '{'; '(' was opened at 1:19"},
    {"functions { real f(@x) { } }", "expected a type, found 'x'"},
    {"functions { real f(@void x) { } }", "expected a type, found the reserved word 'void'"},
    {"functions { real f(vector[@3] x) { } }", "types of functions have no sizes"},
    {"functions { real f(array[@3] real x) { } }", "types of functions have no sizes"},
    {"functions { real f(array[] real@[] x) { } }", "types of functions have no sizes"},
    {"functions { real f(real x@[]) { } }", "an array is written array[] real x"},
    {"functions { real f(real@<lower=0> x) { } }", "types of functions have no bounds"},
    {"functions { @simplex f() { } }", "types of functions have no constraint; write vector"},
    {"functions { real @real(int x) { } }", "'real' is a reserved word"},
    {"functions { real f() @return 1; }", "expected the function's body in braces"},
    {"functions { array @real f() { } }",
     "expected '[', found the reserved word 'real'; as in array"},
    {"model { @void f() { } }", "functions are defined in the block 'functions' only"},
    {"model { real f@(real x) { } }", "functions are defined in the block 'functions' only"},
};

static const refusal expressions[] = {
    {"model { x = @; }", "expected an expression, found ';'"},
    {"model { x = a + @; }", "expected an expression, found ';'"},
    {"model { x = (a + b@; }", "expected an operator or ')', found ';'; '(' was opened at 1:13"},
    {"model { x = f(a@; }", "expected ',', '|', ')' or an operator, found ';'"},
    {"model { x = f(a, @); }", "expected an argument behind ',', found ')'"},
    {"model { x = f(a | b @| c); }", "expected ',' or ')', found '|'"},
    {"model { x = a[1@; }", "expected ',', ':', ']' or an operator, found ';'; '[' was opened"},
    {"model { x = a[1@); }", "found ')'; '[' was opened at 1:14"},
    {"model { x = {@}; }", "an array needs at least one element"},
    {"model { x = [1, 2@}; }", "expected ',' or ']', found '}'; '[' was opened at 1:13"},
    {"model { x = (@); }", "expected an expression, found ')'"},
    {"model { x = a ? b@; }", "expected ':' and the other value, found ';'; as in a ? b : c"},
    {"model { x = a'@[1]; }", "expected an operator, found '['; to index a transpose"},
    {"model { x = a @b; }", "expected ';' or an operator, found 'b'"},
    {"model { x = @\"text\"; }", "a text may stand only in print"},
    {"model { x = @real; }", "expected an expression, found the reserved word 'real'"},
    {"model { x = a @** b; }", "'**' is no operator; write ^"},
    {"model { x@++; }", "'++' is no operator; write += 1"},
    {"model { x@--; }", "'--' is no operator; write -= 1"},
    {"model { x ^@= 2; }", "expected an expression, found '='; assignments are"},
    {"model { x = target@; }", "expected '(', found ';'; target() is its value"},
    {"model { x = target(@1); }", "expected ')', found '1'"},
    {"model { x = @get_lp(); }", "get_lp() left the language; write target()"},
    {"model { x = @lp__; }", "lp__ left the language; write target()"},
    {"model { x = a@.0; }", "members of a tuple are numbered from 1"},
    {"model { x = a@.99999999999; }", "members of a tuple are numbered from 1"},
    {"data { real<lower=a @|| b> x; }", "expected ',' or '>' behind the bound, found '||'"},
};

static const refusal statements[] = {
    {"model { x = 1@\n y = 2; }", "expected ';' here, at the end of the statement"},
    {"model { x = 1@ }", "expected ';' here"},
    {"model {\n  y ~ normal(0, 1)@ // no end\n}", "expected ';' here"},
    {"model { x @<- 3; }", "'<-' no longer assigns; write ="},
    {"model { x[1] @<- y < 3 || z; }", "'<-' no longer assigns; write ="},
    {"model { real x @<- 3; }", "'<-' no longer assigns; write ="},
    {"model { x @== 3; }", "'==' compares and does nothing here; write ="},
    {"model { @x; }", "a value that nobody uses"},
    {"model { x @, y; }", "expected '=', '+=' or another assignment, '~' or an operator"},
    {"model { a * b @{ } }", "expected '~' or an operator, found '{'"},
    {"model { @f(x) = 1; }", "the result of 'f' cannot be assigned to; index with [ ]"},
    {"model { (a, @1) = b; }", "only a variable or a part of one can be assigned to"},
    {"model { @-a = b; }", "only a variable or a part of one can be assigned to"},
    {"model { (@(a, b).1, c) = d; }", "only a variable or a part of one can be assigned to"},
    {"model { a = b @= c; }", "expected ';', found '='; one statement assigns once"},
    {"model { @increment_log_prob(x); }",
     "increment_log_prob(...) left the language; write target"},
    {"model { target @= x; }", "expected '+=', found '='; target is only added to"},
    {"model { target @-= x; }", "expected '+=', found '-='"},
    {"model { @target() = x; }", "target is only added to; write target += ..."},
    {"model { jacobian @x; }", "expected '+=' behind jacobian"},
    {"model { y ~ @3; }", "expected the name of a distribution behind '~'"},
    {"model { y ~ normal@; }", "expected '(' and the distribution's arguments"},
    {"model { y ~ normal(0, 1) T@(0, 1); }", "expected '[', found '('; as in T[0, 1]"},
    {"model { y ~ normal(0, 1) T[0@]; }", "truncation is T[a, b], T[a, ] or T[, b]"},
    {"model { y ~ normal(0, 1) T[0, 1@; }", "expected ']', found ';'; '[' was opened at 1:27"},
    {"model { if @x { } }", "expected '(' and a condition, found 'x'"},
    {"model { if (x @= 1) { } }", "expected ')' or an operator, found '='; == compares"},
    {"model { if (x @}", "expected ')' or an operator, found '}'; '(' was opened at 1:12"},
    {"model { if (x) @}", "expected a statement, found '}'"},
    {"model { x = 1; @else x = 2; }", "'else' without an 'if' right before it"},
    {"model { while (@) { } }", "expected an expression, found ')'"},
    {"model { for @i in 1:3 { } }", "expected '(', found 'i'; as in for (i in 1:N)"},
    {"model { for (@int i in 1:3) { } }", "for (i in 1:N) declares i by itself"},
    {"model { for (i @= 1:3) { } }", "expected 'in', found '='; as in for (i in 1:N)"},
    {"model { for (i in 1:3@{ } }", "expected ')' or an operator, found '{'"},
    {"model { for (@in in 1:3) { } }", "'in' is a reserved word"},
    {"model { for (i in 1:3)@ ", "expected a statement, found the end of the program"},
    {"model { break@ }", "expected ';' here"},
    {"model { return 1@ }", "expected ';' here"},
    {"model { print(@); }", "expected a text or an expression, found ')'"},
    {"model { print(\"a\" @\"b\"); }", "expected ',' or ')', found the text \"b\""},
    {"model { profile(@x) { } }", "expected the profile's name between quotes, found 'x'"},
    {"model { profile(\"a\", @\"b\") { } }", "a profile has one name"},
    {"model { profile(\"a\") @x = 1; }", "expected '{', found 'x'"},
};

static sl_context *new_context(void) {
  sl_context_options options = {.size = sizeof options, .threads = 1};
  sl_context *context = NULL;
  if (sl_context_new(&options, &context) != SL_OK) exit(3);
  return context;
}

/* The program without its mark; the mark's line and column. */
static void take_mark(const char *marked, char *program, int *line, int *column) {
  *line = *column = 0;
  int at_line = 1, at_column = 1;
  for (; *marked; marked++) {
    if (*marked == '@') {
      *line = at_line;
      *column = at_column;
      continue;
    }
    at_column = *marked == '\n' ? 1 : at_column + 1;
    at_line += *marked == '\n';
    *program++ = *marked;
  }
  *program = '\0';
}

static void check_refusals(const refusal *rows, size_t count) {
  for (size_t i = 0; i < count; i++) {
    sl_context *context = new_context();
    sl__stan_program *made = NULL;
    char program[512];
    int line, column, before = check_failures;
    take_mark(rows[i].program, program, &line, &column);
    sl_status status = sl__stan_parse(context, "bad.stan", program, strlen(program), &made);
    CHECK_INTEGER(status, SL_SYNTAX);
    CHECK(made == NULL);
    CHECK_INTEGER(context->error.line, line);
    CHECK_INTEGER(context->error.column, column);
    CHECK(strstr(sl_error(context), rows[i].words) != NULL);
    char place[64];
    snprintf(place, sizeof place, "bad.stan:%d:%d: ", line, column);
    CHECK(strncmp(sl_error(context), place, strlen(place)) == 0);
    if (check_failures > before) printf("%s\n%s\n\n", sl_error(context), context->error.excerpt);
    sl__stan_program_free(context, made);
    sl_context_free(context);
  }
}

#define REFUSALS(name)                                \
  TEST(name) {                                        \
    check_refusals(name, sizeof name / sizeof *name); \
  }
REFUSALS(lexing)
REFUSALS(blocks)
REFUSALS(declarations)
REFUSALS(functions)
REFUSALS(expressions)
REFUSALS(statements)

/* ---- excerpts ---- */

static void check_excerpt(const char *program, const char *excerpt) {
  sl_context *context = new_context();
  sl__stan_program *made = NULL;
  CHECK_INTEGER(sl__stan_parse(context, "bad.stan", program, strlen(program), &made), SL_SYNTAX);
  CHECK_TEXT(context->error.excerpt, excerpt);
  sl__fail(context, SL_IO, "something else");
  CHECK_TEXT(context->error.excerpt, "");
  sl_context_free(context);
}

TEST(excerpts) {
  check_excerpt("model {\n\tx =\t;\n}", "  \tx =\t;\n  \t   \t^");
  check_excerpt("model { x = ;", "  model { x = ;\n              ^");
  check_excerpt("data { }\r\nmodel { \x01 }\r\n", "  model { ? }\n          ^");
  /* A caret stands below characters, not bytes. */
  check_excerpt("model { print(\"\xc3\xa9\xc3\xa9\" 1); }",
                "  model { print(\"\xc3\xa9\xc3\xa9\" 1); }\n                     ^");
}

/* Of a long line only the part around the place is shown. */
TEST(excerpt_of_a_long_line) {
  char program[4096] = "model { x = ", part[sizeof((sl_context *)0)->error.excerpt];
  while (strlen(program) < 3000) strcat(program, "1 + ");
  strcat(program, "here there");
  while (strlen(program) < 4000) strcat(program, " + 1");
  sl_context *context = new_context();
  sl__stan_program *made = NULL;
  CHECK_INTEGER(sl__stan_parse(context, "bad.stan", program, strlen(program), &made), SL_SYNTAX);
  memcpy(part, context->error.excerpt, sizeof part);
  char *caret = strchr(part, '\n');
  REQUIRE(caret != NULL);
  CHECK(strlen(caret + 1) < 64 && strlen(part) < 200);
  CHECK(strncmp(part + strcspn(caret + 1, "^"), "there", 5) == 0);
  sl_context_free(context);
}

/* ---- texts made to exhaust ---- */

/* before, `unit` repeated up to `bytes`, behind: must be refused with these words. */
static void check_flood(const char *before, const char *unit, const char *behind, size_t bytes,
                        const char *words) {
  size_t length = 0, step = strlen(unit);
  char *text = malloc(bytes + strlen(before) + strlen(behind) + step + 1);
  if (!text) exit(3);
  memcpy(text, before, strlen(before));
  for (length = strlen(before); length < bytes; length += step) memcpy(text + length, unit, step);
  memcpy(text + length, behind, strlen(behind));
  length += strlen(behind);
  sl_context *context = new_context();
  sl__stan_program *made = NULL;
  double start = sl__os_seconds();
  sl_status status = sl__stan_parse(context, "flood.stan", text, length, &made);
  if (!CHECK(sl__os_seconds() - start < 10)) printf("  %s took long\n", unit);
  CHECK_INTEGER(status, SL_SYNTAX);
  if (!CHECK(strstr(sl_error(context), words) != NULL))
    printf("  %s: %s\n", unit, sl_error(context));
  free(text);
  sl_context_free(context);
}

TEST(floods) {
  const char *deep = "nested more than 200 deep", *high = "more than 1000 operations in a row";
  size_t million = 1000000;
  check_flood("model { x = ", "(", "", million, deep);
  check_flood("model { x = ", "-", "", million, deep);
  check_flood("model { x = ", "!", "", million, deep);
  check_flood("model { x = ", "[", "", million, deep);
  check_flood("model { x = ", "{", "", million, deep);
  check_flood("model { x = ", "f(", "", million, deep);
  check_flood("model { x = ", "a[", "", million, deep);
  check_flood("model { x = ", "a[b:", "", million, deep);
  check_flood("model { x = ", "a ^ ", "a; }", million, deep);
  check_flood("model { x = ", "a ? b : ", "a; }", million, deep);
  check_flood("model { x = ", "a ? ", "a; }", million, deep);
  check_flood("model { x = ", "a + ", "a; }", million, high);
  check_flood("model { x = ", "a || b && ", "a; }", million, high);
  check_flood("model { x = a", "'", "; }", million, high);
  check_flood("model { x = a", "[1]", "; }", million, high);
  check_flood("model { x = a", ".1", "; }", million, high);
  check_flood("model { ", "{ ", "", million, deep);
  check_flood("model { ", "{ x = 1; ", "", million, deep);
  check_flood("model { ", "if (a) ", "", million, deep);
  check_flood("model { ", "while (a) ", "", million, deep);
  check_flood("model { ", "for (i in a) { ", "", million, deep);
  check_flood("model { ", "if (a) { } else ", "", million, "more than 1000 branches");
  check_flood("model { ", "profile(\"a\") {", "", million, deep);
  check_flood("data { ", "tuple(", "", million, deep);
  check_flood("functions { ", "tuple(", "", million, deep);
  check_flood("functions { real f(array[", ",", "] real x); }", million, "more than 7 dimensions");
  check_flood("data { real x[1", ",1", "]; }", million, "there may be 7");
  check_flood("model { x = {1", ",1", "}; }", 14 * million, "more than 2097152 expressions");
  check_flood("model { ", "/* ", "", million, "not closed");
  check_flood("model { x = ", "1", "; }", million, "integers reach up to");
  check_flood("", "model { }\n", "", 20 * million, "at most 16777216 are read");
  check_flood("", "\n", "@", 10 * million, "'@' is no part of Stan");
}

/* What is long but flat is read: a thousand statements, an array of many numbers, a long name. */
TEST(long_programs) {
  enum { BYTES = 2000000 };
  char *text = malloc(BYTES + 4096);
  if (!text) exit(3);
  size_t length = (size_t)sprintf(text, "transformed data {\n  array[9] int a = {1");
  while (length < BYTES / 2) length += (size_t)sprintf(text + length, ", %d", (int)(length % 1000));
  length += (size_t)sprintf(text + length, "};\n  real ");
  memset(text + length, 'n', 1000);
  length += 1000;
  length += (size_t)sprintf(text + length, ";\n}\nmodel {\n");
  while (length < BYTES)
    length += (size_t)sprintf(text + length,
                              "  for (n in 1:N) { // a comment of a usual length\n"
                              "    y[n] ~ normal(alpha + beta * x[n, 2], sigma[group[n]]);\n  }\n");
  length += (size_t)sprintf(text + length, "}\n");
  sl_context *context = new_context();
  sl__stan_program *made = NULL;
  double start = sl__os_seconds();
  CHECK_OK(context, sl__stan_parse(context, "long.stan", text, length, &made));
  double seconds = sl__os_seconds() - start;
  printf("  %.0f MB/s\n", (double)length / seconds / 1e6);
  CHECK(seconds < 10); /* loose: sanitizers and other work on the machine */
  sl__stan_program_free(context, made);
  sl_context_free(context);
  free(text);
}
