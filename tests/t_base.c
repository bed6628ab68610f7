/* The ground floor: memory, numbers, text, options, random numbers, threads. */
#include "base/option.h"
#include "base/os.h"
#include "base/pool.h"
#include "base/random.h"
#include "base/text.h"
#include "check.h"
#include <float.h>
#include <locale.h>
#include <stdatomic.h>
#include <unistd.h>

static sl_context *open_context(int threads) {
  sl_context *context = NULL;
  sl_context_options options = {.size = sizeof options, .threads = threads};
  CHECK(sl_context_new(&options, &context) == SL_OK);
  return context;
}

/* ---- context ---- */

TEST(context_refuses_bad_options) {
  sl_context *context = (sl_context *)1;
  sl_context_options options = {.size = sizeof options, .threads = -1};
  CHECK(sl_context_new(&options, &context) == SL_BAD_ARGUMENT && !context);
  options = (sl_context_options){0};
  CHECK(sl_context_new(&options, &context) == SL_BAD_ARGUMENT);
  CHECK(sl_context_new(NULL, NULL) == SL_BAD_ARGUMENT);
  sl_context_free(NULL);
}

TEST(context_without_options_uses_all_cores) {
  sl_context *context = NULL;
  REQUIRE(sl_context_new(NULL, &context) == SL_OK);
  CHECK_INTEGER(context->threads, sl__os_cores());
  CHECK_TEXT(sl_error(context), "");
  CHECK(!sl_error_place(context, NULL, NULL));
  sl_context_free(context);
}

TEST(errors_carry_prefix_and_place) {
  sl_context *context = open_context(1);
  CHECK(sl__fail_at(context, SL_SYNTAX, 3, 7, "bad %s", "thing") == SL_SYNTAX);
  CHECK(sl__fail_prefix(context, "file %d", 1) == SL_SYNTAX);
  CHECK_TEXT(sl_error(context), "file 1: bad thing");
  int32_t line = 0, column = 0;
  CHECK(sl_error_place(context, &line, &column) && line == 3 && column == 7);
  CHECK(sl__fail(context, SL_IO, "again: %s", sl_error(context)) == SL_IO);
  CHECK_TEXT(sl_error(context), "again: file 1: bad thing");
  CHECK(!sl_error_place(context, &line, &column) && line == 0);
  CHECK_TEXT(sl_status_text(SL_NO_MEMORY), "out of memory");
  CHECK_TEXT(sl_status_text((sl_status)999), "unknown status");
  char longest[2000];
  memset(longest, 'x', sizeof longest - 1);
  longest[sizeof longest - 1] = '\0';
  sl__fail(context, SL_IO, "%s", longest);
  sl__fail_prefix(context, "%s", longest);
  CHECK_INTEGER(strlen(sl_error(context)), sizeof context->error.message - 1);
  sl_context_free(context);
}

/* An allocator that counts what is out, and fails when told to. */
typedef struct counter {
  int64_t allocations, bytes, fail_at;
} counter;

static void *counting_reallocate(void *user, void *pointer, size_t old_size, size_t new_size) {
  counter *count = user;
  if (new_size > 0 && ++count->allocations == count->fail_at) return NULL;
  count->bytes += (int64_t)new_size - (int64_t)old_size;
  if (new_size > 0) return realloc(pointer, new_size);
  free(pointer);
  return NULL;
}

static sl_status make_and_use(counter *count) {
  sl_context_options options = {
      .size = sizeof options, .threads = 3, .reallocate = counting_reallocate, .user = count};
  sl_context *context = NULL;
  sl_status status = sl_context_new(&options, &context);
  if (status != SL_OK) return status;
  sl__arena arena;
  sl__arena_open(&arena, context);
  for (size_t i = 0; i < 100 && status == SL_OK; i++) {
    if (!sl__arena_take(&arena, i, 100)) status = context->error.status;
  }
  sl__arena_close(&arena);
  sl__text text;
  sl__text_open(&text, context);
  for (int i = 0; i < 100; i++) sl__text_add(&text, "%d ", i);
  if (text.failed) status = context->error.status;
  sl__text_close(&text);
  sl_context_free(context);
  return status;
}

