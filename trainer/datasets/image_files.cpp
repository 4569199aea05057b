#include "trainer/datasets/image_files.hpp"

#include <algorithm>
#include <span>

#include "core/atomic_file.hpp"
#include "core/error.hpp"
#include "core/hash.hpp"
#include "core/text.hpp"
#include "trainer/datasets/image.hpp"
#include "trainer/datasets/parallel.hpp"
#include "trainer/datasets/resize.hpp"

namespace sweep::trainer {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kProblemsShown = 5;
constexpr int kCheckThreads = 8;  // they mostly wait for the disk

/// A change of the pixels that are read from equal files needs another version: artifacts of the
/// old reader are then made anew.
constexpr char kReaderVersion[] = "image files, version 2\n";

/// The images of both splits, one behind the other.
class Both {
 public:
  explicit Both(const Split& split) : split_(split) {}
  std::size_t size() const { return split_.train.size() + split_.test.size(); }
  bool is_train(std::size_t i) const { return i < split_.train.size(); }
  const LabelledImage& operator[](std::size_t i) const {
    return is_train(i) ? split_.train[i] : split_.test[i - split_.train.size()];
  }

 private:
  const Split& split_;
};

/// For every image of both splits: what is wrong with it, or an empty text.
std::vector<std::string> quick_problems(const ImageFiles& files) {
  const Both images(files.split);
  std::vector<std::string> problems(images.size());
  for_each_index(static_cast<std::int64_t>(images.size()), kCheckThreads,
                 [&](std::int64_t index) {
                   const auto i = static_cast<std::size_t>(index);
                   const fs::path path = files.path_of(images[i]);
                   std::error_code ignored;  // what can't be looked at is as good as missing
                   const auto type = fs::status(path, ignored).type();
                   problems[i] = type == fs::file_type::regular     ? quick_image_problem(path)
                                 : type == fs::file_type::not_found ? "is missing"
                                                                    : "is no file that can be read";
                 },
                 {});
  return problems;
}

std::vector<SkippedImage> skipped_images(const ImageFiles& files,
                                         const std::vector<std::string>& problems) {
  const Both images(files.split);
  std::vector<SkippedImage> skipped;
  for (std::size_t i = 0; i < images.size(); ++i)
    if (!problems[i].empty())
      skipped.push_back({images[i].id, images.is_train(i) ? "train" : "test",
                         files.class_names[static_cast<std::size_t>(images[i].label)],
                         problems[i]});
  return skipped;
}

/// Keeps the images without a problem. The problems of `images` start at `first`.
void keep_good(std::vector<LabelledImage>& images, const std::vector<std::string>& problems,
               std::size_t first) {
  std::size_t i = first;
  std::erase_if(images, [&](const LabelledImage&) { return !problems[i++].empty(); });
}

void keep_good(Split& split, const std::vector<std::string>& problems) {
  const std::size_t train = split.train.size();
  keep_good(split.train, problems, 0);
  keep_good(split.test, problems, train);
}

ImageSet empty_set(const std::vector<LabelledImage>& images, std::int64_t size) {
  ImageSet set{size, size};
  set.images.resize(images.size() * static_cast<std::size_t>(3 * size * size));
  return set;
}

/// Closes the gaps that images with a problem have left, and adds labels and names.
void close_gaps(ImageSet& set, const std::vector<LabelledImage>& images,
                std::span<const std::string> problems) {
  const auto bytes = static_cast<std::ptrdiff_t>(3 * set.height * set.width);
  auto to = set.images.begin();
  for (std::size_t i = 0; i < images.size(); ++i) {
    if (!problems[i].empty()) continue;
    const auto from = set.images.begin() + static_cast<std::ptrdiff_t>(i) * bytes;
    if (from != to) std::copy_n(from, bytes, to);
    to += bytes;
    set.labels.push_back(images[i].label);
    set.sample_ids.push_back(images[i].id);
  }
  set.images.erase(to, set.images.end());
}

/// What is left when the images with a problem are gone must still have every class.
void check_rest(ImageFiles files, const std::vector<std::string>& problems) {
  keep_good(files.split, problems);
  const std::string empty = empty_class(files);
  if (!empty.empty()) throw Error(FailureType::bad_data, empty);
}

}  // namespace

