#include <CLI/CLI.hpp>
#include <filesystem>
#include <iostream>
#include <string>
#include <vector>

#include "core/build_info.hpp"
#include "runner/command_line/man_page.hpp"
#include "runner/command_line/step_names.hpp"
#include "runner/commands/app.hpp"
#include "runner/commands/command.hpp"

namespace sweep::commands {
namespace {

constexpr char kManExamples[] =
    "\nThe page is made from the program itself. An installed program has its pages in "
    "share/man: man sweep_runner-status.\n"
    "\n"
    "  sweep_runner man status | man -l -\n"
    "  sweep_runner man --out ~/.local/share/man/man1      all pages, as files\n"
    "\nExit status: 0 printed; 2 there is no such verb, or a file can't be written.";

std::vector<std::string> verbs() {
  std::vector<std::string> names;
  for (const auto& [name, entry] : all()) names.push_back(name);
  for (const auto& step : command_line::kSteps) names.emplace_back(step.name);
  return names;
}

class Man final : public Command {
 public:
  void add_options(CLI::App& app) override {
    auto* verb = app.add_option("verb", verb_, "Of this verb; without it: of the program")
                     ->type_name("VERB")
                     ->check(CLI::Validator(command_line::choices_text(verbs())));
    app.add_option("--out", out_, "Write the pages of the program and of all verbs to this folder")
        ->type_name("DIR")
        ->excludes(verb);
  }

  int run() override {
    const auto usage = Program().usage();
    if (out_.empty()) {
      std::cout << command_line::man_page(usage, verb_, kVersion);
      return 0;
    }
    const auto paths = command_line::write_man_pages(usage, kVersion, out_);
    std::cout << "wrote " << paths.size() << " pages to " << out_.string() << "\n";
    return 0;
  }

 private:
  std::string verb_;
  std::filesystem::path out_;
};

const bool added_man =
    add<Man>("man", Group::help, "The manual page of the program, or of a verb", kManExamples);

}  // namespace
}  // namespace sweep::commands
