/* The words of a schema: parts and types of one item, read and printed. */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include "base/option.h"
#include "flow/schema_reader.h"

enum { MOST_ARGUMENTS = 2, SHOWN = 80 };
static const double most_whole = 0x1p51; /* halves are still exact */

/* ---- places ---- */

static bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

void sl__schema_skip_blanks(sl__schema_reader *in) {
  while (is_blank(*in->at)) in->at++;
}

/* Line and column of a place of the text. */
typedef struct spot {
  int line, column;
} spot;

static spot spot_of(const sl__schema_reader *in, const char *place) {
  spot out = {1, 1};
  for (const char *at = in->text; at < place; at++) {
    out.column++;
    if (*at == '\n') out = (spot){out.line + 1, 1};
  }
  return out;
}

sl_status sl__schema_refuse(const sl__schema_reader *in, const char *place, const char *message) {
  spot s = spot_of(in, place);
  return sl__fail_at(in->context, SL_BAD_ARGUMENT, s.line, s.column, "%s", message);
}

sl_status sl__schema_refuse_span(const sl__schema_reader *in, sl__span what, const char *before,
                                 const char *after) {
  spot s = spot_of(in, what.begin);
  return sl__fail_at(in->context, SL_BAD_ARGUMENT, s.line, s.column, "%s\"%.*s\"%s", before,
                     (int)(what.length < SHOWN ? what.length : SHOWN), what.begin, after);
}

/* ---- words ---- */

typedef enum word {
  WORD_DATA,
  WORD_CONTEXT,
  WORD_WEIGHT,
  WORD_SKIP,
  WORD_LABEL,
  WORD_REAL,
  WORD_POSITIVE,
  WORD_INTERVAL,
  WORD_PERIODIC,
  WORD_SIMPLEX,
  WORD_INTEGER,
  WORD_COUNT,
  WORD_WIDTH,
  WORDS
} word;

static const char *const word_names[WORDS] = {
    "data",     "context",  "weight",  "skip",    "label", "real", "positive",
    "interval", "periodic", "simplex", "integer", "count", "width"};
static const struct {
  int least, most;
  const char *example;
} word_arguments[WORDS] = {
    [WORD_INTERVAL] = {2, 2, "interval(0,1)"},
    [WORD_PERIODIC] = {2, 2, "periodic(0,360)"},
    [WORD_SIMPLEX] = {0, 1, "simplex or simplex(1)"},
    [WORD_WIDTH] = {1, 1, "width(0.5)"},
};

static sl_status read_arguments(sl__schema_reader *in, sl__span name, word which, int *count,
                                double values[MOST_ARGUMENTS]) {
  *count = 0;
  sl__schema_skip_blanks(in);
  bool open = *in->at == '(';
  while (open) {
    in->at++;
    sl__schema_skip_blanks(in);
    double value;
    const char *end = sl__parse_real(in->at, in->at + strlen(in->at), &value);
    if (!end || !isfinite(value))
      return sl__schema_refuse(in, in->at, "a number is missing; write one here");
    if (*count == MOST_ARGUMENTS)
      return sl__schema_refuse(in, in->at, "a number too many; leave it out");
    values[(*count)++] = value;
    in->at = end;
    sl__schema_skip_blanks(in);
    if (strchr("pPeE*/", *in->at) && *in->at)
      return sl__schema_refuse(in, in->at, "only numbers stand here; write 6.283185307 for 2 pi");
    if (*in->at != ',' && *in->at != ')')
      return sl__schema_refuse(in, in->at, "the bracket is not closed; add ')'");
    open = *in->at == ',';
  }
  if (*in->at == ')' && *count > 0) in->at++;
  if (*count >= word_arguments[which].least && *count <= word_arguments[which].most) return SL_OK;
  char mend[64];
  snprintf(mend, sizeof mend, " has the wrong number of arguments; write %s",
           word_arguments[which].most > 0 ? word_arguments[which].example : word_names[which]);
  return sl__schema_refuse_span(in, name, "", mend);
}

static sl_status take_part(const sl__schema_reader *in, sl__span name, sl__part part,
                           sl__meaning *out) {
  if (out->part != SL__PART_NONE)
    return sl__schema_refuse_span(in, name, "", " is a second part; a column has one");
  out->part = part;
  return SL_OK;
}

static sl_status take_support(const sl__schema_reader *in, sl__span name, sl__support support,
                              const double values[MOST_ARGUMENTS], sl__meaning *out) {
  if (out->has_support)
    return sl__schema_refuse_span(in, name, "",
                                  " is a second type; only integer and width join another");
  out->has_support = true;
  out->type.support = support;
  if (support == SL__SUPPORT_INTERVAL || support == SL__SUPPORT_PERIODIC) {
    out->type.low = values[0];
    out->type.high = values[1];
  }
  return SL_OK;
}

