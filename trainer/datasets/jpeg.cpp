#include "trainer/datasets/jpeg.hpp"

#include <turbojpeg.h>

#include <cerrno>
#include <fstream>
#include <memory>

#include "core/atomic_file.hpp"
#include "core/error.hpp"
#include "core/text.hpp"

namespace sweep::trainer {
namespace {

constexpr std::int64_t kMaxPixels = 100'000'000;
constexpr std::size_t kHeadBytes = 4;
constexpr std::size_t kTailBytes = 4096;  // cameras and editors append padding behind the end marker

class Decoder {
 public:
  explicit Decoder(const std::filesystem::path& path) : path_(path), handle_(tjInitDecompress(), tjDestroy) {}

  Pixels decode(const std::string& file) {
    const auto* bytes = reinterpret_cast<const unsigned char*>(file.data());
    const auto size = static_cast<unsigned long>(file.size());  // NOLINT(google-runtime-int): TurboJPEG's type
    int width = 0, height = 0, subsampling = 0, colour_space = 0;
    check(tjDecompressHeader3(handle_.get(), bytes, size, &width, &height, &subsampling, &colour_space));
    if (std::int64_t{width} * height > kMaxPixels)
      throw Error(FailureType::bad_data, concat("'", path_.string(), "' has ", width, " x ", height,
                                                " pixels (at most ", kMaxPixels, " are read); scale it down"));
    Pixels pixels{height, width, std::vector<std::uint8_t>(static_cast<std::size_t>(3) * static_cast<std::size_t>(width) *
                                                           static_cast<std::size_t>(height))};
    check(tjDecompress2(handle_.get(), bytes, size, pixels.rgb.data(), width, 0, height, TJPF_RGB,
                        TJFLAG_ACCURATEDCT));
    return pixels;
  }

 private:
  /// Warnings are errors: a cut-off file gives a grey rest and a warning.
  void check(int status) {
    if (status == 0) return;
    throw Error(FailureType::bad_data, concat("'", path_.string(), "' can't be decoded as JPEG (",
                                              tjGetErrorStr2(handle_.get()),
                                              "); replace the file or take its row out of the labels"));
  }

  std::filesystem::path path_;
  std::unique_ptr<void, int (*)(tjhandle)> handle_;
};

}  // namespace

std::string quick_jpeg_problem(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  if (!file) throw storage_error("open", path.string(), errno);
  const auto size = static_cast<std::size_t>(file.tellg());
  std::string head(std::min(size, kHeadBytes), '\0'), tail(std::min(size, kTailBytes), '\0');
  file.seekg(0).read(head.data(), static_cast<std::streamsize>(head.size()));
  file.seekg(static_cast<std::streamoff>(size - tail.size())).read(tail.data(), static_cast<std::streamsize>(tail.size()));
  if (!file) throw storage_error("read", path.string(), errno);
  if (size == 0) return "is empty";
  if (head.rfind("\xFF\xD8\xFF", 0) != 0) return "is no JPEG image";
  if (tail.find("\xFF\xD9") == std::string::npos) return "is cut off (it has no end marker)";
  return "";
}

Pixels decode_jpeg(const std::filesystem::path& path) {
  return Decoder(path).decode(read_text(path));
}

}  // namespace sweep::trainer
