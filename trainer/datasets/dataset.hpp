#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/json.hpp"
#include "core/registry.hpp"

namespace sweep::trainer {

/// Options that every dataset has.
struct DatasetOptions {
  std::int64_t image_size = 224;  ///< height and width after decoding, pixels
  std::int64_t seed = 0;          ///< selection of images and split
};

/// Decoded images of one split.
struct ImageSet {
  std::int64_t height = 0, width = 0;
  std::vector<std::uint8_t> images;     ///< [N,3,H,W], RGB, row-major
  std::vector<std::int64_t> labels;     ///< [N], index into class_names
  std::vector<std::string> sample_ids;  ///< [N], the name of each image in its source
};

/// An image that the labels name and that is not used.
struct SkippedImage {
  std::string id, split, class_name;
  std::string reason;  ///< "is missing", "is cut off", ...
};

struct PreparedDataset {
  std::vector<std::string> class_names;
  ImageSet train, test;
  std::vector<SkippedImage> skipped{};  ///< in the order of split, class and id
  std::vector<std::string> notes{};     ///< what else was left out, what is not known; no paths
};

/// What can be known without decoding an image. Decoding can take further images out where the
/// options say that bad ones are skipped: then fewer are prepared than are counted here.
struct DatasetSummary {
  std::vector<std::string> class_names;
  std::vector<std::int64_t> train_counts, test_counts;  ///< images per class
  std::string
      source_fingerprint;  ///< changes whenever the source's files do; part of the artifact's name
  std::vector<std::string> notes;  ///< what was left out, and why

  std::int64_t train_total() const;
  std::int64_t test_total() const;
};

/// A source of labelled images. Free of LibTorch: the planner inspects datasets too.
class Dataset {
 public:
  virtual ~Dataset() = default;

  /// Reads labels and split and checks that every image file is there, without decoding. Bad ones
  /// are left out, and noted, where the options say so.
  /// @throws InputError that names the file and, in a label file, the line.
  virtual DatasetSummary inspect() const = 0;

  /// Decodes everything on `threads` threads. Equal options and source give equal bytes on every
  /// machine and for every number of threads. `progress(done, total)` is called from any thread,
  /// one at a time; it returns false to stop, and prepare then throws Error{internal}.
  /// @throws Error{bad_data} that names the image that can't be decoded, where that is not to be
  ///         skipped, or the class that has no image left.
  virtual PreparedDataset prepare(
      int threads,
      const std::function<bool(std::int64_t done, std::int64_t total)>& progress) const = 0;
};

using DatasetRegistry = Registry<std::function<std::unique_ptr<Dataset>(const Json& options)>>;

}  // namespace sweep::trainer

/// Last line of a dataset's file: its name, its option table, its class (made from its options), a
/// summary.
#define SWEEP_REGISTER_DATASET(name, table, Class, summary)                             \
  static const bool registered_dataset_##Class =                                        \
      ::sweep::trainer::DatasetRegistry::instance().add(                                \
          name, {summary, ::sweep::describe(table), [](const ::sweep::Json& options) {  \
                   return std::unique_ptr<::sweep::trainer::Dataset>(                   \
                       std::make_unique<Class>(::sweep::read_options(table, options))); \
                 }})
