/* What a tracker records, from text: [WHAT,...][@EVERY][=FILE]. */
#include <stdio.h>
#include <string.h>
#include "base/text.h"
#include "infer/vi/engine.h"
#include "infer/vi/track.h"
#include "io/io.h"

static const struct {
  const char *name;
  sl__vi_column_kind kind;
} words[] = {
    {"loss", SL__VI_COLUMN_LOSS},
    {"loss_average", SL__VI_COLUMN_LOSS_AVERAGE},
    {"gradient_norm", SL__VI_COLUMN_GRADIENT_NORM},
    {"seconds", SL__VI_COLUMN_SECONDS},
};

bool sl__vi_name_matches(const char *pattern, size_t length, const char *name) {
  if (length == 0) return *name == '\0';
  if (*pattern == '*') {
    for (const char *rest = name;; rest++) {
      if (sl__vi_name_matches(pattern + 1, length - 1, rest)) return true;
      if (*rest == '\0') return false;
    }
  }
  if (*name == '\0' || (*pattern != '?' && *pattern != *name)) return false;
  return sl__vi_name_matches(pattern + 1, length - 1, name + 1);
}

/* Each number of a tensor is a column: "layers.1.u[2]", counted from 1 as it lies in memory. */
static sl_status add_tensor(sl__vi_track *track, const sl__parameter *tensor,
                            sl__vi_column_kind kind) {
  const int64_t count = sl__shape_count(tensor->shape);
  for (int64_t i = 0; i < count; i++) {
    char name[192], index[24] = "";
    if (count > 1) snprintf(index, sizeof index, "[%lld]", (long long)i + 1);
    const int length =
        snprintf(name, sizeof name, "%s%s%s", kind == SL__VI_COLUMN_GRADIENT ? "gradient:" : "",
                 tensor->name, index);
    const char *kept = sl__arena_text(&track->arena, name, (size_t)length);
    if (!kept) return SL_NO_MEMORY;
    SL__TRY(sl__vi_track_add(
        track, &(sl__vi_column){.name = kept, .kind = kind, .offset = tensor->offset + i}));
  }
  return SL_OK;
}

static sl_status add_tensors(sl__vi_track *track, const char *text, size_t length) {
  static const char prefix[] = "gradient:";
  const size_t skip = sizeof prefix - 1;
  const bool gradient = length > skip && strncmp(text, prefix, skip) == 0;
  const char *pattern = gradient ? text + skip : text;
  const size_t rest = gradient ? length - skip : length;
  bool found = false;
  for (int p = 0; p < track->flow->parameter_count; p++) {
    const sl__parameter *tensor = &track->flow->parameters[p];
    if (!tensor->trainable || !sl__vi_name_matches(pattern, rest, tensor->name)) continue;
    found = true;
    SL__TRY(add_tensor(track, tensor, gradient ? SL__VI_COLUMN_GRADIENT : SL__VI_COLUMN_PARAMETER));
  }
  if (found) return SL_OK;
  return sl__fail(track->context, SL_BAD_ARGUMENT,
                  "nothing to track is called \"%.*s\"; give loss, loss_average, gradient_norm, "
                  "seconds, or tensors such as %s",
                  (int)(length < 100 ? length : 100), text,
                  track->flow->parameter_count > 0 ? track->flow->parameters[0].name
                                                   : "layers.1.*");
}

static sl_status add_item(sl__vi_track *track, const char *text, size_t length) {
  for (size_t w = 0; w < sizeof words / sizeof words[0]; w++)
    if (strlen(words[w].name) == length && strncmp(words[w].name, text, length) == 0)
      return sl__vi_track_add(track,
                              &(sl__vi_column){.name = words[w].name, .kind = words[w].kind});
  return add_tensors(track, text, length);
}

/* "@10" at begin..end. */
static sl_status read_every(sl__vi_track *track, const char *begin, const char *end) {
  if (sl__parse_integer(begin, end, &track->every) == end && track->every >= 1) return SL_OK;
  return sl__fail(track->context, SL_BAD_ARGUMENT,
                  "\"%.*s\" is no number of steps; write loss@10 to track every tenth step",
                  (int)(end - begin < 40 ? end - begin : 40), begin);
}

/* "=FILE" at end, or nothing. */
static sl_status read_file(sl__vi_track *track, const char *end) {
  track->file = sl__arena_text(&track->arena, *end ? end + 1 : "track.csv",
                               *end ? strlen(end + 1) : strlen("track.csv"));
  if (!track->file) return SL_NO_MEMORY;
  if (track->file[0] == '\0')
    return sl__fail(track->context, SL_BAD_ARGUMENT,
                    "the tracker's file has no name; write loss=track.csv");
  return sl__table_check_out(track->context, track->file, NULL);
}

sl_status sl__vi_track_read(sl__vi_track *track, const char *spec) {
  track->every = 1;
  SL__TRY(sl__vi_track_add(track, &(sl__vi_column){.name = "step", .kind = SL__VI_COLUMN_STEP}));
  if (!spec) return SL_OK;
  const char *end = spec + strcspn(spec, "=");
  SL__TRY(read_file(track, end));
  const char *at = memchr(spec, '@', (size_t)(end - spec));
  if (at) {
    SL__TRY(read_every(track, at + 1, end));
    end = at;
  }
  for (const char *item = spec; item < end;) {
    const char *comma = memchr(item, ',', (size_t)(end - item));
    const char *stop = comma ? comma : end;
    SL__TRY(add_item(track, item, (size_t)(stop - item)));
    item = stop + (comma != NULL);
  }
  return SL_OK;
}
