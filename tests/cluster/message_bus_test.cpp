// Runs on every rank of a real MPI job.

#include "cluster/message_bus.hpp"

#include <gtest/gtest.h>

#include <map>
#include <thread>

#include "cluster/host.hpp"
#include "core/text.hpp"

namespace sweep::cluster {
namespace {

constexpr int kMessages = 200;
constexpr std::size_t kLarge = 8 << 20;  // far beyond what MPI sends before its receiver asks

/// The n-th message that `from` sends to `to`; some are large, which must not let later ones pass.
std::string text_of(int from, int to, int n) {
  const std::string head = concat(from, " to ", to, ": ", n, " ");
  return n % 50 == 7 ? head + std::string(kLarge, static_cast<char>('a' + from)) : head;
}

TEST(MpiBus, EveryMessageArrivesOnceAndInOrder) {
  ASSERT_TRUE(started_by_launcher());
  const auto bus = make_mpi_bus();
  ASSERT_EQ(bus->size(), 3);
  EXPECT_EQ(bus->local_size(), 3);
  EXPECT_EQ(bus->local_rank(), bus->rank());
  for (int n = 0; n < kMessages; ++n)
    for (int to = 0; to < bus->size(); ++to) bus->send(to, text_of(bus->rank(), to, n));

  const std::string unwanted(kLarge, 'x');
  std::map<int, int> next;
  int received = 0;
  for (int idle = 0; received < kMessages * bus->size() && idle < 20000;) {
    const auto message = bus->receive();
    if (!message) {
      ++idle;
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
      continue;
    }
    if (message->text == unwanted) continue;  // of a rank 0 that is done already
    ASSERT_EQ(message->text, text_of(message->from, bus->rank(), next[message->from]++));
    ++received;
  }
  EXPECT_EQ(received, kMessages * bus->size());
  // Nobody takes these: finish must drop them instead of waiting for ever.
  if (bus->rank() == 0) bus->send(1, unwanted);
  bus->finish();
}

}  // namespace
}  // namespace sweep::cluster
