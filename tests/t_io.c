/* Tables and tensors in files: what must be read, and as much that must be refused, with the
 * message. */
#include "base/os.h"
#include "base/random.h"
#include "check.h"
#include "io/io.h"
#include <unistd.h>

static sl_context *open_context(void) {
  sl_context *context = NULL;
  sl_context_options options = {.size = sizeof options, .threads = 1};
  CHECK(sl_context_new(&options, &context) == SL_OK);
  return context;
}

/* ---- CSV ---- */

typedef struct good_csv {
  const char *text;
  int rows, columns;
  double numbers[6];
  const char *names[3];
} good_csv;

static const good_csv good[] = {
    {"1,2\n3,4\n", 2, 2, {1, 2, 3, 4}, {0}},
    {"1,2\n3,4", 2, 2, {1, 2, 3, 4}, {0}},
    {"a,b\n1,2\n", 1, 2, {1, 2}, {"a", "b"}},
    {"a,b\r\n1,2\r\n3,4\r\n", 2, 2, {1, 2, 3, 4}, {"a", "b"}},
    {"\xEF\xBB\xBFx\n1\n", 1, 1, {1}, {"x"}},
    {"1;2\n3;4\n", 2, 2, {1, 2, 3, 4}, {0}},
    {"a, b;c\n1;2\n", 1, 2, {1, 2}, {"a, b", "c"}},
    {"1\t2\n3\t4\n", 2, 2, {1, 2, 3, 4}, {0}},
    {"1 2\n3   4 \n", 2, 2, {1, 2, 3, 4}, {0}},
    {"  1 2\n 3 4\n", 2, 2, {1, 2, 3, 4}, {0}},
    {"\"a b\",\"say \"\"hi\"\"\",c\n1,2,3\n", 1, 3, {1, 2, 3}, {"a b", "say \"hi\"", "c"}},
    {"\"two\nlines\",b\n1,2\n", 1, 2, {1, 2}, {"two\nlines", "b"}},
    {"\"1\",\"2.5\"\n", 1, 2, {1, 2.5}, {0}},
    {" 1 , 2 \n", 1, 2, {1, 2}, {0}},
    {"1,2\n\n\n", 1, 2, {1, 2}, {0}},
    {"\n\n  \n1,2\n", 1, 2, {1, 2}, {0}},
    {"1,2\r3,4\r", 2, 2, {1, 2, 3, 4}, {0}},
    {",b\n1,2\n", 1, 2, {1, 2}, {"column1", "b"}},
    {"x\n-1.5e-3\n+2\n", 2, 1, {-1.5e-3, 2}, {"x"}},
    {"id,2019,2020\n1,2,3\n", 1, 3, {1, 2, 3}, {"id", "2019", "2020"}},
    {"# x y\n1 2\n", 1, 2, {1, 2}, {"x", "y"}},
    {"#7,8\n1,2\n", 1, 2, {1, 2}, {"7", "8"}},
    {"1e999,-inf\n", 1, 2, {INFINITY, -INFINITY}, {0}},
};

TEST(csv_good) {
  sl_context *context = open_context();
  for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
    sl__table table;
    if (!CHECK_OK(context,
                  sl__table_parse_csv(context, good[i].text, strlen(good[i].text), &table)))
      continue;
    bool shape =
        table.rows == good[i].rows && table.columns == good[i].columns && table.type == SL_F64;
    if (!CHECK(shape))
      printf("  case %zu: %lld x %lld\n", i, (long long)table.rows, (long long)table.columns);
    for (int k = 0; shape && k < good[i].rows * good[i].columns; k++) {
      CHECK(((const double *)table.data)[k] == good[i].numbers[k]);
    }
    CHECK((table.names != NULL) == (good[i].names[0] != NULL));
    for (int k = 0; shape && table.names && k < good[i].columns; k++)
      CHECK_TEXT(table.names[k], good[i].names[k]);
    sl__table_close(&table);
  }
  sl_context_free(context);
}

