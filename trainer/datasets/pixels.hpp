#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "core/error.hpp"

namespace sweep::trainer {

/// Pixels of an image, row by row, three bytes (RGB) each.
struct Pixels {
  std::int64_t height = 0, width = 0;
  std::vector<std::uint8_t> rgb;
};

/// The first 64 KiB and the last 4 KiB of an image file: some programs append padding.
struct FileEnds {
  std::string head, tail;
  bool whole = false;     ///< `head` is all of it
  std::size_t bytes = 0;  ///< of the file
  std::string problem{};  ///< empty, or why it can't be read
};

FileEnds read_ends(const std::filesystem::path& path);

/// All of an image file. @throws Error{bad_data} above 256 MiB, Error{storage}
std::string read_image_file(const std::filesystem::path& path);

/// Empty, or the complaint about more than 100 million pixels or 65,535 in a row or column.
std::string too_many_pixels(std::int64_t width, std::int64_t height);

/// The Error{bad_data} that names the image and what to do.
class BadImage : public Error {
 public:
  /// `problem` goes on where the image's name ends: "is empty".
  BadImage(const std::filesystem::path& path, const std::string& problem);
  const std::string& problem() const { return problem_; }

 private:
  std::string problem_;
};

}  // namespace sweep::trainer
