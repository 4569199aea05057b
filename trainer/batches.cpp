#include "trainer/batches.hpp"

#include <ATen/ATen.h>
#include <torch/library.h>

#include <algorithm>
#include <numeric>
#include <optional>
#include <random>
#include <utility>

#include "attacks/device_operator.hpp"
#include "core/hash.hpp"
#include "trainer/inference.hpp"

namespace sweep::trainer {

std::vector<std::int64_t> sample_order(std::int64_t count, std::int64_t seed, std::int64_t epoch) {
  std::vector<std::int64_t> order(static_cast<std::size_t>(count));
  std::iota(order.begin(), order.end(), 0);
  // std::shuffle may differ between standard libraries; the engine is the same everywhere.
  std::mt19937_64 engine(derive_seed(seed, "order", epoch));
  for (std::size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[engine() % i]);
  return order;
}

std::vector<std::int64_t> batch_bounds(std::int64_t count, std::int64_t batch_size) {
  std::vector<std::int64_t> bounds;
  for (std::int64_t begin = 0; begin < count; begin += batch_size) bounds.push_back(begin);
  if (bounds.size() > 1 && count - bounds.back() == 1) bounds.pop_back();
  bounds.push_back(count);
  return bounds;
}

at::Tensor flip_mask(std::int64_t count, std::uint64_t seed) {
  std::mt19937_64 engine(seed);
  auto mask = at::empty({count}, at::kBool);
  bool* flags = mask.data_ptr<bool>();
  for (std::int64_t i = 0; i < count; ++i) flags[i] = engine() >> 63;
  return mask;
}

namespace {

TORCH_LIBRARY_FRAGMENT(sweep, library) {
  library.def("gather_images(Tensor images, Tensor chosen, Tensor? flipped) -> Tensor");
}

using FusedGather = at::Tensor(const at::Tensor&, const at::Tensor&,
                               const std::optional<at::Tensor>&);

/// @param mask  [N] bool; undefined: none
at::Tensor flipped(const at::Tensor& images, const at::Tensor& mask) {
  return mask.defined() ? at::where(mask.view({-1, 1, 1, 1}), images.flip(3), images) : images;
}

/// The chosen ones of `images` [N,3,H,W] uint8, as a model takes them.
at::Tensor gathered(const at::Tensor& images, const at::Tensor& chosen, const at::Tensor& mask) {
  static const attacks::DeviceOperator<FusedGather> fused("sweep::gather_images");
  if (fused.serves(images) && images.is_contiguous())
    return fused(images, chosen, mask.defined() ? std::optional(mask) : std::nullopt);
  return to_model_input(flipped(images.index_select(0, chosen), mask), images.device());
}

}  // namespace

Batches::Batches(const at::Tensor& images, const at::Tensor& labels, const TrainingOptions& options,
                 const at::Device& device, std::vector<at::Tensor> adversarial_sets)
    : images_(images.to(device)),
      labels_(labels.to(device)),
      adversarial_sets_(std::move(adversarial_sets)),
      samples_(images.size(0) *
               std::max<std::int64_t>(1, static_cast<std::int64_t>(adversarial_sets_.size()))),
      flip_(options.flip),
      seed_(options.seed),
      bounds_(batch_bounds(samples_, options.batch_size)) {}

Share share_of(std::int64_t total, int rank, int size) {
  const std::int64_t first = total * rank / size;
  return {first, total * (rank + 1) / size - first, total};
}

Batch whole_batch(const at::Tensor& images, const at::Tensor& labels) {
  return {images, labels, {}, share_of(images.size(0), 0, 1)};
}

Batch Batches::at(std::int64_t epoch, std::int64_t step, int rank, int size) {
  if (order_epoch_ != epoch) {
    order_ = at::tensor(sample_order(samples_, seed_, epoch), at::kLong);
    order_epoch_ = epoch;
  }
  const auto index = static_cast<std::size_t>(step);
  Share share = share_of(bounds_[index + 1] - bounds_[index], rank, size);
  if (!share.counts()) share.first = 0;
  const std::int64_t count = std::max<std::int64_t>(share.count, 1);
  const auto samples = order_.narrow(0, bounds_[index] + share.first, count);
  const auto chosen = samples.remainder(images_.size(0)).to(images_.device());
  at::Tensor mask;
  if (flip_)
    mask = flip_mask(share.total, derive_seed(seed_, "flip", epoch, step))
               .narrow(0, share.first, count)
               .to(images_.device());
  Batch batch{gathered(images_, chosen, mask), labels_.index_select(0, chosen), {}, share};
  if (!adversarial_sets_.empty())
    batch.adversarial =
        to_model_input(flipped(counterparts(samples).to(images_.device()), mask), images_.device());
  return batch;
}

at::Tensor Batches::counterparts(const at::Tensor& samples) const {
  std::vector<at::Tensor> rows;
  const auto* sample = samples.const_data_ptr<std::int64_t>();
  const std::int64_t count = images_.size(0);
  for (std::int64_t i = 0; i < samples.size(0); ++i)
    rows.push_back(
        adversarial_sets_[static_cast<std::size_t>(sample[i] / count)][sample[i] % count]);
  return at::stack(rows);
}

}  // namespace sweep::trainer