TEST(every_failing_allocation_is_reported_and_nothing_leaks) {
  counter clean = {0};
  REQUIRE(make_and_use(&clean) == SL_OK);
  CHECK_INTEGER(clean.bytes, 0);
  CHECK(clean.allocations > 5);
  for (int64_t n = 1; n <= clean.allocations; n++) {
    counter failing = {.fail_at = n};
    CHECK(make_and_use(&failing) == SL_NO_MEMORY);
    CHECK_INTEGER(failing.bytes, 0);
  }
}

/* ---- memory ---- */

static bool is_zero(const char *bytes, size_t count) {
  for (size_t i = 0; i < count; i++) {
    if (bytes[i] != 0) return false;
  }
  return true;
}

TEST(memory_is_zeroed_aligned_and_checked) {
  sl_context *context = open_context(1);
  for (size_t size = 0; size < 300; size += 7) {
    char *p = sl__allocate(context, size, 1);
    REQUIRE(p);
    CHECK((uintptr_t)p % 64 == 0 && is_zero(p, size));
    memset(p, 1, size);
    p = sl__resize(context, p, size, size + 50, 1);
    REQUIRE(p);
    CHECK(is_zero(p + size, 50) && (size == 0 || p[size - 1] == 1));
    sl__free(&context->allocator, p);
  }
  CHECK(!sl__allocate(context, SIZE_MAX / 2, 3));
  CHECK(context->error.status == SL_NO_MEMORY);
  CHECK(!sl__allocate(context, SIZE_MAX, 1));
  sl__free(&context->allocator, NULL);
  sl_context_free(context);
}

TEST(arena_pieces_do_not_overlap) {
  sl_context *context = open_context(1);
  sl__arena arena;
  sl__arena_open(&arena, context);
  enum { PIECES = 2000 };
  static unsigned char *piece[PIECES];
  size_t length[PIECES];
  for (size_t i = 0; i < PIECES; i++) {
    length[i] = i % 400 == 399 ? 3000000 : (i * 37) % 500;
    piece[i] = sl__arena_take(&arena, length[i], 1);
    REQUIRE(piece[i]);
    CHECK((uintptr_t)piece[i] % (length[i] >= 64 ? 64 : 16) == 0);
    CHECK(is_zero((char *)piece[i], length[i]));
    memset(piece[i], (int)(i % 251), length[i]);
  }
  int64_t overwritten = 0;
  for (size_t i = 0; i < PIECES; i++) {
    for (size_t k = 0; k < length[i]; k++) overwritten += piece[i][k] != i % 251;
  }
  CHECK_INTEGER(overwritten, 0);
  CHECK(!sl__arena_take(&arena, SIZE_MAX / 4, 8));
  CHECK_TEXT(sl__arena_text(&arena, "abcdef", 3), "abc");
  sl__arena_close(&arena);
  sl_context_free(context);
}

/* ---- numbers ---- */

static double from_bits(uint64_t bits) {
  double value;
  memcpy(&value, &bits, sizeof value);
  return value;
}

static bool same_bits(double a, double b) {
  return memcmp(&a, &b, sizeof a) == 0;
}

/* The C library's strtod is correctly rounded (glibc) and knows nothing of ours. */
static void compare_with_strtod(const char *text) {
  double ours = -1;
  const char *end = text + strlen(text);
  CHECK(sl__parse_real(text, end, &ours) == end);
  double theirs = strtod(text, NULL);
  if (!same_bits(ours, theirs)) printf("  %s: %a against %a\n", text, ours, theirs);
  CHECK(same_bits(ours, theirs));
}

