#include "runner/steps/guard.hpp"

#include <c10/util/Exception.h>

#include <new>

#include "core/log.hpp"

namespace sweep::steps {
namespace {

ExitCode status_of(FailureType type) {
  switch (type) {
    case FailureType::bad_input:
    case FailureType::bad_data:
    case FailureType::storage:
      return ExitCode::bad_input;
    default:
      return ExitCode::trials_failed;
  }
}

}  // namespace

ExitCode guarded(const std::function<ExitCode()>& step) {
  try {
    return step();
  } catch (const Error& error) {
    log_error(error.what());
    return status_of(error.type());
  } catch (const c10::Error& error) {
    log_error(error.what_without_backtrace());
  } catch (const std::bad_alloc&) {
    log_error("there is no memory left for this step; try a smaller --batch");
  } catch (const std::exception& error) {
    log_error(error.what());
  }
  return ExitCode::trials_failed;
}

}  // namespace sweep::steps
