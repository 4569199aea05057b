#include "trainer/datasets/jpeg.hpp"

#include <turbojpeg.h>

#include <memory>

#include "core/text.hpp"

namespace sweep::trainer {
namespace {

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

}  // namespace

std::string quick_jpeg_problem(const std::filesystem::path& path) {
  const FileEnds ends = read_ends(path);
  if (!ends.problem.empty()) return ends.problem;
  if (ends.head.rfind("\xFF\xD8\xFF", 0) != 0) return "is no JPEG image";
  if (ends.tail.find("\xFF\xD9") == std::string::npos) return "is cut off (it has no end marker)";
  Decoder decoder(ends.head);
  std::int64_t width = 0, height = 0;
  if (decoder.read_header(width, height)) return too_many_pixels(width, height);
  // Large metadata can push the size behind the bytes read here: then decoding will tell.
  return ends.whole ? concat("has a damaged header (", decoder.why(), ")") : "";
}

Pixels decode_jpeg(const std::filesystem::path& path) {
  const std::string file = read_image_file(path);
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
