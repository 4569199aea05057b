#include <CLI/CLI.hpp>
#include <iostream>

#include "runner/command_line/usage.hpp"
#include "runner/commands/command.hpp"
#include "runner/plan/listing.hpp"

namespace sweep::commands {
namespace {

constexpr char kDescribeExamples[] =
    "\n"
    "  sweep_runner describe attacks      every attack with its keys, defaults, ranges and units\n"
    "  sweep_runner describe run          the keys of [run]\n"
    "  sweep_runner describe reference    every key of a sweep file, as Markdown\n";

class Describe final : public Command {
 public:
  void add_options(CLI::App& app) override {
    app.add_option("kind", kind_, "What to show")
        ->type_name("KIND")
        ->check(CLI::Validator(command_line::choices_text(plan::listed_kinds())))
        ->required();
  }
  int run() override {
    std::cout << plan::list(plan::built_in_catalogue(), kind_);
    return 0;
  }

 private:
  std::string kind_;
};

const bool added_describe =
    add<Describe>("describe", Group::look,
                  "What a sweep file can name, with its keys: describe attacks, "
                  "describe models, ...",
                  kDescribeExamples);

}  // namespace
}  // namespace sweep::commands
