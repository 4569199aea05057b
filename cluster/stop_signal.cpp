#include "cluster/stop_signal.hpp"

#include <signal.h>
#include <time.h>
#include <unistd.h>

#include <atomic>

#include "core/error.hpp"

namespace sweep::cluster {
namespace {

std::atomic<int> received{0};
std::atomic<time_t> received_at{0};

void on_signal(int signal) {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);  // async-signal-safe
  int none = 0;
  if (received.compare_exchange_strong(none, signal)) {
    received_at = now.tv_sec;
  } else if ((signal == SIGINT || signal == SIGTERM) && now.tv_sec > received_at + 1) {
    ::_exit(static_cast<int>(ExitCode::interrupted));
  }
}

}  // namespace

void install_stop_signals() {
  struct sigaction action {};
  action.sa_handler = on_signal;
  action.sa_flags = SA_RESTART;
  sigemptyset(&action.sa_mask);
  for (const int signal : {SIGINT, SIGTERM, SIGUSR1, SIGUSR2})
    ::sigaction(signal, &action, nullptr);
}

int stop_signal() {
  return received;
}

}  // namespace sweep::cluster
