#pragma once

#include <hdf5.h>

#include <string>
#include <utility>

namespace sweep::storage::hdf5 {

/// An HDF5 identifier, closed with its owner. `Close` is the H5*close function of its kind.
template <herr_t (*Close)(hid_t)>
class Handle {
 public:
  explicit Handle(hid_t id) : id_(id) {}
  Handle(Handle&& other) noexcept : id_(std::exchange(other.id_, H5I_INVALID_HID)) {}
  Handle& operator=(Handle&&) = delete;
  ~Handle() {
    if (id_ >= 0) Close(id_);
  }
  hid_t get() const { return id_; }

 private:
  hid_t id_;
};

using File = Handle<H5Fclose>;
using Group = Handle<H5Gclose>;
using Dataset = Handle<H5Dclose>;
using Dataspace = Handle<H5Sclose>;
using Datatype = Handle<H5Tclose>;
using Attribute = Handle<H5Aclose>;
using PropertyList = Handle<H5Pclose>;

/// Silences HDF5's own error printing (once per process): errors become exceptions instead.
void init();

/// The result of a call, or @throws Error{bad_data} with the call's name and HDF5's own
/// explanation. Identifiers, sizes and statuses of HDF5 are all negative on failure.
template <class Result>
Result checked(Result result, const char* call);
// For herr_t and htri_t; hid_t, hssize_t and ssize_t.
extern template int checked(int, const char*);
extern template long checked(long, const char*);  // NOLINT(google-runtime-int)

}  // namespace sweep::storage::hdf5
