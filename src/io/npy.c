/* NumPy's array file (format versions 1 to 3): magic, version, header length, a Python dictionary
 * with descr, fortran_order and shape, then the numbers. Floats keep their type; integers and truth
 * values become float64. https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html */
#include "io/formats.h"
#include <string.h>

typedef struct header {
  char order, kind; /* of descr: '<' or '|' or '>', then 'f', 'i', 'u', 'b' */
  int size;
  bool fortran;
  int dims;
  int64_t shape[2];
} header;

typedef struct reader {
  sl_context *context;
  const char *at, *end;
} reader;

static sl_status refuse(const reader *in, const char *what) {
  return sl__fail(in->context, SL_FORMAT,
                  "not a NumPy array file: %s; write it again with numpy.save", what);
}

/* ---- the dictionary ---- */

static void skip_blanks(reader *in) {
  while (in->at < in->end && (*in->at == ' ' || *in->at == '\n' || *in->at == '\t')) in->at++;
}

static bool accept(reader *in, const char *word) {
  skip_blanks(in);
  size_t length = strlen(word);
  if ((size_t)(in->end - in->at) < length || memcmp(in->at, word, length) != 0) return false;
  in->at += length;
  return true;
}

static bool read_text(reader *in, const char **text, size_t *length) {
  skip_blanks(in);
  if (in->at == in->end || (*in->at != '\'' && *in->at != '"')) return false;
  const char *close = memchr(in->at + 1, *in->at, (size_t)(in->end - in->at - 1));
  if (!close) return false;
  *text = in->at + 1;
  *length = (size_t)(close - *text);
  in->at = close + 1;
  return true;
}

static sl_status read_type(reader *in, header *out) {
  const char *text;
  size_t length;
  skip_blanks(in);
  if (in->at < in->end && *in->at == '[') {
    return sl__fail(in->context, SL_UNSUPPORTED,
                    "a structured NumPy array; save plain numbers, all of one type");
  }
  if (!read_text(in, &text, &length) || length < 2) return refuse(in, "its type is missing");
  char order = strchr("<>|=", text[0]) && text[0] ? *text++ : '=';
  int64_t size = 0;
  const char *end = in->at - 1;
  if (text == end || sl__parse_integer(text + 1, end, &size) != end) size = 0;
  *out = (header){.order = order, .kind = *text, .size = size > 0 && size <= 8 ? (int)size : 0};
  bool known =
      (*text == 'f' && (size == 4 || size == 8)) || (*text == 'b' && size == 1) ||
      ((*text == 'i' || *text == 'u') && (size == 1 || size == 2 || size == 4 || size == 8));
  if (!known) {
    return sl__fail(in->context, SL_UNSUPPORTED,
                    "NumPy type '%.*s' is not supported; convert with array.astype('float64')",
                    (int)(length < 16 ? length : 16), end - length);
  }
  if (order == '>' && size > 1) {
    return sl__fail(in->context, SL_UNSUPPORTED,
                    "big-endian numbers; convert with array.astype('float64') before saving");
  }
  return SL_OK;
}

static sl_status read_shape(reader *in, header *out) {
  if (!accept(in, "(")) return refuse(in, "its shape is malformed");
  out->dims = 0;
  while (!accept(in, ")")) {
    int64_t size = 0;
    skip_blanks(in);
    const char *after = sl__parse_integer(in->at, in->end, &size);
    if (!after || size < 0) return refuse(in, "its shape is malformed");
    in->at = after;
    if (out->dims == 2) {
      return sl__fail(in->context, SL_UNSUPPORTED,
                      "an array of more than two dimensions; reshape it to rows and columns (of "
                      "draws, [chains][draws]...: chain after chain, and give --chains %lld)",
                      (long long)out->shape[0]);
    }
    out->shape[out->dims++] = size;
    if (!accept(in, ",") && !(in->at < in->end && *in->at == ')'))
      return refuse(in, "its shape is malformed");
  }
  return SL_OK;
}

static sl_status read_dictionary(reader *in, header *out) {
  header type = {0}, rest = {0};
  unsigned seen = 0;
  if (!accept(in, "{")) return refuse(in, "its header is malformed");
  while (!accept(in, "}")) {
    const char *key;
    size_t length;
    if (!read_text(in, &key, &length) || !accept(in, ":"))
      return refuse(in, "its header is malformed");
    if (length == 5 && memcmp(key, "descr", 5) == 0) {
      SL__TRY(read_type(in, &type));
      seen |= 1;
    } else if (length == 13 && memcmp(key, "fortran_order", 13) == 0) {
      rest.fortran = accept(in, "True");
      if (!rest.fortran && !accept(in, "False")) return refuse(in, "its header is malformed");
      seen |= 2;
    } else if (length == 5 && memcmp(key, "shape", 5) == 0) {
      SL__TRY(read_shape(in, &rest));
      seen |= 4;
    } else {
      return refuse(in, "its header has an unknown key");
    }
    accept(in, ",");
  }
  if (seen != 7) return refuse(in, "its header lacks descr, fortran_order or shape");
  *out = rest;
  out->order = type.order;
  out->kind = type.kind;
  out->size = type.size;
  return SL_OK;
}

