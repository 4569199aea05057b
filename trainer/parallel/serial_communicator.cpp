#include <ATen/ATen.h>

#include "trainer/parallel/communicator.hpp"

namespace sweep::trainer {
namespace {

class SerialCommunicator final : public Communicator {
 public:
  explicit SerialCommunicator(const at::Device& device) : device_(device) {}
  int rank() const override { return 0; }
  int size() const override { return 1; }
  at::Tensor buffer(std::int64_t count, at::ScalarType type) override {
    return at::empty({count}, at::TensorOptions(device_).dtype(type));
  }
  std::uint64_t start_sum(const at::Tensor&) override { return 0; }
  std::uint64_t start_broadcast(const at::Tensor&) override { return 0; }
  void wait(std::uint64_t) override {}

 private:
  at::Device device_;
};

}  // namespace

std::unique_ptr<Communicator> make_serial_communicator(const at::Device& device) {
  return std::make_unique<SerialCommunicator>(device);
}

}  // namespace sweep::trainer
