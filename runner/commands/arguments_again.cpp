#include "runner/commands/arguments_again.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>

#include "core/text.hpp"

namespace sweep::commands {

std::vector<std::string> arguments_again(const CLI::App& app,
                                         const std::vector<std::string>& left_out) {
  std::vector<std::string> arguments;
  for (const auto* option : app.get_options()) {
    const bool is_left_out =
        std::any_of(left_out.begin(), left_out.end(),
                    [&](const std::string& name) { return option->check_lname(name); });
    if (option->count() == 0 || is_left_out) continue;
    const bool flag = option->get_expected_max() == 0;
    for (const auto& value : option->results()) {
      if (option->get_positional()) {
        arguments.push_back(value);
      } else {
        const std::string name = "--" + option->get_lnames().front();
        arguments.push_back(flag ? name : concat(name, "=", value));
      }
    }
  }
  return arguments;
}

}  // namespace sweep::commands
