#include "trainer/parallel/reducer.hpp"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/autograd.h>

#include <algorithm>
#include <utility>

namespace sweep::trainer {

Reducer::Reducer(std::vector<at::Tensor> parameters, Communicator& communicator, bool compress,
                 const Limits& limits)
    : communicator_(communicator) {
  for (auto& parameter : parameters) slots_.push_back({.parameter = std::move(parameter)});
  std::reverse(slots_.begin(), slots_.end());
  fill(limits.first_bytes, limits.bytes, compress);
  for (std::size_t i = 0; i < slots_.size(); ++i)
    slots_[i].hook = slots_[i].parameter.register_hook(
        [this, i](const at::Tensor& gradient) { take(i, gradient); });
  begin_pass();
}

Reducer::~Reducer() {
  for (auto& slot : slots_) slot.parameter.remove_hook(slot.hook);
}

/// Buckets of one type each, and every slot's place in them.
void Reducer::fill(std::int64_t first_bytes, std::int64_t bytes, bool compress) {
  const auto type_of = [&](std::size_t slot) {
    return compress ? at::kBFloat16 : slots_[slot].parameter.scalar_type();
  };
  for (std::size_t first = 0; first < slots_.size();) {
    const auto type = type_of(first);
    const std::int64_t limit = buckets_.empty() ? first_bytes : bytes;
    std::int64_t elements = 0;
    std::size_t last = first;
    do {
      elements += slots_[last++].parameter.numel();
    } while (last < slots_.size() && type_of(last) == type &&
             elements * static_cast<std::int64_t>(c10::elementSize(type)) < limit);
    Bucket bucket{
        .buffer = communicator_.buffer(elements, type), .first = first, .count = last - first};
    for (std::int64_t offset = 0; first < last; ++first) {
      auto& [parameter, view, number, hook, arrived] = slots_[first];
      view = bucket.buffer.narrow(0, offset, parameter.numel())
                 .as_strided(parameter.sizes(), parameter.strides(),
                             bucket.buffer.storage_offset() + offset);
      number = buckets_.size();
      offset += parameter.numel();
    }
    buckets_.push_back(std::move(bucket));
  }
}

void Reducer::begin_pass() {
  next_ = 0;
  for (auto& bucket : buckets_) {
    bucket.missing = bucket.count;
    bucket.ticket.reset();
  }
  for (auto& slot : slots_) slot.arrived = false;
}

void Reducer::take(std::size_t index, const at::Tensor& gradient) {
  const at::NoGradGuard no_grad;
  Slot& slot = slots_[index];
  slot.view.copy_(gradient);
  slot.arrived = true;
  --buckets_[slot.bucket].missing;
  start_full_buckets();
}

/// In one order on all ranks, whatever order the gradients come in.
void Reducer::start_full_buckets() {
  while (next_ < buckets_.size() && buckets_[next_].missing == 0) {
    Bucket& bucket = buckets_[next_++];
    bucket.ticket = communicator_.start_sum(bucket.buffer);
    bytes_ += static_cast<std::int64_t>(bucket.buffer.nbytes());
  }
}

void Reducer::finish() {
  const at::NoGradGuard no_grad;
  overlapped_bytes_ += [&] {
    std::int64_t bytes = 0;
    for (std::size_t i = 0; i < next_; ++i)
      bytes += static_cast<std::int64_t>(buckets_[i].buffer.nbytes());
    return bytes;
  }();
  for (auto& slot : slots_) {
    if (slot.arrived) continue;
    slot.view.zero_();
    --buckets_[slot.bucket].missing;
  }
  start_full_buckets();
  for (auto& bucket : buckets_) communicator_.wait(*bucket.ticket);
  for (auto& slot : slots_)
    if (slot.arrived) slot.parameter.mutable_grad() = slot.view.to(slot.parameter.scalar_type());
  begin_pass();
}

}  // namespace sweep::trainer
