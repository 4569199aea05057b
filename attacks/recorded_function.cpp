#include "attacks/recorded_function.hpp"

#include <ATen/ATen.h>
#include <c10/core/DeviceGuard.h>

#include <algorithm>
#include <string>
#include <utility>

#include "core/log.hpp"
#include "core/text.hpp"

namespace sweep::attacks {
namespace {

at::DeviceType recorder_device = at::kCUDA;
RecorderFactory recorder_factory = nullptr;

/// Shapes beyond these are computed as they come: each recording holds memory of its own.
constexpr std::size_t kMostTakes = 8;

thread_local int unrecorded = 0;

at::Tensor copy_of(const at::Tensor& input) {
  return at::empty_strided(input.sizes(), input.strides(), input.options().requires_grad(false))
      .copy_(input.detach());
}

}  // namespace

RecorderFactory set_recorder_factory(at::DeviceType type, RecorderFactory factory) {
  recorder_device = type;
  return std::exchange(recorder_factory, factory);
}

Unrecorded::Unrecorded() {
  ++unrecorded;
}

Unrecorded::~Unrecorded() {
  --unrecorded;
}

/// A shape that has been met; with a recording, the memory that it reads from and writes to.
struct RecordedFunction::Take {
  struct Shape {
    std::vector<std::int64_t> sizes, strides;
    at::ScalarType type;
    at::Device device;
    bool operator==(const Shape&) const = default;
  };
  std::vector<Shape> shapes;
  Tensors inputs, outputs;
  std::unique_ptr<Recording> recording;
};

RecordedFunction::RecordedFunction(Function function) : function_(std::move(function)) {}
RecordedFunction::RecordedFunction(RecordedFunction&&) noexcept = default;
RecordedFunction& RecordedFunction::operator=(RecordedFunction&&) noexcept = default;
RecordedFunction::~RecordedFunction() = default;

RecordedFunction::Tensors RecordedFunction::operator()(const Tensors& inputs) {
  if (!records_ || unrecorded > 0 || recorder_factory == nullptr ||
      inputs.front().device().type() != recorder_device)
    return function_(inputs);
  const c10::DeviceGuard device(inputs.front().device());
  Take* take = take_for(inputs);
  if (take == nullptr || (!take->recording && !record(*take, inputs))) return function_(inputs);
  for (std::size_t i = 0; i < inputs.size(); ++i) take->inputs[i].copy_(inputs[i].detach());
  take->recording->replay();
  return take->outputs;
}

/// Null: computed as it comes, because it is new, or there are many.
RecordedFunction::Take* RecordedFunction::take_for(const Tensors& inputs) {
  std::vector<Take::Shape> shapes;
  for (const auto& input : inputs)
    shapes.push_back(
        {input.sizes().vec(), input.strides().vec(), input.scalar_type(), input.device()});
  const auto found =
      std::ranges::find(takes_, shapes, [](const auto& take) { return take->shapes; });
  if (found != takes_.end()) return found->get();
  if (takes_.size() < kMostTakes) takes_.push_back(std::make_unique<Take>(Take{.shapes = shapes}));
  return nullptr;
}

/// False: it can't be.
bool RecordedFunction::record(Take& take, const Tensors& inputs) {
  std::string reason;
  try {
    if (!recorder_) recorder_.reset(recorder_factory());
    take.recording = recorder_->make();
    for (const auto& input : inputs) take.inputs.push_back(copy_of(input));
    take.recording->record([this, &take] { take.outputs = function_(take.inputs); });
    return true;
  } catch (const c10::OutOfMemoryError&) {
    give_up();
    throw;
  } catch (const c10::Error& error) {
    reason = error.what_without_backtrace();
  }
  give_up();
  log_warning(concat("this work can't be recorded for the device (", reason,
                     "); it is done step by step, which takes longer and gives the same"));
  return false;
}

void RecordedFunction::give_up() {
  records_ = false;
  takes_.clear();
  recorder_.reset();
}

}  // namespace sweep::attacks
