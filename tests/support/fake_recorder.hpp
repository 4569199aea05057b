#pragma once

#include <functional>
#include <memory>

#include "attacks/recorded_function.hpp"

namespace sweep::test_support {

inline int recordings = 0, replays = 0;

/// Does on the CPU what a device does with a graph: the operations again, on the same tensors.
class FakeRecording final : public attacks::Recording {
 public:
  void record(const std::function<void()>& operations) override {
    operations_ = operations;
    ++recordings;
  }
  void replay() override {
    operations_();
    ++replays;
  }

 private:
  std::function<void()> operations_;
};

class FakeRecorder final : public attacks::Recorder {
 public:
  std::unique_ptr<attacks::Recording> make() override { return std::make_unique<FakeRecording>(); }
};

inline attacks::Recorder* make_fake_recorder() {
  return new FakeRecorder;
}

}  // namespace sweep::test_support
