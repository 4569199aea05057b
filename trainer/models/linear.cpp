#include "trainer/models/linear.hpp"

#include <ATen/ATen.h>

#include <algorithm>
#include <vector>

namespace sweep::trainer {
namespace {

constexpr std::int64_t kRows = 64;

}  // namespace

at::Tensor LinearImpl::forward(const at::Tensor& x) {
  if (is_training() || !x.device().is_cpu()) return torch::nn::LinearImpl::forward(x);
  std::vector<at::Tensor> parts;
  for (std::int64_t first = 0; first < x.size(0); first += kRows) {
    const std::int64_t count = std::min(kRows, x.size(0) - first);
    const auto rows = x.narrow(0, first, count);
    const auto full = count == kRows ? rows : at::constant_pad_nd(rows, {0, 0, 0, kRows - count});
    parts.push_back(torch::nn::LinearImpl::forward(full).narrow(0, 0, count));
  }
  return parts.size() == 1 ? parts.front() : at::cat(parts);
}

}  // namespace sweep::trainer