static const struct {
  const char *text;
  int line, column;
  const char *message;
} bad[] = {
    {"", 1, 1, "no rows; the file is empty"},
    {"\n \n", 1, 1, "no rows; the file is empty"},
    {"a,b\n", 2, 1, "no rows; give at least one line of numbers"},
    {"1,2\n3\n", 2, 2, "the row has 1 field where the first has 2; make them equal"},
    {"1,2\n3,4,5\n", 2, 5, "the row has more than 2 fields where the first has 2; make them equal"},
    {"1,2\n3,\n", 2, 3, "missing value; remove the row or fill it in"},
    {"1,2\n,3\n", 2, 1, "missing value; remove the row or fill it in"},
    {"a,b\n1,NA\n", 2, 3, "missing value; remove the row or fill it in"},
    {"1,NA\n2,3\n", 1, 3, "missing value; remove the row or fill it in"},
    {"a\n1\nred\n", 3, 1, "'red' is not a number; remove the column or encode it as numbers"},
    {"1\n2\n1.5.2\n", 3, 1, "'1.5.2' is not a number; remove the column or encode it as numbers"},
    {"1;2\n1,5;2\n", 2, 1, "'1,5' is not a number; write decimals with a point"},
    {"1,2\n\n3,4\n", 2, 1, "empty line; remove it"},
    {"\"a,b\n1,2\n", 1, 1, "the quoted field is not closed; add '\"'"},
    {"\"a\"b,c\n1,2\n", 1, 4, "text follows a quoted field; double the quotes inside it"},
    {"1,0x10\n2,3\n4,0x10\n", 3, 3,
     "'0x10' is not a number; remove the column or encode it as numbers"},
    {"1 2\n3 4 5\n", 2, 5, "the row has more than 2 fields where the first has 2; make them equal"},
    {"a,b\n1,2\n3,\"4\n5\"\n", 3, 4,
     "'4?5' is not a number; remove the column or encode it as numbers"},
    {"a\n1\n# done\n", 3, 1, "'#' is not a number; remove the column or encode it as numbers"},
    {"# x\n1 2\n", 2, 3, "the row has more than 1 field where the first has 1; make them equal"},
    {"a,b,c\n1,2\n", 2, 4, NULL},
    {"a,b\n1,2\n3,4x\n", 3, 3, "'4x' is not a number; remove the column or encode it as numbers"},
};

TEST(csv_bad) {
  sl_context *context = open_context();
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    sl__table table;
    int32_t line = 0, column = 0;
    CHECK(sl__table_parse_csv(context, bad[i].text, strlen(bad[i].text), &table) == SL_FORMAT);
    CHECK(table.rows == 0 && !table.data);
    CHECK(sl_error_place(context, &line, &column));
    if (bad[i].message) CHECK_TEXT(sl_error(context), bad[i].message);
    bool place = line == bad[i].line && (!bad[i].message || column == bad[i].column);
    if (!CHECK(place)) printf("  case %zu: %d:%d\n", i, line, column);
  }
  const char nul[] = "a\0b\n1\n";
  sl__table table;
  CHECK(sl__table_parse_csv(context, nul, sizeof nul - 1, &table) == SL_FORMAT);
  sl_context_free(context);
}

TEST(csv_places) {
  sl_context *context = open_context();
  const char *text = "a,b\n1,2\n3, nan\n";
  sl__table table;
  int line = 0, column = 0;
  REQUIRE_OK(context, sl__table_parse_csv(context, text, strlen(text), &table));
  sl__table_place(&table, 1, 1, &line, &column);
  CHECK(line == 3 && column == 4);
  sl__table_place(&table, 0, 1, &line, &column);
  CHECK(line == 2 && column == 0);
  sl__table_close(&table);
  sl_context_free(context);
}

/* A wide first line and many short ones must not make the reader ask for their product. */
TEST(csv_memory_is_bounded_by_the_file) {
  sl_context *context = open_context();
  enum { WIDE = 20000 };
  char *text = calloc(1, 4 * WIDE + 1);
  REQUIRE(text);
  for (int i = 0; i < WIDE; i++) memcpy(text + 2 * i, i + 1 < WIDE ? "1," : "1\n", 2);
  for (int i = 0; i < WIDE; i++) memcpy(text + 2 * (WIDE + i), "1\n", 2);
  sl__table table;
  CHECK(sl__table_parse_csv(context, text, 4 * WIDE, &table) == SL_FORMAT);
  free(text);
  sl_context_free(context);
}

