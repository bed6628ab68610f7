/* Canonical text of a tree: today's array syntax, one variable for each declaration, two blanks for
 * each level, parentheses only where precedence asks for them. Parsing it gives the same tree. */
#include "base/text.h"
#include "stan/parse.h"
#include <string.h>

typedef struct printer {
  sl__text *text;
  int level; /* of indentation */
} printer;

static void print_expression(sl__text *text, const sl__stan_expression *node, int least_strength);

/* ---- expressions ---- */

static int strength_of(const sl__stan_expression *node) {
  switch (node->kind) {
    case SL__STAN_TERNARY: return SL__STAN_BIND_TERNARY;
    case SL__STAN_BINARY:
    case SL__STAN_UNARY: return sl__stan_operator_strength(node->op);
    default: return SL__STAN_BIND_PRIMARY;
  }
}

static void print_list(sl__text *text, const char *open, sl__stan_expression *const *items,
                       int count, const char *close) {
  sl__text_add(text, "%s", open);
  for (int i = 0; i < count; i++) {
    if (i > 0) sl__text_add(text, ", ");
    print_expression(text, items[i], SL__STAN_BIND_TERNARY);
  }
  sl__text_add(text, "%s", close);
}

/* A real is never written as an integer is. */
static void print_real(sl__text *text, double value) {
  char number[64];
  sl__format_real(number, value, SL_F64);
  sl__text_add(text, "%s%s", number, strpbrk(number, ".e") ? "" : ".0");
}

static void print_call(sl__text *text, const sl__stan_expression *node) {
  sl__text_add(text, "%s", node->name);
  if (!node->bar) {
    print_list(text, "(", node->argument, node->argument_count, ")");
    return;
  }
  print_list(text, "(", node->argument, 1, " | ");
  print_list(text, "", node->argument + 1, node->argument_count - 1, ")");
}

static void print_index(sl__text *text, const sl__stan_index *index) {
  if (index->low) print_expression(text, index->low, SL__STAN_BIND_TERNARY);
  if (index->kind != SL__STAN_INDEX_AT) sl__text_add(text, ":");
  if (index->high) print_expression(text, index->high, SL__STAN_BIND_TERNARY);
}

static void print_indexed(sl__text *text, const sl__stan_expression *node) {
  print_expression(text, node->argument[0], SL__STAN_BIND_PRIMARY);
  sl__text_add(text, "[");
  for (int i = 0; i < node->index_count; i++) {
    if (i > 0) sl__text_add(text, ", ");
    print_index(text, &node->index[i]);
  }
  sl__text_add(text, "]");
}

/* a.1: behind a number the point would belong to it. */
static void print_member(sl__text *text, const sl__stan_expression *node) {
  const sl__stan_expression *tuple = node->argument[0];
  bool number = tuple->kind == SL__STAN_INTEGER || tuple->kind == SL__STAN_REAL ||
                tuple->kind == SL__STAN_IMAGINARY;
  if (number) sl__text_add(text, "(");
  print_expression(text, tuple, SL__STAN_BIND_PRIMARY);
  sl__text_add(text, "%s.%lld", number ? ")" : "", (long long)node->integer);
}

static void print_unary(sl__text *text, const sl__stan_expression *node) {
  const char *sign = sl__stan_operator_text(node->op);
  if (node->op == SL__STAN_TRANSPOSE) {
    print_expression(text, node->argument[0], SL__STAN_BIND_POSTFIX);
    sl__text_add(text, "%s", sign);
  } else {
    sl__text_add(text, "%s", sign);
    print_expression(text, node->argument[0], SL__STAN_BIND_UNARY);
  }
}

/* The right side of a power may begin with a unary operator, which reaches as far as it can. */
static void print_binary(sl__text *text, const sl__stan_expression *node) {
  int strength = sl__stan_operator_strength(node->op);
  bool power = strength == SL__STAN_BIND_POWER;
  const sl__stan_expression *right = node->argument[1];
  bool unary = power && right->kind == SL__STAN_UNARY;
  print_expression(text, node->argument[0], power ? strength + 1 : strength);
  sl__text_add(text, " %s ", sl__stan_operator_text(node->op));
  print_expression(text, right, unary ? SL__STAN_BIND_UNARY : power ? strength : strength + 1);
}

