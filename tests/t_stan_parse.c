/* The Stan parser: trees of good programs, places and words of messages for bad ones, and texts
 * made to exhaust it. Trees are compared as fully bracketed forms written here, independent of the
 * printer; the printer's text must parse to the same tree. */
#include "base/os.h"
#include "base/text.h"
#include "check.h"
#include "stan/parse.h"
#include <ftw.h>

typedef struct fixture {
  sl_context *context;
  sl__stan_program *program;
  sl__text text;
} fixture;

static fixture parse_bytes(const char *text, size_t length) {
  fixture f = {0};
  sl_context_options options = {.size = sizeof options, .threads = 1};
  if (sl_context_new(&options, &f.context) != SL_OK) exit(3);
  sl__stan_parse(f.context, "test.stan", text, length, &f.program);
  sl__text_open(&f.text, f.context);
  return f;
}

static fixture parse(const char *text) {
  return parse_bytes(text, strlen(text));
}

static void finish(fixture *f) {
  sl__text_close(&f->text);
  sl__stan_program_free(f->context, f->program);
  sl_context_free(f->context);
}

/* ---- trees ---- */

static void write_form(sl__text *text, const sl__stan_expression *node);

static void write_forms(sl__text *text, const char *head, sl__stan_expression *const *items,
                        int count) {
  sl__text_add(text, "(%s", head);
  for (int i = 0; i < count; i++) {
    sl__text_add(text, " ");
    write_form(text, items[i]);
  }
  sl__text_add(text, ")");
}

static void write_indices(sl__text *text, const sl__stan_expression *node) {
  sl__text_add(text, "(index ");
  write_form(text, node->argument[0]);
  for (int i = 0; i < node->index_count; i++) {
    const sl__stan_index *index = &node->index[i];
    static const char *const words[] = {"all", "at", "from", "to", "range"};
    sl__text_add(text, " %s", words[index->kind]);
    if (index->low) sl__text_add(text, "="), write_form(text, index->low);
    if (index->high) sl__text_add(text, "="), write_form(text, index->high);
  }
  sl__text_add(text, ")");
}

static void write_form(sl__text *text, const sl__stan_expression *node) {
  char head[128];
  switch (node->kind) {
    case SL__STAN_INTEGER: sl__text_add(text, "%d", (int)node->integer); return;
    case SL__STAN_REAL:
    case SL__STAN_IMAGINARY:
      sl__text_add(text, node->kind == SL__STAN_REAL ? "real:" : "imaginary:");
      sl__text_add_real(text, node->real, SL_F64);
      return;
    case SL__STAN_STRING: sl__text_add(text, "\"%s\"", node->name); return;
    case SL__STAN_VARIABLE: sl__text_add(text, "%s", node->name); return;
    case SL__STAN_CALL:
      snprintf(head, sizeof head, "%s%s", node->bar ? "|" : "", node->name);
      break;
    case SL__STAN_INDEXED: write_indices(text, node); return;
    case SL__STAN_TERNARY: snprintf(head, sizeof head, "?"); break;
    case SL__STAN_ARRAY: snprintf(head, sizeof head, "array"); break;
    case SL__STAN_ROW: snprintf(head, sizeof head, "row"); break;
    case SL__STAN_TUPLE: snprintf(head, sizeof head, "tuple"); break;
    case SL__STAN_TARGET: snprintf(head, sizeof head, "target"); break;
    case SL__STAN_MEMBER: snprintf(head, sizeof head, ".%d", (int)node->integer); break;
    default: snprintf(head, sizeof head, "%s", sl__stan_operator_text(node->op)); break;
  }
  write_forms(text, head, node->argument, node->argument_count);
}

static const sl__stan_statement *first_statement(const fixture *f) {
  return f->program ? f->program->block[SL__STAN_MODEL] : NULL;
}

static void check_form(const char *expression, const char *form) {
  char program[512];
  snprintf(program, sizeof program, "model { x = %s; }", expression);
  fixture f = parse(program);
  CHECK_OK(f.context, f.program ? SL_OK : SL_SYNTAX);
  if (f.program) {
    write_form(&f.text, first_statement(&f)->value);
    CHECK_TEXT(f.text.data, form);
    sl__text_close(&f.text);
    sl__text_open(&f.text, f.context);
    sl__stan_print_expression(first_statement(&f)->value, &f.text);
    snprintf(program, sizeof program, "model { x = %s; }", f.text.data);
    fixture again = parse(program);
    if (CHECK(again.program != NULL)) {
      write_form(&again.text, first_statement(&again)->value);
      CHECK_TEXT(again.text.data, form);
    }
    finish(&again);
  }
  finish(&f);
}

