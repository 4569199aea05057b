#include "runner/tasks/communicator.hpp"

#include <ATen/ATen.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <map>

#include "core/atomic_file.hpp"
#include "core/error.hpp"
#include "core/text.hpp"
#include "trainer/parallel/nccl_communicator.hpp"

namespace sweep::tasks {
namespace {

const char* element_name(at::ScalarType type) {
  return type == at::kDouble ? "float64" : type == at::kFloat ? "float32" : "bfloat16";
}

/// Memory without a name, which the agent opens by its descriptor: no other user can.
struct SharedMemory {
  explicit SharedMemory(std::size_t size)
      : file(::memfd_create("sweep_runner gradients", MFD_CLOEXEC)), bytes(size) {
    if (file.get() >= 0 && ::ftruncate(file.get(), static_cast<off_t>(bytes)) == 0)
      address = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, file.get(), 0);
    if (address == MAP_FAILED)
      throw Error(FailureType::out_of_memory,
                  concat("cannot share ", bytes, " bytes with the agent (", std::strerror(errno),
                         "; gradients pass through it)"));
  }
  SharedMemory(const SharedMemory&) = delete;
  SharedMemory& operator=(const SharedMemory&) = delete;
  ~SharedMemory() { ::munmap(address, bytes); }

  FileDescriptor file;
  std::size_t bytes;
  void* address = MAP_FAILED;
};

/// The agents add up what lies in memory that they share with their executors.
class AgentCommunicator final : public trainer::Communicator {
 public:
  explicit AgentCommunicator(const Task& task)
      : group_(task.group),
        channel_(task.channel),
        // A peer that hangs is killed by its own agent after hang_timeout.
        patience_s_(2 * task.run.at("hang_timeout").get<double>()) {}

  int rank() const override { return group_.index; }
  int size() const override { return group_.size; }

  at::Tensor buffer(std::int64_t count, at::ScalarType type) override {
    const auto bytes = static_cast<std::size_t>(count) * c10::elementSize(type);
    if (bytes == 0) return at::empty({0}, type);
    auto memory = std::make_unique<SharedMemory>(bytes);
    void* address = memory->address;
    memories_[address] = std::move(memory);
    return at::from_blob(address, {count}, type);
  }

  std::uint64_t start_sum(const at::Tensor& buffer) override { return start(buffer, "sum"); }
  std::uint64_t start_broadcast(const at::Tensor& buffer) override {
    return start(buffer, "first");
  }

  void wait(std::uint64_t ticket) override { channel_.wait_reduced(ticket, patience_s_); }

 private:
  std::uint64_t start(const at::Tensor& buffer, const char* reduction) {
    const int memory = buffer.numel() == 0 ? -1 : memories_.at(buffer.data_ptr())->file.get();
    channel_.send({{"type", "reduce"},
                   {"sequence", ++sequence_},
                   {"memory", memory},
                   {"count", buffer.numel()},
                   {"element", element_name(buffer.scalar_type())},
                   {"reduction", reduction}});
    return sequence_;
  }

  Group group_;
  Channel& channel_;
  double patience_s_;
  std::uint64_t sequence_ = 0;
  std::map<void*, std::unique_ptr<SharedMemory>> memories_;
};

}  // namespace

std::unique_ptr<trainer::Communicator> make_communicator(const Task& task) {
  if (task.group.size == 1) return trainer::make_serial_communicator(task.device);
  auto agents = std::make_unique<AgentCommunicator>(task);
  if (task.device.is_cpu()) return agents;
  // Before the agent kills a process that waits for a hung one: so the failure has its right name.
  return trainer::make_nccl_communicator(std::move(agents), task.device,
                                         task.run.at("hang_timeout").get<double>() / 2);
}

}  // namespace sweep::tasks
