#include "trainer/parallel/nccl_communicator.hpp"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "core/error.hpp"
#include "tests/trainer/nccl/host_device.hpp"
#include "tests/trainer/nccl/host_nccl.hpp"
#include "tests/trainer/thread_team.hpp"
#include "tests/trainer/toy.hpp"
#include "trainer/training.hpp"

// The communicator for GPUs, with NCCL and a device that this test makes of threads. What NCCL
// itself computes is not tested here, but all that is made of its answers.

namespace sweep::trainer {
namespace {

using std::chrono::milliseconds;
using testing::AllOf;
using testing::HasSubstr;

constexpr double kPatient = 30, kImpatient = 1;

/// A communicator that belongs to somebody else.
class Borrowed final : public Communicator {
 public:
  explicit Borrowed(Communicator& owned) : owned_(owned) {}
  int rank() const override { return owned_.rank(); }
  int size() const override { return owned_.size(); }
  at::Tensor buffer(std::int64_t count, at::ScalarType type) override {
    return owned_.buffer(count, type);
  }
  std::uint64_t start_sum(const at::Tensor& buffer) override { return owned_.start_sum(buffer); }
  std::uint64_t start_broadcast(const at::Tensor& buffer) override {
    return owned_.start_broadcast(buffer);
  }
  void wait(std::uint64_t ticket) override { owned_.wait(ticket); }