TEST(csv_speed) {
  sl_context *context = open_context();
  sl__text text;
  sl__text_open(&text, context);
  sl__random_key key = {.seed = 1, .stream = SL__STREAM_TEST};
  for (uint64_t i = 0; i < 100000; i++) {
    for (uint32_t j = 0; j < 4; j++) {
      sl__text_add_real(&text, sl__random_normal(key, i, j), SL_F64);
      sl__text_add_bytes(&text, j < 3 ? "," : "\n", 1);
    }
  }
  double start = sl__os_seconds();
  sl__table table;
  REQUIRE_OK(context, sl__table_parse_csv(context, text.data, text.length, &table));
  double seconds = sl__os_seconds() - start;
  printf("CSV of %.1f MB: %.0f MB/s\n", 1e-6 * (double)text.length,
         1e-6 * (double)text.length / seconds);
  CHECK(table.rows == 100000);
  for (uint64_t i = 0; i < 1000; i++) {
    for (uint32_t j = 0; j < 4; j++) {
      CHECK(((const double *)table.data)[i * 4 + j] == sl__random_normal(key, i, j));
    }
  }
  sl__table_close(&table);
  sl__text_close(&text);
  sl_context_free(context);
}

/* ---- NPY ---- */

/* A version 1 file of this header and these bytes. */
static sl_status parse_npy(sl_context *context, const char *header, const void *data, size_t length,
                           sl__table *out) {
  size_t size = strlen(header);
  char *bytes = malloc(10 + size + length);
  if (!bytes) return SL_NO_MEMORY;
  memcpy(bytes, "\x93NUMPY\x01\x00", 8);
  bytes[8] = (char)(size & 255);
  bytes[9] = (char)(size >> 8);
  memcpy(bytes + 10, header, size);
  if (length > 0) memcpy(bytes + 10 + size, data, length);
  sl_status status = sl__table_parse_npy(context, bytes, 10 + size + length, out);
  free(bytes);
  return status;
}

static void check_npy(sl_context *context, const char *type, const void *data, size_t size,
                      const double expected[4]) {
  char header[128];
  sl__table table;
  for (int fortran = 0; fortran < 2; fortran++) {
    snprintf(header, sizeof header, "{'descr': '%s', 'fortran_order': %s, 'shape': (2, 2), }\n",
             type, fortran ? "True" : "False");
    REQUIRE_OK(context, parse_npy(context, header, data, 4 * size, &table));
    CHECK(table.rows == 2 && table.columns == 2 && !table.names);
    for (int i = 0; i < 4; i++) {
      int k = fortran ? (i % 2) * 2 + i / 2 : i;
      double value =
          table.type == SL_F32 ? (double)((float *)table.data)[i] : ((double *)table.data)[i];
      CHECK(value == expected[k]);
    }
    CHECK((table.type == SL_F32) == (strcmp(type, "<f4") == 0));
    sl__table_close(&table);
  }
}

