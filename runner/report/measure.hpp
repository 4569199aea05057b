#pragma once

#include <cstdint>

#include "runner/report/table.hpp"
#include "storage/array.hpp"

namespace sweep::report {

/// What an evaluation artifact says.
struct Evaluation {
  double accuracy = 0;  ///< percent
  std::int64_t images = 0;
};

/// Counted anew from "labels" and "predictions". @throws Error{bad_data}
Evaluation measure_evaluation(const storage::Content& content);

/// From "success", "l2" and "linf" of an adversarial set. @throws Error{bad_data}
AttackEffect measure_attack(const storage::Content& content);

}  // namespace sweep::report
