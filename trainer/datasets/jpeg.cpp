#include "trainer/datasets/jpeg.hpp"

#include <turbojpeg.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <memory>

#include "core/atomic_file.hpp"
#include "core/error.hpp"
#include "core/text.hpp"

namespace sweep::trainer {
namespace {

constexpr std::int64_t kMaxPixels = 100'000'000;
constexpr std::uintmax_t kMaxFileBytes = 256 << 20;
constexpr std::size_t kHeadBytes = 64 << 10;
constexpr std::size_t kTailBytes = 4 << 10;  // some programs append padding behind the end marker

std::string too_many_pixels(std::int64_t width, std::int64_t height) {
  if (width * height <= kMaxPixels) return "";
  return concat("has ", width, " x ", height, " pixels (at most ", kMaxPixels, " are read)");
}

class Decoder {
 public:
  explicit Decoder(const std::string& file)
      : bytes_(reinterpret_cast<const unsigned char*>(file.data())),
        size_(file.size()),
        handle_(tjInitDecompress(), tjDestroy) {}

  /// False when the header is damaged.
  bool read_header(std::int64_t& width, std::int64_t& height) {
    int w = 0, h = 0, subsampling = 0, colour_space = 0;
    if (tjDecompressHeader3(handle_.get(), bytes_, size_, &w, &h, &subsampling, &colour_space) != 0)
      return false;
    width = w;
    height = h;
    return true;
  }

  /// Warnings are failures: a file that is cut off gives a grey rest and a warning. The limit on
  /// scans keeps small files from taking minutes.
  bool read_pixels(Pixels& pixels) {
    return tjDecompress2(handle_.get(), bytes_, size_, pixels.rgb.data(),
                         static_cast<int>(pixels.width), 0, static_cast<int>(pixels.height),
                         TJPF_RGB, TJFLAG_ACCURATEDCT | TJFLAG_LIMITSCANS) == 0;
  }

  std::string why() const { return tjGetErrorStr2(handle_.get()); }

 private:
  const unsigned char* bytes_;
  unsigned long size_;  // NOLINT(google-runtime-int): TurboJPEG's type
  std::unique_ptr<void, int (*)(tjhandle)> handle_;
};

/// `count` bytes from `offset` on.
std::string read_part(std::ifstream& file, std::size_t offset, std::size_t count) {
  std::string part(count, '\0');
  file.seekg(static_cast<std::streamoff>(offset))
      .read(part.data(), static_cast<std::streamsize>(count));
  return part;
}

Error bad_image(const std::filesystem::path& path, const std::string& problem) {
  return Error(FailureType::bad_data, concat("the image '", path.string(), "' ", problem,
                                             "; replace the file or take its row out of the "
                                             "labels"));
}

}  // namespace

std::string quick_jpeg_problem(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  if (!file) return concat("can't be opened (", std::strerror(errno), ")");
  const auto size = static_cast<std::size_t>(file.tellg());
  if (size == 0) return "is empty";
  if (size > kMaxFileBytes) return concat("has ", size, " bytes (more than a JPEG image needs)");
  const std::string head = read_part(file, 0, std::min(size, kHeadBytes));
  const std::size_t tail_bytes = std::min(size, kTailBytes);
  const std::string tail = read_part(file, size - tail_bytes, tail_bytes);
  if (!file) return concat("can't be read (", std::strerror(errno), ")");
  if (head.rfind("\xFF\xD8\xFF", 0) != 0) return "is no JPEG image";
  if (tail.find("\xFF\xD9") == std::string::npos) return "is cut off (it has no end marker)";
  Decoder decoder(head);
  std::int64_t width = 0, height = 0;
  if (decoder.read_header(width, height)) return too_many_pixels(width, height);
  // Large metadata can push the size behind the bytes read here: then decoding will tell.
  return size > kHeadBytes ? "" : concat("has a damaged header (", decoder.why(), ")");
}

Pixels decode_jpeg(const std::filesystem::path& path) {
  std::error_code missing;  // read_text says it better
  const std::uintmax_t bytes = std::filesystem::file_size(path, missing);
  if (!missing && bytes > kMaxFileBytes)
    throw bad_image(path, concat("has ", bytes, " bytes (more than a JPEG image needs)"));
  const std::string file = read_text(path);
  Decoder decoder(file);
  Pixels pixels;
  if (!decoder.read_header(pixels.width, pixels.height))
    throw bad_image(path, concat("can't be decoded as JPEG (", decoder.why(), ")"));
  const std::string problem = too_many_pixels(pixels.width, pixels.height);
  if (!problem.empty()) throw bad_image(path, problem);
  pixels.rgb.resize(static_cast<std::size_t>(3 * pixels.width * pixels.height));
  if (!decoder.read_pixels(pixels))
    throw bad_image(path, concat("can't be decoded as JPEG (", decoder.why(), ")"));
  return pixels;
}

}  // namespace sweep::trainer