TEST(npy_types) {
  sl_context *context = open_context();
  check_npy(context, "<f8", (double[]){1.5, -2, 1e300, 0.1}, 8, (double[]){1.5, -2, 1e300, 0.1});
  check_npy(context, "<f4", (float[]){1.5f, -2, 1e30f, 0.1f}, 4,
            (double[]){1.5, -2, (double)1e30f, (double)0.1f});
  check_npy(context, "|i1", (int8_t[]){1, -128, 127, 0}, 1, (double[]){1, -128, 127, 0});
  check_npy(context, "|u1", (uint8_t[]){1, 128, 255, 0}, 1, (double[]){1, 128, 255, 0});
  check_npy(context, "<i2", (int16_t[]){1, -32768, 32767, 0}, 2, (double[]){1, -32768, 32767, 0});
  check_npy(context, "<u2", (uint16_t[]){1, 32768, 65535, 0}, 2, (double[]){1, 32768, 65535, 0});
  check_npy(context, "<i4", (int32_t[]){1, INT32_MIN, INT32_MAX, 0}, 4,
            (double[]){1, INT32_MIN, INT32_MAX, 0});
  check_npy(context, "<u4", (uint32_t[]){1, 2147483648u, UINT32_MAX, 0}, 4,
            (double[]){1, 2147483648.0, 4294967295.0, 0});
  check_npy(context, "<i8", (int64_t[]){1, -4503599627370497, 7, 0}, 8,
            (double[]){1, -4503599627370497.0, 7, 0});
  check_npy(context, "<u8", (uint64_t[]){1, 4503599627370497, 7, 0}, 8,
            (double[]){1, 4503599627370497.0, 7, 0});
  check_npy(context, "|b1", (uint8_t[]){1, 0, 1, 0}, 1, (double[]){1, 0, 1, 0});
  sl_context_free(context);
}

TEST(npy_shapes_and_versions) {
  sl_context *context = open_context();
  sl__table table;
  double data[3] = {1, 2, 3};
  REQUIRE_OK(context, parse_npy(context, "{'shape': (3,), \"fortran_order\": True, 'descr': '<f8'}",
                                data, 24, &table));
  CHECK(table.rows == 3 && table.columns == 1 && ((double *)table.data)[2] == 3);
  sl__table_close(&table);
  char version2[] = "\x93NUMPY\x02\x00\x35\x00\x00\x00{'descr': '<f8', 'fortran_order': False, "
                    "'shape': (1,)}\n........";
  version2[8] = (char)(strlen(version2 + 12) - 8);
  REQUIRE_OK(context, sl__table_parse_npy(context, version2, 12 + strlen(version2 + 12), &table));
  CHECK(table.rows == 1);
  sl__table_close(&table);
  sl_context_free(context);
}

TEST(npy_bad) {
  static const struct {
    const char *header;
    size_t length;
    sl_status status;
    const char *part;
  } wrong[] = {
      {"{'descr': '>f8', 'fortran_order': False, 'shape': (1,), }", 8, SL_UNSUPPORTED,
       "big-endian"},
      {"{'descr': '<f2', 'fortran_order': False, 'shape': (4,), }", 8, SL_UNSUPPORTED, "'<f2'"},
      {"{'descr': '<c16', 'fortran_order': False, 'shape': (1,), }", 16, SL_UNSUPPORTED, "'<c16'"},
      {"{'descr': '|O', 'fortran_order': False, 'shape': (1,), }", 8, SL_UNSUPPORTED, "'|O'"},
      {"{'descr': '<U3', 'fortran_order': False, 'shape': (1,), }", 12, SL_UNSUPPORTED, "'<U3'"},
      {"{'descr': [('a', '<f8')], 'fortran_order': False, 'shape': (1,), }", 8, SL_UNSUPPORTED,
       "structured"},
      {"{'descr': '<f8', 'fortran_order': False, 'shape': (1, 1, 1), }", 8, SL_UNSUPPORTED,
       "two dimensions"},
      {"{'descr': '<f8', 'fortran_order': False, 'shape': (), }", 8, SL_FORMAT, "single number"},
      {"{'descr': '<f8', 'fortran_order': False, 'shape': (0, 3), }", 0, SL_FORMAT, "no rows"},
      {"{'descr': '<f8', 'fortran_order': False, 'shape': (2, 2), }", 31, SL_FORMAT, "cut off"},
      {"{'descr': '<f8', 'fortran_order': False, 'shape': (1, 2), }", 17, SL_FORMAT, "follows"},
      {"{'descr': '<f8', 'fortran_order': False, 'shape': (4294967296, 4294967296), }", 8,
       SL_FORMAT, "cut off"},
      {"{'descr': '<f8', 'fortran_order': False, 'shape': (-1, -8), }", 8, SL_FORMAT, "shape"},
      {"{'descr': '<f8', 'fortran_order': False, 'shape': (99999999999999999999,), }", 8, SL_FORMAT,
       "shape"},
      {"{'descr': '<f8', 'fortran_order': Maybe, 'shape': (1,), }", 8, SL_FORMAT, "malformed"},
      {"{'descr': '<f8', 'shape': (1,), }", 8, SL_FORMAT, "lacks"},
      {"{'descr': '<f8', 'fortran_order': False, 'shape': (1,), 'x': 1}", 8, SL_FORMAT,
       "unknown key"},
      {"{'descr': '<f8', 'fortran_order': False, 'shape': (1", 8, SL_FORMAT, "shape"},
      {"", 8, SL_FORMAT, "malformed"},
  };
  sl_context *context = open_context();
  const char data[64] = {0};
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
    sl__table table;
    CHECK_INTEGER(parse_npy(context, wrong[i].header, data, wrong[i].length, &table),
                  wrong[i].status);
    if (!CHECK(strstr(sl_error(context), wrong[i].part)))
      printf("  %s: %s\n", wrong[i].header, sl_error(context));
    CHECK(!table.data);
  }
  sl__table table;
  CHECK(sl__table_parse_npy(context, "\x93NUMPY\x09\x00\x00\x00", 10, &table) == SL_FORMAT);
  CHECK(sl__table_parse_npy(context, "\x93NUMPY\x01\x00\xFF\xFF", 10, &table) == SL_FORMAT);
  CHECK(sl__table_parse_npy(context, "PK\x03\x04......", 10, &table) == SL_FORMAT);
  CHECK(sl__table_parse_npy(context, "", 0, &table) == SL_FORMAT);
  sl_context_free(context);
}

