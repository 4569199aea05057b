#pragma once

#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace sweep::commands {

/// The options that were given, as arguments again, one each: a value that begins with a dash is
/// then no option. `left_out`: long names
std::vector<std::string> arguments_again(const CLI::App& app,
                                         const std::vector<std::string>& left_out);

}  // namespace sweep::commands
