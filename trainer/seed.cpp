#include <ATen/ATen.h>

#include "core/error.hpp"
#include "trainer/tensors.hpp"

namespace sweep::trainer {

std::uint64_t Seed::value() const {
  if (halves_.defined())
    throw Error(FailureType::internal,
                "the host has asked for the seed of a recorded step (it would stay that of the "
                "recording); what says is_recordable() must leave its seed to the device");
  return value_;
}

at::Tensor Seed::halves(const at::Device& device) const {
  if (halves_.defined()) return halves_.to(device);
  const auto low = static_cast<std::int64_t>(value_ & 0xffffffff);
  const auto high = static_cast<std::int64_t>(value_ >> 32);
  return at::tensor({low, high}, at::kLong).to(device);
}

}  // namespace sweep::trainer