TEST(hard_numbers_are_rounded_correctly) {
  static const char *const texts[] = {
      "0",
      "-0",
      "0.0e999",
      "1",
      "1.",
      ".5",
      "-.5e1",
      "123456789012345678",
      "9007199254740993",
      "9007199254740992.999999999999999999999999",
      "9007199254740993.00000000000000000000000001",
      "2.2250738585072011e-308",
      "2.2250738585072012e-308",
      "2.2250738585072014e-308",
      "4.9406564584124654e-324",
      "2.4703282292062327e-324",
      "2.4703282292062328e-324",
      "1e-400",
      "1e400",
      "1.7976931348623157e308",
      "1.7976931348623158e308",
      "1.7976931348623159e308",
      "179769313486231580793e289",
      "6.631236846766476e-316",
      "3.2378839133029012895883524125015321748630094e-319",
      "1e23",
      "8.5e22",
      "89255e-22",
      "9.5e-16",
      "104308485241983990666713401708072175773165034278682682111762292935540"
      "6.4e-100",
      "0.000000000000000000000000000000000000000000000000000000000000000000000000000000000001e80",
      "10000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
      "0e-90",
      "1448997445238699",
      "6.0221407600000000e+23",
      "1.00000005960464477539062500",
      "7.3177701707893310e+15",
      "5e-324",
      "3e-324",
      "2e-324",
      "1e-323",
      "1.5e-323",
      "18446744073709551615e27",
      "18446744073709551616e-28",
      "0.1",
      "0.3",
      "1e22",
      "1e-22",
      "1e27",
      "1e-27",
      "9999999999999999999e-27",
      "9999999999999999999e27",
      "4503599627370496.5",
      "4503599627370497.5",
      "-4503599627370497.5",
      "1e0000000000000000000000308"};
  setlocale(LC_ALL, "C");
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) compare_with_strtod(texts[i]);

  /* Exactly half way between 1 and its neighbour, in full and with one more digit far out. */
  char text[1500];
  snprintf(text, sizeof text, "%.60f", 1 + DBL_EPSILON / 2 + 0.0);
  compare_with_strtod("1.00000000000000011102230246251565404236316680908203125");
  compare_with_strtod(
      "1.00000000000000011102230246251565404236316680908203124999999999999999999999999");
  strcpy(text, "1.00000000000000011102230246251565404236316680908203125");
  memset(text + strlen(text), '0', 1000);
  strcpy(text + 1040, "1");
  compare_with_strtod(text);
  /* The longest halfway case: between the two smallest subnormals' midpoint and zero, 767 digits
   * and more. */
  snprintf(text, sizeof text, "%.1074e", from_bits(3));
  compare_with_strtod(text);
}

TEST(random_decimals_agree_with_strtod) {
  sl__random_key key = {.seed = 1, .stream = SL__STREAM_TEST};
  setlocale(LC_ALL, "C");
  for (uint64_t i = 0; i < 100000; i++) {
    char text[100];
    uint64_t mantissa = sl__random_below(key, i, 0, UINT64_MAX) >> sl__random_below(key, i, 1, 64);
    int exponent = (int)sl__random_below(key, i, 2, i % 2 ? 60 : 700) - (i % 2 ? 30 : 360);
    snprintf(text, sizeof text, i % 3 ? "%llue%d" : "%llu12345678901234567e%d",
             (unsigned long long)mantissa, exponent);
    double ours = 0;
    sl__parse_real(text, text + strlen(text), &ours);
    if (!CHECK(same_bits(ours, strtod(text, NULL)))) {
      printf("  %s\n", text);
      return;
    }
  }
}

/* The digits of a printed number without leading and trailing zeros. */
static void significant(const char *text, char digits[64]) {
  int count = 0;
  for (; *text && *text != 'e'; text++) {
    if (*text >= '0' && *text <= '9' && (count > 0 || *text != '0')) digits[count++] = *text;
  }
  while (count > 1 && digits[count - 1] == '0') count--;
  digits[count] = '\0';
}

/* As the C library prints with as few of 15, 16, 17 digits as read back the same. */
static bool has_the_right_digits(const char *text, double value) {
  char theirs[64], digits[64], wanted[64];
  for (int count = 15; count <= 17; count++) {
    snprintf(theirs, sizeof theirs, "%.*e", count - 1, value);
    if (strtod(theirs, NULL) == value) break;
  }
  significant(text, digits);
  significant(theirs, wanted);
  return strcmp(digits, wanted) == 0;
}

TEST(printed_numbers_read_back_the_same_bits) {
  sl__random_key key = {.seed = 2, .stream = SL__STREAM_TEST};
  setlocale(LC_ALL, "C");
  for (uint64_t i = 0; i < 100000; i++) {
    uint64_t bits = sl__random_below(key, i, 0, UINT64_MAX);
    double value = from_bits(bits), again = 0;
    /* Ordinary sizes too, and numbers that are short. */
    if (i % 4 == 0) value = sl__random_normal(key, i, 4) * (i % 8 ? 1 : 1e7);
    if (i % 16 == 8) value = floor(value) / 1000;
    if (!isfinite(value)) continue;
    char text[32];
    int length = sl__format_real(text, value, SL_F64);
    bool good = (size_t)length == strlen(text) && length < 32 &&
                sl__parse_real(text, text + length, &again) == text + length;
    good = good && same_bits(again, value) && same_bits(strtod(text, NULL), value) &&
           has_the_right_digits(text, value);
    float single = (float)value;
    if (isfinite(single)) {
      length = sl__format_real(text, (double)single, SL_F32);
      sl__parse_real(text, text + length, &again);
      float reread = (float)again;
      good = good && memcmp(&reread, &single, sizeof single) == 0 && strtof(text, NULL) == single;
    }
    if (!CHECK(good)) {
      printf("  %a -> %s\n", value, text);
      return;
    }
  }
}

