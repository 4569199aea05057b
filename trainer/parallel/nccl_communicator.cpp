#include "trainer/parallel/nccl_communicator.hpp"

#include <ATen/ATen.h>
#include <c10/core/Event.h>
#include <c10/core/impl/VirtualGuardImpl.h>

#include <chrono>
#include <condition_variable>
#include <cstring>
#include <deque>
#include <mutex>
#include <thread>
#include <utility>

#include "core/error.hpp"
#include "core/text.hpp"
#include "trainer/parallel/nccl_library.hpp"

namespace sweep::trainer {
namespace {

using WatchClock = std::chrono::steady_clock;
using namespace std::chrono_literals;

nccl::DataType type_of(const at::Tensor& buffer) {
  return buffer.scalar_type() == at::kDouble  ? nccl::float64
         : buffer.scalar_type() == at::kFloat ? nccl::float32
                                              : nccl::bfloat16;
}

[[noreturn]] void fail(const std::string& what) {
  throw Error(FailureType::communication,
              concat("NCCL: ", what, " (the GPUs of a training add up their gradients by it)"));
}

/// The lead's, on all.
nccl::UniqueId agreed_id(Communicator& meeting) {
  nccl::UniqueId id{};
  if (meeting.rank() == 0 && nccl::library().get_unique_id(&id) != nccl::success)
    fail("no unique id could be made");
  const auto letter = meeting.buffer(sizeof id / sizeof(float), at::kFloat);
  std::memcpy(letter.data_ptr(), &id, sizeof id);
  meeting.wait(meeting.start_broadcast(letter));
  std::memcpy(&id, letter.const_data_ptr(), sizeof id);
  return id;
}

class NcclCommunicator final : public Communicator {
 public:
  NcclCommunicator(std::unique_ptr<Communicator> meeting, const at::Device& device,
                   double patience_s)
      : nccl_(nccl::library()),
        meeting_(std::move(meeting)),
        device_(device),
        gpu_(device.type()),
        stream_(gpu_.getNewStream(device)),
        patience_(std::chrono::duration_cast<WatchClock::duration>(
            std::chrono::duration<double>(patience_s))) {
    nccl::Config config;
    const auto id = agreed_id(*meeting_);
    settle(
        [&] {
          return nccl_.comm_init_rank_config(&comm_, meeting_->size(), id, meeting_->rank(),
                                             &config);
        },
        "a communicator could not be made");
    watchdog_ = std::thread([this] { watch(); });
  }

  ~NcclCommunicator() override {
    {
      const std::lock_guard lock(mutex_);
      ending_ = true;
    }
    wake_.notify_all();
    if (watchdog_.joinable()) watchdog_.join();
    if (!failure_.empty()) return;  // aborted
    try {
      settle([&] { return nccl_.comm_finalize(comm_); }, "a communicator could not be closed");
      nccl_.comm_destroy(comm_);
    } catch (const Error&) {
      // settle has aborted it, and there is nobody to tell: the training has ended.
    }
  }

  int rank() const override { return meeting_->rank(); }
  int size() const override { return meeting_->size(); }

  at::Tensor buffer(std::int64_t count, at::ScalarType type) override {
    return at::empty({count}, at::TensorOptions(device_).dtype(type));
  }

  std::uint64_t start_sum(const at::Tensor& buffer) override {
    return start([&](nccl::Stream stream) {
      return nccl_.all_reduce(buffer.const_data_ptr(), buffer.data_ptr(),
                              static_cast<std::size_t>(buffer.numel()), type_of(buffer), nccl::sum,
                              comm_, stream);
    });
  }

  std::uint64_t start_broadcast(const at::Tensor& buffer) override {
    return start([&](nccl::Stream stream) {
      return nccl_.broadcast(buffer.const_data_ptr(), buffer.data_ptr(),
                             static_cast<std::size_t>(buffer.numel()), type_of(buffer), 0, comm_,
                             stream);
    });
  }

  /// The stream that computes waits, the host does not.
  void wait(std::uint64_t ticket) override {
    check();
    if (const auto done = end_of(ticket)) done->block(gpu_.getStream(device_));
  }

