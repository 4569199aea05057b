// An executor that does no work: it publishes artifacts without content at once, or after
// `seconds`. For tests and benchmarks of everything around the tasks: sweep_runner --executor.
//
// NOOP in the environment is a JSON object, all of it optional:
//   {"seconds": 0.01,               of each task
//    "failing_kind": "model",       tasks that make these always fail
//    "bad_place": "FILE",            the first executor that can create the file fails at every
//    task "failing": 0.1, "crashing": 0.1}   shares of all attempts, chosen by the artifact's name,
//    the number
//                                   of the run and the attempt

#include <fcntl.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <thread>

#include "core/hash.hpp"
#include "core/json.hpp"
#include "core/text.hpp"
#include "runner/tasks/channel.hpp"
#include "storage/store.hpp"

namespace sweep {
namespace {

constexpr int kSocket = 3;

/// In [0,1), from the artifact, the run, the attempt and the purpose alone.
double draw(const Json& message, const std::string& purpose) {
  const std::string digest =
      sha256(concat(message.at("task").at("hash").get<std::string>(),
                    message.at("epoch").get<int>(), message.at("attempt").get<int>(), purpose));
  return static_cast<double>(std::stoul(digest.substr(0, 8), nullptr, 16)) / 4294967296.0;
}

void publish(const Json& message) {
  const Json& task = message.at("task");
  storage::Content content;
  content.attributes["kind"] = task.at("kind").get<std::string>();
  content.attributes["name"] = task.at("hash").get<std::string>();
  content.attributes["spec"] = task.at("spec").dump();
  storage::Store(message.at("store").get<std::string>())
      .publish({storage::artifact_kind_from(task.at("kind").get<std::string>()),
                task.at("hash").get<std::string>()},
               content, message.at("epoch"));
}

/// This process is the one that fails at everything.
bool is_bad(const Json& behaviour) {
  const std::string file = behaviour.value("bad_place", "");
  static const bool bad =
      !file.empty() && ::open(file.c_str(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600) >= 0;
  return bad;
}

Json outcome(const Json& message, const Json& behaviour, tasks::Channel& channel) {
  const double seconds = behaviour.value("seconds", 0.0);
  const auto end = std::chrono::steady_clock::now() + std::chrono::duration<double>(seconds);
  while (std::chrono::steady_clock::now() < end) {
    if (channel.stop_requested()) return {{"type", "stopped"}};
    std::this_thread::sleep_for(std::chrono::duration<double>(std::min(seconds, 0.02)));
  }
  if (draw(message, "crash") < behaviour.value("crashing", 0.0)) std::abort();
  if (is_bad(behaviour) || message.at("task").at("kind") == behaviour.value("failing_kind", "") ||
      draw(message, "fail") < behaviour.value("failing", 0.0))
    return {{"type", "failed"}, {"failure", "internal"}, {"message", "chosen to fail"}};
  publish(message);
  return {{"type", "done"}};
}

int serve() {
  const char* text = std::getenv("NOOP");
  const Json behaviour = Json::parse(text == nullptr ? "{}" : text);
  tasks::Channel channel(kSocket);
  while (const auto message = channel.next()) channel.send(outcome(*message, behaviour, channel));
  return 0;
}

}  // namespace
}  // namespace sweep

int main() {
  return sweep::serve();
}
