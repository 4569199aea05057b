#include "runner/command_line/completion.hpp"

#include <CLI/CLI.hpp>
#include <filesystem>
#include <iostream>

#include "core/atomic_file.hpp"
#include "runner/commands/app.hpp"
#include "runner/commands/command.hpp"

namespace sweep::commands {
namespace {

constexpr char kCompletionExamples[] =
    "\nCompletes verbs, options, their values, sweep files and folders. An installed program has "
    "both scripts\n"
    "where shells look for them.\n"
    "\n"
    "  source <(sweep_runner completion bash)          in ~/.bashrc\n"
    "  source <(sweep_runner completion zsh)           in ~/.zshrc, behind compinit\n";

class Completion final : public Command {
 public:
  void add_options(CLI::App& app) override {
    app.add_option("shell", shell_, "For this shell")
        ->type_name("SHELL")
        ->check(CLI::IsMember({"bash", "zsh"}))
        ->required();
    app.add_option("--out", out_, "Write to a file instead of standard output")->type_name("FILE");
  }

  int run() override {
    const auto usage = Program().usage();
    const std::string script = shell_ == "bash" ? command_line::bash_completion(usage, kDefaultVerb)
                                                : command_line::zsh_completion(usage, kDefaultVerb);
    if (out_.empty()) {
      std::cout << script;
    } else {
      create_folders(out_.parent_path());
      write_atomically(out_, script);
    }
    return 0;
  }

 private:
  std::string shell_;
  std::filesystem::path out_;
};

const bool added_completion =
    add<Completion>("completion", Group::help,
                    "What a shell needs to complete commands of sweep_runner", kCompletionExamples);

}  // namespace
}  // namespace sweep::commands
