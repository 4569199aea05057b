#pragma once

#include <memory>
#include <utility>

#include "trainer/models/initialization.hpp"
#include "trainer/preprocessors/preprocessor.hpp"

namespace sweep::trainer {

/// The table of a preprocessor's options struct, which inherits from TrainingOptions: its own
/// `options` and those of training.
template <class Options>
OptionTable<Options> with_training_options(OptionTable<Options> options) {
  for (auto& option : inherited<Options>(training_options())) options.push_back(std::move(option));
  return options;
}

/// A preprocessor of one `Network`, a torch::nn::Module, and `Options`.
template <class Network, class Options>
class NetworkPreprocessor : public Preprocessor {
 public:
  NetworkPreprocessor(Options options, std::shared_ptr<Network> network)
      : options_(std::move(options)), network_(std::move(network)) {}

  at::Tensor forward(const at::Tensor& images) override { return network_->forward(images); }
  torch::nn::Module& module() override { return *network_; }
  void initialize(std::uint64_t seed) override { initialize_layers(*network_, seed); }
  const TrainingOptions& training() const override { return options_; }

 protected:
  Options options_;
  std::shared_ptr<Network> network_;
};

}  // namespace sweep::trainer
