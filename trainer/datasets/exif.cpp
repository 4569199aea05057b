#include "trainer/datasets/exif.hpp"

#include <libexif/exif-data.h>

#include <algorithm>
#include <memory>

namespace sweep::trainer {
namespace {

constexpr int kUpright = 1;

/// Where a pixel of the upright image lies in the stored one.
struct Turn {
  bool transposed = false;  ///< rows are stored as columns
  bool from_right = false;  ///< stored columns run backwards
  bool from_bottom = false;
};

/// The standard says where the first stored row and column belong: 3 "bottom, right", 6 "right,
/// top", and so on.
Turn turn_of(int orientation) {
  return {
      .transposed = orientation >= 5,
      .from_right = orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8,
      .from_bottom = orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7};
}

}  // namespace

int exif_orientation(const std::string& jpeg) {
  const std::unique_ptr<ExifData, void (*)(ExifData*)> data(
      exif_data_new_from_data(reinterpret_cast<const unsigned char*>(jpeg.data()),
                              static_cast<unsigned>(jpeg.size())),
      exif_data_unref);
  if (!data) return kUpright;
  const ExifEntry* entry = exif_content_get_entry(data->ifd[EXIF_IFD_0], EXIF_TAG_ORIENTATION);
  if (entry == nullptr || entry->format != EXIF_FORMAT_SHORT || entry->components != 1 ||
      entry->size < 2)
    return kUpright;
  const int orientation = exif_get_short(entry->data, exif_data_get_byte_order(data.get()));
  return orientation >= 1 && orientation <= 8 ? orientation : kUpright;
}

Pixels turn_upright(Pixels pixels, int orientation) {
  if (orientation == kUpright) return pixels;
  const Turn turn = turn_of(orientation);
  Pixels upright{pixels.height, pixels.width, std::vector<std::uint8_t>(pixels.rgb.size())};
  if (turn.transposed) std::swap(upright.height, upright.width);
  auto* to = upright.rgb.data();
  for (std::int64_t y = 0; y < upright.height; ++y)
    for (std::int64_t x = 0; x < upright.width; ++x, to += 3) {
      std::int64_t row = turn.transposed ? x : y, column = turn.transposed ? y : x;
      if (turn.from_bottom) row = pixels.height - 1 - row;
      if (turn.from_right) column = pixels.width - 1 - column;
      std::copy_n(pixels.rgb.data() + 3 * (row * pixels.width + column), 3, to);
    }
  return upright;
}

}  // namespace sweep::trainer
