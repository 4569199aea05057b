#include "runner/tasks/channel.hpp"

#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <string_view>
#include <utility>

#include "core/error.hpp"
#include "core/text.hpp"
#include "core/untrusted_json.hpp"

namespace sweep::tasks {

void Channel::send(const Json& message) {
  // Messages of libraries may hold any bytes: no reason to lose them.
  const std::string line = message.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
  std::size_t sent = 0;
  while (sent < line.size()) {
    const ssize_t n = ::send(socket_, line.data() + sent, line.size() - sent, MSG_NOSIGNAL);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return;  // the agent is gone, and this process goes with it
    sent += static_cast<std::size_t>(n);
  }
}

bool Channel::receive(Wait wait) {
  char buffer[65536];
  const ssize_t n = ::recv(socket_, buffer, sizeof buffer, wait == Wait::yes ? 0 : MSG_DONTWAIT);
  if (n < 0) return errno == EINTR || errno == EAGAIN || errno == EWOULDBLOCK;
  if (n == 0) return false;
  received_.append(buffer, static_cast<std::size_t>(n));
  for (std::size_t end; (end = received_.find('\n')) != std::string::npos;) {
    Json message = parse_untrusted(std::string_view(received_).substr(0, end));
    received_.erase(0, end + 1);
    if (message.is_object()) take(std::move(message));
  }
  return true;
}

void Channel::take(Json message) {
  const Json type = message.value("type", Json());
  if (!type.is_string()) return;
  if (type == "reduced") {
    const Json sequence = message.value("sequence", Json());
    if (sequence.is_number_unsigned()) reduced_.insert(sequence.get<std::uint64_t>());
  } else if (type == "stop" || type == "prune") {
    if (!stop_) stop_ = type == "stop" ? StopReason::stop : StopReason::prune;
  } else {
    stop_.reset();
    reduced_.clear();
    tasks_.push_back(std::move(message));
  }
}

void Channel::wait_reduced(std::uint64_t sequence, double seconds) {
  constexpr double kBetweenSigns = 1;
  const auto start = std::chrono::steady_clock::now();
  double said = 0;
  while (reduced_.erase(sequence) == 0) {
    pollfd readable{socket_, POLLIN, 0};
    ::poll(&readable, 1, 1000);
    if (readable.revents != 0 && !receive(Wait::no))
      throw Error(FailureType::communication, "the agent has closed its end of the socket");
    const double waited =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    if (waited > seconds)
      throw Error(FailureType::communication,
                  concat("the other ranks of the training have been silent for ",
                         duration_text(seconds), "; it is tried again"));
    if (waited - said < kBetweenSigns) continue;
    said = waited;
    send({{"type", "alive"}});
  }
}

std::optional<Json> Channel::next() {
  while (tasks_.empty())
    if (!receive(Wait::yes)) return std::nullopt;
  Json message = std::move(tasks_.front());
  tasks_.pop_front();
  return message;
}

std::optional<StopReason> Channel::stop_requested() {
  if (!stop_) receive(Wait::no);
  return stop_;
}

void Channel::progress(const Progress& progress) {
  constexpr auto kInterval = std::chrono::milliseconds(250);
  const auto now = std::chrono::steady_clock::now();
  if (now - last_progress_ < kInterval) return;
  last_progress_ = now;
  Json message{{"type", "progress"}, {"fraction", progress.fraction}, {"text", progress.text}};
  if (progress.epoch) message["epoch"] = *progress.epoch;
  if (progress.loss) message["loss"] = *progress.loss;
  if (progress.images_per_second) message["images_per_second"] = *progress.images_per_second;
  if (memory_bytes_) message["memory_bytes"] = memory_bytes_();
  send(message);
}

}  // namespace sweep::tasks
