#pragma once

#include <ATen/ATen.h>

#include <chrono>
#include <exception>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "cluster/group_reduction.hpp"
#include "core/error.hpp"
#include "trainer/parallel/communicator.hpp"

namespace sweep::trainer {

/// What the threads of a test send each other.
class Mailboxes {
 public:
  struct Letter {
    int from;
    std::string text;
  };
  explicit Mailboxes(int size) : boxes_(static_cast<std::size_t>(size)) {}
  void put(int to, Letter letter) {
    const std::lock_guard lock(mutex_);
    boxes_[static_cast<std::size_t>(to)].push_back(std::move(letter));
  }
  std::vector<Letter> take(int rank) {
    const std::lock_guard lock(mutex_);
    return std::exchange(boxes_[static_cast<std::size_t>(rank)], {});
  }

 private:
  std::mutex mutex_;
  std::vector<std::vector<Letter>> boxes_;
};

/// A rank that is a thread; it adds up as the agents do.
class ThreadCommunicator final : public Communicator {
 public:
  ThreadCommunicator(int rank, const std::vector<int>& ranks, Mailboxes& mail)
      : rank_(rank),
        size_(static_cast<int>(ranks.size())),
        mail_(mail),
        reduction_(1, ranks, rank, [this](int to, std::string text) {
          mail_.put(to, {rank_, std::move(text)});
        }) {}

  int rank() const override { return rank_; }
  int size() const override { return size_; }
  at::Tensor buffer(std::int64_t count, at::ScalarType type) override {
    return at::empty({count}, type);
  }
  std::uint64_t start_sum(const at::Tensor& buffer) override {
    return start(buffer, cluster::Reduction::sum);
  }
  std::uint64_t start_broadcast(const at::Tensor& buffer) override {
    return start(buffer, cluster::Reduction::first);
  }
  void wait(std::uint64_t ticket) override {
    const auto since = std::chrono::steady_clock::now();
    while (!done_[ticket]) {
      for (const auto& letter : mail_.take(rank_)) reduction_.receive(letter.from, letter.text);
      for (const auto sequence : reduction_.take_done()) done_[sequence] = true;
      if (std::chrono::steady_clock::now() - since > std::chrono::seconds(30))
        throw Error(FailureType::communication, "another thread does not answer");
      std::this_thread::yield();
    }
  }

 private:
  std::uint64_t start(const at::Tensor& buffer, cluster::Reduction how) {
    const auto element = buffer.scalar_type() == at::kDouble  ? cluster::Element::float64
                         : buffer.scalar_type() == at::kFloat ? cluster::Element::float32
                                                              : cluster::Element::bfloat16;
    reduction_.start(++sequence_, {static_cast<std::byte*>(buffer.data_ptr()), buffer.nbytes()},
                     element, how);
    return sequence_;
  }

  int rank_, size_;
  Mailboxes& mail_;
  cluster::GroupReduction reduction_;
  std::uint64_t sequence_ = 0;
  std::map<std::uint64_t, bool> done_;
};

/// Runs `work` on `size` threads, the ranks of a group. The first exception comes out.
inline void on_ranks(int size, const std::function<void(Communicator&)>& work) {
  Mailboxes mail(size);
  std::vector<int> ranks;
  for (int rank = 0; rank < size; ++rank) ranks.push_back(rank);
  std::vector<std::exception_ptr> failures(ranks.size());
  std::vector<std::thread> threads;
  for (const int rank : ranks)
    threads.emplace_back([&, rank] {
      try {
        ThreadCommunicator communicator(rank, ranks, mail);
        work(communicator);
      } catch (...) {
        failures[static_cast<std::size_t>(rank)] = std::current_exception();
      }
    });
  for (auto& thread : threads) thread.join();
  for (const auto& failure : failures)
    if (failure) std::rethrow_exception(failure);
}

}  // namespace sweep::trainer
