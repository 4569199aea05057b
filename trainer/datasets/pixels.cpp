#include "trainer/datasets/pixels.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>

#include "core/atomic_file.hpp"
#include "core/text.hpp"

namespace sweep::trainer {
namespace {

constexpr std::int64_t kMaxPixels = 100'000'000;
constexpr std::int64_t kMaxSide = 65'535;  // of JPEG and DICOM; resizing counts in int
constexpr std::uintmax_t kMaxFileBytes = 256 << 20;
constexpr std::size_t kHeadBytes = 64 << 10;
constexpr std::size_t kTailBytes = 4 << 10;

std::string too_many_bytes(std::uintmax_t bytes) {
  return concat("has ", bytes, " bytes (more than an image needs)");
}

/// `count` bytes from `offset` on.
std::string read_part(std::ifstream& file, std::size_t offset, std::size_t count) {
  std::string part(count, '\0');
  file.seekg(static_cast<std::streamoff>(offset))
      .read(part.data(), static_cast<std::streamsize>(count));
  return part;
}

}  // namespace

FileEnds read_ends(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  if (!file) return {.problem = concat("can't be opened (", std::strerror(errno), ")")};
  const auto size = static_cast<std::size_t>(file.tellg());
  if (size == 0) return {.problem = "is empty"};
  if (size > kMaxFileBytes) return {.problem = too_many_bytes(size)};
  FileEnds ends{.head = read_part(file, 0, std::min(size, kHeadBytes)),
                .whole = size <= kHeadBytes,
                .bytes = size};
  const std::size_t tail = std::min(size, kTailBytes);
  ends.tail = read_part(file, size - tail, tail);
  if (!file) ends.problem = concat("can't be read (", std::strerror(errno), ")");
  return ends;
}

std::string read_image_file(const std::filesystem::path& path) {
  std::error_code missing;  // read_text says it better
  const std::uintmax_t bytes = std::filesystem::file_size(path, missing);
  if (!missing && bytes > kMaxFileBytes) throw BadImage(path, too_many_bytes(bytes));
  return read_text(path);
}

std::string too_many_pixels(std::int64_t width, std::int64_t height) {
  if (width <= kMaxSide && height <= kMaxSide && width * height <= kMaxPixels) return "";
  return concat("has ", width, " x ", height, " pixels (at most ", kMaxPixels,
                " are read, and at most ", kMaxSide, " in a row or column)");
}

BadImage::BadImage(const std::filesystem::path& path, const std::string& problem)
    : Error(FailureType::bad_data,
            concat("the image '", path.string(), "' ", problem,
                   "; replace the file, take it out of the dataset, or set dataset.on_bad_image = "
                   "\"skip\"")),
      problem_(problem) {}

}  // namespace sweep::trainer
