#include <ATen/cuda/CUDAGraph.h>
#include <c10/cuda/CUDACachingAllocator.h>
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
    // Nothing runs on it, so there is nothing to wait for.
    const c10::cuda::CUDAStreamGuard guard(capturing_stream());
    // Of this thread alone: the backward pass is begun by threads of LibTorch.
    graph_.capture_begin(memory_, cudaStreamCaptureModeThreadLocal);
    try {
      operations();
    } catch (...) {
      end_after_failure();
      throw;
    }
    graph_.capture_end();
  }

  void replay() override { graph_.replay(); }

 private:
  /// The failure itself says more than that its capture can't be ended.
  void end_after_failure() {
    try {
      graph_.capture_end();
    } catch (const c10::Error&) {
      static_cast<void>(cudaGetLastError());
    }
  }

  at::cuda::MempoolId_t memory_;
  at::cuda::CUDAGraph graph_;
};

class GraphRecorder final : public attacks::Recorder {
 public:
  /// What the first, unrecorded call has used would lie idle beside the recordings' memory.
  GraphRecorder() { c10::cuda::CUDACachingAllocator::emptyCache(); }

  std::unique_ptr<attacks::Recording> make() override {
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
