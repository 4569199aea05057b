#include "trainer/datasets/resize.hpp"

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-parameter"
#pragma GCC diagnostic ignored "-Wunused-but-set-variable"
#pragma GCC diagnostic ignored "-Wsign-compare"
#pragma GCC diagnostic ignored "-Wcast-function-type"
#define STB_IMAGE_RESIZE_IMPLEMENTATION
#define STB_IMAGE_RESIZE_STATIC
#include <stb/stb_image_resize.h>
#pragma GCC diagnostic pop

#include <vector>

#include "core/error.hpp"

namespace sweep::trainer {

void resize_to_planes(const Pixels& pixels, std::int64_t size, std::span<std::uint8_t> planes) {
  const auto side = static_cast<std::size_t>(size);
  std::vector<std::uint8_t> scaled = pixels.rgb;
  if (pixels.height != size || pixels.width != size) {
    scaled.resize(3 * side * side);
    const int done = stbir_resize_uint8(pixels.rgb.data(), static_cast<int>(pixels.width),
                                        static_cast<int>(pixels.height), 0, scaled.data(),
                                        static_cast<int>(size), static_cast<int>(size), 0, 3);
    if (done == 0)
      throw Error(FailureType::out_of_memory, "an image could not be scaled: no memory is left");
  }
  for (std::size_t pixel = 0; pixel < side * side; ++pixel)
    for (std::size_t channel = 0; channel < 3; ++channel)
      planes[channel * side * side + pixel] = scaled[3 * pixel + channel];
}

}  // namespace sweep::trainer
