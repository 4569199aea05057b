#pragma once

#include <iosfwd>
#include <string>
#include <vector>

#include "runner/engine/run.hpp"

namespace sweep::commands {

enum class PlanFormat { text, json, csv, trials };

/// What the run would do now, without doing it. @param devices  numbers of devices to simulate
/// @throws InputError
void show_plan(const engine::RunRequest& request, const std::vector<std::size_t>& devices,
               PlanFormat format, std::ostream& out);

}  // namespace sweep::commands
