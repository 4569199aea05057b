#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "cluster/host.hpp"
#include "core/error.hpp"
#include "core/log.hpp"
#include "core/text.hpp"
#include "runner/command_line/step_names.hpp"
#include "runner/commands/app.hpp"

namespace {

/// Goes on as the program that has LibTorch. Returns only when it can't be started.
int become_executor(char** argv) {
  const auto program = sweep::cluster::program_folder() / "trial_executor";
  ::execv(program.c_str(), argv);
  sweep::log_error(sweep::concat("cannot start '", program.string(), "' (", std::strerror(errno),
                                 "; it does the step ", argv[1],
                                 "); keep it in the folder of sweep_runner"));
  return static_cast<int>(sweep::ExitCode::bad_input);
}

}  // namespace

int main(int argc, char** argv) {
  sweep::init_log("");
  if (argc > 1 && sweep::command_line::is_step(argv[1])) {
    try {
      return become_executor(argv);
    } catch (const sweep::Error& error) {
      sweep::log_error(error.what());
      return static_cast<int>(sweep::ExitCode::bad_input);
    }
  }
  return sweep::commands::Program().run(argc, argv);
}
