#include "storage/hdf5/handle.hpp"

#include <type_traits>

#include "core/error.hpp"
#include "core/text.hpp"

namespace sweep::storage::hdf5 {
namespace {

/// The innermost message of HDF5's error stack: the cause.
std::string innermost_message() {
  std::string message;
  const H5E_walk2_t collect = [](unsigned, const H5E_error2_t* error, void* text) -> herr_t {
    if (error->desc != nullptr) *static_cast<std::string*>(text) = error->desc;
    return 0;
  };
  H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, collect, &message);
  return message.empty() ? "no reason given" : message;
}

}  // namespace

void init() {
  static const bool silenced = [] {
    // The library's exit handler crashes when a file could not be closed on a full disk.
    H5dont_atexit();
    H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
    return true;
  }();
  (void)silenced;
}

template <class Result>
Result checked(Result result, const char* call) {
  if (result >= 0) return result;
  throw Error(FailureType::bad_data,
              concat("HDF5 call ", call, " failed (", innermost_message(), ")"));
}

template int checked(int, const char*);
template long checked(long, const char*);  // NOLINT(google-runtime-int)
static_assert(std::is_same_v<hid_t, long> || std::is_same_v<hid_t, int>);

}  // namespace sweep::storage::hdf5