TEST(precedence) {
  check_form("a + b * c", "(+ a (* b c))");
  check_form("(a + b) * c", "(* (+ a b) c)");
  check_form("a - b - c", "(- (- a b) c)");
  check_form("a - (b - c)", "(- a (- b c))");
  check_form("a / b * c % d", "(% (* (/ a b) c) d)");
  check_form("a * b %/% c", "(* a (%/% b c))");
  check_form("a \\ b / c", "(/ (\\ a b) c)");
  check_form("a .* b ./ c + d", "(+ (./ (.* a b) c) d)");
  check_form("a ^ b ^ c", "(^ a (^ b c))");
  check_form("(a ^ b) .^ c", "(.^ (^ a b) c)");
  check_form("-a ^ b", "(- (^ a b))");
  check_form("(-a) ^ b", "(^ (- a) b)");
  check_form("a ^ -b ^ c", "(^ a (- (^ b c)))");
  check_form("a ^ -b * c", "(* (^ a (- b)) c)");
  check_form("a ^ (-b) ^ c", "(^ a (^ (- b) c))");
  check_form("a ^ (b * c)", "(^ a (* b c))");
  check_form("-a * b", "(* (- a) b)");
  check_form("-(a * b)", "(- (* a b))");
  check_form("a - -b", "(- a (- b))");
  check_form("- + - a", "(- (+ (- a)))");
  check_form("!a == b", "(== (! a) b)");
  check_form("!(a == b)", "(! (== a b))");
  check_form("-a'", "(- (' a))");
  check_form("(-a)'", "(' (- a))");
  check_form("a' * b''", "(* (' a) (' (' b)))");
  check_form("a ^ b'", "(^ a (' b))");
  check_form("(a ^ b)'", "(' (^ a b))");
  check_form("a < b == c >= d", "(== (< a b) (>= c d))");
  check_form("a < b <= c", "(<= (< a b) c)");
  check_form("a || b && c || d", "(|| (|| a (&& b c)) d)");
  check_form("a && (b || c)", "(&& a (|| b c))");
  check_form("a != b && c > d + 1", "(&& (!= a b) (> c (+ d 1)))");
  check_form("a || b ? c : d", "(? (|| a b) c d)");
  check_form("a ? b : c ? d : e", "(? a b (? c d e))");
  check_form("a ? b ? c : d : e", "(? a (? b c d) e)");
  check_form("(a ? b : c) ? d : e", "(? (? a b c) d e)");
  check_form("1 + (a ? b : c)", "(+ 1 (? a b c))");
}

TEST(numbers) {
  check_form("2147483647", "2147483647");
  check_form("007", "7");
  check_form("1_000_000", "1000000");
  check_form("1e3", "real:1000");
  check_form("1E+3", "real:1000");
  check_form(".5", "real:0.5");
  check_form("1.", "real:1");
  check_form("1.25e-2", "real:0.0125");
  check_form("1_0.2_5", "real:10.25");
  check_form("1e-400", "real:0");
  check_form("3i", "imaginary:3");
  check_form("2.5e1i + 1", "(+ imaginary:25 1)");
  check_form("1./2", "(/ real:1 2)");
  check_form("1 ./2", "(./ 1 2)");
  check_form("2.*a", "(* real:2 a)");
}

TEST(calls_and_collections) {
  check_form("f()", "(f)");
  check_form("f(a, b + 1)", "(f a (+ b 1))");
  check_form("f_lpdf(a | b, c)", "(|f_lpdf a b c)");
  check_form("f_lpdf(a | )", "(|f_lpdf a)");
  check_form("{1, {2}}", "(array 1 (array 2))");
  check_form("[[1, 2], [3, a]]'", "(' (row (row 1 2) (row 3 a)))");
  check_form("[]", "(row)");
  check_form("(1, a, {2})", "(tuple 1 a (array 2))");
  check_form("(1,)", "(tuple 1)");
  check_form("((a))", "a");
  check_form("target() + T", "(+ (target) T)");
  check_form("f(g, x)[2]", "(index (f g x) at=2)");
}

