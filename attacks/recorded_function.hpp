#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

namespace at {
class Tensor;
}
namespace c10 {
enum class DeviceType : std::int8_t;
}

namespace sweep::attacks {

/// A device's way to do the same operations again without the host's starting each of them: on
/// CUDA a graph.
class Recording {
 public:
  virtual ~Recording() = default;
  /// Takes down what `operations` has the device do. Nothing is computed.
  virtual void record(const std::function<void()>& operations) = 0;
  /// Does it, with what is in the same memory by then.
  virtual void replay() = 0;
};

/// Recordings that use one stretch of memory for what is needed only while they are replayed.
class Recorder {
 public:
  virtual ~Recorder() = default;
  virtual std::unique_ptr<Recording> make() = 0;
};

using RecorderFactory = Recorder* (*)();  ///< the caller owns it

/// From here on, for functions of tensors on such devices alone. Null: nothing is recorded.
/// @return the one before
RecorderFactory set_recorder_factory(c10::DeviceType type, RecorderFactory factory);

/// While one lives, functions are computed on this thread as they come: recordings hold memory.
class Unrecorded {
 public:
  Unrecorded();
  Unrecorded(const Unrecorded&) = delete;
  Unrecorded& operator=(const Unrecorded&) = delete;
  ~Unrecorded();
};

/// A function of tensors that is called many times with the same few shapes. Where the device can
/// record, a shape is computed as it comes once, so that libraries make what they keep for it,
/// recorded when it comes again, and replayed from then on, which gives the same.
class RecordedFunction {
 public:
  using Tensors = std::vector<at::Tensor>;
  using Function = std::function<Tensors(const Tensors& inputs)>;

  /// @param function  Does the same with equal shapes: nothing on the host may depend on what the
  ///        tensors hold, nor change between two calls. Tensors of others that it reads or changes
  ///        must stay where they are in memory. At least one input; outputs may be undefined.
  explicit RecordedFunction(Function function);
  RecordedFunction(RecordedFunction&&) noexcept;
  RecordedFunction& operator=(RecordedFunction&&) noexcept;
  ~RecordedFunction();

  /// What the function gives. Good until the next call, which may write to the same memory.
  Tensors operator()(const Tensors& inputs);

 private:
  struct Take;
  Take* take_for(const Tensors& inputs);
  bool record(Take& take, const Tensors& inputs);
  void give_up();

  Function function_;
  std::unique_ptr<Recorder> recorder_;
  std::vector<std::unique_ptr<Take>> takes_;
  bool records_ = true;
};

}  // namespace sweep::attacks
