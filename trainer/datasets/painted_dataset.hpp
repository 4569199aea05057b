#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "trainer/datasets/dataset.hpp"

namespace sweep::trainer {

struct PaintedOptions : DatasetOptions {
  PaintedOptions() { image_size = 64; }
  std::int64_t train_per_class = 40;
  std::int64_t test_per_class = 16;
};

const OptionTable<PaintedOptions>& painted_options();

/// A dataset that a procedure draws: nothing to download, the same bytes everywhere. An image
/// depends on the seed, its split, its class and its number alone. Classes take turns.
class PaintedDataset : public Dataset {
 public:
  DatasetSummary inspect() const final;
  PreparedDataset prepare(
      int threads, const std::function<bool(std::int64_t, std::int64_t)>& progress) const final;

 protected:
  /// `version` is the source fingerprint: it must change when the images do.
  PaintedDataset(const PaintedOptions& options, std::vector<std::string> class_names,
                 std::string version);

  /// One image of a class as [3,size,size] bytes into `planes`. Called on several threads.
  virtual void paint(std::size_t label, std::uint64_t seed, std::int64_t size,
                     std::span<std::uint8_t> planes) const = 0;

 private:
  std::size_t bytes_per_image() const;
  ImageSet empty_set(const std::string& split, std::int64_t per_class) const;
  void paint_one(const std::string& split, std::int64_t index, ImageSet& set) const;

  PaintedOptions options_;
  std::vector<std::string> class_names_;
  std::string version_;
};

}  // namespace sweep::trainer
