#include <ATen/ATen.h>
#include <ATen/core/CachingHostAllocator.h>
#include <ATen/cuda/CUDAGraph.h>
#include <c10/cuda/CUDACachingAllocator.h>
#include <c10/cuda/CUDAFunctions.h>
#include <c10/cuda/CUDAGuard.h>

#include <map>

#include "attacks/recorded_function.hpp"

namespace sweep {
namespace {

/// One for all recordings on a device: libraries keep working memory for every stream that they
/// have seen. Not the default one, which can't be captured.
c10::cuda::CUDAStream capturing_stream() {
  static std::map<c10::DeviceIndex, c10::cuda::CUDAStream> streams;
  const auto device = c10::cuda::current_device();
  return streams.try_emplace(device, c10::cuda::getStreamFromPool(false, device)).first->second;
}

class GraphRecording final : public attacks::Recording {
 public:
  explicit GraphRecording(at::cuda::MempoolId_t memory) : memory_(memory) {}

  void record(const std::function<void()>& operations) override {
    const c10::cuda::CUDAStreamGuard guard(capturing_stream());
    c10::cuda::device_synchronize();
    try {
      // Of this thread alone: the backward pass is begun by threads of LibTorch.
      graph_.capture_begin(memory_, cudaStreamCaptureModeThreadLocal);
      operations();
      graph_.capture_end();
    } catch (...) {
      clean_up();
      throw;
    }
    c10::cuda::device_synchronize();
  }

  void replay() override { graph_.replay(); }

 private:
  /// What CUDAGraph leaves undone when its capture can't be ended: the allocators would go on
  /// serving it, and the random generator would stay with it. Each part fails where it has been
  /// done.
  void clean_up() {
    const auto device = c10::cuda::current_device();
    auto* const host = at::getHostAllocator(at::kCUDA);
    attempt([&] { graph_.capture_end(); });
    static_cast<void>(cudaGetLastError());
    attempt([&] { c10::cuda::CUDACachingAllocator::endAllocateToPool(device, memory_); });
    attempt([&] { c10::cuda::CUDACachingAllocator::releasePool(device, memory_); });
    attempt([&] { host->end_allocate_to_pool(memory_); });
    attempt([&] { host->release_pool(memory_); });
    attempt([&] {
      at::cuda::CUDAGraph nothing;
      nothing.capture_begin({0, 0}, cudaStreamCaptureModeThreadLocal);
      const auto something = at::zeros({1}, at::kCUDA);
      nothing.capture_end();
    });
  }

  /// The failure that is being dealt with says more than these.
  template <class Step>
  static void attempt(const Step& step) {
    try {
      step();
    } catch (const c10::Error&) {
      static_cast<void>(cudaGetLastError());
    }
  }

  at::cuda::MempoolId_t memory_;
  at::cuda::CUDAGraph graph_;
};

class GraphRecorder final : public attacks::Recorder {
 public:
  std::unique_ptr<attacks::Recording> make() override {
    // What unrecorded calls have used would lie idle beside the recordings' memory.
    c10::cuda::CUDACachingAllocator::emptyCache();
    return std::make_unique<GraphRecording>(memory_);
  }

 private:
  at::cuda::MempoolId_t memory_ = at::cuda::graph_pool_handle();
};

}  // namespace
}  // namespace sweep

// What trainer/device.cpp looks for.
extern "C" sweep::attacks::Recorder* sweep_make_recorder() {
  return new sweep::GraphRecorder;
}
