#pragma once

#include <memory>
#include <optional>
#include <string>

namespace sweep::cluster {

struct Message {
  int from = 0;  ///< rank
  std::string text;
};

/// Point-to-point messages between the agents of a run. Nothing blocks: send queues, receive polls.
/// Messages of one pair of ranks arrive in order. Not thread-safe.
class MessageBus {
 public:
  virtual ~MessageBus() = default;
  virtual int rank() const = 0;
  virtual int size() const = 0;
  /// Rank and number of ranks on this host.
  virtual int local_rank() const = 0;
  virtual int local_size() const = 0;
  /// @throws Error{communication}
  virtual void send(int to, std::string text) = 0;
  virtual std::optional<Message> receive() = 0;
  /// Collective: every rank must call it once, when it has nothing more to say. Messages that
  /// still arrive are dropped. False: on rank 0, when another rank has not come to its end within
  /// 30 s; the process must then end without MPI's consent.
  virtual bool finish() = 0;
};

/// Rank 0 of 1, without MPI.
std::unique_ptr<MessageBus> make_local_bus();

/// Collective over MPI_COMM_WORLD: initialises MPI. One per process.
std::unique_ptr<MessageBus> make_mpi_bus();

/// The same from the module that lies beside the program: whoever calls this need not link MPI.
/// @throws InputError when it can't be loaded.
std::unique_ptr<MessageBus> load_mpi_bus();

}  // namespace sweep::cluster