/* ---- files ---- */

static void check_round_trip(sl_context *context, const char *path, sl_dtype type,
                             const char *const *names) {
  double doubles[6] = {0.1, -1e-300, 3, 1e22, INFINITY, 5e-324};
  float floats[6] = {0.1f, -1e-30f, 3, 1e22f, -INFINITY, 1e-45f};
  const void *data = type == SL_F32 ? (const void *)floats : (const void *)doubles;
  sl__table table;
  REQUIRE_OK(context, sl__table_write(context, path, NULL, 3, 2, type, data, names));
  REQUIRE_OK(context, sl__table_read(context, path, NULL, &table));
  REQUIRE(table.rows == 3 && table.columns == 2);
  for (int i = 0; i < 6; i++) {
    double value =
        table.type == SL_F32 ? (double)((float *)table.data)[i] : ((double *)table.data)[i];
    if (type == SL_F32)
      CHECK((float)value == floats[i]);
    else
      CHECK(value == doubles[i]);
  }
  for (int i = 0; table.names && i < 2; i++) CHECK_TEXT(table.names[i], names[i]);
  sl__table_close(&table);
}

TEST(tables_through_files) {
  sl_context *context = open_context();
  char folder[] = "/tmp/sluice_io_XXXXXX", csv[64], npy[64];
  REQUIRE(mkdtemp(folder));
  snprintf(csv, sizeof csv, "%s/a.csv", folder);
  snprintf(npy, sizeof npy, "%s/a.npy", folder);
  const char *const names[] = {"plain", "with \"quotes\", comma"};
  for (int type = SL_F32; type <= SL_F64; type++) {
    check_round_trip(context, csv, (sl_dtype)type, names);
    check_round_trip(context, csv, (sl_dtype)type, NULL);
    check_round_trip(context, npy, (sl_dtype)type, NULL);
  }
  sl__table table;
  CHECK(sl__table_read(context, npy, "csv", &table) == SL_FORMAT);
  CHECK(sl__table_read(context, npy, "xls", &table) == SL_BAD_ARGUMENT);
  REQUIRE_OK(context, sl__os_write_file(context, csv, "1,2\n3,x\n", 8));
  CHECK(sl__table_read(context, csv, NULL, &table) == SL_FORMAT);
  char expected[160];
  snprintf(expected, sizeof expected,
           "%s:2:3: 'x' is not a number; remove the column or encode it as numbers", csv);
  CHECK_TEXT(sl_error(context), expected);
  CHECK(sl__table_read(context, "/nonexistent.csv", NULL, &table) == SL_IO);
  unlink(csv);
  unlink(npy);
  CHECK(rmdir(folder) == 0);
  sl_context_free(context);
}

