/* safetensors: whatever the bytes, either tensors whose every byte can be touched, or a message. */
#include "fuzz.h"
#include "io/io.h"
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  sl_context_options options = {.size = sizeof options, .threads = 1};
  sl_context *context = NULL;
  if (sl_context_new(&options, &context) != SL_OK) return 0;
  sl__tensor_file file;
  sl_status status = sl__tensors_parse(context, (const char *)data, size, &file);
  if (status == SL_OK) {
    volatile unsigned sum = 0;
    for (int64_t i = 0; i < file.tensors; i++) {
      const sl__tensor *tensor = &file.tensor[i];
      const unsigned char *bytes = tensor->data;
      int64_t width = tensor->type == SL_F32 && !tensor->is_int64 ? 4 : 8;
      for (int64_t k = 0; k < tensor->count * width; k++) sum += bytes[k];
      if (!sl__tensors_find(&file, tensor->name)) abort();
    }
    for (int64_t i = 0; i < file.entries; i++) sum += (unsigned)strlen(file.values[i]);
    (void)sum;
    sl__tensors_close(&file);
  } else if (!*sl_error(context)) {
    abort();
  }
  sl_context_free(context);
  return 0;
}

/* Each begins with the length of its header. */
const fuzz_seed fuzz_seeds[] = {
    FUZZ_SEED("\x3A\0\0\0\0\0\0\0{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}  "
              "  01234567"),
    FUZZ_SEED("\x86\0\0\0\0\0\0\0{\"__metadata__\":{\"k\":\"v\"},\"a\":{\"dtype\":\"F64\","
              "\"shape\":[1,1],\"data_offsets\":"
              "[0,8]},\"b\":{\"dtype\":\"I64\",\"shape\":[0],\"data_offsets\":[8,8]}}01234567"),
    FUZZ_SEED("\x02\0\0\0\0\0\0\0{}"),
    {0},
};
