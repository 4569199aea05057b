#include "tests/trainer/nccl/host_device.hpp"

#include <ATen/ATen.h>
#include <c10/core/impl/DeviceGuardImplInterface.h>
#include <torch/library.h>

#include <memory>
#include <optional>
#include <utility>
#include <vector>

namespace sweep::trainer {

HostStream::HostStream() : thread_([this] { run(); }) {}

HostStream::~HostStream() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  wake_.notify_all();
  thread_.join();
}

void HostStream::enqueue(std::function<void()> work) {
  {
    const std::lock_guard lock(mutex_);
    queue_.push_back(std::move(work));
  }
  wake_.notify_all();
}

void HostStream::run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    wake_.wait(lock, [this] { return ending_ || !queue_.empty(); });
    if (queue_.empty()) return;
    const auto work = std::move(queue_.front());
    queue_.pop_front();
    lock.unlock();
    work();
    lock.lock();
  }
}

namespace {

constexpr auto kType = c10::DeviceType::PrivateUse1;

/// All that were ever made, by number - 1; number 0 is the default stream.
class Streams {
 public:
  c10::StreamId make() {
    const std::lock_guard lock(mutex_);
    all_.push_back(std::make_unique<HostStream>());
    return static_cast<c10::StreamId>(all_.size());
  }
  /// Null: the default stream.
  HostStream* find(const c10::Stream& stream) {
    const std::lock_guard lock(mutex_);
    return stream.id() == 0 ? nullptr : all_[static_cast<std::size_t>(stream.id() - 1)].get();
  }

 private:
  std::mutex mutex_;
  std::vector<std::unique_ptr<HostStream>> all_;
};

Streams& streams() {
  static Streams all;
  return all;
}

/// A point of a stream.
class StreamPoint {
 public:
  void reach() {
    const std::lock_guard lock(mutex_);
    reached_ = true;
    changed_.notify_all();
  }
  void wait() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return reached_; });
  }
  bool reached() {
    const std::lock_guard lock(mutex_);
    return reached_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool reached_ = false;
};

struct HostGuard final : c10::impl::DeviceGuardImplInterface {
  /// What LibTorch knows as an event.
  using Event = std::shared_ptr<StreamPoint>;

  static Event& event(void* known) { return *static_cast<Event*>(known); }

  c10::DeviceType type() const override { return kType; }
  c10::Device exchangeDevice(c10::Device) const override { return host_device(); }
  c10::Device getDevice() const override { return host_device(); }
  void setDevice(c10::Device) const override {}
  void uncheckedSetDevice(c10::Device) const noexcept override {}
  c10::DeviceIndex deviceCount() const noexcept override { return 1; }

  c10::Stream getStream(c10::Device device) const override {
    return c10::Stream(c10::Stream::UNSAFE, device, 0);
  }
  c10::Stream getNewStream(c10::Device device, int) const override {
    return c10::Stream(c10::Stream::UNSAFE, device, streams().make());
  }
  c10::Stream exchangeStream(c10::Stream) const override { return getStream(host_device()); }
  void* getStreamNativeHandle(const c10::Stream stream) const override {
    return streams().find(stream);
  }

  void record(void** known, const c10::Stream& stream, const c10::DeviceIndex,
              const c10::EventFlag) const override {
    auto point = std::make_shared<StreamPoint>();
    if (*known == nullptr) *known = new Event;
    event(*known) = point;
    if (auto* queue = streams().find(stream))
      queue->enqueue([point] { point->reach(); });
    else
      point->reach();
  }
  void block(void* known, const c10::Stream& stream) const override {
    const auto point = event(known);
    if (auto* queue = streams().find(stream))
      queue->enqueue([point] { point->wait(); });
    else
      point->wait();
  }
  bool queryEvent(void* known) const override { return event(known)->reached(); }
  void destroyEvent(void* known, const c10::DeviceIndex) const noexcept override {
    delete static_cast<Event*>(known);
  }
};

C10_REGISTER_GUARD_IMPL(PrivateUse1, HostGuard)

at::Tensor empty(at::IntArrayRef size, std::optional<at::ScalarType> type,
                 std::optional<at::Layout>, std::optional<at::Device>, std::optional<bool>,
                 std::optional<at::MemoryFormat>) {
  return at::empty(size, at::TensorOptions().dtype(type));
}

TORCH_LIBRARY_IMPL(aten, PrivateUse1, library) {
  library.impl("empty.memory_format", &empty);
}

}  // namespace

c10::Device host_device() {
  return {kType, 0};
}

}  // namespace sweep::trainer
