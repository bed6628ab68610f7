/* The ground floor: contexts, memory, options, files. */
#include "base/option.h"
#include "base/os.h"
#include "base/text.h"
#include "context.h"
#include <unistd.h>

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
  sl_context *context = context_of(1);
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
  sl_context *context = context_of(1);
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
  sl_context *context = context_of(1);
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
  sl_context *context = context_of(1);
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

/* ---- files ---- */

TEST(files_are_replaced_whole_or_not_at_all) {
  sl_context *context = context_of(1);
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
