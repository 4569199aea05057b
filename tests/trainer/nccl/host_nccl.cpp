#include "tests/trainer/nccl/host_nccl.hpp"

#include <bit>
#include <condition_variable>
#include <cstdint>
#include <cstring>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "tests/trainer/nccl/host_device.hpp"
#include "trainer/parallel/nccl_library.hpp"

namespace sweep::trainer {
namespace {

using nccl::Result;

constexpr auto kInvalidArgument = static_cast<Result>(4), kRemoteError = static_cast<Result>(6);

std::atomic<int> misuses{0};

/// One collective: a sum, or a broadcast from `root`.
struct Call {
  const void* in;
  void* out;
  std::size_t count;
  nccl::DataType type;
  int root = -1;
};

float widened(std::uint16_t bfloat16) {
  return std::bit_cast<float>(std::uint32_t{bfloat16} << 16);
}

/// For numbers whose sums bfloat16 holds: what stands over is cut off.
std::uint16_t narrowed(float value) {
  return static_cast<std::uint16_t>(std::bit_cast<std::uint32_t>(value) >> 16);
}

/// In the order of the ranks, in a wider type.
template <class Stored, class Widen, class Narrow>
void add(const std::map<int, Call>& calls, std::size_t i, Widen widen, Narrow narrow) {
  auto total = widen(Stored{});
  for (const auto& [rank, call] : calls) total += widen(static_cast<const Stored*>(call.in)[i]);
  for (const auto& [rank, call] : calls) static_cast<Stored*>(call.out)[i] = narrow(total);
}

std::size_t size_of(nccl::DataType type) {
  return type == nccl::float64 ? 8 : type == nccl::float32 ? 4 : 2;
}

void carry_out(const std::map<int, Call>& calls) {
  const Call& first = calls.begin()->second;
  if (first.root >= 0) {
    const void* from = calls.at(first.root).in;
    for (const auto& [rank, call] : calls)
      if (call.out != from) std::memcpy(call.out, from, call.count * size_of(call.type));
    return;
  }
  for (std::size_t i = 0; i < first.count; ++i) switch (first.type) {
      case nccl::float32:
        add<float>(
            calls, i, [](float value) { return double{value}; },
            [](double value) { return static_cast<float>(value); });
        break;
      case nccl::float64:
        add<double>(
            calls, i, [](double value) { return value; }, [](double value) { return value; });
        break;
      case nccl::bfloat16:
        add<std::uint16_t>(calls, i, widened, narrowed);
        break;
    }
}

/// The ranks of one unique id.
struct World {
  int size = 0, joined = 0;
  std::mutex mutex;
  std::condition_variable changed;
  std::map<std::uint64_t, std::map<int, Call>> calls;  ///< that wait for others, by number
  std::map<std::uint64_t, bool> done;
};

struct HostComm {
  std::shared_ptr<World> world;
  int rank;
  std::uint64_t calls = 0;
  std::atomic<int> underway{0};
  std::atomic<bool> finalizing{false};
  std::atomic<bool> over{false};  ///< aborted or destroyed

  void meet(std::uint64_t number, const Call& call) {
    std::unique_lock lock(world->mutex);
    if (over) return;  // what is still in the stream of an aborted one does nothing
    if (host_nccl_faults().silent != rank) {
      auto& calls_here = world->calls[number];
      calls_here[rank] = call;
      if (static_cast<int>(calls_here.size()) == world->size) {
        carry_out(calls_here);
        world->done[number] = true;
        world->changed.notify_all();
      }
    }
    world->changed.wait(lock, [&] { return world->done[number] || over; });
  }
};

/// Counts a misuse where it is over. They are never freed, so that it can be told.
HostComm* used(nccl::Comm known) {
  auto* comm = static_cast<HostComm*>(known);
  if (comm->over) ++misuses;
  return comm;
}

std::shared_ptr<World> world_of(const nccl::UniqueId& id) {
  static std::mutex mutex;
  static std::map<std::string, std::shared_ptr<World>> worlds;
  const std::lock_guard lock(mutex);
  auto& world = worlds[std::string(id.bytes, sizeof id.bytes)];
  if (!world) world = std::make_shared<World>();
  return world;
}

Result begin(const Call& call, nccl::Comm known, nccl::Stream stream) {
  auto* comm = used(known);
  if (host_nccl_faults().refused == comm->rank) return kInvalidArgument;
  ++comm->underway;
  static_cast<HostStream*>(stream)->enqueue([comm, call, number = comm->calls++] {
    comm->meet(number, call);
    --comm->underway;
  });
  return nccl::in_progress;
}

void end(HostComm& comm) {
  const std::lock_guard lock(comm.world->mutex);
  comm.over = true;
  // Its memory may be freed from here on.
  for (auto& [number, calls] : comm.world->calls)
    if (!comm.world->done[number]) calls.erase(comm.rank);
  comm.world->changed.notify_all();
}

}  // namespace

HostNcclFaults& host_nccl_faults() {
  static HostNcclFaults faults;
  return faults;
}

int host_nccl_misuses() {
  return misuses;
}

}  // namespace sweep::trainer

// NCCL's interface, as its documentation gives it.
using namespace sweep::trainer;  // NOLINT(google-build-using-namespace)

extern "C" {

Result ncclGetUniqueId(nccl::UniqueId* id) {
  static std::atomic<std::uint64_t> next{1};
  *id = {};
  const std::uint64_t number = next++;
  std::memcpy(id->bytes + 40, &number, sizeof number);
  return nccl::success;
}

Result ncclCommInitRankConfig(nccl::Comm* comm, int size, nccl::UniqueId id, int rank,
                              nccl::Config* config) {
  if (config->blocking != 0 || config->magic != 0xcafebeef) return kInvalidArgument;
  auto world = world_of(id);
  const std::lock_guard lock(world->mutex);
  world->size = size;
  if (host_nccl_faults().absent != rank) ++world->joined;
  *comm = new HostComm{world, rank};
  return nccl::in_progress;
}

Result ncclCommGetAsyncError(nccl::Comm known, Result* result) {
  auto* comm = used(known);
  const std::lock_guard lock(comm->world->mutex);
  const bool joined = comm->world->joined == comm->world->size;
  const bool busy = !joined || (comm->finalizing && comm->underway > 0);
  *result = host_nccl_faults().told == comm->rank ? kRemoteError
            : busy                                ? nccl::in_progress
                                                  : nccl::success;
  return nccl::success;
}

Result ncclCommFinalize(nccl::Comm known) {
  used(known)->finalizing = true;  // done when all collectives are
  return nccl::in_progress;
}

Result ncclCommDestroy(nccl::Comm known) {
  auto* comm = used(known);
  if (comm->underway > 0) ++misuses;
  end(*comm);
  return nccl::success;
}

Result ncclCommAbort(nccl::Comm known) {
  end(*used(known));
  return nccl::success;
}

Result ncclAllReduce(const void* in, void* out, std::size_t count, nccl::DataType type,
                     nccl::Operation operation, nccl::Comm comm, nccl::Stream stream) {
  if (operation != nccl::sum) return kInvalidArgument;
  return begin({in, out, count, type}, comm, stream);
}

Result ncclBroadcast(const void* in, void* out, std::size_t count, nccl::DataType type, int root,
                     nccl::Comm comm, nccl::Stream stream) {
  return begin({in, out, count, type, root}, comm, stream);
}

const char* ncclGetErrorString(Result result) {
  return result == kRemoteError ? "remote process exited" : "invalid argument";
}
}
