/* Numbers and JSON as text: read correctly rounded, printed short, and back to the same bits. */
#include "base/random.h"
#include "base/text.h"
#include "context.h"
#include <float.h>
#include <locale.h>

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
  sl_context *context = context_of(1);
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
  sl_context *context = context_of(1);
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
