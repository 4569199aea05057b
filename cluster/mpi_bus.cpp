#include <mpi.h>

#include <cstdlib>
#include <list>

#include "cluster/message_bus.hpp"
#include "core/error.hpp"
#include "core/text.hpp"

namespace sweep::cluster {
namespace {

constexpr int kTag = 1;

void check(int status, const char* call) {
  if (status == MPI_SUCCESS) return;
  char reason[MPI_MAX_ERROR_STRING] = "";
  int length = 0;
  MPI_Error_string(status, reason, &length);
  throw Error(FailureType::communication, concat("MPI call ", call, " failed (", reason, ")"));
}

class MpiBus final : public MessageBus {
 public:
  MpiBus() {
    int provided = 0;
    check(MPI_Init_thread(nullptr, nullptr, MPI_THREAD_FUNNELED, &provided), "MPI_Init_thread");
    // Without this the default handler kills the job inside the failing call.
    check(MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN), "MPI_Comm_set_errhandler");
    check(MPI_Comm_rank(MPI_COMM_WORLD, &rank_), "MPI_Comm_rank");
    check(MPI_Comm_size(MPI_COMM_WORLD, &size_), "MPI_Comm_size");
    MPI_Comm host = MPI_COMM_NULL;
    check(MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, rank_, MPI_INFO_NULL, &host),
          "MPI_Comm_split_type");
    check(MPI_Comm_rank(host, &local_rank_), "MPI_Comm_rank");
    check(MPI_Comm_size(host, &local_size_), "MPI_Comm_size");
    check(MPI_Comm_free(&host), "MPI_Comm_free");
  }

  int rank() const override { return rank_; }
  int size() const override { return size_; }
  int local_rank() const override { return local_rank_; }
  int local_size() const override { return local_size_; }

  void send(int to, std::string text) override {
    release_sent();
    Outgoing& outgoing = outgoing_.emplace_back(std::move(text), MPI_REQUEST_NULL);
    check(MPI_Isend(outgoing.text.data(), static_cast<int>(outgoing.text.size()), MPI_CHAR, to, kTag,
                    MPI_COMM_WORLD, &outgoing.request),
          "MPI_Isend");
  }

  /// Probes instead of receiving: a blocking receive burns a whole core.
  std::optional<Message> receive() override {
    release_sent();
    int arrived = 0;
    MPI_Status status;
    check(MPI_Iprobe(MPI_ANY_SOURCE, kTag, MPI_COMM_WORLD, &arrived, &status), "MPI_Iprobe");
    if (arrived == 0) return std::nullopt;
    int length = 0;
    check(MPI_Get_count(&status, MPI_CHAR, &length), "MPI_Get_count");
    Message message{status.MPI_SOURCE, std::string(static_cast<std::size_t>(length), '\0')};
    check(MPI_Recv(message.text.data(), length, MPI_CHAR, status.MPI_SOURCE, kTag, MPI_COMM_WORLD,
                   MPI_STATUS_IGNORE),
          "MPI_Recv");
    return message;
  }

  void finish() override {
    for (auto& outgoing : outgoing_)
      check(MPI_Wait(&outgoing.request, MPI_STATUS_IGNORE), "MPI_Wait");
    check(MPI_Barrier(MPI_COMM_WORLD), "MPI_Barrier");
    check(MPI_Finalize(), "MPI_Finalize");
  }

 private:
  struct Outgoing {
    std::string text;  // must stay where it is until the request is done: hence a list
    MPI_Request request;
    Outgoing(std::string t, MPI_Request r) : text(std::move(t)), request(r) {}
  };

  void release_sent() {
    for (auto it = outgoing_.begin(); it != outgoing_.end();) {
      int done = 0;
      check(MPI_Test(&it->request, &done, MPI_STATUS_IGNORE), "MPI_Test");
      it = done != 0 ? outgoing_.erase(it) : std::next(it);
    }
  }

  int rank_ = 0, size_ = 1, local_rank_ = 0, local_size_ = 1;
  std::list<Outgoing> outgoing_;
};

}  // namespace

std::unique_ptr<MessageBus> make_mpi_bus() {
  return std::make_unique<MpiBus>();
}

bool started_by_launcher() {
  return std::getenv("OMPI_COMM_WORLD_SIZE") != nullptr || std::getenv("PMIX_RANK") != nullptr;
}

}  // namespace sweep::cluster
