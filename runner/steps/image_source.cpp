#include "runner/steps/image_source.hpp"

#include <algorithm>

#include "core/text.hpp"
#include "runner/steps/class_folders.hpp"
#include "storage/image_set.hpp"

namespace sweep::steps {
namespace {

constexpr std::int64_t kMostClasses = 1 << 20;

LabelledImages load_folder(const ImageSource& source, std::int64_t num_classes, int threads) {
  if (source.image_size == 0)
    throw InputError(concat("--image-size is missing ('", source.path.string(),
                            "' is a folder, whose images are scaled to one size); give the size in "
                            "pixels that the model was trained with"));
  LabelledImages loaded = load_class_folders(source.path, source.image_size, threads);
  const std::int64_t classes = classes_in(loaded.labels, source.path.string());
  if (num_classes != 0 && classes != num_classes)
    throw InputError(concat("'", source.path.string(), "' has ", classes, " folders for ",
                            num_classes,
                            " classes (labels are the places of the folders among each other, by "
                            "name); give a folder with one folder for each class"));
  return loaded;
}

LabelledImages load_file(const ImageSource& source) {
  if (source.image_size != 0)
    throw InputError(concat("--image-size is given for '", source.path.string(),
                            "' (the images of an HDF5 file are taken as they are); leave it out"));
  const auto content = storage::read_image_set(source.path, {source.images_key, source.labels_key});
  return {content.array(source.images_key), content.array(source.labels_key)};
}

}  // namespace

LabelledImages load_images(const ImageSource& source, std::int64_t num_classes, int threads) {
  std::error_code ignored;  // what can't be looked at is no folder
  LabelledImages loaded = std::filesystem::is_directory(source.path, ignored)
                              ? load_folder(source, num_classes, threads)
                              : load_file(source);
  const std::string what = concat("'", source.path.string(), "'");
  check_labels(loaded.labels, num_classes == 0 ? classes_in(loaded.labels, what) : num_classes,
               what);
  return loaded;
}

void check_labels(const storage::Array& labels, std::int64_t num_classes, const std::string& what) {
  const auto values = labels.values<std::int64_t>();
  const auto wrong = std::find_if(values.begin(), values.end(), [&](std::int64_t label) {
    return label < 0 || label >= num_classes;
  });
  if (wrong != values.end())
    throw InputError(concat(what, " has the label ", *wrong, " for image ", wrong - values.begin(),
                            " (", num_classes, " classes have the labels 0 to ", num_classes - 1,
                            "); correct the labels, or --num-classes"));
}

std::int64_t classes_in(const storage::Array& labels, const std::string& what) {
  const auto values = labels.values<std::int64_t>();
  const std::int64_t largest = *std::max_element(values.begin(), values.end());
  if (largest >= kMostClasses)
    throw InputError(concat(what, " has the label ", largest,
                            " (labels are class numbers from 0); correct the labels"));
  return std::max<std::int64_t>(largest, 0) + 1;
}

}  // namespace sweep::steps