TEST(indexing) {
  check_form("a[1]", "(index a at=1)");
  check_form("a[i, j][k]", "(index (index a at=i at=j) at=k)");
  check_form("a[]", "(index a all)");
  check_form("a[:, ]", "(index a all all)");
  check_form("a[2:, :3, i:j]", "(index a from=2 to=3 range=i=j)");
  check_form("a[b ? 1 : 2 : n - 1]", "(index a range=(? b 1 2)=(- n 1))");
  check_form("a[{1, 2}]'", "(' (index a at=(array 1 2)))");
  check_form("a.1.2[3].4", "(.4 (index (.2 (.1 a)) at=3))");
  check_form("(1).1", "(.1 1)");
  check_form("{1, 2}[2]", "(index (array 1 2) at=2)");
  check_form("(a')[1]", "(index (' a) at=1)");
}

/* ---- whole programs ---- */

/* An empty program prints nothing. */
static const char *text_of(const fixture *f) {
  return f->text.data ? f->text.data : "";
}

/* Parses, prints, compares; the printed text must print the same. */
static void check_printed(const char *program, const char *printed) {
  fixture f = parse(program);
  CHECK_OK(f.context, f.program ? SL_OK : SL_SYNTAX);
  if (f.program) {
    sl__stan_print(f.program, &f.text);
    if (printed) CHECK_TEXT(text_of(&f), printed);
    fixture again = parse(text_of(&f));
    CHECK_OK(again.context, again.program ? SL_OK : SL_SYNTAX);
    if (again.program) {
      sl__stan_print(again.program, &again.text);
      CHECK_TEXT(text_of(&again), text_of(&f));
    }
    finish(&again);
  }
  finish(&f);
}

TEST(empty_programs) {
  check_printed("", "");
  check_printed("  // nothing\n/* at * all **/", "");
  check_printed("data{}transformed\n data{}model{}",
                "data {\n}\ntransformed data {\n}\nmodel {\n}\n");
}

TEST(declarations) {
  check_printed("data { int N; real a, b[N, 2]; vector<lower=0>[N] v[3], w; }",
                "data {\n  int N;\n  real a;\n  array[N, 2] real b;\n"
                "  array[3] vector<lower=0>[N] v;\n  vector<lower=0>[N] w;\n}\n");
  check_printed("parameters { array[2] cholesky_factor_cov[3] L; cholesky_factor_cov[3, 2] M; }",
                "parameters {\n  array[2] cholesky_factor_cov[3] L;\n"
                "  cholesky_factor_cov[3, 2] M;\n}\n");
  check_printed("parameters { real<multiplier=2, offset=a * (b < c)> x; real<upper=-1> y; }",
                "parameters {\n  real<offset=a * (b < c), multiplier=2> x;\n"
                "  real<upper=-1> y;\n}\n");
  check_printed(
      "model { real a = 1, b; array[2] tuple(int, array[N] vector[2]) t; tuple(int,) u; }",
      "model {\n  real a = 1;\n  real b;\n"
      "  array[2] tuple(int, array[N] vector[2]) t;\n  tuple(int,) u;\n}\n");
  check_printed("data { ; real transformedx; ; }", "data {\n  real transformedx;\n}\n");
}

TEST(declared_variables) {
  fixture f = parse("data { vector<lower=0, upper=1>[K] v[4, 5]; } transformed data { real g; "
                    "{ real h; } } model { real l; for (i in 1:2) { } for (x in v) ; }");
  REQUIRE(f.program != NULL);
  const sl__stan_variable *v = f.program->block[SL__STAN_DATA]->variable;
  CHECK_INTEGER(v->type.base, SL__STAN_VECTOR_TYPE);
  CHECK_INTEGER(v->type.arrays, 2);
  CHECK_INTEGER(v->size_count, 3);
  CHECK_INTEGER(v->size[0]->integer, 4);
  CHECK_TEXT(v->size[2]->name, "K");
  CHECK_INTEGER(v->constraint, SL__STAN_BOUNDED);
  CHECK_INTEGER(v->block, SL__STAN_DATA);
  CHECK(!v->local && v->lower && v->upper && !v->offset);
  CHECK_INTEGER((int)v->place, 35);
  const sl__stan_statement *g = f.program->block[SL__STAN_TRANSFORMED_DATA];
  CHECK(!g->variable->local && g->next->first->variable->local);
  const sl__stan_statement *l = f.program->block[SL__STAN_MODEL];
  CHECK(l->variable->local && l->next->variable->loop);
  CHECK_INTEGER(l->next->kind, SL__STAN_FOR);
  CHECK_INTEGER(l->next->variable->type.base, SL__STAN_INT_TYPE);
  CHECK_INTEGER(l->next->next->kind, SL__STAN_FOREACH);
  finish(&f);
}

