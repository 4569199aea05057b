#pragma once

namespace sweep::bin {

/// The program `sweep_runner STEP ...`, for a STEP of step_names.hpp. Returns the exit status.
int run_step(int argc, char** argv);

}  // namespace sweep::bin
