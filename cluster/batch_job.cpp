#include "cluster/batch_job.hpp"

#include <charconv>
#include <cstdlib>
#include <string_view>

namespace sweep::cluster {
namespace {

std::optional<std::int64_t> number_in(const char* variable) {
  const char* text = std::getenv(variable);
  if (text == nullptr) return std::nullopt;
  const std::string_view digits = text;
  std::int64_t value = 0;
  const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  const bool whole = parsed.ec == std::errc() && parsed.ptr == digits.data() + digits.size();
  return whole ? std::optional(value) : std::nullopt;
}

}  // namespace

std::optional<BatchJob> batch_job() {
  const char* id = std::getenv("SLURM_JOB_ID");
  if (id == nullptr || *id == '\0') return std::nullopt;
  return BatchJob{id, number_in("SLURM_RESTART_COUNT").value_or(0), number_in("SWEEP_SLURM_END"),
                  number_in("SWEEP_SAVE_AT")};
}

}  // namespace sweep::cluster