TEST(functions) {
  check_printed("functions { void f(); real g_lpdf(real[,] x, data vector[] y, array[] int z) { ; "
                "return 1; } array[,] matrix h(tuple(int, array[] real) t) { } }",
                "functions {\n  void f();\n"
                "  real g_lpdf(array[,] real x, data array[] vector y, array[] int z) {\n    {\n"
                "    }\n    return 1;\n  }\n"
                "  array[,] matrix h(tuple(int, array[] real) t) {\n  }\n}\n");
}

TEST(statements) {
  check_printed("model { x[1] .*= 2; a.1 -= 1; target += 1; jacobian += x; f(x); return; break; }",
                "model {\n  x[1] .*= 2;\n  a.1 -= 1;\n  target += 1;\n  jacobian += x;\n  f(x);\n"
                "  return;\n  break;\n}\n");
  check_printed(
      "model { y ~ normal(0, 1) T[a, ]; -y + 1 ~ f() T[,b]; (a) ~ T(1) T[,]; {a, b} ~ g(); "
      "{f(a)} ~ g(); {{1}, {2}} ~ g(); }",
      "model {\n  y ~ normal(0, 1) T[a, ];\n  -y + 1 ~ f() T[, b];\n  a ~ T(1) T[, ];\n"
      "  {a, b} ~ g();\n  {f(a)} ~ g();\n  {{1}, {2}} ~ g();\n}\n");
  check_printed(
      "model { if (a) if (b) x = 1; else y = 1; else if (c) { } else for (i in a:b) while "
      "(c) continue; }",
      "model {\n  if (a)\n    if (b)\n      x = 1;\n    else\n      y = 1;\n"
      "  else if (c) {\n  }\n  else\n    for (i in a:b)\n      while (c)\n"
      "        continue;\n}\n");
  check_printed(
      "model { for (v in {1, 2}) print(\"v // \", v); if (a) real b = 1, c; {{}{;}} "
      "profile(\"p\") { (a, b[1]) = f(); target() ~ g(); } }",
      "model {\n  for (v in {1, 2})\n    print(\"v // \", v);\n  if (a) {\n"
      "    real b = 1;\n    real c;\n  }\n  {\n    {\n    }\n    {\n      {\n      }\n"
      "    }\n  }\n  profile(\"p\") {\n    (a, b[1]) = f();\n    target() ~ g();\n  }\n}\n");
}

/* ---- files ---- */

static int files_read, files_refused;

static int read_program(const char *path, const struct stat *status, int type, struct FTW *level) {
  (void)status;
  (void)level;
  size_t length = strlen(path);
  if (type != FTW_F || length < 5 || strcmp(path + length - 5, ".stan") != 0) return 0;
  if (strstr(path, "/bad/")) return 0; /* t_stan_messages.c */
  FILE *file = fopen(path, "rb");
  if (!file) return 0;
  static char bytes[1 << 20];
  size_t count = fread(bytes, 1, sizeof bytes - 1, file);
  fclose(file);
  bytes[count] = '\0';
  files_read++;
  fixture f = parse_bytes(bytes, count);
  if (f.program) {
    check_printed(bytes, NULL);
  } else {
    files_refused++;
    printf("  %s: %s\n%s\n", path, sl_error(f.context), f.context->error.excerpt);
  }
  finish(&f);
  return 0;
}

TEST(own_programs) {
  files_read = files_refused = 0;
  nftw("tests/stan", read_program, 16, FTW_PHYS);
  CHECK(files_read >= 2);
  CHECK_INTEGER(files_refused, 0);
}

TEST(programs_of_others) {
  const char *folder = getenv("SLUICE_STAN_PROGRAMS");
  if (!folder) SKIP("SLUICE_STAN_PROGRAMS names no folder of Stan programs");
  files_read = files_refused = 0;
  nftw(folder, read_program, 16, FTW_PHYS);
  printf("  %d programs read, %d refused\n", files_read, files_refused);
  CHECK(files_read > 0);
  CHECK_INTEGER(files_refused, 0);
}
