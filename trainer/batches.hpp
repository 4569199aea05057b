#pragma once

#include <cstdint>
#include <vector>

#include "trainer/tensors.hpp"
#include "trainer/training_options.hpp"

namespace sweep::trainer {

/// A permutation of 0..count-1 that follows from seed and epoch alone.
std::vector<std::int64_t> sample_order(std::int64_t count, std::int64_t seed, std::int64_t epoch);

/// Where batches begin, and `count` at the end. The last one is smaller; were it a single image,
/// which batch normalisation can't use, it joins the batch before it.
std::vector<std::int64_t> batch_bounds(std::int64_t count, std::int64_t batch_size);

/// Which of `count` images are flipped: bool [count], on the CPU.
at::Tensor flip_mask(std::int64_t count, std::uint64_t seed);

/// Which images of a batch of `total` this process works on: `count` from number `first` on. One
/// that has none (a small last batch, many processes) works on the first image without its
/// counting.
struct Share {
  std::int64_t first = 0, count = 0, total = 0;

  bool counts() const { return count > 0; }
  /// What the mean over this share contributes to the mean over the batch.
  double weight() const { return static_cast<double>(count) / static_cast<double>(total); }
};

/// The share of process `rank` of `size`: sizes differ by one at most.
Share share_of(std::int64_t total, int rank, int size);

struct Batch {
  at::Tensor images;       ///< [n,3,H,W] float32 in [0,1], channels-last
  at::Tensor labels;       ///< [n] int64
  at::Tensor adversarial;  ///< their adversarial counterparts, like `images`; undefined without any
  Share share;             ///< what of the whole batch this is
};

/// All of `images` and `labels` as a batch of its own.
Batch whole_batch(const at::Tensor& images, const at::Tensor& labels);

/// A training set on a device, and the batches of its epochs. Any batch can be asked for at any
/// time: nothing depends on what was drawn before.
class Batches {
 public:
  /// @param images  [N,3,H,W] uint8; @param labels  [N] int64
  /// @param adversarial_sets  each [N,3,H,W] float32: counterparts of all images. An epoch then
  ///        shows every image once with each of them. They stay where they are.
  Batches(const at::Tensor& images, const at::Tensor& labels, const TrainingOptions& options,
          const at::Device& device, std::vector<at::Tensor> adversarial_sets = {});

  std::int64_t steps() const { return static_cast<std::int64_t>(bounds_.size()) - 1; }
  /// @param rank, size  of the processes that share the batch
  Batch at(std::int64_t epoch, std::int64_t step, int rank = 0, int size = 1);

 private:
  at::Tensor counterparts(const at::Tensor& samples) const;

  at::Tensor images_, labels_;
  std::vector<at::Tensor> adversarial_sets_;
  std::int64_t samples_;  ///< of an epoch: sample i is image i % N with the set i / N
  bool flip_;
  std::int64_t seed_;
  std::vector<std::int64_t> bounds_;
  at::Tensor order_;  ///< [samples_] int64 on the CPU, of order_epoch_
  std::int64_t order_epoch_ = -1;
};

}  // namespace sweep::trainer