static sl_status take_group(const sl__schema_reader *in, sl__span name, int count, double value,
                            sl__meaning *out) {
  if (count == 0) return SL_OK;
  if (!(value >= 1 && value <= SL__MOST_GROUP && value == floor(value)))
    return sl__schema_refuse_span(in, name, "", " takes a number from 1; write simplex(1)");
  out->type.group = (int32_t)value;
  return SL_OK;
}

static sl_status take_word(const sl__schema_reader *in, sl__span name, word which, int count,
                           const double values[MOST_ARGUMENTS], sl__meaning *out) {
  switch (which) {
    case WORD_DATA: return take_part(in, name, SL__PART_DATA, out);
    case WORD_CONTEXT: return take_part(in, name, SL__PART_CONTEXT, out);
    case WORD_WEIGHT: return take_part(in, name, SL__PART_WEIGHT, out);
    case WORD_SKIP: return take_part(in, name, SL__PART_SKIP, out);
    case WORD_LABEL: out->label = true; return take_part(in, name, SL__PART_CONTEXT, out);
    case WORD_REAL: return take_support(in, name, SL__SUPPORT_REAL, values, out);
    case WORD_POSITIVE: return take_support(in, name, SL__SUPPORT_POSITIVE, values, out);
    case WORD_INTERVAL: return take_support(in, name, SL__SUPPORT_INTERVAL, values, out);
    case WORD_PERIODIC: return take_support(in, name, SL__SUPPORT_PERIODIC, values, out);
    case WORD_SIMPLEX:
      SL__TRY(take_support(in, name, SL__SUPPORT_SIMPLEX, values, out));
      return take_group(in, name, count, values[0], out);
    case WORD_COUNT:
      out->counts = out->type.integer = true;
      return take_support(in, name, SL__SUPPORT_POSITIVE, values, out);
    case WORD_INTEGER: out->type.integer = true; return SL_OK;
    case WORD_WIDTH:
      out->type.width = values[0];
      if (values[0] > 0) return SL_OK;
      return sl__schema_refuse_span(in, name, "", " is of no width; give a number above 0");
    case WORDS: break;
  }
  return SL_OK;
}

/* Words that other programs have for these things, in small letters. */
static const char *const other_words[][2] = {
    {"angle", "periodic(0,360)"},
    {"circular", "periodic(0,360)"},
    {"cyclic", "periodic(0,360)"},
    {"bounded", "interval(0,1)"},
    {"range", "interval(0,1)"},
    {"unit", "interval(0,1)"},
    {"int", "integer"},
    {"discrete", "integer"},
    {"ordinal", "integer"},
    {"bool", "interval(0,1) integer"},
    {"boolean", "interval(0,1) integer"},
    {"binary", "interval(0,1) integer"},
    {"float", "real"},
    {"double", "real"},
    {"numeric", "real"},
    {"continuous", "real"},
    {"nonnegative", "positive"},
    {"log", "positive"},
    {"condition", "context"},
    {"ignore", "skip"},
    {"drop", "skip"},
};
/* Names of no quantity, which no type can help. */
static const char *const category_words[] = {"category", "categorical", "factor",
                                             "nominal",  "string",      "text"};

/* How to go on after a word that is none, into mend. */
static void suggest_word(sl__span name, char mend[128]) {
  char copy[32] = "";
  for (size_t i = 0; i < name.length && i + 1 < sizeof copy; i++)
    copy[i] = (char)(name.begin[i] >= 'A' && name.begin[i] <= 'Z' ? name.begin[i] - 'A' + 'a'
                                                                  : name.begin[i]);
  for (size_t i = 0; i < sizeof category_words / sizeof *category_words; i++)
    if (strcmp(copy, category_words[i]) == 0) {
      snprintf(
          mend, 128,
          "; categories are no data: condition on them, as label, or write columns of 0 and 1");
      return;
    }
  if (strchr(copy, ';')) {
    snprintf(mend, 128, "; items are separated by commas");
    return;
  }
  const char *near = NULL;
  for (size_t i = 0; i < sizeof other_words / sizeof *other_words; i++)
    if (strcmp(copy, other_words[i][0]) == 0) near = other_words[i][1];
  if (!near) near = sl__nearest_name(copy, word_names, WORDS);
  if (near)
    snprintf(mend, 128, "; did you mean \"%s\"?", near);
  else
    snprintf(mend, 128, "; write data, context, weight, skip, label or a type");
}

static sl_status read_word(sl__schema_reader *in, sl__meaning *out) {
  sl__span name = {.begin = in->at, .length = strcspn(in->at, " \t\r\n,:(")};
  int which = 0;
  while (which < WORDS && (strlen(word_names[which]) != name.length ||
                           strncmp(word_names[which], name.begin, name.length) != 0))
    which++;
  if (which == WORDS) {
    char mend[128];
    suggest_word(name, mend);
    return sl__schema_refuse_span(in, name, "there is no part or type ", mend);
  }
  in->at += name.length;
  int count;
  double values[MOST_ARGUMENTS] = {0};
  SL__TRY(read_arguments(in, name, (word)which, &count, values));
  return take_word(in, name, (word)which, count, values, out);
}

