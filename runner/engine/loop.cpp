#include "runner/engine/loop.hpp"

#include <unistd.h>

#include <algorithm>

#include "cluster/group_reduction.hpp"
#include "cluster/host.hpp"
#include "cluster/stop_signal.hpp"
#include "core/error.hpp"
#include "core/log.hpp"
#include "core/text.hpp"
#include "runner/engine/messages.hpp"

namespace sweep::engine {
namespace {

using namespace std::chrono_literals;

// Nothing announces a message: it has to be looked for. The longer it has been quiet, the rarer are
// the looks: a message waits for at most a hundredth of the silence before it, and waiting costs no
// CPU.
constexpr std::chrono::microseconds kShortestPause = 200us, kLongestPause = 50ms;

std::chrono::microseconds pause_after(Clock::duration silence) {
  return std::clamp(std::chrono::duration_cast<std::chrono::microseconds>(silence / 100),
                    kShortestPause, kLongestPause);
}

}  // namespace

void send_exit_to(cluster::MessageBus& bus, int rank, bool all_here) {
  bus.send(rank,
           Json{{"to", messages::kToAgent}, {"type", "exit"}, {"code", 0}, {"all_here", all_here}}
               .dump());
}

Loop::Loop(cluster::MessageBus& bus, Coordinator* coordinator)
    : bus_(bus),
      coordinator_(coordinator),
      agent_(bus),
      launcher_(::getppid()),
      last_activity_(Clock::now()) {}

void Loop::run() {
  while (!agent_.exit_code()) {
    bool busy = deliver_all();
    forward_stop_signal();
    busy = agent_.tick() || busy;
    if (coordinator_ != nullptr) tick_coordinator();
    if (busy) last_activity_ = Clock::now();
    agent_.wait(pause_after(Clock::now() - last_activity_));
  }
}

bool Loop::deliver_all() {
  bool any = false;
  while (const auto message = bus_.receive()) {
    deliver(*message);
    any = true;
  }
  return any;
}

void Loop::deliver(const cluster::Message& message) {
  if (cluster::is_of_a_group(message.text)) return agent_.on_reduction(message);
  const Json json = Json::parse(message.text);
  if (json.at("to") == messages::kToAgent) {
    agent_.on_message(json);
  } else if (coordinator_ != nullptr && !exit_sent_) {
    coordinator_->on_message(message.from, json);
  }
}

void Loop::tick_coordinator() {
  if (exit_sent_) return;
  coordinator_->tick();
  if (!coordinator_->finished()) return;
  exit_sent_ = true;
  for (int rank = 0; rank < bus_.size(); ++rank)
    send_exit_to(bus_, rank, !coordinator_->lost_ranks());
}

/// A signal, or the death of the launcher: without it the ranks can no longer talk to each other.
void Loop::forward_stop_signal() {
  if (cluster::started_by_launcher() && ::getppid() != launcher_) {
    log_error(
        "the launcher (mpirun) is gone, this rank ends too; the same command goes on from here");
    ::_exit(static_cast<int>(ExitCode::interrupted));  // executors die with their agent
  }
  if (stop_sent_ || cluster::stop_signal() == 0) return;
  stop_sent_ = true;
  agent_.on_message({{"type", "stop"}});  // at once: some launchers kill two seconds later
  bus_.send(0, Json{{"to", messages::kToCoordinator},
                    {"type", "stop_requested"},
                    {"why", concat("signal ", cluster::stop_signal())}}
                   .dump());
}

}  // namespace sweep::engine