static void print_ternary(sl__text *text, const sl__stan_expression *node) {
  print_expression(text, node->argument[0], SL__STAN_BIND_OR);
  sl__text_add(text, " ? ");
  print_expression(text, node->argument[1], SL__STAN_BIND_TERNARY);
  sl__text_add(text, " : ");
  print_expression(text, node->argument[2], SL__STAN_BIND_TERNARY);
}

static void print_bare(sl__text *text, const sl__stan_expression *node) {
  switch (node->kind) {
    case SL__STAN_INTEGER: sl__text_add(text, "%lld", (long long)node->integer); break;
    case SL__STAN_REAL: print_real(text, node->real); break;
    case SL__STAN_IMAGINARY:
      print_real(text, node->real);
      sl__text_add(text, "i");
      break;
    case SL__STAN_STRING: sl__text_add(text, "\"%s\"", node->name); break;
    case SL__STAN_VARIABLE: sl__text_add(text, "%s", node->name); break;
    case SL__STAN_CALL: print_call(text, node); break;
    case SL__STAN_INDEXED: print_indexed(text, node); break;
    case SL__STAN_UNARY: print_unary(text, node); break;
    case SL__STAN_BINARY: print_binary(text, node); break;
    case SL__STAN_TERNARY: print_ternary(text, node); break;
    case SL__STAN_ARRAY: print_list(text, "{", node->argument, node->argument_count, "}"); break;
    case SL__STAN_ROW: print_list(text, "[", node->argument, node->argument_count, "]"); break;
    case SL__STAN_TUPLE:
      print_list(text, "(", node->argument, node->argument_count,
                 node->argument_count == 1 ? ",)" : ")");
      break;
    case SL__STAN_MEMBER: print_member(text, node); break;
    case SL__STAN_TARGET: sl__text_add(text, "target()"); break;
  }
}

static void print_expression(sl__text *text, const sl__stan_expression *node, int least_strength) {
  bool brackets = strength_of(node) < least_strength;
  if (brackets) sl__text_add(text, "(");
  print_bare(text, node);
  if (brackets) sl__text_add(text, ")");
}

void sl__stan_print_expression(const sl__stan_expression *expression, struct sl__text *text) {
  print_expression(text, expression, SL__STAN_BIND_TERNARY);
}

/* ---- types ---- */

static const char *base_word(sl__stan_base base) {
  switch (base) {
    case SL__STAN_INT_TYPE: return "int";
    case SL__STAN_REAL_TYPE: return "real";
    case SL__STAN_VECTOR_TYPE: return "vector";
    case SL__STAN_ROW_VECTOR_TYPE: return "row_vector";
    case SL__STAN_MATRIX_TYPE: return "matrix";
    case SL__STAN_COMPLEX_TYPE: return "complex";
    case SL__STAN_COMPLEX_VECTOR_TYPE: return "complex_vector";
    case SL__STAN_COMPLEX_ROW_VECTOR_TYPE: return "complex_row_vector";
    case SL__STAN_COMPLEX_MATRIX_TYPE: return "complex_matrix";
    case SL__STAN_TUPLE_TYPE: return "tuple";
    default: return "void";
  }
}

/* The word of a declared type: a constrained one has its own. */
static const char *type_word(const sl__stan_variable *variable) {
  bool vector = variable->type.base == SL__STAN_VECTOR_TYPE;
  switch (variable->constraint) {
    case SL__STAN_ORDERED: return "ordered";
    case SL__STAN_POSITIVE_ORDERED: return "positive_ordered";
    case SL__STAN_SIMPLEX: return "simplex";
    case SL__STAN_UNIT_VECTOR: return "unit_vector";
    case SL__STAN_SUM_TO_ZERO: return vector ? "sum_to_zero_vector" : "sum_to_zero_matrix";
    case SL__STAN_CORR_MATRIX: return "corr_matrix";
    case SL__STAN_COV_MATRIX: return "cov_matrix";
    case SL__STAN_CHOLESKY_FACTOR_CORR: return "cholesky_factor_corr";
    case SL__STAN_CHOLESKY_FACTOR_COV: return "cholesky_factor_cov";
    case SL__STAN_COLUMN_STOCHASTIC: return "column_stochastic_matrix";
    case SL__STAN_ROW_STOCHASTIC: return "row_stochastic_matrix";
    default: return base_word((sl__stan_base)variable->type.base);
  }
}

