#include "trainer/weights/start.hpp"

#include <ATen/ATen.h>
#include <torch/nn/modules/linear.h>

#include <regex>

#include "core/log.hpp"
#include "core/text.hpp"
#include "trainer/module_state.hpp"
#include "trainer/weights/file.hpp"
#include "trainer/weights/weights.hpp"

namespace sweep::trainer {
namespace {

constexpr char kRemedyOfStart[] = "give weights of the same architecture in torchvision's layout";

/// The last linear layer: "fc", "classifier", "classifier.6".
std::string head_of(const torch::nn::Module& module) {
  std::string head;
  for (const auto& item : module.named_modules("", /*include_self=*/false))
    if (item.value()->as<torch::nn::Linear>() != nullptr) head = item.key();
  return head;
}

/// Whether two shapes differ in the first dimension alone, which is that of the classes.
bool differ_in_classes(const at::Tensor& a, const at::Tensor& b) {
  return a.dim() > 0 && a.dim() == b.dim() && a.sizes().slice(1) == b.sizes().slice(1) &&
         a.size(0) != b.size(0);
}

/// "denselayer1.norm.1.weight" is today's "denselayer1.norm1.weight": names with a dot inside of a
/// layer's are not allowed any more.
NamedTensors with_todays_names(const NamedTensors& weights, const NamedTensors& state) {
  static const std::regex old(R"((denselayer\d+\.(?:norm|conv))\.([12]\.))");
  NamedTensors renamed;
  for (const auto& [name, tensor] : weights) {
    const auto today = state.contains(name) ? name : std::regex_replace(name, old, "$1$2");
    renamed.emplace(state.contains(today) ? today : name, tensor);
  }
  return renamed;
}

/// Leaves a head for other classes as it was drawn.
void keep_drawn_head(const std::string& head, const NamedTensors& state, NamedTensors& weights) {
  const auto [weight, bias] = std::pair(head + ".weight", head + ".bias");
  if (!weights.contains(weight) || !weights.contains(bias) ||
      !differ_in_classes(weights.at(weight), state.at(weight)) ||
      !differ_in_classes(weights.at(bias), state.at(bias)))
    return;
  log_info(concat("the head ", head, " of the weights is for ", weights.at(weight).size(0),
                  " classes, here there are ", state.at(weight).size(0),
                  ": it starts from random parameters"));
  for (const auto& name : {weight, bias}) weights[name] = state.at(name);
}

void check_values(const std::filesystem::path& path, const NamedTensors& weights,
                  const NamedTensors& state) {
  for (const auto& [name, tensor] : weights) {
    if (!state.at(name).is_floating_point()) continue;
    if (!tensor.is_floating_point())
      refuse_weights(path,
                     concat("tensor ", quote(name), " is of type ",
                            at::toString(tensor.scalar_type()), " and should be of a float"),
                     kRemedyOfStart);
    if (!at::isfinite(tensor).all().item<bool>())
      refuse_weights(path, concat("tensor ", quote(name), " has values that are not finite"),
                     kRemedyOfStart);
  }
}

}  // namespace

void start_from(const std::filesystem::path& path, torch::nn::Module& module,
                const std::string& model) {
  const auto state = state_of(module);
  auto weights = with_todays_names(read_weights(path), state);
  for (const auto& [name, tensor] : state)
    if (name.ends_with(".num_batches_tracked")) weights.emplace(name, tensor);
  keep_drawn_head(head_of(module), state, weights);
  if (const auto faults = differences(weights, state); !faults.empty())
    refuse_weights(path, concat("they are not those of a ", model, ": ", faults), kRemedyOfStart);
  check_values(path, weights, state);
  copy_state(weights, state, model);
}

}  // namespace sweep::trainer