static const char *printed(double value, sl_dtype type) {
  static char text[32];
  sl__format_real(text, value, type);
  return text;
}

TEST(numbers_are_printed_short) {
  CHECK_TEXT(printed(0.1, SL_F64), "0.1");
  CHECK_TEXT(printed(0.1 + 0.2, SL_F64), "0.30000000000000004");
  CHECK_TEXT(printed(1e15, SL_F64), "1e+15");
  CHECK_TEXT(printed(100000, SL_F64), "100000");
  CHECK_TEXT(printed(-1234.5, SL_F64), "-1234.5");
  CHECK_TEXT(printed(1e-5, SL_F64), "0.00001");
  CHECK_TEXT(printed(1.5e-7, SL_F64), "1.5e-07");
  CHECK_TEXT(printed(5e-324, SL_F64), "4.94065645841247e-324");
  CHECK_TEXT(printed(DBL_MAX, SL_F64), "1.7976931348623157e+308");
  CHECK_TEXT(printed((double)0.1f, SL_F32), "0.1");
  CHECK_TEXT(printed((double)16777216.0f, SL_F32), "16777216");
  CHECK_TEXT(printed(-0.0, SL_F64), "-0");
  CHECK_TEXT(printed(NAN, SL_F64), "nan");
  CHECK_TEXT(printed(-INFINITY, SL_F32), "-inf");
  char text[64];
  sl__format_fixed(text, 3.14159, 2);
  CHECK_TEXT(text, "3.14");
  sl__format_fixed(text, -0.5, 0);
  CHECK(strcmp(text, "-0") == 0);
  sl__format_fixed(text, 1e300, 3);
  CHECK_TEXT(text, "1e+300");
}

TEST(words_and_rests_of_numbers) {
  double value = 0;
  int64_t integer = 0;
  const char *text = "nan", *end = text + 3;
  CHECK(sl__parse_real(text, end, &value) == end && isnan(value));
  text = "-Infinity", end = text + 9;
  CHECK(sl__parse_real(text, end, &value) == end && value == -INFINITY);
  text = "INFx";
  CHECK(sl__parse_real(text, text + 4, &value) == text + 3 && value == INFINITY);
  text = "1e+";
  CHECK(sl__parse_real(text, text + 3, &value) == text + 1 && value == 1);
  text = "1.5.2";
  CHECK(sl__parse_real(text, text + 5, &value) == text + 3 && value == 1.5);
  text = "12345";
  CHECK(sl__parse_real(text, text + 2, &value) == text + 2 && value == 12);
  static const char *const bad[] = {"", "-", "+", ".", "e5", "x", " 1", "--1", "-.e1", "in", "na"};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    CHECK(!sl__parse_real(bad[i], bad[i] + strlen(bad[i]), &value));
    CHECK(!sl__parse_integer(bad[i], bad[i] + strlen(bad[i]), &integer));
  }
  text = "-9223372036854775808", end = text + strlen(text);
  CHECK(sl__parse_integer(text, end, &integer) == end && integer == INT64_MIN);
  text = "9223372036854775807", end = text + strlen(text);
  CHECK(sl__parse_integer(text, end, &integer) == end && integer == INT64_MAX);
  text = "9223372036854775808", end = text + strlen(text);
  CHECK(!sl__parse_integer(text, end, &integer));
}

/* ---- text and JSON ---- */