static void print_bounds(sl__text *text, const sl__stan_variable *variable) {
  const struct {
    const char *word;
    const sl__stan_expression *value;
  } bounds[] = {{"lower", variable->lower},
                {"upper", variable->upper},
                {"offset", variable->offset},
                {"multiplier", variable->multiplier}};
  const char *before = "<";
  for (size_t i = 0; i < sizeof bounds / sizeof *bounds; i++) {
    if (!bounds[i].value) continue;
    sl__text_add(text, "%s%s=", before, bounds[i].word);
    print_expression(text, bounds[i].value, SL__STAN_BIND_ADD);
    before = ", ";
  }
  if (before[0] == ',') sl__text_add(text, ">");
}

static void print_type(sl__text *text, const sl__stan_variable *variable);

static void print_tuple_type(sl__text *text, sl__stan_variable *const *elements, int count) {
  sl__text_add(text, "(");
  for (int i = 0; i < count; i++) {
    if (i > 0) sl__text_add(text, ", ");
    print_type(text, elements[i]);
  }
  sl__text_add(text, count == 1 ? ",)" : ")");
}

/* Of a declaration; without sizes: of a function's argument. */
static void print_type(sl__text *text, const sl__stan_variable *variable) {
  int arrays = variable->type.arrays;
  bool sized = variable->size_count > 0;
  if (arrays > 0 && sized) {
    print_list(text, "array[", variable->size, arrays, "] ");
  } else if (arrays > 0) {
    sl__text_add(text, "array[");
    for (int i = 1; i < arrays; i++) sl__text_add(text, ",");
    sl__text_add(text, "] ");
  }
  sl__text_add(text, "%s", type_word(variable));
  print_bounds(text, variable);
  if (variable->type.base == SL__STAN_TUPLE_TYPE)
    print_tuple_type(text, variable->element, variable->element_count);
  else if (variable->size_count > arrays)
    print_list(text, "[", variable->size + arrays, variable->size_count - arrays, "]");
}

void sl__stan_print_type(const sl__stan_variable *variable, sl__text *text) {
  print_type(text, variable);
}

/* ---- statements ---- */

static void print_statement(printer *out, const sl__stan_statement *statement);

static void print_indent(const printer *out) {
  for (int i = 0; i < out->level; i++) sl__text_add(out->text, "  ");
}

static void print_statements(printer *out, const sl__stan_statement *first) {
  for (const sl__stan_statement *at = first; at; at = at->next) {
    print_indent(out);
    print_statement(out, at);
  }
}

static void print_block(printer *out, const sl__stan_statement *first) {
  sl__text_add(out->text, "{\n");
  out->level++;
  print_statements(out, first);
  out->level--;
  print_indent(out);
  sl__text_add(out->text, "}\n");
}

/* What a loop or a branch does: a block on the same line, or one statement below. */
static void print_body(printer *out, const sl__stan_statement *body) {
  if (body->kind == SL__STAN_BLOCK_STATEMENT) {
    sl__text_add(out->text, " ");
    print_statement(out, body);
    return;
  }
  sl__text_add(out->text, "\n");
  out->level++;
  print_indent(out);
  print_statement(out, body);
  out->level--;
}

static void print_if(printer *out, const sl__stan_statement *statement) {
  for (;;) {
    sl__text_add(out->text, "if (");
    sl__stan_print_expression(statement->value, out->text);
    sl__text_add(out->text, ")");
    print_body(out, statement->body);
    statement = statement->otherwise;
    if (!statement) return;
    print_indent(out);
    sl__text_add(out->text, "else");
    if (statement->kind != SL__STAN_IF) break;
    sl__text_add(out->text, " ");
  }
  print_body(out, statement);
}

static void print_loop(printer *out, const sl__stan_statement *statement) {
  if (statement->kind == SL__STAN_WHILE)
    sl__text_add(out->text, "while (");
  else
    sl__text_add(out->text, "for (%s in ", statement->variable->name);
  sl__stan_print_expression(statement->value, out->text);
  if (statement->kind == SL__STAN_FOR) {
    sl__text_add(out->text, ":");
    sl__stan_print_expression(statement->high, out->text);
  }
  sl__text_add(out->text, ")");
  print_body(out, statement->body);
}

static void print_declaration(sl__text *text, const sl__stan_variable *variable) {
  print_type(text, variable);
  sl__text_add(text, " %s", variable->name);
  if (variable->value) {
    sl__text_add(text, " = ");
    sl__stan_print_expression(variable->value, text);
  }
  sl__text_add(text, ";\n");
}

