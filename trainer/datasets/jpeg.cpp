#include "trainer/datasets/jpeg.hpp"

#include <turbojpeg.h>

#include <memory>

#include "core/text.hpp"
#include "trainer/datasets/exif.hpp"

namespace sweep::trainer {
namespace {

class JpegDecoder {
 public:
  explicit JpegDecoder(const std::string& file)
      : bytes_(reinterpret_cast<const unsigned char*>(file.data())),
        size_(file.size()),
        handle_(tjInitDecompress(), tjDestroy) {}

  /// False when the header is damaged.
  bool read_header(std::int64_t& width, std::int64_t& height) {
    int w = 0, h = 0, subsampling = 0, colour_space = 0;
    if (tjDecompressHeader3(handle_.get(), bytes_, size_, &w, &h, &subsampling, &colour_space) != 0)
      return false;
    has_inks_ = colour_space == TJCS_CMYK || colour_space == TJCS_YCCK;
    width = w;
    height = h;
    return true;
  }

  /// Warnings are failures: a file that is cut off gives a grey rest and a warning. The limit on
  /// scans keeps small files from taking minutes.
  bool read_pixels(Pixels& pixels) {
    const auto count = static_cast<std::size_t>(pixels.width * pixels.height);
    pixels.rgb.resize((has_inks_ ? 4 : 3) * count);
    if (tjDecompress2(handle_.get(), bytes_, size_, pixels.rgb.data(),
                      static_cast<int>(pixels.width), 0, static_cast<int>(pixels.height),
                      has_inks_ ? TJPF_CMYK : TJPF_RGB,
                      TJFLAG_ACCURATEDCT | TJFLAG_LIMITSCANS) != 0)
      return false;
    if (has_inks_) inks_to_rgb(pixels.rgb);
    return true;
  }

  std::string why() const { return tjGetErrorStr2(handle_.get()); }

 private:
  /// In place. CMYK files hold inverted inks, as Adobe's programs write them (255: none of it);
  /// that is what other readers take for granted too.
  static void inks_to_rgb(std::vector<std::uint8_t>& bytes) {
    const std::size_t count = bytes.size() / 4;
    for (std::size_t i = 0; i < count; ++i) {
      const int black = bytes[4 * i + 3];
      for (std::size_t c = 0; c < 3; ++c)
        bytes[3 * i + c] = static_cast<std::uint8_t>((bytes[4 * i + c] * black + 127) / 255);
    }
    bytes.resize(3 * count);
  }

  const unsigned char* bytes_;
  unsigned long size_;  // NOLINT(google-runtime-int): TurboJPEG's type
  std::unique_ptr<void, int (*)(tjhandle)> handle_;
  bool has_inks_ = false;  ///< cyan, magenta, yellow, black
};

}  // namespace

std::string quick_jpeg_problem(const std::filesystem::path& path) {
  const FileEnds ends = read_ends(path);
  if (!ends.problem.empty()) return ends.problem;
  if (ends.head.rfind("\xFF\xD8\xFF", 0) != 0) return "is no JPEG image";
  if (ends.tail.find("\xFF\xD9") == std::string::npos) return "is cut off (it has no end marker)";
  JpegDecoder decoder(ends.head);
  std::int64_t width = 0, height = 0;
  if (decoder.read_header(width, height)) return too_many_pixels(width, height);
  // Large metadata can push the size behind the bytes read here: then decoding will tell.
  return ends.whole ? concat("has a damaged header (", decoder.why(), ")") : "";
}

Pixels decode_jpeg(const std::filesystem::path& path) {
  const std::string file = read_image_file(path);
  JpegDecoder decoder(file);
  Pixels pixels;
  if (!decoder.read_header(pixels.width, pixels.height))
    throw BadImage(path, concat("can't be decoded as JPEG (", decoder.why(), ")"));
  const std::string problem = too_many_pixels(pixels.width, pixels.height);
  if (!problem.empty()) throw BadImage(path, problem);
  if (!decoder.read_pixels(pixels))
    throw BadImage(path, concat("can't be decoded as JPEG (", decoder.why(), ")"));
  return turn_upright(std::move(pixels), exif_orientation(file));
}

}  // namespace sweep::trainer