TEST(json_written_is_json_read) {
  sl_context *context = open_context(1);
  sl__text text;
  sl__text_open(&text, context);
  sl__json json = {.text = &text};
  sl__json_open_object(&json, NULL);
  sl__json_text(&json, "quote\"", "a\\b\n\t\x01\xC3\xA9");
  sl__json_real(&json, "real", 0.1);
  sl__json_real(&json, "bad", -INFINITY);
  sl__json_integer(&json, "integer", -12);
  sl__json_boolean(&json, "yes", true);
  sl__json_text(&json, "nothing", NULL);
  sl__json_open_array(&json, "list");
  sl__json_real(&json, NULL, 1);
  sl__json_open_array(&json, NULL);
  sl__json_close_array(&json);
  sl__json_close_array(&json);
  sl__json_close_object(&json);
  CHECK_TEXT(text.data,
             "{\"quote\\\"\": \"a\\\\b\\n\\t\\u0001\xC3\xA9\", \"real\": 0.1, \"bad\": \"-inf\", "
             "\"integer\": -12, \"yes\": true, \"nothing\": null, \"list\": [1, []]}");
  sl__arena arena;
  sl__arena_open(&arena, context);
  sl__json_value *root = NULL;
  REQUIRE_OK(context, sl__json_parse(context, &arena, text.data, text.length, &root));
  CHECK_INTEGER(root->count, 7);
  CHECK_TEXT(sl__json_member(root, "quote\"")->text, "a\\b\n\t\x01\xC3\xA9");
  CHECK(sl__json_member(root, "real")->number == 0.1);
  CHECK(sl__json_member(root, "integer")->is_integer &&
        sl__json_member(root, "integer")->integer == -12);
  CHECK(sl__json_member(root, "list")->count == 2 && !sl__json_member(root, "absent"));
  sl__arena_close(&arena);
  sl__text_close(&text);
  sl_context_free(context);
}

static sl_status parse_json(sl_context *context, const char *bytes, double *number) {
  sl__arena arena;
  sl__arena_open(&arena, context);
  sl__json_value *root = NULL;
  sl_status status = sl__json_parse(context, &arena, bytes, strlen(bytes), &root);
  if (status == SL_OK) *number = root->number;
  sl__arena_close(&arena);
  return status;
}

TEST(json_good_and_bad) {
  static const char *const good[] = {"1",
                                     " [ ] ",
                                     "{}",
                                     "-0.5e+3",
                                     "\"\\ud83d\\ude00\"",
                                     "[1,2,[3]]",
                                     "NaN",
                                     "[-Infinity,Infinity]",
                                     "[true,false,null]",
                                     "{\"a\":{\"a\":[{}]}}",
                                     "\"\\u00e9\\/\\b\"",
                                     "123456789012345678901234567890"};
  static const struct {
    const char *text;
    int line, column;
  } bad[] = {{"", 1, 1},
             {"[1,]", 1, 4},
             {"{\"a\" 1}", 1, 6},
             {"[1 2]", 1, 4},
             {"\"abc", 1, 1},
             {"01", 1, 1},
             {"1.", 1, 1},
             {"-", 1, 1},
             {"1e", 1, 1},
             {"nul", 1, 1},
             {"{a:1}", 1, 2},
             {"[\n\n x]", 3, 2},
             {"\"\\x\"", 1, 2},
             {"\"\\u12g4\"", 1, 6},
             {"\"\\ud800\"", 1, 2},
             {"\"\\udc00\"", 1, 2},
             {"\"\\u0000\"", 1, 2},
             {"1 2", 1, 3},
             {"\"a\nb\"", 1, 3},
             {"[", 1, 2},
             {"{\"a\":1,}", 1, 8},
             {"+1", 1, 1}};
  sl_context *context = open_context(1);
  double number = 0;
  for (size_t i = 0; i < sizeof good / sizeof *good; i++)
    CHECK_OK(context, parse_json(context, good[i], &number));
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    int32_t line = 0, column = 0;
    CHECK(parse_json(context, bad[i].text, &number) == SL_FORMAT);
    CHECK(sl_error_place(context, &line, &column));
    if (!CHECK(line == bad[i].line && column == bad[i].column))
      printf("  %s: %d:%d\n", bad[i].text, line, column);
  }
  char deep[200];
  memset(deep, '[', 64);
  memset(deep + 64, ']', 64);
  deep[128] = '\0';
  CHECK_OK(context, parse_json(context, deep, &number));
  memset(deep, '[', 65);
  memset(deep + 65, ']', 65);
  deep[130] = '\0';
  CHECK(parse_json(context, deep, &number) == SL_FORMAT);
  sl_context_free(context);
}

/* ---- options ---- */

