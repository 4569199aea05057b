#pragma once

#include <cstdint>
#include <memory>

namespace at {
class Tensor;
}
namespace torch::nn {
class Module;
}

namespace sweep::trainer {

/// The decoder of the embedded auto-encoder (paper, section 2.2): transposed convolutions (kernel
/// 4, stride 2, padding 1) that halve the channels and double the size until the image's size is
/// reached; batch normalisation and ReLU between, sigmoid last. From ResNet18's encoding: 128 -> 64
/// -> 32 -> 3.
class Decoder {
 public:
  /// @param stride  how much smaller the encoding is than the image: a power of two
  /// @throws Error{internal} for another stride
  Decoder(std::int64_t channels, std::int64_t stride);

  /// The image [N,3,height,width] in [0,1] of an `encoding` [N,C,h,w]. A size need not be a
  /// multiple of the stride: the decoder's surplus is cut off, and what pooling has rounded away
  /// (less than a stride) is filled with the last row and column.
  at::Tensor forward(const at::Tensor& encoding, std::int64_t height, std::int64_t width);

  torch::nn::Module& module() { return *layers_; }

 private:
  std::shared_ptr<torch::nn::Module> layers_;
};

}  // namespace sweep::trainer
