#include "trainer/distances.hpp"

#include <ATen/ATen.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/library.h>

#include <tuple>
#include <vector>

#include "attacks/device_operator.hpp"

namespace sweep::trainer {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

TORCH_LIBRARY_FRAGMENT(sweep, library) {
  library.def("distances(Tensor a, Tensor b) -> Tensor");
  library.def(
      "distances_gradient(Tensor gradient, Tensor a, Tensor b, Tensor distances, bool[2] wanted) "
      "-> (Tensor, Tensor)");
}

const auto& fused_distances() {
  using Signature = at::Tensor(const at::Tensor&, const at::Tensor&);
  static const attacks::DeviceOperator<Signature> found("sweep::distances");
  return found;
}

const auto& fused_distances_gradient() {
  using Signature =
      std::tuple<at::Tensor, at::Tensor>(const at::Tensor&, const at::Tensor&, const at::Tensor&,
                                         const at::Tensor&, std::array<bool, 2>);
  static const attacks::DeviceOperator<Signature> found("sweep::distances_gradient");
  return found;
}

struct Distances : torch::autograd::Function<Distances> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& a, const at::Tensor& b) {
    const auto result = fused_distances()(a, b);
    context->save_for_backward({a, b, result});
    return result;
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const auto saved = context->get_saved_variables();
    const std::array<bool, 2> wanted{context->needs_input_grad(0), context->needs_input_grad(1)};
    const auto [to_a, to_b] = fused_distances_gradient()(gradients.front().contiguous(), saved[0],
                                                         saved[1], saved[2], wanted);
    return {to_a, to_b};
  }
};

/// Whether the numbers of an image lie side by side, in one order in both.
bool suits_distances(const at::Tensor& a, const at::Tensor& b) {
  return a.scalar_type() == at::kFloat && b.scalar_type() == at::kFloat &&
         a.strides() == b.strides() && a.is_non_overlapping_and_dense() &&
         a.stride(0) * a.size(0) == a.numel();
}

}  // namespace

at::Tensor distances(const at::Tensor& a, const at::Tensor& b) {
  if (fused_distances().serves(a) && suits_distances(a, b)) return Distances::apply(a, b);
  std::vector<std::int64_t> all_but_batch;
  for (std::int64_t dim = 1; dim < a.dim(); ++dim) all_but_batch.push_back(dim);
  // LibTorch's norm has the gradient 0 at 0, where the root of a sum of squares has NaN.
  return at::linalg_vector_norm(a - b, 2, all_but_batch);
}

}  // namespace sweep::trainer