/* ---- safetensors ---- */

TEST(safetensors_round_trip_is_deterministic) {
  sl_context *context = open_context();
  char folder[] = "/tmp/sluice_io_XXXXXX", path[64];
  REQUIRE(mkdtemp(folder));
  snprintf(path, sizeof path, "%s/a.safetensors", folder);
  float f[3] = {1, 2, 3};
  double d[4] = {4, 5, 6, 7};
  int64_t n[1] = {-8};
  sl__tensor tensors[] = {
      {.name = "f", .type = SL_F32, .dims = 1, .shape = {3}, .data = f, .count = 3},
      {.name = "d\"x", .type = SL_F64, .dims = 2, .shape = {2, 2}, .data = d, .count = 4},
      {.name = "n", .is_int64 = true, .dims = 0, .data = n, .count = 1},
      {.name = "empty", .type = SL_F32, .dims = 2, .shape = {0, 5}, .count = 0},
  };
  const char *const keys[] = {"formula", "other"}, *const values[] = {"planar*8", "\xC3\xA9\n\""};
  char *first = NULL, *second = NULL;
  size_t length = 0, again = 0;
  REQUIRE_OK(context, sl__tensors_write(context, path, 4, tensors, 2, keys, values));
  REQUIRE_OK(context, sl__os_read_file(context, path, &first, &length));
  REQUIRE_OK(context, sl__tensors_write(context, path, 4, tensors, 2, keys, values));
  REQUIRE_OK(context, sl__os_read_file(context, path, &second, &again));
  CHECK(length == again && memcmp(first, second, length) == 0);
  sl__tensor_file file;
  REQUIRE_OK(context, sl__tensors_read(context, path, &file));
  CHECK(file.tensors == 4 && file.entries == 2);
  CHECK_TEXT(sl__tensors_meta(&file, "other"), values[1]);
  CHECK(!sl__tensors_meta(&file, "absent") && !sl__tensors_find(&file, "absent"));
  for (int i = 0; i < 4; i++) {
    const sl__tensor *read = sl__tensors_find(&file, tensors[i].name);
    REQUIRE(read);
    CHECK(read->dims == tensors[i].dims && read->count == tensors[i].count &&
          read->is_int64 == tensors[i].is_int64);
    CHECK(read->is_int64 || read->type == tensors[i].type);
    CHECK(memcmp(read->shape, tensors[i].shape, sizeof read->shape) == 0);
    CHECK((uintptr_t)read->data % 8 == 0);
    size_t width = read->is_int64 || read->type == SL_F64 ? 8 : 4;
    CHECK(read->count == 0 ||
          memcmp(read->data, tensors[i].data, (size_t)read->count * width) == 0);
  }
  sl__tensors_close(&file);
  sl__free(&context->allocator, first);
  sl__free(&context->allocator, second);
  unlink(path);
  CHECK(rmdir(folder) == 0);
  sl_context_free(context);
}

static sl_status parse_tensors(sl_context *context, const char *header, size_t data,
                               int64_t *tensors) {
  size_t size = strlen(header);
  char *bytes = calloc(1, 8 + size + data);
  if (!bytes) return SL_NO_MEMORY;
  uint64_t length = size;
  memcpy(bytes, &length, 8);
  memcpy(bytes + 8, header, size);
  sl__tensor_file file;
  sl_status status = sl__tensors_parse(context, bytes, 8 + size + data, &file);
  *tensors = file.tensors;
  sl__tensors_close(&file);
  free(bytes);
  return status;
}

