/* safetensors: eight bytes of header length, a JSON header, then the tensors' bytes, all
 * little-endian. https://huggingface.co/docs/safetensors
 *
 * The reader believes nothing: the header is capped at 100 MB, every element count is multiplied
 * with a check, every tensor's bytes must equal its shape's, and sorted by offset the tensors must
 * fill the rest of the file without gap or overlap, so that no byte is unaccounted for. */
#include "base/os.h"
#include "io/io.h"
#include <stdlib.h>
#include <string.h>

enum { LENGTH_BYTES = 8, MOST_DIMS = 4, ALIGNMENT = 8 };
static const size_t LARGEST_HEADER = 100000000;

static sl_status refuse(sl_context *context, const char *name, const char *what) {
  return sl__fail(context, SL_FORMAT,
                  "not a sound safetensors file: %s%s%s; the file is damaged or incomplete",
                  name ? name : "", name ? ": " : "", what);
}

static size_t element_size(const sl__tensor *tensor) {
  return tensor->type == SL_F32 && !tensor->is_int64 ? 4 : 8;
}

/* ---- reading ---- */

typedef struct extent {
  int64_t begin, end; /* bytes behind the header */
  sl__tensor *tensor;
} extent;

static int by_begin(const void *a, const void *b) {
  const extent *x = a, *y = b;
  if (x->begin != y->begin) return x->begin < y->begin ? -1 : 1;
  return x->end < y->end ? -1
                         : x->end > y->end; /* empty tensors come before what shares their begin */
}

static int by_name(const void *a, const void *b) {
  return strcmp(((const extent *)a)->tensor->name, ((const extent *)b)->tensor->name);
}

static sl_status read_type(sl_context *context, const sl__json_value *entry, sl__tensor *out) {
  const sl__json_value *type = sl__json_member(entry, "dtype");
  if (!type || type->kind != SL__JSON_TEXT) return refuse(context, out->name, "no dtype");
  out->is_int64 = strcmp(type->text, "I64") == 0;
  out->type = strcmp(type->text, "F32") == 0 ? SL_F32 : SL_F64;
  if (out->is_int64 || out->type == SL_F32 || strcmp(type->text, "F64") == 0) return SL_OK;
  return sl__fail(context, SL_UNSUPPORTED, "tensor %s has type %.16s; F32, F64 and I64 are read",
                  out->name, type->text);
}

static sl_status read_shape(sl_context *context, const sl__json_value *entry, sl__tensor *out) {
  const sl__json_value *shape = sl__json_member(entry, "shape");
  if (!shape || shape->kind != SL__JSON_ARRAY) return refuse(context, out->name, "no shape");
  if (shape->count > MOST_DIMS) {
    return sl__fail(context, SL_UNSUPPORTED, "tensor %s has more than %d dimensions", out->name,
                    MOST_DIMS);
  }
  out->count = 1;
  for (const sl__json_value *size = shape->child; size; size = size->next) {
    if (size->kind != SL__JSON_NUMBER || !size->is_integer || size->integer < 0 ||
        __builtin_mul_overflow(out->count, size->integer, &out->count)) {
      return refuse(context, out->name, "impossible shape");
    }
    out->shape[out->dims++] = size->integer;
  }
  return SL_OK;
}

static sl_status read_entry(sl_context *context, const sl__json_value *entry, int64_t available,
                            sl__tensor *out, extent *where) {
  out->name = entry->key;
  if (entry->kind != SL__JSON_OBJECT) return refuse(context, out->name, "not an object");
  SL__TRY(read_type(context, entry, out));
  SL__TRY(read_shape(context, entry, out));
  const sl__json_value *offsets = sl__json_member(entry, "data_offsets");
  if (!offsets || offsets->kind != SL__JSON_ARRAY || offsets->count != 2 ||
      !offsets->child->is_integer || !offsets->child->next->is_integer) {
    return refuse(context, out->name, "no data_offsets");
  }
  *where = (extent){offsets->child->integer, offsets->child->next->integer, out};
  if (where->begin < 0 || where->end < where->begin || where->end > available) {
    return refuse(context, out->name, "its offsets lie outside the file");
  }
  int64_t bytes = 0;
  if (__builtin_mul_overflow(out->count, (int64_t)element_size(out), &bytes) ||
      bytes != where->end - where->begin) {
    return refuse(context, out->name, "its length differs from its shape's");
  }
  return SL_OK;
}

