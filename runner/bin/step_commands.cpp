#include "runner/bin/step_commands.hpp"

#include <CLI/CLI.hpp>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "attacks/attack.hpp"
#include "core/error.hpp"
#include "core/log.hpp"
#include "core/text.hpp"
#include "runner/command_line/step_names.hpp"
#include "runner/command_line/usage.hpp"
#include "runner/steps/guard.hpp"
#include "runner/steps/steps.hpp"
#include "trainer/defences/defence.hpp"
#include "trainer/models/model.hpp"

namespace sweep::bin {
namespace {

using command_line::kSteps;

/// What the chosen step will do.
using Action = std::function<ExitCode()>;

/// Names them in the help; what is none of them gets a better message from the registry.
template <class Registry>
CLI::Validator names_in() {
  std::vector<std::string> names;
  for (const auto& [name, entry] : Registry::instance().entries()) names.push_back(name);
  return CLI::Validator(command_line::choices_text(names));
}

CLI::Option* add_architecture(CLI::App& app, std::string& arch) {
  return app.add_option("--arch", arch, "The model")
      ->type_name("NAME")
      ->check(names_in<trainer::ModelRegistry>());
}

CLI::Option* add_num_classes(CLI::App& app, std::int64_t& num_classes) {
  return app.add_option("--num-classes", num_classes, "Classes that the model tells apart")
      ->type_name("K")
      ->check(CLI::Range(2, 100000));
}

CLI::Option* add_normalize(CLI::App& app, steps::ModelSource& model) {
  return app
      .add_option("--normalize", model.normalize,
                  "What the weights expect as first layer: imagenet, half (0.5 and 0.5) or none "
                  "(pixels in [0,1] as they are)")
      ->type_name("NAME")
      ->capture_default_str();
}

void add_weights_file(CLI::App& app, steps::ModelSource& model) {
  app.add_option("--weights", model.weights,
                 "Its parameters under torchvision's names: safetensors, or .pth")
      ->type_name("FILE")
      ->required();
}

void add_model(CLI::App& app, steps::ModelSource& model) {
  add_architecture(app, model.arch)->required();
  add_num_classes(app, model.num_classes)->required();
  add_normalize(app, model);
  add_weights_file(app, model);
}

void add_images(CLI::App& app, steps::ImageSource& images) {
  app.add_option("--images", images.path,
                 "HDF5 file of images [N,3,H,W] (uint8, or floats in [0,1]) and labels [N], or a "
                 "folder with one folder of JPEG, PNG and DICOM files per class")
      ->type_name("SET")
      ->required();
  app.add_option("--images-key", images.images_key, "Dataset of the images in the file")
      ->type_name("KEY")
      ->capture_default_str();
  app.add_option("--labels-key", images.labels_key, "Dataset of the labels in the file")
      ->type_name("KEY")
      ->capture_default_str();
  app.add_option("--image-size", images.image_size,
                 "Height and width that the images of a folder are scaled to")
      ->type_name("PIXELS")
      ->check(CLI::Range(16, 1024));
}

void add_device(CLI::App& app, steps::Computing& computing) {
  app.add_option("--device", computing.device, "auto (a GPU where there is one), cpu or cuda")
      ->type_name("NAME")
      ->capture_default_str();
  app.add_option("--threads", computing.threads, "CPU threads; by default all cores")
      ->type_name("N")
      ->check(CLI::Range(1, 4096));
}

void add_computing(CLI::App& app, steps::Computing& computing) {
  add_device(app, computing);
  app.add_option("--batch", computing.batch, "Images at once; changes no result in channels_last")
      ->type_name("N")
      ->check(CLI::Range(1, 65536))
      ->capture_default_str();
  app.add_option("--layout", computing.layout,
                 "Memory order: channels_last is fast, nchw computes as most PyTorch scripts do")
      ->check(CLI::IsMember({"channels_last", "nchw"}))
      ->type_name("NAME")
      ->capture_default_str();
}

void add_result(CLI::App& app, std::filesystem::path& out, bool& json) {
  app.add_option("--out", out, "HDF5 file for the results")->type_name("FILE.h5")->required();
  app.add_flag("--json", json, "Print the metrics as JSON");
}

void add_predict(CLI::App& app, Action& action) {
  const auto request = std::make_shared<steps::PredictRequest>();
  add_model(app, request->model);
  add_images(app, request->images);
  add_computing(app, request->computing);
  app.add_option("--dtype", request->computing.dtype, "float32, or float64 for checks")
      ->check(CLI::IsMember({"float32", "float64"}))
      ->type_name("NAME")
      ->capture_default_str();
  add_result(app, request->out, request->json);
  app.callback([&action, request] { action = [request] { return steps::predict(*request); }; });
}

/// An option of its own for a key of a table; it is also known under the key's own name.
struct KeyOption {
  const char* flag;
  const char* key;
  const char* help;
};

constexpr std::array<KeyOption, 7> kAttackKeys{{
    {"--eps", "epsilon", "Largest change of a pixel: 4/255"},
    {"--alpha", "alpha", "Change of a pixel in one step: 1/255"},
    {"--alpha-rel", "alpha_rel", "The same as a part of --eps: 0.1"},
    {"--steps", "steps", "Number of steps"},
    {"--confidence", "confidence", "Margin by which another class must win, in logits (cw)"},
    {"--label-source", "label_source", "Labels to be left: true, or predicted by the model"},
    {"--target", "target", "Class to be reached: none (untargeted), next or least_likely"},
}};

constexpr std::array<KeyOption, 2> kTrainKeys{{
    {"--normalize", "model.normalize", "First layer: imagenet (default), half or none"},
    {"--seed", "training.seed", "Of parameters, order, flips and noise (default 0)"},
}};

/// "key=value" of --set. @throws InputError
steps::Setting setting_of(const std::string& text) {
  const auto cut = text.find('=');
  if (cut == 0 || cut == std::string::npos)
    throw InputError(concat("--set ", text,
                            " is no assignment (a key has to stand before an equals sign); write "
                            "--set key=value"));
  return {text.substr(0, cut), text.substr(cut + 1), concat("--set ", text)};
}

/// The options of `keys` and --set, which the step gets in `settings`.
void add_settings(CLI::App& app, std::span<const KeyOption> keys, const std::string& set_help,
                  std::vector<steps::Setting>& settings) {
  for (const auto& [flag, key, help] : keys) {
    const std::string own_name = concat("--", key);
    app.add_option_function<std::string>(
           own_name == flag ? own_name : concat(flag, ",", own_name),
           [&settings, flag = std::string(flag), key = std::string(key)](const std::string& value) {
             settings.push_back({key, value, concat(flag, " ", value)});
           },
           help)
        ->type_name("VALUE");
  }
  app.add_option_function<std::vector<std::string>>(
         "--set",
         [&settings](const std::vector<std::string>& assignments) {
           for (const auto& text : assignments) settings.push_back(setting_of(text));
         },
         set_help)
      ->type_name("KEY=VALUE")
      ->expected(1)
      ->take_all();
}

void add_attack(CLI::App& app, Action& action) {
  const auto request = std::make_shared<steps::AttackRequest>();
  add_model(app, request->model);
  add_images(app, request->images);
  app.add_option("--attack", request->attack, "The method; its keys: sweep_runner describe attacks")
      ->type_name("NAME")
      ->check(names_in<attacks::AttackRegistry>())
      ->required();
  add_settings(app, kAttackKeys, "Any key of the attack: iterations=100; repeatable",
               request->settings);
  add_computing(app, request->computing);
  add_result(app, request->out, request->json);
  app.callback([&action, request] { action = [request] { return steps::attack(*request); }; });
}

void add_evaluate(CLI::App& app, Action& action) {
  const auto request = std::make_shared<steps::EvaluateRequest>();
  constexpr char kOfTheSet[] = "; by default that of the model that the set was made against";
  auto& model = request->model;
  model.normalize.clear();
  auto* arch = add_architecture(app, model.arch);
  arch->description(arch->get_description() + kOfTheSet);
  add_num_classes(app, model.num_classes)
      ->description(concat("Classes that the model tells apart", kOfTheSet));
  add_normalize(app, model)->description(concat("First layer: imagenet, half or none", kOfTheSet));
  add_weights_file(app, model);
  app.add_option("--set", request->set,
                 "What `sweep_runner attack` has written, or any HDF5 file of images and labels")
      ->type_name("FILE.h5")
      ->required();
  app.add_option("--pixels", request->pixels,
                 "float32: images as they are; uint8: rounded to 8 bits, as an image file has them")
      ->check(CLI::IsMember({"float32", "uint8"}))
      ->type_name("NAME")
      ->capture_default_str();
  add_computing(app, request->computing);
  app.add_flag("--json", request->json, "Print the metrics as JSON");
  app.callback([&action, request] { action = [request] { return steps::evaluate(*request); }; });
}

void add_train(CLI::App& app, Action& action) {
  const auto request = std::make_shared<steps::TrainRequest>();
  add_architecture(app, request->arch)->required();
  add_num_classes(app, request->num_classes)
      ->description("Classes that the model tells apart; by default as many as the labels name");
  add_images(app, request->images);
  app.add_option("--defence", request->defence,
                 "The defence; its keys: sweep_runner describe defences")
      ->type_name("NAME")
      ->check(names_in<trainer::DefenceRegistry>())
      ->capture_default_str();
  add_settings(app, kTrainKeys,
               "Any key of the tables defence, model and training: training.epochs=8; repeatable",
               request->settings);
  app.add_option("--init", request->init, "Weights to start from: safetensors, or .pth")
      ->type_name("FILE");
  add_device(app, request->computing);
  app.add_option("--out", request->out,
                 "The trained weights; Ctrl-C leaves FILE.checkpoint.h5 beside it, from which the "
                 "same command goes on")
      ->type_name("FILE.safetensors")
      ->required();
  app.add_flag("--json", request->json, "Print the metrics of all epochs as JSON");
  app.callback([&action, request] { action = [request] { return steps::train(*request); }; });
}

void add_weights(CLI::App& app, Action& action) {
  const auto request = std::make_shared<steps::ExportRequest>();
  app.add_option("model", request->model, "A model of a sweep: OUT/artifacts/model/HASH.h5")
      ->type_name("MODEL.h5")
      ->required();
  app.add_option("--out", request->out, "The weights, under torchvision's names")
      ->type_name("FILE.safetensors")
      ->required();
  app.callback(
      [&action, request] { action = [request] { return steps::export_weights(*request); }; });
}

void add_bench(CLI::App& app, Action& action) {
  const auto request = std::make_shared<steps::BenchRequest>();
  add_architecture(app, request->arch)->capture_default_str();
  app.add_option("--image-size", request->image_size, "Height and width of the images")
      ->type_name("PIXELS")
      ->check(CLI::Range(16, 1024))
      ->capture_default_str();
  app.add_option("--batch", request->batch, "Images at once; by default 64 on a GPU, 16 on a CPU")
      ->type_name("N")
      ->check(CLI::Range(2, 65536));
  app.add_option("--seconds", request->seconds, "At least, for each of the measurements")
      ->type_name("S")
      ->check(CLI::Range(0.1, 3600.0))
      ->capture_default_str();
  add_device(app, request->computing);
  app.add_flag("--json", request->json, "Print the figures as JSON");
  app.callback([&action, request] { action = [request] { return steps::bench(*request); }; });
}

using AddStep = void (*)(CLI::App& app, Action& action);

constexpr std::array<AddStep, kSteps.size()> kAdders{add_train,    add_predict, add_attack,
                                                     add_evaluate, add_weights, add_bench};

/// All steps as subcommands of `app`; the chosen one sets `action`.
void add_steps(CLI::App& app, Action& action) {
  app.require_subcommand(1);
  for (std::size_t i = 0; i < kSteps.size(); ++i) {
    auto* command = app.add_subcommand(kSteps[i].name, kSteps[i].summary);
    command->footer(kSteps[i].examples);
    kAdders[i](*command, action);
  }
}

constexpr char kDescription[] = "Single steps of an experiment, on files of your own.";

}  // namespace

std::string describe_steps() {
  CLI::App app(kDescription, "sweep_runner");
  Action action;
  add_steps(app, action);
  return Json(command_line::usage_of(app)).dump();
}

int run_step(int argc, char** argv) {
  CLI::App app(kDescription, "sweep_runner");
  Action action;
  add_steps(app, action);
  init_log("");
  return static_cast<int>(steps::guarded([&] {
    try {
      app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
      return app.exit(error) == 0 ? ExitCode::ok : ExitCode::bad_input;
    }
    return action();
  }));
}

}  // namespace sweep::bin
