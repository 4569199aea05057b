#include "tests/support/reference_model.hpp"

#include <torch/nn/module.h>

#include <fstream>
#include <iterator>

#include "trainer/module_state.hpp"

namespace sweep::testing {
namespace {

/// The length of a JSON header in 8 bytes, the header, then the bytes of all tensors.
trainer::NamedTensors read_safetensors(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::uint64_t header_bytes = 0;
  file.read(reinterpret_cast<char*>(&header_bytes), sizeof header_bytes);
  std::string text(header_bytes, '\0');
  file.read(text.data(), static_cast<std::streamsize>(header_bytes));
  const Json header = Json::parse(text);
  std::string bytes(std::istreambuf_iterator<char>(file), {});

  trainer::NamedTensors tensors;
  for (const auto& [name, entry] : header.items()) {
    if (name == "__metadata__") continue;
    const auto type = entry.at("dtype") == "I64" ? at::kLong : at::kHalf;
    const auto shape = entry.at("shape").get<std::vector<std::int64_t>>();
    const auto begin = entry.at("data_offsets").at(0).get<std::size_t>();
    const at::Tensor stored = at::from_blob(bytes.data() + begin, shape, type);
    tensors[name] = stored.to(type == at::kHalf ? at::kFloat : type, false, /*copy=*/true);
  }
  return tensors;
}

}  // namespace

std::shared_ptr<trainer::Classifier> reference_resnet18(const std::filesystem::path& weights,
                                                        std::int64_t num_classes) {
  std::shared_ptr<trainer::Classifier> model =
      trainer::ModelRegistry::instance().at("resnet18").make({{"normalize", "none"}}, num_classes);
  auto& module = model->module();
  trainer::copy_state(read_safetensors(weights), trainer::state_of(module), weights.string());
  module.eval();
  for (auto& parameter : module.parameters()) parameter.set_requires_grad(false);
  return model;
}

}  // namespace sweep::testing