static sl_status read_metadata(sl_context *context, const sl__json_value *entry,
                               sl__tensor_file *out) {
  if (entry->kind != SL__JSON_OBJECT) return refuse(context, entry->key, "not an object");
  out->keys = sl__arena_take(&out->arena, (size_t)entry->count, sizeof *out->keys);
  out->values = sl__arena_take(&out->arena, (size_t)entry->count, sizeof *out->values);
  if (!out->keys || !out->values) return SL_NO_MEMORY;
  out->entries = 0;
  for (const sl__json_value *member = entry->child; member; member = member->next) {
    if (member->kind != SL__JSON_TEXT)
      return refuse(context, member->key, "its value is not a text");
    out->keys[out->entries] = member->key;
    out->values[out->entries++] = member->text;
  }
  return SL_OK;
}

/* No gaps, no overlaps, no name twice; then the bytes are copied to aligned memory. */
static sl_status place_tensors(sl_context *context, const char *data, int64_t available,
                               extent *extents, sl__tensor_file *out) {
  size_t count = (size_t)out->tensors;
  if (count > 1) qsort(extents, count, sizeof *extents, by_name);
  for (size_t i = 1; i < count; i++) {
    if (by_name(&extents[i - 1], &extents[i]) == 0)
      return refuse(context, extents[i].tensor->name, "named twice");
  }
  if (count > 1) qsort(extents, count, sizeof *extents, by_begin);
  int64_t filled = 0;
  for (size_t i = 0; i < count; i++) {
    if (extents[i].begin != filled)
      return refuse(context, extents[i].tensor->name, "its bytes overlap or leave a gap");
    filled = extents[i].end;
  }
  if (filled != available) return refuse(context, NULL, "bytes behind the last tensor");
  for (size_t i = 0; i < count; i++) {
    size_t bytes = (size_t)(extents[i].end - extents[i].begin);
    void *copy = sl__arena_take(&out->arena, bytes, 1);
    if (!copy) return SL_NO_MEMORY;
    if (bytes > 0) memcpy(copy, data + extents[i].begin, bytes);
    extents[i].tensor->data = copy;
  }
  return SL_OK;
}

static sl_status read_header(sl_context *context, const sl__json_value *root, const char *data,
                             int64_t available, sl__arena *scratch, sl__tensor_file *out) {
  if (root->kind != SL__JSON_OBJECT) return refuse(context, NULL, "its header is not an object");
  extent *extents = sl__arena_take(scratch, (size_t)root->count, sizeof *extents);
  out->tensor = sl__arena_take(&out->arena, (size_t)root->count, sizeof *out->tensor);
  if (!extents || !out->tensor) return SL_NO_MEMORY;
  for (const sl__json_value *entry = root->child; entry; entry = entry->next) {
    if (strcmp(entry->key, "__metadata__") == 0) {
      if (out->keys) return refuse(context, entry->key, "given twice");
      SL__TRY(read_metadata(context, entry, out));
    } else {
      SL__TRY(read_entry(context, entry, available, &out->tensor[out->tensors],
                         &extents[out->tensors]));
      out->tensors++;
    }
  }
  return place_tensors(context, data, available, extents, out);
}

sl_status sl__tensors_parse(sl_context *context, const char *bytes, size_t length,
                            sl__tensor_file *out) {
  *out = (sl__tensor_file){0};
  if (length < LENGTH_BYTES) return refuse(context, NULL, "it is too short");
  uint64_t header = 0;
  memcpy(&header, bytes, LENGTH_BYTES);
  if (header > LARGEST_HEADER || header > length - LENGTH_BYTES) {
    return refuse(context, NULL, "its header is longer than the file or than 100 MB");
  }
  sl__arena_open(&out->arena, context);
  sl__arena scratch;
  sl__arena_open(&scratch, context);
  sl__json_value *root = NULL;
  const char *data = bytes + LENGTH_BYTES + header;
  int64_t available = (int64_t)(length - LENGTH_BYTES - header);
  /* The header's texts become the names and values of the result, so it is parsed into its
   * arena. */
  sl_status status =
      sl__json_parse(context, &out->arena, bytes + LENGTH_BYTES, (size_t)header, &root);
  if (status == SL_OK) status = read_header(context, root, data, available, &scratch, out);
  sl__arena_close(&scratch);
  if (status != SL_OK) sl__tensors_close(out);
  return status;
}

