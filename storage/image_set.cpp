#include "storage/image_set.hpp"

#include <algorithm>

#include "core/error.hpp"
#include "core/text.hpp"
#include "storage/hdf5/image.hpp"
#include "storage/hdf5/user_file.hpp"
#include "storage/isolated.hpp"

namespace sweep::storage {
namespace {

constexpr std::int64_t kLargestSet = std::int64_t{1} << 24;  // images

std::vector<hdf5::WantedArray> wanted_arrays(const ImageSetKeys& keys) {
  using Values = hdf5::WantedArray::Values;
  const std::vector<std::int64_t> images{kLargestSet, 3, kLargestImageSide, kLargestImageSide};
  std::vector<hdf5::WantedArray> wanted{{keys.images, Values::pixels, images},
                                        {keys.labels, Values::integers, {kLargestSet}}};
  for (const auto& key : keys.more_images)
    wanted.push_back({key, Values::pixels, images, /*required=*/false});
  for (const auto& key : keys.more_integers)
    wanted.push_back({key, Values::integers, {kLargestSet}, /*required=*/false});
  return wanted;
}

void check_pixels(const std::string& what, const std::string& key, const Array& array) {
  if (array.shape[1] != 3)
    throw InputError(concat(what, " has '", key, "' with ", array.shape[1],
                            " channels (models take RGB); store images as [N,3,H,W]"));
  if (array.type != ElementType::float32) return;
  const auto values = array.values<float>();
  const auto outside = std::find_if_not(values.begin(), values.end(),
                                        [](float value) { return value >= 0 && value <= 1; });
  if (outside == values.end()) return;
  const auto image = (outside - values.begin()) / (array.count() / array.shape[0]);
  throw InputError(concat(what, " has the pixel value ", *outside, " in '", key, "', image ", image,
                          " (floats are taken as pixels from 0 to 1); scale them, or store uint8"));
}

void check_agreement(const std::string& what, const ImageSetKeys& keys, const Content& content) {
  const Array& images = content.array(keys.images);
  for (const auto& [key, array] : content.arrays) {
    const bool is_images = array.shape.size() > 1;
    if (array.shape[0] != images.shape[0])
      throw InputError(concat(what, " has ", images.shape[0], " images and ", array.shape[0],
                              " values in '", key,
                              "' (there must be one for each image); make the file again"));
    if (is_images && array.shape != images.shape)
      throw InputError(concat(what, " has '", key, "' of another shape than '", keys.images,
                              "' (they show the same images); make the file again"));
    if (is_images) check_pixels(what, key, array);
  }
}

}  // namespace

Content read_image_set(const std::filesystem::path& path, const ImageSetKeys& keys) {
  const std::string what = concat("the image set '", path.string(), "'");
  Content content = read_isolated(what, [&](SharedMemory& memory) {
    return hdf5::read_user_file(path, wanted_arrays(keys), [&](ElementType type, auto shape) {
      return memory.allocate(type, std::move(shape));
    });
  });
  check_agreement(what, keys, content);
  return content;
}

Json read_set_attributes(const std::filesystem::path& path) {
  return read_isolated(
             concat("the image set '", path.string(), "'"),
             [&](SharedMemory&) { return Content{.attributes = hdf5::read_attributes(path)}; })
      .attributes;
}

}  // namespace sweep::storage
