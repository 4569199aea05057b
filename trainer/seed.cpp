#include <ATen/ATen.h>

#include "core/error.hpp"
#include "trainer/tensors.hpp"

namespace sweep::trainer {

namespace {

at::Tensor halves_of(std::uint64_t value) {
  return at::tensor(
      {static_cast<std::int64_t>(value & 0xffffffff), static_cast<std::int64_t>(value >> 32)},
      at::kLong);
}

}  // namespace

std::uint64_t Seed::value() const {
  if (halves_.defined())
    throw Error(FailureType::internal,
                "the host has asked for the seed of a recorded step (it would stay that of the "
                "recording); what says is_recordable() must leave its seed to the device");
  return value_;
}

at::Tensor Seed::halves(const at::Device& device) const {
  return halves_.defined() ? halves_.to(device) : halves_of(value_).to(device);
}

Seed Seed::branch(std::uint64_t number) const {
  if (!halves_.defined()) return Seed(value_ ^ number);
  // As a constant of the host it would be copied in the middle of a recording.
  std::vector<at::Tensor> branched;
  for (std::int64_t i = 0; i < 2; ++i)
    branched.push_back(
        halves_[i].bitwise_xor(static_cast<std::int64_t>(number >> (32 * i) & 0xffffffff)));
  return Seed(at::stack(branched));
}

}  // namespace sweep::trainer
