#include <deque>

#include "cluster/message_bus.hpp"

namespace sweep::cluster {
namespace {

class LocalBus final : public MessageBus {
 public:
  int rank() const override { return 0; }
  int size() const override { return 1; }
  int local_rank() const override { return 0; }
  int local_size() const override { return 1; }
  void send(int, std::string text) override { queue_.push_back({0, std::move(text)}); }
  std::optional<Message> receive() override {
    if (queue_.empty()) return std::nullopt;
    Message message = std::move(queue_.front());
    queue_.pop_front();
    return message;
  }
  bool finish() override { return true; }

 private:
  std::deque<Message> queue_;
};

}  // namespace

std::unique_ptr<MessageBus> make_local_bus() {
  return std::make_unique<LocalBus>();
}

}  // namespace sweep::cluster
