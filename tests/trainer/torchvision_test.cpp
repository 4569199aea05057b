// What we write is what torchvision loads.

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <array>
#include <cstdlib>
#include <fstream>

#include "core/text.hpp"
#include "tests/support/temporary_folder.hpp"
#include "trainer/models/model.hpp"
#include "trainer/module_state.hpp"
#include "trainer/weights/weights.hpp"

namespace sweep::trainer {
namespace {

constexpr char kLoader[] = R"(
import sys
import safetensors.torch
import torchvision

for name in sys.argv[2:]:
    model = torchvision.models.get_model(name, weights=None, num_classes=4)
    weights = safetensors.torch.load_file(f"{sys.argv[1]}/{name}.safetensors")
    model.load_state_dict(weights, strict=True)
    for key, value in model.state_dict().items():
        assert (value == weights[key]).all(), (name, key)
)";

/// A Python with torchvision: that of benchmarks/parity, or the tests' own; empty when none has it.
std::string python_with_torchvision() {
  for (const char* python : {SWEEP_PARITY_PYTHON, SWEEP_PYTHON})
    if (std::system(concat("'", python, "' -c 'import torchvision, safetensors.torch' 2>/dev/null")
                        .c_str()) == 0)
      return python;
  return {};
}

TEST(Torchvision, LoadsWhatWeWriteStrictly) {
  const auto python = python_with_torchvision();
  if (python.empty()) GTEST_SKIP() << "no torchvision; benchmarks/parity/setup brings it";
  const sweep::test_support::TemporaryFolder folder;
  std::ofstream(folder / "load.py") << kLoader;
  std::string command =
      concat("'", python, "' '", (folder / "load.py").string(), "' '", folder.path().string(), "'");
  // A VGG has half a gigabyte; that its names are torchvision's, benchmarks/parity/models.py shows.
  for (const std::string name : {"resnet18", "resnet50", "densenet121", "mobilenet_v2"}) {
    const auto model = ModelRegistry::instance().at(name).make({{"normalize", "none"}}, 4);
    model->initialize(1);
    write_safetensors(folder / (name + ".safetensors"), state_of(model->module()));
    command += " " + name;
  }
  EXPECT_EQ(std::system(command.c_str()), 0);
}

}  // namespace
}  // namespace sweep::trainer
