#pragma once

#include <c10/core/Device.h>

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

namespace sweep::trainer {

/// A stream of the test's device: a thread that does what is enqueued, one after the other.
class HostStream {
 public:
  HostStream();
  HostStream(const HostStream&) = delete;
  HostStream& operator=(const HostStream&) = delete;
  ~HostStream();

  void enqueue(std::function<void()> work);

 private:
  void run();

  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::function<void()>> queue_;
  bool ending_ = false;
  std::thread thread_;
};

/// A device whose memory is the host's. Its default stream is whoever calls: what waits there waits
/// on the host. Streams that are asked for are HostStreams, and events are of both. Tensors that
/// are made on it are tensors of the CPU.
c10::Device host_device();

}  // namespace sweep::trainer
