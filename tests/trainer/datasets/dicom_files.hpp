#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "core/text.hpp"

namespace sweep::trainer {

/// A number as `bytes` bytes, little endian.
inline std::string little(std::uint64_t number, int bytes) {
  std::string text;
  for (int i = 0; i < bytes; ++i) text += static_cast<char>(number >> 8 * i);
  return text;
}

/// One element of a DICOM file, explicit VR, little endian (NEMA PS3.5, 7.1.2).
inline std::string element(int group, int number, const std::string& vr, std::string value) {
  if (value.size() % 2 == 1) value += vr == "UI" || vr == "OB" ? '\0' : ' ';
  const bool long_form = vr == "OB" || vr == "OW" || vr == "SQ" || vr == "UN";
  return little(static_cast<std::uint64_t>(group), 2) +
         little(static_cast<std::uint64_t>(number), 2) + vr +
         (long_form ? std::string(2, '\0') + little(value.size(), 4) : little(value.size(), 2)) +
         value;
}

inline std::string short_element(int group, int number, int value) {
  return element(group, number, "US", little(static_cast<std::uint64_t>(value), 2));
}

inline constexpr char kPlainSyntax[] = "1.2.840.10008.1.2.1";
inline constexpr char kJpegSyntax[] = "1.2.840.10008.1.2.4.50";

/// What a test changes of a DICOM file.
struct DicomFile {
  int rows = 0, columns = 0, bits_allocated = 8, bits_stored = 8, samples = 1;
  bool is_signed = false;
  std::string photometric = "MONOCHROME2";
  std::string pixels;  ///< the bytes, or the JPEG file where the syntax is that of one
  std::string syntax = kPlainSyntax;
  std::string more_before{};   ///< elements before group 0028
  std::string more_of_0028{};  ///< elements behind 0028,0103
  std::optional<std::string> frames{};
  std::optional<std::string> pixel_element{};  ///< instead of what `pixels` makes

  std::string bytes() const {
    std::string meta = element(2, 1, "OB", std::string("\0\1", 2)) +
                       element(2, 2, "UI", "1.2.840.10008.5.1.4.1.1.7") +
                       element(2, 3, "UI", "1.2.3.4") + element(2, 0x10, "UI", syntax);
    meta = element(2, 0, "UL", little(meta.size(), 4)) + meta;
    std::string image = short_element(0x28, 2, samples) + element(0x28, 4, "CS", photometric);
    if (samples > 1) image += short_element(0x28, 6, 0);
    if (frames) image += element(0x28, 8, "IS", *frames);
    image += short_element(0x28, 0x10, rows) + short_element(0x28, 0x11, columns) +
             short_element(0x28, 0x100, bits_allocated) + short_element(0x28, 0x101, bits_stored) +
             short_element(0x28, 0x102, bits_stored - 1) + short_element(0x28, 0x103, is_signed) +
             more_of_0028;
    return std::string(128, '\0') + "DICM" + meta + more_before + image +
           pixel_element.value_or(made_pixel_element());
  }

  std::string made_pixel_element() const {
    if (syntax == kPlainSyntax)
      return element(0x7FE0, 0x10, bits_allocated > 8 ? "OW" : "OB", pixels);
    return pieces({pixels});
  }

  /// Compressed pixels: an empty table of offsets, the pieces, the end.
  static std::string pieces(const std::vector<std::string>& parts) {
    std::string text = little(0x7FE0, 2) + little(0x10, 2) + std::string("OB\0\0", 4) +
                       little(0xFFFFFFFF, 4) + item("");
    for (const auto& part : parts) text += item(part);
    return text + little(0xFFFE, 2) + little(0xE0DD, 2) + little(0, 4);
  }

  static std::string item(std::string content) {
    if (content.size() % 2 == 1) content += '\0';
    return little(0xFFFE, 2) + little(0xE000, 2) + little(content.size(), 4) + content;
  }
};

}  // namespace sweep::trainer