static const sl__option_row rows[] = {
    {"steps", SL__OPTION_INT, "1000", 1, 1e9, NULL, "how many steps"},
    {"rate", SL__OPTION_REAL, NULL, 0, INFINITY, NULL, "learning rate"},
    {"quiet", SL__OPTION_BOOL, "false", 0, 0, NULL, "say less"},
    {"out", SL__OPTION_TEXT, NULL, 0, 0, NULL, "file"},
    {"kind", SL__OPTION_CHOICE, "fast", 0, 0, "slow|fast|faster", "which"},
    {"hidden", SL__OPTION_SIZES, "64x64", 0, 0, NULL, "widths"},
};
enum { ROWS = sizeof rows / sizeof *rows };

TEST(options_from_text) {
  sl_context *context = open_context(1);
  sl__arena arena;
  sl__arena_open(&arena, context);
  sl__option_value v[ROWS];
  REQUIRE_OK(context, sl__options_default(context, &arena, rows, ROWS, v));
  CHECK(v[0].integer == 1000 && !v[0].given && isnan(v[1].real) && !v[3].text && v[4].integer == 1);
  CHECK(v[5].integer == 2 && v[5].sizes[1] == 64);
  static const char *const good[][3] = {
      {"steps", "5", "5"},       {"steps", "1e6", "1000000"}, {"rate", "0.25", "0.25"},
      {"rate", "1e-3", "0.001"}, {"quiet", NULL, "true"},     {"quiet", "off", "false"},
      {"out", "a b", "a b"},     {"kind", "slow", "slow"},    {"kind", "faster", "faster"},
      {"hidden", "256", "256"},  {"hidden", "1x2x3", "1x2x3"}};
  for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
    CHECK_OK(context,
             sl__options_set(context, &arena, rows, ROWS, v, "option --", good[i][0], good[i][1]));
    for (int k = 0; k < ROWS; k++) {
      char text[64];
      if (strcmp(rows[k].name, good[i][0]) != 0) continue;
      sl__option_print(&rows[k], &v[k], text, sizeof text);
      CHECK_TEXT(text, good[i][2]);
      CHECK(v[k].given);
    }
  }
  static const char *const bad[][2] = {{"steps", "0"},
                                       {"steps", "1.5"},
                                       {"steps", "x"},
                                       {"steps", ""},
                                       {"rate", "-1"},
                                       {"rate", "nan"},
                                       {"rate", "1,5"},
                                       {"quiet", "maybe"},
                                       {"kind", "fas"},
                                       {"kind", ""},
                                       {"hidden", "256x"},
                                       {"hidden", "0"},
                                       {"hidden", "1x1x1x1x1x1x1x1x1"},
                                       {"hidden", "-3"},
                                       {"steps", NULL}};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    CHECK(sl__options_set(context, &arena, rows, ROWS, v, "option --", bad[i][0], bad[i][1]) ==
          SL_BAD_ARGUMENT);
    CHECK(strncmp(sl_error(context), "option --", 9) == 0);
  }
  CHECK(v[0].integer == 1000000); /* a refused value changes nothing */
  sl__options_set(context, &arena, rows, ROWS, v, "option --", "setps", "1");
  CHECK_TEXT(sl_error(context), "unknown option --setps; did you mean --steps?");
  sl__options_set(context, &arena, rows, ROWS, v, "argument ", "zzzzzz", "1");
  CHECK_TEXT(sl_error(context),
             "unknown argument zzzzzz; known are steps, rate, quiet, out, kind, hidden");
  sl__options_set(context, &arena, rows, ROWS, v, "option --", "steps", "0");
  CHECK_TEXT(sl_error(context),
             "option --steps: '0' is not valid; give a whole number from 1 to 1000000000");
  sl__arena_close(&arena);
  sl_context_free(context);
}

TEST(nearest_names) {
  static const char *const names[] = {"planar", "radial", "coupling", "maf", "iaf"};
  CHECK_TEXT(sl__nearest_name("plnaar", names, 5), "planar");
  CHECK_TEXT(sl__nearest_name("couplng", names, 5), "coupling");
  CHECK(!sl__nearest_name("zebra", names, 5));
  CHECK(!sl__nearest_name("", names, 5));
}

/* ---- random numbers ---- */

