#pragma once

#include <string>

namespace sweep::bin {

/// The program `sweep_runner STEP ...`, for a STEP of step_names.hpp. Returns the exit status.
int run_step(int argc, char** argv);

/// Their options, as JSON of a command_line::Usage.
std::string describe_steps();

}  // namespace sweep::bin