 private:
  Communicator& owned_;
};

std::unique_ptr<Communicator> make_nccl(Communicator& meeting, double patience_s) {
  return make_nccl_communicator(std::make_unique<Borrowed>(meeting), host_device(), patience_s);
}

/// Runs `work` on all ranks, each with a communicator, and gives what each threw: "" for nothing.
std::vector<std::string> failures_of(int size, double patience_s,
                                     const std::function<void(Communicator&)>& work) {
  std::mutex mutex;
  std::vector<std::string> failures(static_cast<std::size_t>(size));
  on_ranks(size, [&](Communicator& meeting) {
    std::string failure;
    try {
      const auto nccl = make_nccl(meeting, patience_s);
      work(*nccl);
    } catch (const Error& error) {
      EXPECT_EQ(error.type(), FailureType::communication);
      failure = error.what();
    }
    const std::lock_guard lock(mutex);
    failures[static_cast<std::size_t>(meeting.rank())] = failure;
  });
  return failures;
}

/// What a training does with a sum that it needs.
at::Tensor sum_of(Communicator& nccl, const at::Tensor& values) {
  const auto buffer = nccl.buffer(values.numel(), values.scalar_type());
  buffer.copy_(values);
  nccl.wait(nccl.start_sum(buffer));
  nccl.check();
  return buffer;
}

/// Until the watchdog has seen that something has failed; for half a minute.
void await_failure(Communicator& nccl) {
  for (int i = 0; i < 3000; ++i) {
    try {
      nccl.check();
    } catch (const Error&) {
      return;
    }
    std::this_thread::sleep_for(milliseconds(10));
  }
  ADD_FAILURE() << "nothing has failed";
}

class Nccl : public ::testing::Test {
 protected:
  void SetUp() override { host_nccl_faults().clear(); }
  void TearDown() override {
    host_nccl_faults().clear();
    EXPECT_EQ(host_nccl_misuses(), 0);
  }
};

class NcclOfRanks : public Nccl, public ::testing::WithParamInterface<int> {};

TEST_P(NcclOfRanks, AddsUpAndBroadcasts) {
  const int size = GetParam();
  const auto failures = failures_of(size, kPatient, [&](Communicator& nccl) {
    EXPECT_EQ(nccl.size(), size);
    for (const auto type : {at::kFloat, at::kDouble, at::kBFloat16}) {
      const auto mine = at::arange(5).to(type) + nccl.rank();
      const auto expected = at::arange(5) * size + size * (size - 1) / 2;
      EXPECT_TRUE(sum_of(nccl, mine).equal(expected.to(type))) << type;
      const auto buffer = nccl.buffer(5, type);
      buffer.copy_(mine);
      nccl.wait(nccl.start_broadcast(buffer));
      EXPECT_TRUE(buffer.equal(at::arange(5).to(type))) << type;
    }
  });
  EXPECT_THAT(failures, testing::Each(""));
}

/// What a rank begins goes on beside what it does; sums may be waited for in any order.
TEST_P(NcclOfRanks, DoesNotWaitWhereItIsNotAsked) {
  const int size = GetParam();
  const auto failures = failures_of(size, kPatient, [&](Communicator& nccl) {
    std::vector<at::Tensor> buffers;
    std::vector<std::uint64_t> tickets;
    // The last one comes late: did the others wait for it here, this would take their patience.
    if (nccl.rank() == size - 1) std::this_thread::sleep_for(milliseconds(100));
    for (int i = 0; i < 3; ++i) {
      buffers.push_back(nccl.buffer(1000, at::kFloat));
      buffers.back().fill_(i + 1);
      tickets.push_back(nccl.start_sum(buffers.back()));
    }
    for (const std::size_t i : {2, 0, 1}) {
      nccl.wait(tickets[i]);
      EXPECT_TRUE(buffers[i].equal(at::full({1000}, size * (static_cast<float>(i) + 1))));
    }
  });
  EXPECT_THAT(failures, testing::Each(""));
}

INSTANTIATE_TEST_SUITE_P(, NcclOfRanks, ::testing::Values(1, 2, 4));

/// A training whose gradients, statistics and values go through it, beside one by the agents' sums.
TEST_F(Nccl, TrainsAsTheAgentsDo) {
  const auto trained = [](Communicator& communicator) {
    auto job = toy_job(22, 16);
    job.defence = "denoising";
    job.defence_options = denoising_options(1, 1);
    job.parallel = {.communicator = &communicator};
    return train(job, {}, {}).tensors;
  };
  NamedTensors expected;
  on_ranks(3, [&](Communicator& agents) {
    const auto result = trained(agents);
    if (agents.rank() == 0) expected = result;
  });
  const auto failures = failures_of(3, kPatient, [&](Communicator& nccl) {
    for (const auto& [name, tensor] : trained(nccl)) EXPECT_TRUE(tensor.equal(expected.at(name)));
  });
  EXPECT_THAT(failures, testing::Each(""));
}

TEST_F(Nccl, GivesUpOnARankThatIsSilent) {
  host_nccl_faults().silent = 1;
  const auto failures = failures_of(3, kImpatient, [](Communicator& nccl) {
    sum_of(nccl, at::ones({4}));
    ADD_FAILURE() << "a sum without a rank was believed";
  });
  EXPECT_THAT(failures, testing::Each(HasSubstr("a collective has not ended for")));
}

/// What has been begun behind a failure throws, and so does waiting for it.
TEST_F(Nccl, SaysAgainThatItHasFailed) {
  host_nccl_faults().silent = 0;
  const auto failures = failures_of(2, kImpatient, [](Communicator& nccl) {
    const auto buffer = nccl.buffer(1, at::kFloat);
    const auto ticket = nccl.start_sum(buffer);
    await_failure(nccl);
    EXPECT_THROW(nccl.wait(ticket), Error);
    EXPECT_THROW(nccl.start_sum(buffer), Error);
    EXPECT_THROW(nccl.start_broadcast(buffer), Error);
    nccl.check();
  });
  EXPECT_THAT(failures, testing::Each(HasSubstr("a collective has not ended for")));
}

TEST_F(Nccl, PassesOnThatAPeerHasFailed) {
  const auto failures = failures_of(2, kImpatient, [](Communicator& nccl) {
    sum_of(nccl, at::ones({4}));
    if (nccl.rank() == 0) {
      host_nccl_faults().told = 0;
      await_failure(nccl);
    }
    // The other one is told nothing, and waits in vain.
    sum_of(nccl, at::ones({4}));
  });
  EXPECT_THAT(failures[0], AllOf(HasSubstr("a peer has failed"), HasSubstr("process exited")));
  EXPECT_THAT(failures[1], HasSubstr("a collective has not ended for"));
}

TEST_F(Nccl, NeedsAllRanksToBegin) {
  host_nccl_faults().absent = 1;
  const auto failures = failures_of(2, kImpatient, [](Communicator&) {});
  EXPECT_THAT(failures, testing::Each(AllOf(HasSubstr("a communicator could not be made"),
                                            HasSubstr("do not answer"))));
}

TEST_F(Nccl, SaysWhatNcclRefuses) {
  const auto failures = failures_of(1, kPatient, [](Communicator& nccl) {
    host_nccl_faults().refused = 0;
    sum_of(nccl, at::ones({4}));
  });
  EXPECT_THAT(failures[0],
              AllOf(HasSubstr("a collective could not be begun"), HasSubstr("invalid argument")));
}

/// An exception elsewhere leaves a collective behind that never ends: so must the process.
TEST_F(Nccl, EndsWithACollectiveUnderWay) {
  host_nccl_faults().silent = 0;
  const auto since = std::chrono::steady_clock::now();
  std::vector<at::Tensor> buffers;  // they outlive what is under way
  std::mutex mutex;
  const auto failures = failures_of(2, kImpatient, [&](Communicator& nccl) {
    const auto buffer = nccl.buffer(1, at::kFloat);
    {
      const std::lock_guard lock(mutex);
      buffers.push_back(buffer);
    }
    nccl.start_sum(buffer);
  });
  EXPECT_THAT(failures, testing::Each(""));
  EXPECT_LT(std::chrono::steady_clock::now() - since, std::chrono::seconds(10));
}

/// Failures that come while the host is calling: no call may reach what has been aborted.
TEST_F(Nccl, IsNotCalledAfterItsEnd) {
  for (int round = 0; round < 6; ++round) {
    host_nccl_faults().clear();
    const auto failures = failures_of(2, kImpatient, [&](Communicator& nccl) {
      const auto buffer = nccl.buffer(1, at::kFloat);
      buffer.fill_(1);
      const auto since = std::chrono::steady_clock::now();
      for (;;) {
        if (std::chrono::steady_clock::now() - since > milliseconds(20 + 10 * round))
          host_nccl_faults().told = round % 2;
        nccl.start_sum(buffer);
      }
    });
    EXPECT_THAT(failures, testing::Each(testing::Not("")));
  }
}

}  // namespace
}  // namespace sweep::trainer
