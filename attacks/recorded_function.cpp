#include "attacks/recorded_function.hpp"

#include <ATen/ATen.h>
#include <c10/core/DeviceGuard.h>

#include <algorithm>
#include <utility>

#include "core/log.hpp"
#include "core/text.hpp"

namespace sweep::attacks {
namespace {

at::DeviceType recorder_device = at::kCUDA;
RecorderFactory recorder_factory = nullptr;

/// Shapes beyond these are computed as they come: each recording holds memory of its own.
constexpr std::size_t kMostTakes = 8;

bool is_alike(const at::Tensor& a, const at::Tensor& b) {
  return a.sizes() == b.sizes() && a.strides() == b.strides() &&
         a.scalar_type() == b.scalar_type() && a.device() == b.device();
}

at::Tensor copy_of(const at::Tensor& input) {
  return at::empty_strided(input.sizes(), input.strides(), input.options().requires_grad(false))
      .copy_(input.detach());
}

}  // namespace

RecorderFactory set_recorder_factory(at::DeviceType type, RecorderFactory factory) {
  recorder_device = type;
  return std::exchange(recorder_factory, factory);
}

/// One recording, and the memory that it reads from and writes to.
struct RecordedFunction::Take {
  Tensors inputs, outputs;
  std::unique_ptr<Recording> recording;
};

RecordedFunction::RecordedFunction(Function function) : function_(std::move(function)) {}
RecordedFunction::RecordedFunction(RecordedFunction&&) noexcept = default;
RecordedFunction& RecordedFunction::operator=(RecordedFunction&&) noexcept = default;
RecordedFunction::~RecordedFunction() = default;

RecordedFunction::Tensors RecordedFunction::operator()(const Tensors& inputs) {
  // The first call lets libraries make what they keep: some of it can't be made while recording.
  const bool first = !std::exchange(called_, true);
  if (first || !records_ || recorder_factory == nullptr ||
      inputs.front().device().type() != recorder_device)
    return function_(inputs);
  const c10::DeviceGuard device(inputs.front().device());
  Take* take = take_for(inputs);
  if (take == nullptr) return function_(inputs);
  for (std::size_t i = 0; i < inputs.size(); ++i) take->inputs[i].copy_(inputs[i].detach());
  take->recording->replay();
  return take->outputs;
}

/// Null: computed as it comes.
RecordedFunction::Take* RecordedFunction::take_for(const Tensors& inputs) {
  const auto found = std::ranges::find_if(
      takes_, [&](const auto& take) { return std::ranges::equal(take->inputs, inputs, is_alike); });
  if (found != takes_.end()) return found->get();
  return takes_.size() < kMostTakes ? record(inputs) : nullptr;
}

RecordedFunction::Take* RecordedFunction::record(const Tensors& inputs) {
  auto take = std::make_unique<Take>();
  try {
    if (!recorder_) recorder_.reset(recorder_factory());
    take->recording = recorder_->make();
    for (const auto& input : inputs) take->inputs.push_back(copy_of(input));
    take->recording->record([this, to = take.get()] { to->outputs = function_(to->inputs); });
  } catch (const c10::OutOfMemoryError&) {
    throw;
  } catch (const c10::Error& error) {
    records_ = false;
    log_warning(concat("this work can't be recorded for the device (",
                       error.what_without_backtrace(),
                       "); it is done step by step, which takes longer and gives the same"));
    return nullptr;
  }
  return takes_.emplace_back(std::move(take)).get();
}

}  // namespace sweep::attacks
