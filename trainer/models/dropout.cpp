#include "trainer/models/dropout.hpp"

#include <ATen/ATen.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "core/error.hpp"
#include "core/hash.hpp"
#include "core/text.hpp"
#include "trainer/noise.hpp"

namespace sweep::trainer {
namespace {

thread_local DropoutOfStep* current = nullptr;

}  // namespace

DropoutOfStep::DropoutOfStep(const Seed& seed, const Share& share)
    : seed_(seed),
      first_(share.first),
      count_(std::max<std::int64_t>(share.count, 1)),
      total_(share.total),
      before_(std::exchange(current, this)) {}

DropoutOfStep::~DropoutOfStep() {
  current = before_;
}

at::Tensor DropoutOfStep::kept(const at::Tensor& x, double p) {
  if (x.size(0) % count_ != 0)
    throw Error(FailureType::internal,
                concat("dropout of ", x.size(0), " rows in a step on ", count_,
                       " images (a row's place in the batch can't be told); this is a bug"));
  const Seed seed = seed_.branch(derive_seed(0, "dropout", static_cast<std::int64_t>(draws_++)));
  const std::int64_t width = x.numel() / x.size(0);
  std::vector<at::Tensor> parts;
  for (std::int64_t begin = 0; begin < x.size(0) / count_ * total_; begin += total_)
    parts.push_back(uniform_numbers((begin + first_) * width, count_ * width, seed,
                                    x.options().dtype(at::kFloat)));
  return at::cat(parts).ge_(2 * p - 1).view(x.sizes());
}

at::Tensor DropoutImpl::forward(const at::Tensor& x) {
  if (!is_training() || current == nullptr) return torch::nn::DropoutImpl::forward(x);
  const double p = options.p();
  return x * (current->kept(x, p) / (1 - p)).to(x.scalar_type());
}

}  // namespace sweep::trainer
