#include "cluster/keyboard.hpp"

#include <poll.h>
#include <unistd.h>

namespace sweep::cluster {
namespace {

/// Reading from a terminal that belongs to another process group would stop this process.
bool may_read() {
  return ::isatty(STDIN_FILENO) == 0 || ::tcgetpgrp(STDIN_FILENO) == ::getpgrp();
}

}  // namespace

Keyboard::Keyboard() {
  termios settings{};
  if (!may_read() || ::tcgetattr(STDIN_FILENO, &settings) != 0) return;
  before_ = settings;
  settings.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);  // ISIG stays: Ctrl-C
  ::tcsetattr(STDIN_FILENO, TCSANOW, &settings);
}

std::optional<char> Keyboard::next() {
  pollfd input{STDIN_FILENO, POLLIN, 0};
  char key = 0;
  if (!may_read() || ::poll(&input, 1, 0) != 1 || ::read(STDIN_FILENO, &key, 1) != 1)
    return std::nullopt;
  return key;
}

void Keyboard::restore() {
  if (before_ && may_read()) ::tcsetattr(STDIN_FILENO, TCSANOW, &*before_);
  before_.reset();
}

}  // namespace sweep::cluster
