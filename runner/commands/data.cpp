#include <CLI/CLI.hpp>
#include <iostream>

#include "runner/commands/command.hpp"
#include "runner/commands/sweep_options.hpp"
#include "runner/data/show_datasets.hpp"

namespace sweep::commands {
namespace {

constexpr char kDataExamples[] =
    "\nThe card says what the dataset is made of: images of each class and split, which were "
    "skipped and why,\n"
    "checksums. The contact sheet is an image (PNG) with some images of each class. A later run "
    "of the sweep\n"
    "takes the prepared dataset as it is.\n"
    "\n"
    "  sweep_runner data sweeps/table1.toml --set dataset.root=data/isic2018\n"
    "  sweep_runner data sweeps/quick/table1.toml --sheet lesions.png\n"
    "  sweep_runner data sweeps/quick/table1.toml --json > card.json\n";

class Data final : public Command {
 public:
  void add_options(CLI::App& app) override {
    add_sweep_options(app, request_.run);
    app.get_option("file")->required();
    app.add_option("--sheet", request_.sheet, "Contact sheet; without it: DIR/datasets/NAME.png")
        ->type_name("FILE.png");
    app.add_flag("--json", request_.json, "Print the card as JSON, one line for each dataset");
  }
  int run() override { return data::show_datasets(request_, std::cout); }

 private:
  data::DataRequest request_;
};

const bool added_data = add<Data>("data", Group::look,
                                  "Prepare the datasets of a sweep, show what they are made of and "
                                  "what they look like",
                                  kDataExamples);

}  // namespace
}  // namespace sweep::commands
