#include "runner/steps/class_folders.hpp"

#include <algorithm>
#include <span>

#include "core/log.hpp"
#include "core/text.hpp"
#include "trainer/datasets/image.hpp"
#include "trainer/datasets/image_listing.hpp"
#include "trainer/datasets/parallel.hpp"
#include "trainer/datasets/resize.hpp"

namespace sweep::steps {
namespace {

namespace fs = std::filesystem;

struct File {
  fs::path path;
  std::int64_t label;
};

bool is_hidden(const fs::path& path) {
  return path.filename().string().front() == '.';
}

/// Sorted by name.
std::vector<fs::path> classes_of(const fs::path& folder) {
  std::vector<fs::path> classes;
  for (const auto& entry : trainer::entries_of(folder))
    if (entry.is_directory()) classes.push_back(entry.path());
  return classes;
}

std::vector<File> files_of(const fs::path& folder, std::int64_t label) {
  std::vector<File> files;
  std::int64_t others = 0;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (!entry.is_regular_file() || is_hidden(entry.path())) continue;
    if (trainer::has_image_extension(entry.path()))
      files.push_back({entry.path(), label});
    else
      ++others;
  }
  if (files.empty())
    throw InputError(concat("'", folder.string(),
                            "' has no images (each folder is a class, of files that end in .jpg, "
                            ".jpeg, .png or .dcm); add images or remove the folder"));
  if (others > 0)
    log_warning(concat(others, " files below '", folder.string(),
                       "' were left out: their names do not end as those of images"));
  std::sort(files.begin(), files.end(),
            [](const File& a, const File& b) { return a.path < b.path; });
  return files;
}

std::vector<File> files_below(const fs::path& folder) {
  std::vector<File> files;
  std::int64_t label = 0;
  for (const auto& path : classes_of(folder)) {
    const auto more = files_of(path, label++);
    files.insert(files.end(), more.begin(), more.end());
  }
  if (files.empty())
    throw InputError(concat("'", folder.string(),
                            "' has no folders (one folder of images is read per class); give the "
                            "folder that holds them"));
  return files;
}

}  // namespace

LabelledImages load_class_folders(const fs::path& folder, std::int64_t image_size, int threads) {
  const std::vector<File> files = files_below(folder);
  const auto count = static_cast<std::int64_t>(files.size());
  const auto pixels = static_cast<std::size_t>(3 * image_size * image_size);
  std::vector<std::uint8_t> images(files.size() * pixels);
  std::vector<std::int64_t> labels;
  for (const auto& file : files) labels.push_back(file.label);
  const auto decode = [&](std::int64_t index) {
    const auto i = static_cast<std::size_t>(index);
    trainer::resize_to_planes(trainer::decode_image(files[i].path), image_size,
                              std::span(images).subspan(i * pixels, pixels));
  };
  trainer::for_each_index(count, threads, decode, [](auto, auto) { return true; });
  return {storage::Array::own(std::move(images), {count, 3, image_size, image_size}),
          storage::Array::own(std::move(labels), {count})};
}

}  // namespace sweep::steps