/* What is wrong with a type as a whole, with its mend; NULL: nothing. */
static const char *find_fault(const sl__column_type *t) {
  bool ranged = t->support == SL__SUPPORT_INTERVAL || t->support == SL__SUPPORT_PERIODIC;
  if (ranged && !(t->low < t->high && isfinite(t->high - t->low)))
    return "the range has no length; give the smaller end first";
  if (t->integer && t->support == SL__SUPPORT_SIMPLEX)
    return "shares that sum to 1 are no integers; leave one word out";
  if (t->integer && t->width != 0) return "integers have width 1; leave width out";
  if (t->width != 0 && t->support == SL__SUPPORT_SIMPLEX)
    return "shares cannot be spread by noise; leave width out";
  if (t->integer && ranged && (t->low != floor(t->low) || t->high != floor(t->high)))
    return "integers lie between whole numbers; write whole ends";
  if (t->integer && ranged && !(fabs(t->low) <= most_whole && fabs(t->high) <= most_whole))
    return "integers so large are not told apart; subtract a constant, or call them real";
  return NULL;
}

sl_status sl__schema_read_words(sl__schema_reader *in, sl__meaning *out) {
  const char *first = in->at;
  *out = (sl__meaning){0};
  while (*in->at && *in->at != ',') {
    if (*in->at == ':' || *in->at == '(' || *in->at == ')')
      return sl__schema_refuse(in, in->at,
                               "a part or a type is missing; write one, or leave the mark out");
    SL__TRY(read_word(in, out));
    sl__schema_skip_blanks(in);
  }
  if (in->at == first)
    return sl__schema_refuse(in, in->at, "a part or a type is missing; write one");
  const char *fault = find_fault(&out->type);
  if (fault) return sl__schema_refuse(in, first, fault);
  sl__column_type *type = &out->type;
  if (type->support == SL__SUPPORT_POSITIVE) type->low = type->integer && !out->counts ? 1 : 0;
  if (type->integer) type->width = 1;
  out->typed = out->has_support || type->width != 0;
  if (out->typed && out->part != SL__PART_NONE && out->part != SL__PART_DATA)
    return sl__schema_refuse(in, first, "only data has a type; leave one of the words out");
  return SL_OK;
}

/* ---- one type ---- */

static const sl__column_kind kinds[SL__SUPPORTS] = {
#define COLUMN_TYPE(support, text, ...) \
  [SL__SUPPORT_##support] = {text, (const char *const[]){__VA_ARGS__, NULL}},
#include "flow/column_types.def"
};

const sl__column_kind *sl__column_kinds(void) {
  return kinds;
}

sl_status sl__type_read(sl_context *context, const char *text, sl__column_type *out) {
  sl__schema_reader in = {context, text, text};
  sl__meaning said;
  sl__schema_skip_blanks(&in);
  SL__TRY(sl__schema_read_words(&in, &said));
  if (*in.at || said.part != SL__PART_NONE ||
      (said.type.support == SL__SUPPORT_SIMPLEX && said.type.group == 0))
    return sl__fail(context, SL_BAD_ARGUMENT, "\"%.80s\" is no column's type; write one alone",
                    text);
  *out = said.type;
  return SL_OK;
}

bool sl__type_is_real(const sl__column_type *type) {
  return type->support == SL__SUPPORT_REAL && !type->integer && type->width == 0;
}

void sl__type_print(const sl__column_type *type, sl__text *text) {
  bool ranged = type->support == SL__SUPPORT_INTERVAL || type->support == SL__SUPPORT_PERIODIC;
  bool counts = type->support == SL__SUPPORT_POSITIVE && type->integer && type->low == 0;
  if (counts)
    sl__text_add(text, "count");
  else if (type->support != SL__SUPPORT_REAL || !type->integer)
    sl__text_add(text, "%s", kinds[type->support].name);
  if (ranged) {
    sl__text_add(text, "(");
    sl__text_add_real(text, type->low, SL_F64);
    sl__text_add(text, ",");
    sl__text_add_real(text, type->high, SL_F64);
    sl__text_add(text, ")");
  }
  if (type->support == SL__SUPPORT_SIMPLEX) sl__text_add(text, "(%d)", type->group);
  if (type->integer && !counts)
    sl__text_add(text, "%sinteger", type->support == SL__SUPPORT_REAL ? "" : " ");
  if (type->integer || type->width == 0) return;
  sl__text_add(text, " width(");
  sl__text_add_real(text, type->width, SL_F64);
  sl__text_add(text, ")");
}