/* Stands behind the header afterwards. */
static sl_status read_header(reader *in, header *out) {
  if (in->end - in->at < 10 || memcmp(in->at, "\x93NUMPY", 6) != 0)
    return refuse(in, "its first bytes are others");
  const unsigned char *bytes = (const unsigned char *)in->at;
  int version = bytes[6];
  if (version < 1 || version > 3) return refuse(in, "its format version is unknown");
  size_t length_bytes = version == 1 ? 2 : 4, length = 0;
  if ((size_t)(in->end - in->at) < 8 + length_bytes) return refuse(in, "it is cut off");
  for (size_t i = 0; i < length_bytes; i++) length |= (size_t)bytes[8 + i] << (8 * i);
  in->at += 8 + length_bytes;
  if ((size_t)(in->end - in->at) < length) return refuse(in, "it is cut off");
  reader dictionary = {in->context, in->at, in->at + length};
  in->at += length;
  return read_dictionary(&dictionary, out);
}

/* ---- the numbers ---- */

/* A truncated or wider load of `size` bytes, little-endian as all supported machines are. */
static double read_number(const header *of, const char *at) {
  if (of->kind == 'f') {
    double value;
    memcpy(&value, at, sizeof value); /* float32 is not read here */
    return value;
  }
  uint64_t bits = 0;
  memcpy(&bits, at, (size_t)of->size);
  if (of->kind == 'b') return bits != 0;
  if (of->kind == 'u') return (double)bits;
  int unused = 64 - 8 * of->size;
  return (double)((int64_t)(bits << unused) >> unused);
}

static void convert(const header *of, const char *from, sl__table *table) {
  int64_t rows = table->rows, columns = table->columns, size = of->size;
  bool by_columns = of->fortran && of->dims == 2;
  for (int64_t i = 0; i < rows; i++) {
    for (int64_t j = 0; j < columns; j++) {
      const char *at = from + size * (by_columns ? j * rows + i : i * columns + j);
      if (table->type == SL_F32)
        memcpy((float *)table->data + i * columns + j, at, sizeof(float));
      else
        ((double *)table->data)[i * columns + j] = read_number(of, at);
    }
  }
}

static sl_status parse(reader *in, sl__table *out) {
  header of = {0};
  SL__TRY(read_header(in, &of));
  if (of.dims == 0)
    return sl__fail(in->context, SL_FORMAT, "a single number; give rows of numbers");
  out->rows = of.shape[0];
  out->columns = of.dims == 2 ? of.shape[1] : 1;
  out->type = of.kind == 'f' && of.size == 4 ? SL_F32 : SL_F64;
  if (out->rows == 0 || out->columns == 0)
    return sl__fail(in->context, SL_FORMAT, "no rows; the array is empty");
  int64_t count = 0, bytes = 0;
  if (__builtin_mul_overflow(out->rows, out->columns, &count) ||
      __builtin_mul_overflow(count, of.size, &bytes) || bytes > in->end - in->at) {
    return refuse(in, "it is cut off");
  }
  if (bytes < in->end - in->at) return refuse(in, "something follows the array");
  out->data = sl__arena_take(&out->arena, (size_t)count,
                             out->type == SL_F32 ? sizeof(float) : sizeof(double));
  if (!out->data) return SL_NO_MEMORY;
  convert(&of, in->at, out);
  return SL_OK;
}

sl_status sl__table_parse_npy(sl_context *context, const char *bytes, size_t length,
                              sl__table *out) {
  *out = (sl__table){0};
  sl__arena_open(&out->arena, context);
  reader in = {context, bytes, bytes + length};
  sl_status status = parse(&in, out);
  if (status != SL_OK) sl__table_close(out);
  return status;
}

/* ---- writing ---- */

/* Version 1: the header, padded with blanks to a multiple of 64 bytes, ends in a newline. */
sl_status sl__write_npy(sl_context *context, FILE *file, const sl__written_table *table) {
  (void)context;
  enum { PREFIX = 10, LONGEST = 256 };
  char text[LONGEST];
  const char *type = table->type == SL_F32 ? "<f4" : "<f8";
  long long rows = table->rows, columns = table->columns;
  int length;
  if (columns == 1 && !table->names) {
    length = snprintf(text, sizeof text,
                      "{'descr': '%s', 'fortran_order': False, 'shape': (%lld,), }", type, rows);
  } else {
    length = snprintf(text, sizeof text,
                      "{'descr': '%s', 'fortran_order': False, 'shape': (%lld, %lld), }", type,
                      rows, columns);
  }
  while ((PREFIX + length + 1) % 64 != 0) text[length++] = ' ';
  text[length++] = '\n';
  const unsigned char prefix[PREFIX] = {0x93,
                                        'N',
                                        'U',
                                        'M',
                                        'P',
                                        'Y',
                                        1,
                                        0,
                                        (unsigned char)(length & 255),
                                        (unsigned char)(length >> 8)};
  fwrite(prefix, 1, PREFIX, file);
  fwrite(text, 1, (size_t)length, file);
  size_t size = table->type == SL_F32 ? sizeof(float) : sizeof(double);
  fwrite(table->data, size, (size_t)rows * (size_t)columns, file);
  return SL_OK;
}