static void print_assignment(sl__text *text, const sl__stan_statement *statement) {
  sl__stan_print_expression(statement->left, text);
  sl__text_add(text, " %s= ", statement->compound ? sl__stan_operator_text(statement->op) : "");
  sl__stan_print_expression(statement->value, text);
  sl__text_add(text, ";\n");
}

static void print_tilde(sl__text *text, const sl__stan_statement *statement) {
  sl__stan_print_expression(statement->value, text);
  sl__text_add(text, " ~ %s", statement->name);
  print_list(text, "(", statement->argument, statement->argument_count, ")");
  if (statement->truncated) {
    sl__text_add(text, " T[");
    if (statement->lower) sl__stan_print_expression(statement->lower, text);
    sl__text_add(text, ", ");
    if (statement->upper) sl__stan_print_expression(statement->upper, text);
    sl__text_add(text, "]");
  }
  sl__text_add(text, ";\n");
}

static void print_value(sl__text *text, const char *before, const sl__stan_expression *value) {
  sl__text_add(text, "%s", before);
  if (value) sl__stan_print_expression(value, text);
  sl__text_add(text, ";\n");
}

static void print_statement(printer *out, const sl__stan_statement *statement) {
  sl__text *text = out->text;
  switch (statement->kind) {
    case SL__STAN_DECLARE: print_declaration(text, statement->variable); break;
    case SL__STAN_ASSIGN: print_assignment(text, statement); break;
    case SL__STAN_TILDE: print_tilde(text, statement); break;
    case SL__STAN_TARGET_ADD: print_value(text, "target += ", statement->value); break;
    case SL__STAN_JACOBIAN_ADD: print_value(text, "jacobian += ", statement->value); break;
    case SL__STAN_EXPRESSION_STATEMENT: print_value(text, "", statement->value); break;
    case SL__STAN_IF: print_if(out, statement); break;
    case SL__STAN_FOR:
    case SL__STAN_FOREACH:
    case SL__STAN_WHILE: print_loop(out, statement); break;
    case SL__STAN_BLOCK_STATEMENT:
      if (statement->name) sl__text_add(text, "profile(\"%s\") ", statement->name);
      print_block(out, statement->first);
      break;
    case SL__STAN_RETURN:
      print_value(text, statement->value ? "return " : "return", statement->value);
      break;
    case SL__STAN_BREAK: sl__text_add(text, "break;\n"); break;
    case SL__STAN_CONTINUE: sl__text_add(text, "continue;\n"); break;
    case SL__STAN_PRINT:
      print_list(text, "print(", statement->argument, statement->argument_count, ");\n");
      break;
    case SL__STAN_REJECT:
      print_list(text, "reject(", statement->argument, statement->argument_count, ");\n");
      break;
    case SL__STAN_FATAL_ERROR:
      print_list(text, "fatal_error(", statement->argument, statement->argument_count, ");\n");
      break;
  }
}

/* ---- functions and the program ---- */

static void print_function(printer *out, const sl__stan_function *function) {
  sl__text *text = out->text;
  sl__stan_variable result = {.type = function->result,
                              .element = function->result_element,
                              .element_count = function->result_element_count};
  print_indent(out);
  print_type(text, &result);
  sl__text_add(text, " %s(", function->name);
  for (int i = 0; i < function->argument_count; i++) {
    const sl__stan_variable *argument = function->argument[i];
    sl__text_add(text, "%s%s", i > 0 ? ", " : "", argument->data_only_argument ? "data " : "");
    print_type(text, argument);
    sl__text_add(text, " %s", argument->name);
  }
  sl__text_add(text, ")");
  if (function->body)
    print_body(out, function->body);
  else
    sl__text_add(text, ";\n");
}

void sl__stan_print(const sl__stan_program *program, struct sl__text *text) {
  printer out = {.text = text};
  for (int i = 0; i < SL__STAN_BLOCKS; i++) {
    if (!program->has_block[i]) continue;
    sl__text_add(text, "%s ", sl__stan_block_name((sl__stan_block)i));
    if (i != SL__STAN_FUNCTIONS) {
      print_block(&out, program->block[i]);
      continue;
    }
    sl__text_add(text, "{\n");
    out.level++;
    for (const sl__stan_function *at = program->functions; at; at = at->next)
      print_function(&out, at);
    out.level--;
    sl__text_add(text, "}\n");
  }
}
