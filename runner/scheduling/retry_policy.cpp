#include "runner/scheduling/retry_policy.hpp"

#include <algorithm>

namespace sweep::scheduling {

int allowed_attempts(FailureType type, int attempts) {
  switch (type) {
    case FailureType::bad_input:
    case FailureType::bad_data:
    case FailureType::not_finite:
      return 1;  // would fail in the same way again
    case FailureType::device_lost:
    case FailureType::agent_lost:
      return attempts;
    case FailureType::out_of_memory:
      return std::min(3, attempts);  // every further one uses less memory
    case FailureType::communication:
    case FailureType::storage:
    case FailureType::timeout:
    case FailureType::crash:
    case FailureType::internal:
      return std::min(2, attempts);
  }
  return 1;
}

bool stops_the_run(FailureType type) {
  return type == FailureType::storage;
}

}  // namespace sweep::scheduling