TEST(safetensors_good_and_bad_headers) {
#define TENSOR(name, type, shape, offsets) \
  "\"" name "\":{\"dtype\":\"" type "\",\"shape\":" shape ",\"data_offsets\":" offsets "}"
  static const struct {
    const char *header;
    size_t data;
    const char *part; /* of the message; NULL: good */
  } cases[] = {
      {"{}", 0, NULL},
      {"{\"__metadata__\":{}}   ", 0, NULL},
      {"{" TENSOR("a", "F32", "[2]", "[0,8]") "}", 8, NULL},
      {"{" TENSOR("b", "F32", "[2]", "[8,16]") "," TENSOR("a", "F64", "[]", "[0,8]") "}", 16, NULL},
      {"{" TENSOR("a", "F32", "[0]", "[0,0]") "," TENSOR("b", "I64", "[1]", "[0,8]") "}", 8, NULL},
      {"{" TENSOR("a", "F32", "[2]", "[0,8]") "}", 9, "behind the last"},
      {"{" TENSOR("a", "F32", "[2]", "[0,8]") "}", 7, "outside"},
      {"{" TENSOR("a", "F32", "[3]", "[0,8]") "}", 8, "length differs"},
      {"{" TENSOR("a", "F32", "[2]", "[4,12]") "}", 12, "gap"},
      {"{" TENSOR("a", "F32", "[2]", "[0,8]") "," TENSOR("b", "F32", "[2]", "[4,12]") "}", 12,
       "overlap"},
      {"{" TENSOR("a", "F32", "[1]", "[0,4]") "," TENSOR("b", "F32", "[1]", "[8,12]") "}", 12,
       "gap"},
      {"{" TENSOR("a", "F32", "[1]", "[0,4]") "," TENSOR("a", "F32", "[1]", "[4,8]") "}", 8,
       "twice"},
      {"{" TENSOR("a", "F32", "[4294967296,4294967296,2]", "[0,8]") "}", 8, "shape"},
      {"{" TENSOR("a", "F32", "[4611686018427387904]", "[0,8]") "}", 8, "length differs"},
      {"{" TENSOR("a", "F32", "[-2,-1]", "[0,8]") "}", 8, "shape"},
      {"{" TENSOR("a", "F32", "[1.5]", "[0,8]") "}", 8, "shape"},
      {"{" TENSOR("a", "F32", "[1,1,1,1,2]", "[0,8]") "}", 8, "dimensions"},
      {"{" TENSOR("a", "BF16", "[4]", "[0,8]") "}", 8, "BF16"},
      {"{" TENSOR("a", "F32", "[2]", "[8,0]") "}", 8, "outside"},
      {"{" TENSOR("a", "F32", "[2]", "[-8,0]") "}", 8, "outside"},
      {"{" TENSOR("a", "F32", "[2]", "[0]") "}", 8, "data_offsets"},
      {"{" TENSOR("a", "F32", "[2]", "[0,1e1]") "}", 8, "data_offsets"},
      {"{\"a\":{\"shape\":[2],\"data_offsets\":[0,8]}}", 8, "dtype"},
      {"{\"a\":3}", 0, "object"},
      {"{\"__metadata__\":{\"k\":3}}", 0, "text"},
      {"{\"__metadata__\":{},\"__metadata__\":{}}", 0, "twice"},
      {"[]", 0, "object"},
      {"{", 0, "JSON"},
      {"", 0, "JSON"},
  };
  sl_context *context = open_context();
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    int64_t tensors = 0;
    sl_status status = parse_tensors(context, cases[i].header, cases[i].data, &tensors);
    if (!cases[i].part) {
      CHECK_OK(context, status);
    } else {
      CHECK(status == SL_FORMAT || status == SL_UNSUPPORTED);
      CHECK(tensors == 0);
      if (!CHECK(strstr(sl_error(context), cases[i].part)))
        printf("  %s: %s\n", cases[i].header, sl_error(context));
    }
  }
  sl__tensor_file file;
  CHECK(sl__tensors_parse(context, "\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF{}", 10, &file) == SL_FORMAT);
  CHECK(sl__tensors_parse(context, "\x03\0\0\0\0\0\0\0{}", 10, &file) == SL_FORMAT);
  CHECK(sl__tensors_parse(context, "\x03\0\0", 3, &file) == SL_FORMAT);
  sl_context_free(context);
}
