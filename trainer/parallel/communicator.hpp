#pragma once

#include <cstdint>
#include <memory>

namespace at {
class Tensor;
}
namespace c10 {
enum class ScalarType : std::int8_t;
struct Device;
}  // namespace c10

namespace sweep::trainer {

/// The processes that train one network together, one device each. Which calls are collective is
/// said with each: all ranks must make them in the same order, with buffers of the same size.
/// Nothing here is thread-safe.
class Communicator {
 public:
  virtual ~Communicator() = default;

  /// Place in the group, from 0 (the lead), and number of processes.
  virtual int rank() const = 0;
  virtual int size() const = 0;

  /// A tensor [count] that can be reduced, of undefined values: float32, float64 or bfloat16, on
  /// the device of this rank. It may be used as long as the communicator lives.
  virtual at::Tensor buffer(std::int64_t count, c10::ScalarType type) = 0;

  /// Collective: begins to add up `buffer`, or the first numbers of one, over all ranks, in place
  /// and beside what follows; the sum has the same bits on all ranks. Gives the ticket to wait for.
  virtual std::uint64_t start_sum(const at::Tensor& buffer) = 0;
  /// Collective: the same, but all get what the lead has.
  virtual std::uint64_t start_broadcast(const at::Tensor& buffer) = 0;
  /// From here on `buffer` holds the result for all operations of this rank.
  /// @throws Error{communication} when a peer has failed or is silent for too long.
  virtual void wait(std::uint64_t ticket) = 0;

  /// To be called behind what the host has read of results, and before it believes them: where a
  /// GPU works on its own, a failure comes to light later than its wrong numbers.
  /// @throws Error{communication}
  virtual void check() {}
};

/// One process alone: sums are what it has.
std::unique_ptr<Communicator> make_serial_communicator(const c10::Device& device);

/// How several processes train one network.
struct Parallel {
  Communicator* communicator = nullptr;  ///< null: one process alone
  /// Batch normalisation uses the statistics of the whole batch, so that results do not depend on
  /// the number of processes; else those of each process's share.
  bool synchronised_batch_norm = true;
  /// Gradients travel as bfloat16: half the bytes, three significant digits.
  bool compressed_gradients = false;
};

}  // namespace sweep::trainer
