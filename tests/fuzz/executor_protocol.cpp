// Lines between agents and executors, both ends.

#include <sys/socket.h>

#include "core/text.hpp"
#include "runner/engine/executor_message.hpp"
#include "runner/tasks/channel.hpp"
#include "runner/tensorboard/scalars.hpp"
#include "tests/fuzz/target.hpp"

using namespace sweep;

namespace {

/// What an agent hears of its executor. Every message can be handed on, and has what is read of it.
void agent_hears(std::string_view text) {
  for (const auto& line : split(std::string(text), '\n')) {
    const auto message = engine::parse_executor_message(line);
    if (!message) continue;
    (void)message->dump();
    const std::string type = message->at("type");
    if (type == "progress") (void)message->at("fraction").get<double>();
    if (type == "epoch") tensorboard::scalars_of(message->at("metrics"));
    if (type == "failed") failure_type_from(message->at("failure").get<std::string>());
  }
}

/// What an executor hears of its agent.
void executor_hears(std::string_view text) {
  constexpr std::size_t kFits = 65536;  // into a socket that nobody reads from yet
  int ends[2];
  if (text.size() > kFits || ::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
    return;
  const FileDescriptor agent(ends[0]), executor(ends[1]);
  write_all(agent.get(), std::as_bytes(std::span(text)), "socket");
  ::shutdown(agent.get(), SHUT_WR);
  tasks::Channel channel(executor.get());
  while (const auto task = channel.next()) channel.stop_requested();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  agent_hears(fuzz::as_text(data, size));
  executor_hears(fuzz::as_text(data, size));
  return 0;
}
