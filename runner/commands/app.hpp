#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "runner/command_line/usage.hpp"

namespace CLI {
class App;
}

namespace sweep::commands {

class Command;

/// What is done when no verb is given.
inline constexpr char kDefaultVerb[] = "run";

/// The command line of sweep_runner: all verbs, and the names of the single steps.
class Program {
 public:
  Program();
  ~Program();
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  /// Does what the arguments say. Returns the exit status.
  int run(int argc, char** argv);

  /// With all options of the single steps, too.
  command_line::Usage usage() const;

 private:
  void add_verbs();

  std::unique_ptr<CLI::App> app_;
  std::unique_ptr<Command> default_verb_;
  std::vector<std::pair<CLI::App*, std::unique_ptr<Command>>> verbs_;
};

}  // namespace sweep::commands
