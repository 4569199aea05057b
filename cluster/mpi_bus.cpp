#include <mpi.h>

#include <chrono>
#include <limits>
#include <list>
#include <set>
#include <thread>

#include "cluster/message_bus.hpp"
#include "core/error.hpp"
#include "core/text.hpp"

namespace sweep::cluster {
namespace {

constexpr int kTag = 1;
constexpr std::chrono::seconds kLongestFarewell{30};

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
    if (text.size() > static_cast<std::size_t>(std::numeric_limits<int>::max()))
      throw Error(FailureType::communication,
                  concat("a message of ", text.size(), " bytes is too long for MPI"));
    release_sent();
    Transfer& outgoing = outgoing_.emplace_back(Transfer{to, std::move(text)});
    check(MPI_Isend(outgoing.text.data(), static_cast<int>(outgoing.text.size()), MPI_CHAR, to,
                    kTag, MPI_COMM_WORLD, &outgoing.request),
          "MPI_Isend");
  }

  /// Probes and tests instead of receiving: a blocking receive burns a whole core, and never
  /// returns when its sender dies half-way.
  std::optional<Message> receive() override {
    release_sent();
    start_receiving();
    std::set<int> waiting;  // a later message of the same rank must not overtake
    for (auto it = incoming_.begin(); it != incoming_.end(); ++it) {
      if (waiting.count(it->peer) != 0) continue;
      if (is_done(*it)) {
        Message message{it->peer, std::move(it->text)};
        incoming_.erase(it);
        return message;
      }
      waiting.insert(it->peer);
    }
    return std::nullopt;
  }

  /// Receives until the others have sent all they had to send: a large message goes only when
  /// its receiver takes it. A rank that is stopped or cut off never does.
  bool finish() override {
    const auto since = std::chrono::steady_clock::now();
    MPI_Request barrier = MPI_REQUEST_NULL;
    int all_sent = 0;
    while (all_sent == 0) {
      while (receive()) {
      }
      if (outgoing_.empty() && incoming_.empty() && barrier == MPI_REQUEST_NULL)
        check(MPI_Ibarrier(MPI_COMM_WORLD, &barrier), "MPI_Ibarrier");
      if (barrier != MPI_REQUEST_NULL)
        check(MPI_Test(&barrier, &all_sent, MPI_STATUS_IGNORE), "MPI_Test");
      // The others wait for rank 0, which may have much to write: when it ends, mpirun ends them.
      if (rank_ == 0 && std::chrono::steady_clock::now() - since > kLongestFarewell) return false;
      if (all_sent == 0) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    check(MPI_Finalize(), "MPI_Finalize");
    return true;
  }

 private:
  struct Transfer {
    int peer;
    std::string text;  // must stay where it is until the request is done: hence lists
    MPI_Request request = MPI_REQUEST_NULL;
  };

  static bool is_done(Transfer& transfer) {
    int done = 0;
    check(MPI_Test(&transfer.request, &done, MPI_STATUS_IGNORE), "MPI_Test");
    return done != 0;
  }

  void release_sent() {
    outgoing_.remove_if([](Transfer& transfer) { return is_done(transfer); });
  }

  void start_receiving() {
    for (;;) {
      int arrived = 0;
      MPI_Message matched = MPI_MESSAGE_NULL;
      MPI_Status status;
      check(MPI_Improbe(MPI_ANY_SOURCE, kTag, MPI_COMM_WORLD, &arrived, &matched, &status),
            "MPI_Improbe");
      if (arrived == 0) return;
      int length = 0;
      check(MPI_Get_count(&status, MPI_CHAR, &length), "MPI_Get_count");
      Transfer& incoming = incoming_.emplace_back(
          Transfer{status.MPI_SOURCE, std::string(static_cast<std::size_t>(length), '\0')});
      check(MPI_Imrecv(incoming.text.data(), length, MPI_CHAR, &matched, &incoming.request),
            "MPI_Imrecv");
    }
  }

  int rank_ = 0, size_ = 1, local_rank_ = 0, local_size_ = 1;
  std::list<Transfer> outgoing_, incoming_;
};

}  // namespace

std::unique_ptr<MessageBus> make_mpi_bus() {
  return std::make_unique<MpiBus>();
}

}  // namespace sweep::cluster
