#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

namespace sweep {

/// Exit status of every program of the project.
enum class ExitCode {
  ok = 0,
  trials_failed = 1,
  bad_input = 2,
  interrupted = 75,  ///< EX_TEMPFAIL: run the same command again to go on.
};

/// Why an attempt at a task failed. The retry policy (runner/scheduling/retry_policy.hpp) goes by
/// this.
enum class FailureType {
  bad_input,      ///< a sweep file, an option or a path that the user has to change
  bad_data,       ///< an image, label file or artifact that cannot be used
  not_finite,     ///< a loss became NaN or infinite
  out_of_memory,  ///< host or device allocation failed
  device_lost,    ///< the accelerator reported an unrecoverable error
  communication,  ///< a collective or a message failed
  storage,        ///< a file could not be written, synced or renamed
  timeout,        ///< no sign of life within the deadline
  crash,          ///< the executor process died
  agent_lost,     ///< the rank that ran the task went silent
  internal,       ///< an exception that nothing else explains
};

std::string_view to_string(FailureType type);

/// @throws Error{internal} when `name` is none of the names that to_string gives.
FailureType failure_type_from(std::string_view name);

/// Every error that the project raises on purpose. The text follows one grammar:
/// "what is wrong (why it matters); what to do".
class Error : public std::runtime_error {
 public:
  Error(FailureType type, const std::string& message) : std::runtime_error(message), type_(type) {}
  FailureType type() const { return type_; }

 private:
  FailureType type_;
};

/// The user must change something before the run can start: exit status 2.
class InputError : public Error {
 public:
  explicit InputError(const std::string& message) : Error(FailureType::bad_input, message) {}
};

/// "operation 'path': reason of errno", for failed system calls on files.
Error storage_error(std::string_view operation, std::string_view path, int error_number);

}  // namespace sweep
