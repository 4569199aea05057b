#pragma once

#include <memory>

#include "trainer/models/initialization.hpp"
#include "trainer/models/model.hpp"
#include "trainer/models/normalization.hpp"
#include "trainer/tensors.hpp"

namespace sweep::trainer {

/// A classifier of normalisation and a `Network`: a torch::nn::Module whose forward() gives Outputs
/// and that knows its encoding_channels(). Its encoding has an eighth of the image's size.
template <class Network>
class NetworkClassifier : public Classifier {
 public:
  NetworkClassifier(const ModelOptions& options, std::shared_ptr<Network> network,
                    const Initialization& initialization = {})
      : normalize_(options.normalize),
        network_(std::move(network)),
        initialization_(initialization) {}

  Outputs forward(const at::Tensor& images) override {
    return network_->forward(normalize_(images)).to(images);
  }
  torch::nn::Module& module() override { return *network_; }
  void initialize(std::uint64_t seed) override {
    initialize_layers(*network_, seed, initialization_);
  }
  std::int64_t encoding_channels() const override { return network_->encoding_channels(); }
  std::int64_t encoding_stride() const override { return 8; }

 private:
  Normalization normalize_;
  std::shared_ptr<Network> network_;
  Initialization initialization_;
};

}  // namespace sweep::trainer
