#include "trainer/module_state.hpp"

#include <ATen/core/grad_mode.h>
#include <torch/nn/module.h>

#include <algorithm>
#include <vector>

#include "core/error.hpp"
#include "core/text.hpp"
#include "trainer/models/convolution.hpp"

namespace sweep::trainer {
namespace {

/// "; missing: a, b, c and 119 more", or nothing.
std::string fault_text(const char* fault, const std::vector<std::string>& names) {
  constexpr std::size_t kShown = 3;
  if (names.empty()) return {};
  const auto shown = std::min(kShown, names.size());
  const auto rest = names.size() - shown;
  return concat("; ", fault, ": ", join(std::span(names).first(shown), ", "),
                rest ? concat(" and ", rest, " more") : "");
}

std::vector<std::string> names_only_in(const NamedTensors& a, const NamedTensors& b) {
  std::vector<std::string> names;
  for (const auto& [name, tensor] : a)
    if (!b.contains(name)) names.push_back(name);
  return names;
}

std::vector<std::string> other_shapes(const NamedTensors& source, const NamedTensors& target) {
  std::vector<std::string> texts;
  for (const auto& [name, tensor] : target) {
    const auto found = source.find(name);
    if (found != source.end() && found->second.sizes() != tensor.sizes())
      texts.push_back(concat(name, " ", found->second.sizes(), " instead of ", tensor.sizes()));
  }
  return texts;
}

}  // namespace

NamedTensors state_of(const torch::nn::Module& module) {
  NamedTensors state;
  for (const auto& item : module.named_parameters()) state.emplace(item.key(), item.value());
  for (const auto& item : module.named_buffers()) state.emplace(item.key(), item.value());
  return state;
}

NamedTensors copied_to_cpu(const NamedTensors& tensors) {
  NamedTensors copies;
  for (const auto& [name, tensor] : tensors)
    copies.emplace(name, tensor.detach().to(tensor.options().device(at::kCPU).requires_grad(false),
                                            /*non_blocking=*/false, /*copy=*/true,
                                            at::MemoryFormat::Contiguous));
  return copies;
}

std::string differences(const NamedTensors& source, const NamedTensors& target) {
  const auto faults = fault_text("missing", names_only_in(target, source)) +
                      fault_text("unexpected", names_only_in(source, target)) +
                      fault_text("of another shape", other_shapes(source, target));
  return faults.empty() ? faults : faults.substr(2);
}

void copy_state(const NamedTensors& source, const NamedTensors& target, const std::string& what) {
  const auto faults = differences(source, target);
  if (!faults.empty())
    throw Error(FailureType::bad_data,
                concat("these tensors are not the state of ", what, " (", faults,
                       "); give the file that belongs to this model and number of classes"));
  const at::NoGradGuard no_grad;
  for (const auto& [name, tensor] : target) {
    auto destination = tensor;  // a handle: the module's own storage is written
    destination.copy_(source.at(name));
  }
}

void place(torch::nn::Module& module, const at::Device& device) {
  const at::NoGradGuard no_grad;
  module.to(device);
  for (const auto& part : module.modules()) {
    const auto* convolution = part->as<Conv2dImpl>();
    const bool contiguous = device.is_cpu() && convolution && convolution->is_wide();
    for (auto& parameter : part->parameters(/*recurse=*/false))
      if (parameter.dim() == 4)
        parameter.set_data(parameter.contiguous(contiguous ? at::MemoryFormat::Contiguous
                                                           : at::MemoryFormat::ChannelsLast));
  }
}

}  // namespace sweep::trainer