  void check() override {
    const std::lock_guard lock(mutex_);
    if (!failure_.empty()) fail(failure_);
  }

 private:
  struct Work {
    std::uint64_t ticket;
    std::shared_ptr<c10::Event> done;
    WatchClock::time_point since;
  };

  /// Null where that is known to be reached.
  std::shared_ptr<c10::Event> end_of(std::uint64_t ticket) {
    const std::lock_guard lock(mutex_);
    for (const auto& work : underway_)
      if (work.ticket == ticket) return work.done;
    return nullptr;
  }

  template <class Call>
  std::uint64_t start(const Call& call) {
    check();
    c10::Event ready(device_.type());
    ready.record(gpu_.getStream(device_));
    ready.block(stream_);
    settle([&] { return call(stream_.native_handle()); }, "a collective could not be begun");
    const auto done = std::make_shared<c10::Event>(device_.type());
    done->record(stream_);
    const std::lock_guard lock(mutex_);
    underway_.push_back({++tickets_, done, WatchClock::now()});
    return tickets_;
  }

  /// A call of a communicator that does not block is done when NCCL says so.
  template <class Call>
  void settle(const Call& call, const char* what) {
    const auto start = WatchClock::now();
    nccl::Result result = unless_aborted(call);
    while (result == nccl::in_progress) {
      if (WatchClock::now() - start > patience_) {
        abort(concat(what, ": the other processes do not answer"));
        break;
      }
      std::this_thread::sleep_for(50us);
      result = unless_aborted([&] {
        nccl::Result state = nccl::success;
        nccl_.comm_get_async_error(comm_, &state);
        return state;
      });
    }
    if (result != nccl::success && result != nccl::in_progress)
      abort(concat(what, ": ", nccl_.error_text(result)));
    check();
  }

  /// The watchdog may abort at any time, and what is aborted is gone.
  template <class Call>
  nccl::Result unless_aborted(const Call& call) {
    const std::lock_guard lock(mutex_);
    return failure_.empty() ? call() : nccl::success;
  }

  /// Ends kernels that wait for a peer, so that nobody waits for them.
  void abort(const std::string& why) {
    const std::lock_guard lock(mutex_);
    if (!failure_.empty()) return;
    failure_ = why;
    nccl_.comm_abort(comm_);
  }

  /// Looks for failures while the host waits for the GPU.
  void watch() {
    std::unique_lock lock(mutex_);
    while (!wake_.wait_for(lock, 100ms, [this] { return ending_; })) {
      while (!underway_.empty() && underway_.front().done->query()) underway_.pop_front();
      nccl::Result result = nccl::success;
      nccl_.comm_get_async_error(comm_, &result);
      std::string why;
      if (result != nccl::success && result != nccl::in_progress)
        why = concat("a peer has failed: ", nccl_.error_text(result));
      else if (!underway_.empty() && WatchClock::now() - underway_.front().since > patience_)
        why = concat("a collective has not ended for ",
                     duration_text(std::chrono::duration<double>(patience_).count()));
      if (why.empty()) continue;
      lock.unlock();
      return abort(why);
    }
  }

  const nccl::Library& nccl_;
  std::unique_ptr<Communicator> meeting_;
  at::Device device_;
  c10::impl::VirtualGuardImpl gpu_;
  c10::Stream stream_;
  WatchClock::duration patience_;
  nccl::Comm comm_ = nullptr;
  std::uint64_t tickets_ = 0;

  std::mutex mutex_;  ///< of all that follows
  std::condition_variable wake_;
  std::deque<Work> underway_;
  std::string failure_;
  bool ending_ = false;
  std::thread watchdog_;
};

}  // namespace

std::unique_ptr<Communicator> make_nccl_communicator(std::unique_ptr<Communicator> meeting,
                                                     const at::Device& device, double patience_s) {
  return std::make_unique<NcclCommunicator>(std::move(meeting), device, patience_s);
}

}  // namespace sweep::trainer
