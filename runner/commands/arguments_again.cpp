#include "runner/commands/arguments_again.hpp"

#include <CLI/CLI.hpp>

#include "core/text.hpp"

namespace sweep::commands {

std::vector<std::string> arguments_again(const CLI::App& app, const std::string& left_out) {
  std::vector<std::string> arguments;
  for (const auto* option : app.get_options()) {
    if (option->count() == 0 || option->check_lname(left_out)) continue;
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
