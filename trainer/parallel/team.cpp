#include "trainer/parallel/team.hpp"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <torch/nn/module.h>

#include <algorithm>

#include "core/error.hpp"
#include "core/text.hpp"
#include "trainer/parallel/batch_norm.hpp"
#include "trainer/parallel/reducer.hpp"

namespace sweep::trainer {

Team::Team(const Parallel& parallel, const at::Device& device)
    : alone_(parallel.communicator == nullptr ? make_serial_communicator(device) : nullptr),
      communicator_(alone_ ? *alone_ : *parallel.communicator),
      synchronised_(parallel.synchronised_batch_norm),
      compressed_(parallel.compressed_gradients) {}

Team::~Team() = default;

void Team::join(const std::vector<torch::nn::Module*>& modules) {
  if (size() == 1) return;
  std::vector<at::Tensor> parameters;
  for (auto* module : modules)
    for (const auto& parameter : module->parameters()) parameters.push_back(parameter);
  reducer_ = std::make_unique<Reducer>(std::move(parameters), communicator_, compressed_);
  if (!synchronised_) return;
  statistics_ = std::make_unique<SharedStatistics>(communicator_);
  for (auto* module : modules) share_statistics(*module, *statistics_);
}

/// In float64, which holds all numbers of the other types but those of int64 beyond 2^53. One by
/// one, so that it takes little memory.
void Team::share(const NamedTensors& tensors, std::int64_t step) {
  if (size() == 1) return;
  const at::NoGradGuard no_grad;
  std::int64_t largest = 1;
  for (const auto& [name, tensor] : tensors) largest = std::max(largest, tensor.numel());
  const auto buffer = communicator_.buffer(largest, at::kDouble);
  const auto of_lead = [&](const at::Tensor& values) {
    const auto part = buffer.narrow(0, 0, values.numel());
    part.copy_(values.reshape(-1));
    communicator_.wait(communicator_.start_broadcast(part));
    return part.view(values.sizes());
  };
  const auto lead_step = of_lead(at::full({1}, step, at::kDouble)).item<double>();
  if (any(lead_step != static_cast<double>(step)))
    throw Error(FailureType::bad_data,
                concat("the ranks of a training go on from different steps (rank ", rank(),
                       " from ", step, ", the lead from ", lead_step,
                       "; they must have read the same checkpoint); start the run again"));
  for (const auto& [name, tensor] : tensors) tensor.detach().copy_(of_lead(tensor.detach()));
}

void Team::begin(const Share& share) {
  if (statistics_) statistics_->counts = share.counts();
}

void Team::backward(const at::Tensor& loss, const Share& share) {
  if (size() == 1) return loss.backward();
  (loss * share.weight()).backward();
  reducer_->finish();
}

at::Tensor Team::sum(const at::Tensor& values) {
  if (!values_.defined() || values_.numel() != values.numel())
    values_ = communicator_.buffer(values.numel(), at::kDouble);
  values_.copy_(values);
  communicator_.wait(communicator_.start_sum(values_));
  const auto sums = values_.to(at::kCPU, /*non_blocking=*/false, /*copy=*/true);
  communicator_.check();
  return sums;
}

at::Tensor Team::mean(const at::Tensor& means, const Share& share) {
  if (size() == 1) return means.to(at::kCPU);
  // What a share that does not count has computed may be anything.
  return sum(share.counts() ? means * share.weight() : at::zeros_like(means));
}

bool Team::any(bool mine) {
  if (size() == 1) return mine;
  return sum(at::full({1}, mine ? 1.0 : 0.0, at::kDouble)).item<double>() > 0;
}

std::int64_t Team::bytes() const {
  return reducer_ ? reducer_->bytes() : 0;
}

std::int64_t Team::overlapped_bytes() const {
  return reducer_ ? reducer_->overlapped_bytes() : 0;
}

}  // namespace sweep::trainer
