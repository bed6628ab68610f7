/* Colours. */
#include "plot/figure.h"

uint32_t sl__palette(double share) {
  static const uint32_t stops[] = {0x440154, 0x482878, 0x3e4a89, 0x31688e, 0x26828e,
                                   0x1f9e89, 0x35b779, 0x6ece58, 0xb5de2b, 0xfde725};
  enum { LAST = sizeof stops / sizeof *stops - 1 };
  if (!(share > 0)) return stops[0];
  if (share >= 1) return stops[LAST];
  const int k = (int)(share * LAST);
  const double part = share * LAST - k;
  uint32_t mixed = 0;
  for (int shift = 0; shift <= 16; shift += 8) {
    const double a = stops[k] >> shift & 255, b = stops[k + 1] >> shift & 255;
    mixed |= (uint32_t)(a + part * (b - a) + 0.5) << shift;
  }
  return mixed;
}

/* Dark, light, middle: they differ without their hues. */
const char *sl__series_colour(int i) {
  static const char *const colours[SL__SERIES_COLOURS] = {"#1b3a6b", "#f08a24", "#2a8c82",
                                                          "#d94f70", "#7fb3e0", "#6b5b4b"};
  return colours[i % SL__SERIES_COLOURS];
}
