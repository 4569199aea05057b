#include "trainer/batches.hpp"

#include <ATen/ATen.h>

#include <numeric>
#include <random>
#include <utility>

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

Batches::Batches(const at::Tensor& images, const at::Tensor& labels, const TrainingOptions& options,
                 const at::Device& device)
    : images_(images.to(device)),
      labels_(labels.to(device)),
      flip_(options.flip),
      seed_(options.seed),
      bounds_(batch_bounds(images.size(0), options.batch_size)) {}

Batch Batches::at(std::int64_t epoch, std::int64_t step) {
  if (order_epoch_ != epoch) {
    order_ =
        at::tensor(sample_order(images_.size(0), seed_, epoch), at::kLong).to(images_.device());
    order_epoch_ = epoch;
  }
  const auto index = static_cast<std::size_t>(step);
  const auto chosen = order_.slice(0, bounds_[index], bounds_[index + 1]);
  auto images = images_.index_select(0, chosen);
  if (flip_) {
    const auto mask = flip_mask(chosen.size(0), derive_seed(seed_, "flip", epoch, step));
    images = at::where(mask.to(images.device()).view({-1, 1, 1, 1}), images.flip(3), images);
  }
  return {to_model_input(images, images_.device()), labels_.index_select(0, chosen)};
}

}  // namespace sweep::trainer