sl_status sl__tensors_read(sl_context *context, const char *path, sl__tensor_file *out) {
  *out = (sl__tensor_file){0};
  char *bytes = NULL;
  size_t length = 0;
  SL__TRY(sl__os_read_file(context, path, &bytes, &length));
  sl_status status = sl__tensors_parse(context, bytes, length, out);
  sl__free(&context->allocator, bytes);
  return status == SL_OK || status == SL_NO_MEMORY ? status : sl__fail_prefix(context, "%s", path);
}

const sl__tensor *sl__tensors_find(const sl__tensor_file *file, const char *name) {
  for (int64_t i = 0; i < file->tensors; i++) {
    if (strcmp(file->tensor[i].name, name) == 0) return &file->tensor[i];
  }
  return NULL;
}

const char *sl__tensors_meta(const sl__tensor_file *file, const char *key) {
  for (int64_t i = 0; i < file->entries; i++) {
    if (strcmp(file->keys[i], key) == 0) return file->values[i];
  }
  return NULL;
}

void sl__tensors_close(sl__tensor_file *file) {
  sl__arena_close(&file->arena);
  *file = (sl__tensor_file){0};
}

/* ---- writing ---- */

/* Tensors of eight-byte elements go first, so that every tensor is aligned to its element; within
 * that the caller's order stays. The header is padded with blanks to eight bytes. */
static void describe_tensors(sl__json *json, int64_t tensors, const sl__tensor *tensor) {
  static const char *const names[] = {"F32", "F64", "I64"};
  int64_t offset = 0;
  for (size_t size = 8; size >= 4; size -= 4) {
    for (int64_t i = 0; i < tensors; i++) {
      if (element_size(&tensor[i]) != size) continue;
      sl__json_open_object(json, tensor[i].name);
      sl__json_text(json, "dtype",
                    names[tensor[i].is_int64         ? 2
                          : tensor[i].type == SL_F32 ? 0
                                                     : 1]);
      sl__json_open_array(json, "shape");
      for (int32_t d = 0; d < tensor[i].dims; d++) sl__json_integer(json, NULL, tensor[i].shape[d]);
      sl__json_close_array(json);
      sl__json_open_array(json, "data_offsets");
      sl__json_integer(json, NULL, offset);
      offset += tensor[i].count * (int64_t)size;
      sl__json_integer(json, NULL, offset);
      sl__json_close_array(json);
      sl__json_close_object(json);
    }
  }
}

static void write_header(sl__text *text, int64_t tensors, const sl__tensor *tensor, int64_t entries,
                         const char *const *keys, const char *const *values) {
  sl__json json = {.text = text};
  sl__json_open_object(&json, NULL);
  if (entries > 0) {
    sl__json_open_object(&json, "__metadata__");
    for (int64_t i = 0; i < entries; i++) sl__json_text(&json, keys[i], values[i]);
    sl__json_close_object(&json);
  }
  describe_tensors(&json, tensors, tensor);
  sl__json_close_object(&json);
  while (text->length % ALIGNMENT != 0 && !text->failed) sl__text_add_bytes(text, " ", 1);
}

sl_status sl__tensors_write(sl_context *context, const char *path, int64_t tensors,
                            const sl__tensor *tensor, int64_t entries, const char *const *keys,
                            const char *const *values) {
  sl__text text;
  sl__text_open(&text, context);
  write_header(&text, tensors, tensor, entries, keys, values);
  sl__out_file out = {0};
  sl_status status = text.failed ? context->error.status : sl__os_open_out(context, path, &out);
  if (status == SL_OK) {
    uint64_t header = text.length;
    fwrite(&header, LENGTH_BYTES, 1, out.file);
    fwrite(text.data, 1, text.length, out.file);
    for (size_t size = 8; size >= 4; size -= 4) {
      for (int64_t i = 0; i < tensors; i++) {
        if (element_size(&tensor[i]) != size || tensor[i].count == 0) continue;
        fwrite(tensor[i].data, size, (size_t)tensor[i].count, out.file);
      }
    }
    status = sl__os_finish_out(context, &out);
  }
  sl__text_close(&text);
  return status;
}
