// An executor that does no work: it publishes artifacts without content at once, or after
// `seconds`. For tests and benchmarks of everything around the tasks: sweep_runner --executor.
//
// NOOP in the environment is a JSON object, all of it optional:
//   {"seconds": 0.01,               of each task
//    "results": true,               evaluations and adversarial sets of four images
//    "failing_kind": "model",       tasks that make these always fail
//    "bad_place": "FILE",            the first executor that can create the file fails at every
//    task "failing": 0.1, "crashing": 0.1}   shares of all attempts, chosen by the artifact's name,
//    the number
//                                   of the run and the attempt

#include <fcntl.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "core/error.hpp"
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

template <class T>
storage::Array list_of(std::vector<T> values) {
  const auto count = static_cast<std::int64_t>(values.size());
  return storage::Array::own(std::move(values), {count});
}

/// Of four images, what tables read of evaluations and adversarial sets. From the name alone.
std::map<std::string, storage::Array> small_results(const std::string& kind,
                                                    const std::string& name) {
  const std::vector<std::int64_t> classes{0, 1, 2, 3};
  if (kind == "evaluation") {
    auto predictions = classes;
    for (std::size_t i = 0; i < predictions.size(); ++i)
      if (name[i] < '8') predictions[i] = 3 - predictions[i];
    return {{"labels", list_of(classes)}, {"predictions", list_of(predictions)}};
  }
  if (kind == "adversarial_set")
    return {{"goal_classes", list_of(classes)},
            {"success", list_of<std::uint8_t>({0, 1, 1, 1})},
            {"l2", list_of<float>({0, 0.5, 0.5, 0.5})},
            {"linf", list_of<float>({0, 0.25, 0.25, 0.25})}};
  return {};
}

void publish(const Json& message, bool results) {
  const Json& task = message.at("task");
  storage::Content content;
  if (results)
    content.arrays =
        small_results(task.at("kind").get<std::string>(), task.at("hash").get<std::string>());
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
  if (message.contains("group") && message.at("group").at("index") != 0) return {{"type", "done"}};
  try {
    publish(message, behaviour.value("results", false));
  } catch (const Error& error) {
    return {{"type", "failed"}, {"failure", to_string(error.type())}, {"message", error.what()}};
  }
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
