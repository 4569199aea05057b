#pragma once

#include <termios.h>

#include <optional>

namespace sweep::cluster {

/// The keys that are pressed on standard input, one by one and without being shown. The terminal
/// gets its old settings back at the end.
class Keyboard {
 public:
  Keyboard();
  Keyboard(const Keyboard&) = delete;
  Keyboard& operator=(const Keyboard&) = delete;
  ~Keyboard() { restore(); }

  std::optional<char> next();
  void restore();

 private:
  std::optional<termios> before_;  ///< set while the settings are changed
};

}  // namespace sweep::cluster
