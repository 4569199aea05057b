#include "trainer/datasets/parallel.hpp"

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

#include "core/error.hpp"

namespace sweep::trainer {

void for_each_index(std::int64_t count, int threads,
                    const std::function<void(std::int64_t)>& action,
                    const std::function<bool(std::int64_t, std::int64_t)>& progress) {
  std::atomic<std::int64_t> next{0};
  std::atomic<bool> end{false};
  std::mutex mutex;  // guards the three below
  std::int64_t done = 0;
  bool stopped = false;
  std::exception_ptr failure;
  const auto work = [&] {
    for (std::int64_t i; !end && (i = next++) < count;) {
      try {
        action(i);
        const std::lock_guard lock(mutex);
        if (!stopped && progress && !progress(++done, count)) stopped = end = true;
      } catch (...) {
        const std::lock_guard lock(mutex);
        if (!failure) failure = std::current_exception();
        end = true;
      }
    }
  };
  std::vector<std::jthread> helpers;
  for (int i = 1; i < std::max(threads, 1); ++i) helpers.emplace_back(work);
  work();
  helpers.clear();  // joins them
  if (failure) std::rethrow_exception(failure);
  if (stopped) throw Error(FailureType::internal, "the preparation of the dataset was stopped");
}

}  // namespace sweep::trainer