TEST(philox_known_answers) { /* from kat_vectors of Random123 1.14 */
  static const struct {
    uint32_t counter[4], key[2], out[4];
  } known[] = {
      {{0, 0, 0, 0}, {0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
      {{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff},
       {0xffffffff, 0xffffffff},
       {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
      {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
       {0xa4093822, 0x299f31d0},
       {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
  };
  for (int i = 0; i < 3; i++) {
    uint32_t out[4];
    sl__philox(known[i].counter, known[i].key, out);
    CHECK(memcmp(out, known[i].out, sizeof out) == 0);
  }
}

TEST(random_moments) {
  sl__random_key key = {.seed = 3, .stream = SL__STREAM_TEST};
  enum { N = 200000 };
  double mean = 0, square = 0, fourth = 0, uniform = 0, product = 0, low = 1, high = 0;
  for (uint64_t i = 0; i < N; i++) {
    double x = sl__random_normal(key, i, 0), y = sl__random_normal(key, i, 1),
           u = sl__random_uniform(key, i, 7);
    mean += x / N, square += x * x / N, fourth += x * x * x * x / N, product += x * y / N,
        uniform += u / N;
    low = u < low ? u : low, high = u > high ? u : high;
  }
  double se = 1 / sqrt(N); /* all tolerances: five standard errors */
  CHECK_CLOSE(mean, 0, 5 * se);
  CHECK_CLOSE(square, 1, 5 * sqrt(2) * se);
  CHECK_CLOSE(fourth / 3, 1, 5 * sqrt(96) / 3 * se);
  CHECK_CLOSE(product, 0, 5 * se);
  CHECK_CLOSE(uniform, 0.5, 5 * se / sqrt(12));
  CHECK(low > 0 && low < 1e-4 && high < 1 && high > 1 - 1e-4);
}

TEST(streams_steps_and_seeds_differ) {
  double first = sl__random_uniform((sl__random_key){1, 1, 0}, 0, 0);
  CHECK(first != sl__random_uniform((sl__random_key){2, 1, 0}, 0, 0));
  CHECK(first != sl__random_uniform((sl__random_key){1, 2, 0}, 0, 0));
  CHECK(first != sl__random_uniform((sl__random_key){1, 1, 1}, 0, 0));
  CHECK(first != sl__random_uniform((sl__random_key){1, 1, 0}, 1, 0));
  CHECK(first != sl__random_uniform((sl__random_key){1, 1, 0}, (uint64_t)1 << 32, 0));
  CHECK(first != sl__random_uniform((sl__random_key){1, 1, 0}, 0, 1));
  CHECK(first != sl__random_uniform((sl__random_key){1 + ((uint64_t)1 << 32), 1, 0}, 0, 0));
  CHECK(first == sl__random_uniform((sl__random_key){1, 1, 0}, 0, 0));
}

TEST(below_is_even) {
  sl__random_key key = {.seed = 4, .stream = SL__STREAM_TEST};
  int count[7] = {0};
  for (uint64_t i = 0; i < 70000; i++) {
    uint64_t k = sl__random_below(key, i, (uint32_t)(i % 2), 7);
    REQUIRE(k < 7);
    count[k]++;
  }
  for (int k = 0; k < 7; k++) CHECK(abs(count[k] - 10000) < 5 * 93); /* sd = sqrt(7e4 * 6/49) */
  CHECK(sl__random_below(key, 0, 0, 1) == 0);
  /* A bound just above 2^63 rejects half of the draws: all the same all are below it. */
  uint64_t bound = ((uint64_t)1 << 63) + 1, most = 0;
  for (uint64_t i = 0; i < 1000; i++) {
    uint64_t k = sl__random_below(key, i, 0, bound);
    REQUIRE(k < bound);
    most = k > most ? k : most;
  }
  CHECK(most > bound / 100 * 95);
}

TEST(permutation_is_one) {
  enum { N = 1000 };
  int64_t order[N];
  bool seen[N] = {false};
  sl__random_permutation((sl__random_key){5, SL__STREAM_SHUFFLE, 0}, N, order);
  int fixed = 0;
  for (int i = 0; i < N; i++) {
    REQUIRE(order[i] >= 0 && order[i] < N && !seen[order[i]]);
    seen[order[i]] = true;
    fixed += order[i] == i;
  }
  CHECK(fixed < 8); /* Poisson of mean 1 */
  int counts[6] = {0};
  for (uint32_t step = 0; step < 6000; step++) {
    int64_t three[3];
    sl__random_permutation((sl__random_key){5, SL__STREAM_SHUFFLE, step}, 3, three);
    counts[three[0] * 2 + (three[1] > three[2])]++;
  }
  for (int i = 0; i < 6; i++) CHECK(abs(counts[i] - 1000) < 5 * 29);
  sl__random_permutation((sl__random_key){5, SL__STREAM_SHUFFLE, 0}, 0, order);
}

/* ---- threads ---- */

typedef struct tally {
  atomic_int visits[1000];
  int64_t by_worker[16];
  int plain[16];
  atomic_int wrong;
} tally;

static void visit(void *user, int64_t index, int worker) {
  tally *t = user;
  atomic_fetch_add(&t->visits[index], 1);
  t->by_worker[worker]++; /* a race, and an error under TSan, if two threads had the same number */
}

TEST(parallel_visits_each_index_once) {
  static const int threads[] = {1, 2, 8};
  for (int k = 0; k < 3; k++) {
    sl_context *context = open_context(threads[k]);
    tally *t = calloc(1, sizeof *t);
    REQUIRE(context && t);
    for (int repeat = 0; repeat < 200; repeat++) sl__parallel(context, repeat * 5, visit, t);
    int64_t all = 0;
    for (int i = 0; i < 1000; i++) CHECK_INTEGER(atomic_load(&t->visits[i]), 199 - i / 5);
    for (int w = 0; w < 16; w++) {
      all += t->by_worker[w];
      CHECK(w < threads[k] || t->by_worker[w] == 0);
    }
    CHECK_INTEGER(all, 5 * 199 * 200 / 2);
    /* Workers that have gone to sleep wake up again. */
    usleep(20000);
    sl__parallel(context, 1000, visit, t);
    CHECK_INTEGER(atomic_load(&t->visits[999]), 1);
    sl__parallel(context, 0, visit, t);
    free(t);
    sl_context_free(context);
  }
}

static void neighbours(void *user, sl__team *team, int worker, int workers) {
  tally *t = user;
  for (int phase = 1; phase <= 100; phase++) {
    t->plain[worker] = phase;
    sl__barrier(team, worker);
    if (t->plain[(worker + 1) % workers] != phase) atomic_fetch_add(&t->wrong, 1);
    sl__barrier(team, worker);
  }
  atomic_fetch_add(&t->visits[worker], 1);
}

TEST(barriers_keep_phases_apart) {
  static const int threads[] = {1, 2, 8};
  for (int k = 0; k < 3; k++) {
    sl_context *context = open_context(threads[k]);
    tally *t = calloc(1, sizeof *t);
    REQUIRE(context && t);
    for (int repeat = 0; repeat < 10; repeat++) {
      sl__team_run(context, neighbours, t);
      sl__parallel(context, 20, visit, t);
    }
    CHECK_INTEGER(atomic_load(&t->wrong), 0);
    for (int w = 0; w < threads[k]; w++) CHECK_INTEGER(atomic_load(&t->visits[w]), 20);
    free(t);
    sl_context_free(context);
  }
}

/* ---- files ---- */

TEST(files_are_replaced_whole_or_not_at_all) {
  sl_context *context = open_context(1);
  char folder[] = "/tmp/sluice_test_XXXXXX", path[64], link_path[64];
  REQUIRE(mkdtemp(folder));
  snprintf(path, sizeof path, "%s/a", folder);
  snprintf(link_path, sizeof link_path, "%s/b", folder);
  REQUIRE_OK(context, sl__os_write_file(context, path, "one", 3));
  REQUIRE(symlink(path, link_path) == 0);
  REQUIRE_OK(context, sl__os_write_file(context, link_path, "second", 6));
  sl__out_file out;
  REQUIRE_OK(context, sl__os_open_out(context, path, &out));
  fputs("half", out.file);
  sl__os_abandon_out(context, &out);
  char *data = NULL;
  size_t length = 0;
  REQUIRE_OK(context, sl__os_read_file(context, path, &data, &length));
  CHECK(length == 6);
  CHECK_TEXT(data, "second");
  sl__free(&context->allocator, data);
  CHECK_OK(context, sl__os_write_file(context, "/dev/null", "x", 1));
  CHECK(sl__os_write_file(context, "/dev/full", "x", 1) == SL_IO);
  CHECK(sl__os_read_file(context, "/nonexistent/file", &data, &length) == SL_IO && !data);
  CHECK(strstr(sl_error(context), "/nonexistent/file"));
  CHECK(sl__os_read_file(context, folder, &data, &length) == SL_IO && !data);
  CHECK(sl__os_write_file(context, "/nonexistent/file", "x", 1) == SL_IO);
  unlink(link_path);
  unlink(path);
  CHECK(rmdir(folder) == 0); /* no temporary file was left */
  sl_context_free(context);
}