std::vector<std::int64_t> class_counts(const std::vector<LabelledImage>& images,
                                       std::size_t num_classes) {
  std::vector<std::int64_t> counts(num_classes);
  for (const auto& image : images) ++counts[static_cast<std::size_t>(image.label)];
  return counts;
}

std::string empty_class(const ImageFiles& files) {
  for (const auto& [name, images] :
       {std::pair("train", &files.split.train), std::pair("test", &files.split.test)}) {
    const auto counts = class_counts(*images, files.class_names.size());
    const auto none = std::find(counts.begin(), counts.end(), 0);
    if (none != counts.end())
      return concat("'", files.source, "' leaves no ", name, " images of the class ",
                    files.class_names[static_cast<std::size_t>(none - counts.begin())],
                    " (every class needs some); add images or change dataset.test_fraction");
  }
  return "";
}

std::vector<SkippedImage> take_out_bad_images(ImageFiles& files) {
  const auto problems = quick_problems(files);
  auto skipped = skipped_images(files, problems);
  keep_good(files.split, problems);
  return skipped;
}

void refuse_bad_images(const ImageFiles& files) {
  const auto problems = quick_problems(files);
  const Both images(files.split);
  std::vector<std::string> lines;
  for (std::size_t i = 0; i < images.size(); ++i)
    if (!problems[i].empty())
      lines.push_back(concat("\n  '", files.path_of(images[i]).string(), "' ", problems[i],
                             files.named_by(images[i])));
  if (lines.empty()) return;
  const std::size_t count = lines.size();
  lines.resize(std::min(count, kProblemsShown));
  throw InputError(concat(
      count, count == 1 ? " image" : " images",
      " of the dataset can't be used; replace the files, take them out of the dataset, or leave "
      "them out with --set dataset.on_bad_image=skip:",
      join(lines, ""),
      count > kProblemsShown ? concat("\n  and ", count - kProblemsShown, " more") : ""));
}

std::string fingerprint(const ImageFiles& files) {
  Sha256 hash;
  hash.update(kReaderVersion);
  for (const auto& path : files.label_files) hash.update(read_text(path));
  const Both images(files.split);
  for (std::size_t i = 0; i < images.size(); ++i) {
    std::error_code error;
    const auto bytes = fs::file_size(files.path_of(images[i]), error);
    hash.update(error ? concat(images[i].id, " missing\n")
                      : concat(images[i].id, " ", bytes, "\n"));
  }
  return hash.finish();
}

PreparedDataset decode_image_files(
    const ImageFiles& files, std::int64_t size, bool skip_bad, int threads,
    const std::function<bool(std::int64_t, std::int64_t)>& progress) {
  const auto &train = files.split.train, &test = files.split.test;
  PreparedDataset prepared{files.class_names, empty_set(train, size), empty_set(test, size)};
  prepared.notes = files.notes;
  const auto pixels = static_cast<std::size_t>(3 * size * size);
  const Both images(files.split);
  std::vector<std::string> problems(images.size());
  for_each_index(
      static_cast<std::int64_t>(images.size()), threads,
      [&](std::int64_t index) {
        const auto i = static_cast<std::size_t>(index);
        const bool is_train = images.is_train(i);
        auto& set = is_train ? prepared.train : prepared.test;
        const std::size_t at = is_train ? i : i - train.size();
        try {
          resize_to_planes(decode_image(files.path_of(images[i])), size,
                           std::span(set.images).subspan(at * pixels, pixels));
        } catch (const BadImage& bad) {
          if (!skip_bad) throw;
          problems[i] = bad.problem();
        }
      },
      progress);
  if (skip_bad) check_rest(files, problems);
  prepared.skipped = skipped_images(files, problems);
  close_gaps(prepared.train, train, std::span(problems).first(train.size()));
  close_gaps(prepared.test, test, std::span(problems).subspan(train.size()));
  return prepared;
}

}  // namespace sweep::trainer
