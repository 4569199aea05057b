#include "cluster/host.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <stdlib.h>

#include <set>

#include "cluster/message_bus.hpp"
#include "tests/support/child.hpp"

namespace sweep::cluster {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<std::string> visible(const char* value) {
  ::setenv("CUDA_VISIBLE_DEVICES", value, 1);
  const auto devices = cuda_devices();
  ::unsetenv("CUDA_VISIBLE_DEVICES");
  return devices;
}

TEST(CudaDevices, AreThoseThatTheEnvironmentLeaves) {
  EXPECT_THAT(visible("0,2"), ElementsAre("0", "2"));
  EXPECT_THAT(visible("GPU-8a56,MIG-4f"), ElementsAre("GPU-8a56", "MIG-4f"));
  EXPECT_THAT(visible("1,-1,2"), ElementsAre("1"));  // as CUDA: the list ends at the first bad one
  EXPECT_THAT(visible(""), IsEmpty());
  EXPECT_THAT(visible("NoDevFiles"), IsEmpty());
}

TEST(Affinity, BindingIsCountedAndUndone) {
  EXPECT_EQ(sweep::test_support::in_child([] {
              const int before = available_cores();
              int first = 0;
              cpu_set_t given;
              ASSERT_EQ(::sched_getaffinity(0, sizeof given, &given), 0);
              while (!CPU_ISSET(first, &given)) ++first;
              cpu_set_t one;
              CPU_ZERO(&one);
              CPU_SET(first, &one);
              ASSERT_EQ(::sched_setaffinity(0, sizeof one, &one), 0);
              EXPECT_EQ(available_cores(), 1);
              reset_affinity();
              EXPECT_GE(available_cores(), before);
            }),
            0);
}

TEST(Affinity, RanksThatFillTheHostHaveCoresOfTheirOwn) {
  const int all = available_cores();
  std::set<int> seen;
  for (int rank = 0; rank < all; ++rank)
    for (const int core : cores_of_rank(rank, all, 1)) EXPECT_TRUE(seen.insert(core).second);
  cpu_set_t given;
  ASSERT_EQ(::sched_getaffinity(0, sizeof given, &given), 0);
  const bool quota = CPU_COUNT(&given) != all;  // it names no cores: nobody is bound
  EXPECT_EQ(static_cast<int>(seen.size()), quota ? 0 : all);
  EXPECT_THAT(cores_of_rank(0, all + 1, 1), IsEmpty());
  EXPECT_THAT(cores_of_rank(0, 1, all + 1), IsEmpty());
}

TEST(Host, KnowsItself) {
  EXPECT_TRUE(std::filesystem::exists(program_folder() / "cluster_tests"));
}

TEST(LocalBus, DeliversToItselfInOrder) {
  const auto bus = make_local_bus();
  EXPECT_EQ(bus->rank(), 0);
  EXPECT_EQ(bus->size(), 1);
  EXPECT_EQ(bus->local_size(), 1);
  EXPECT_FALSE(bus->receive());
  bus->send(0, "one");
  bus->send(0, "two");
  EXPECT_EQ(bus->receive()->text, "one");
  EXPECT_EQ(bus->receive()->text, "two");
  EXPECT_FALSE(bus->receive());
  bus->finish();
}

}  // namespace
}  // namespace sweep::cluster
