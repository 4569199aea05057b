#include "runner/data/contact_sheet.hpp"

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-function"
#pragma GCC diagnostic ignored "-Wunused-parameter"
#pragma GCC diagnostic ignored "-Wsign-compare"
#include <stb/stb_easy_font.h>
#pragma GCC diagnostic pop

#include <algorithm>
#include <array>
#include <span>

#include "core/text.hpp"
#include "trainer/datasets/resize.hpp"

namespace sweep::data {
namespace {

using trainer::Pixels;

constexpr std::int64_t kTilesPerRow = 8, kLargestTile = 128, kGap = 4, kCaption = 14;
constexpr std::size_t kCaptionCharacters = 100;  // what the font's buffer is made for
constexpr std::uint8_t kPaper = 255, kInk = 0;

/// An image of a split as rows of RGB, scaled to tile x tile.
Pixels tile_of(const storage::Array& images, std::int64_t index, std::int64_t tile) {
  const std::int64_t height = images.shape.at(2), width = images.shape.at(3);
  const auto area = static_cast<std::size_t>(height * width);
  const auto planes =
      images.values<std::uint8_t>().subspan(static_cast<std::size_t>(index) * 3 * area, 3 * area);
  Pixels image{height, width, std::vector<std::uint8_t>(3 * area)};
  for (std::size_t i = 0; i < area; ++i)
    for (std::size_t c = 0; c < 3; ++c) image.rgb[3 * i + c] = planes[c * area + i];
  if (height == tile && width == tile) return image;
  const auto small = static_cast<std::size_t>(tile * tile);
  std::vector<std::uint8_t> scaled(3 * small);
  trainer::resize_to_planes(image, tile, scaled);
  Pixels result{tile, tile, std::vector<std::uint8_t>(3 * small)};
  for (std::size_t i = 0; i < small; ++i)
    for (std::size_t c = 0; c < 3; ++c) result.rgb[3 * i + c] = scaled[c * small + i];
  return result;
}

void paste(Pixels& sheet, const Pixels& tile, std::int64_t left, std::int64_t top) {
  for (std::int64_t y = 0; y < tile.height; ++y)
    std::copy_n(tile.rgb.begin() + 3 * y * tile.width, 3 * tile.width,
                sheet.rgb.begin() + 3 * ((top + y) * sheet.width + left));
}

/// The font gives rectangles, as four corners each.
void write_caption(Pixels& sheet, std::string text, std::int64_t left, std::int64_t top) {
  struct Corner {
    float x, y, z;
    unsigned char colour[4];
  };
  text.resize(std::min(text.size(), kCaptionCharacters));
  for (char& c : text)
    if (c < ' ' || c > '~') c = '?';
  std::array<Corner, 4 * 40 * kCaptionCharacters> corners;
  const int count = stb_easy_font_print(static_cast<float>(left), static_cast<float>(top),
                                        text.data(), nullptr, corners.data(), sizeof corners);
  for (int i = 0; i < count; ++i) {
    const Corner &first = corners[static_cast<std::size_t>(4 * i)],
                 &last = corners[static_cast<std::size_t>(4 * i + 2)];
    for (auto y = static_cast<std::int64_t>(first.y); y < static_cast<std::int64_t>(last.y); ++y)
      for (auto x = static_cast<std::int64_t>(first.x);
           x < std::min(static_cast<std::int64_t>(last.x), sheet.width); ++x)
        std::fill_n(sheet.rgb.begin() + 3 * (y * sheet.width + x), 3, kInk);
  }
}

/// At most kTilesPerRow of the images with this label.
std::vector<std::int64_t> chosen(std::span<const std::int64_t> labels, std::int64_t label,
                                 std::int64_t& total) {
  std::vector<std::int64_t> all, few;
  for (std::size_t i = 0; i < labels.size(); ++i)
    if (labels[i] == label) all.push_back(static_cast<std::int64_t>(i));
  total = static_cast<std::int64_t>(all.size());
  const std::int64_t count = std::min(total, kTilesPerRow);
  for (std::int64_t i = 0; i < count; ++i)
    few.push_back(all[static_cast<std::size_t>(i * total / count)]);
  return few;
}

}  // namespace

Pixels contact_sheet(const storage::Content& dataset, const std::vector<std::string>& class_names) {
  const std::int64_t tile = std::min(dataset.array("train/images").shape.at(2), kLargestTile);
  const auto rows = 2 * static_cast<std::int64_t>(class_names.size());
  const std::int64_t row_height = kCaption + tile + kGap;
  Pixels sheet{rows * row_height + kGap, kTilesPerRow * (tile + kGap) + kGap, {}};
  sheet.rgb.assign(static_cast<std::size_t>(3 * sheet.height * sheet.width), kPaper);
  std::int64_t top = kGap;
  for (const std::string split : {"train", "test"}) {
    const storage::Array &images = dataset.array(split + "/images"),
                         &labels = dataset.array(split + "/labels");
    for (std::size_t k = 0; k < class_names.size(); ++k, top += row_height) {
      std::int64_t total = 0, left = kGap;
      const auto indices =
          chosen(labels.values<std::int64_t>(), static_cast<std::int64_t>(k), total);
      write_caption(sheet, concat(split, ": ", class_names[k], " (", total, ")"), left, top);
      for (const auto index : indices) {
        paste(sheet, tile_of(images, index, tile), left, top + kCaption);
        left += tile + kGap;
      }
    }
  }
  return sheet;
}

}  // namespace sweep::data
