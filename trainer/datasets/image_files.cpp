#include "trainer/datasets/image_files.hpp"

#include <algorithm>
#include <span>

#include "core/error.hpp"
#include "core/text.hpp"
#include "trainer/datasets/image.hpp"
#include "trainer/datasets/parallel.hpp"
#include "trainer/datasets/resize.hpp"

namespace sweep::trainer {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kProblemsShown = 5;

/// Images per class.
std::vector<std::int64_t> class_counts(const std::vector<LabelledImage>& images,
                                       std::size_t num_classes) {
  std::vector<std::int64_t> counts(num_classes);
  for (const auto& image : images) ++counts[static_cast<std::size_t>(image.label)];
  return counts;
}

void check_every_class(const ImageFiles& files, const std::string& source) {
  for (const auto& [name, images] :
       {std::pair("train", &files.split.train), std::pair("test", &files.split.test)}) {
    const auto counts = class_counts(*images, files.class_names.size());
    for (std::size_t k = 0; k < counts.size(); ++k)
      if (counts[k] == 0)
        throw InputError(concat("'", source, "' leaves no ", name, " images of the class ",
                                files.class_names[k],
                                " (every class needs some); add images or change "
                                "dataset.test_fraction"));
  }
}

ImageSet empty_set(const std::vector<LabelledImage>& images, std::int64_t size) {
  ImageSet set{size, size};
  set.images.resize(images.size() * static_cast<std::size_t>(3 * size * size));
  for (const auto& image : images) {
    set.labels.push_back(image.label);
    set.sample_ids.push_back(image.id);
  }
  return set;
}

}  // namespace

void check_image_files(const ImageFiles& files, const std::string& source) {
  check_every_class(files, source);
  std::vector<std::string> problems;
  for (const auto* side : {&files.split.train, &files.split.test})
    for (const auto& image : *side) {
      const fs::path path = files.path_of(image);
      std::error_code ignored;
      const std::string problem =
          fs::is_regular_file(path, ignored) ? quick_image_problem(path) : "is missing";
      if (!problem.empty())
        problems.push_back(concat("\n  '", path.string(), "' ", problem, files.named_by(image)));
    }
  if (problems.empty()) return;
  const std::size_t count = problems.size();
  problems.resize(std::min(count, kProblemsShown));
  throw InputError(
      concat(count, count == 1 ? " image" : " images",
             " of the dataset can't be used; replace the files or take them out of the dataset:",
             join(problems, ""),
             count > kProblemsShown ? concat("\n  and ", count - kProblemsShown, " more") : ""));
}

DatasetSummary summarize(const ImageFiles& files, Sha256& labels) {
  for (const auto* side : {&files.split.train, &files.split.test})
    for (const auto& image : *side)
      labels.update(concat(image.id, " ", fs::file_size(files.path_of(image)), "\n"));
  const std::size_t classes = files.class_names.size();
  return {.class_names = files.class_names,
          .train_counts = class_counts(files.split.train, classes),
          .test_counts = class_counts(files.split.test, classes),
          .source_fingerprint = labels.finish(),
          .notes = files.notes};
}

PreparedDataset decode_image_files(
    const ImageFiles& files, std::int64_t size, int threads,
    const std::function<bool(std::int64_t, std::int64_t)>& progress) {
  const auto& [train, test] = files.split;
  PreparedDataset prepared{files.class_names, empty_set(train, size), empty_set(test, size)};
  const auto pixels = static_cast<std::size_t>(3 * size * size);
  const auto decode = [&](const std::vector<LabelledImage>& images, std::size_t i, ImageSet& set) {
    resize_to_planes(decode_image(files.path_of(images[i])), size,
                     std::span(set.images).subspan(i * pixels, pixels));
  };
  for_each_index(
      static_cast<std::int64_t>(train.size() + test.size()), threads,
      [&](std::int64_t index) {
        const auto i = static_cast<std::size_t>(index);
        if (i < train.size()) {
          decode(train, i, prepared.train);
        } else {
          decode(test, i - train.size(), prepared.test);
        }
      },
      progress);
  return prepared;
}

}  // namespace sweep::trainer
