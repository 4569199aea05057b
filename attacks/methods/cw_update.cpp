#include "attacks/methods/cw_update.hpp"

#include <ATen/ATen.h>
#include <torch/library.h>

#include <cmath>
#include <vector>

#include "attacks/device_operator.hpp"
#include "attacks/rows.hpp"

namespace sweep::attacks {
namespace {

// Of the authors' code: keeps atanh finite at pixels of 0 and 1.
constexpr double kShrink = 0.999999;

// Adam's, as its authors give them (Kingma and Ba 2015, arXiv:1412.6980).
constexpr double kBeta1 = 0.9, kBeta2 = 0.999, kAdamEpsilon = 1e-8;

TORCH_LIBRARY_FRAGMENT(sweep, library) {
  library.def(
      "cw_update(Tensor(a!) w, Tensor(b!) mean, Tensor(c!) mean_square, Tensor(d!) adversarial, "
      "Tensor gradient, Tensor clean, Tensor unbias1, Tensor unbias2, float beta1, float beta2, "
      "float eps, float rate) -> ()");
}

using FusedUpdate = void(at::Tensor&, at::Tensor&, at::Tensor&, at::Tensor&, const at::Tensor&,
                         const at::Tensor&, const at::Tensor&, const at::Tensor&, double, double,
                         double, double);

/// 1 - beta^t of every image, t from 1: [n,1,1,1] like `images`.
at::Tensor unbias(const at::Tensor& iteration, double beta, const at::Tensor& images) {
  const auto* t = iteration.const_data_ptr<std::int64_t>();
  std::vector<double> values;
  for (std::int64_t i = 0; i < iteration.size(0); ++i)
    values.push_back(1 - std::pow(beta, static_cast<double>(t[i] + 1)));
  return at::tensor(values, at::kDouble).to(images.options()).view({-1, 1, 1, 1});
}

void update_in_passes(CwVariables& variables, const CwStep& step, const at::Tensor& unbias1,
                      const at::Tensor& unbias2) {
  auto& [w, mean, mean_square, adversarial] = variables;
  at::Tensor gradient = (adversarial - step.clean).mul_(2).add_(step.gradient);
  gradient.mul_(at::tanh(w).square_().neg_().add_(1).div_(2));  // dx'/dw = (1 - tanh(w)^2) / 2
  mean.mul_(kBeta1).add_(gradient, 1 - kBeta1);
  mean_square.mul_(kBeta2).addcmul_(gradient, gradient, 1 - kBeta2);
  const at::Tensor scale = (mean_square / unbias2).sqrt_().add_(kAdamEpsilon);
  w.addcdiv_(mean / unbias1, scale, -step.learning_rate);
  adversarial = at::tanh(w).add_(1).div_(2);
}

}  // namespace

CwVariables CwVariables::of(const at::Tensor& rows) const {
  return {rows_of(w, rows), rows_of(mean, rows), rows_of(mean_square, rows),
          rows_of(adversarial, rows)};
}

CwVariables CwVariables::with(const CwVariables& others) const {
  const auto cat = [](const at::Tensor& a, const at::Tensor& b) { return at::cat({a, b}); };
  return {cat(w, others.w), cat(mean, others.mean), cat(mean_square, others.mean_square),
          cat(adversarial, others.adversarial)};
}

void CwVariables::put(const at::Tensor& rows, const CwVariables& values) {
  w.index_copy_(0, rows, values.w);
  mean.index_copy_(0, rows, values.mean);
  mean_square.index_copy_(0, rows, values.mean_square);
  adversarial.index_copy_(0, rows, values.adversarial);
}

CwVariables cw_start(const at::Tensor& clean) {
  const at::Tensor w = at::atanh((clean * 2 - 1) * kShrink);
  return {w, at::zeros_like(w), at::zeros_like(w), at::tanh(w).add_(1).div_(2)};
}

void cw_update(CwVariables& variables, const CwStep& step) {
  static const DeviceOperator<FusedUpdate> fused("sweep::cw_update");
  auto& [w, mean, mean_square, adversarial] = variables;
  const at::Tensor unbias1 = unbias(step.iteration, kBeta1, w);
  const at::Tensor unbias2 = unbias(step.iteration, kBeta2, w);
  if (fused.serves(w) && w.scalar_type() == at::kFloat)
    fused(w, mean, mean_square, adversarial, step.gradient, step.clean, unbias1, unbias2, kBeta1,
          kBeta2, kAdamEpsilon, step.learning_rate);
  else
    update_in_passes(variables, step, unbias1, unbias2);
}

}  // namespace sweep::attacks
