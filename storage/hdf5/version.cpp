#include "storage/hdf5/version.hpp"

#include <hdf5.h>

#include "core/text.hpp"
#include "storage/hdf5/handle.hpp"

namespace sweep::storage::hdf5 {

std::string library_version() {
  unsigned major = 0, minor = 0, release = 0;
  checked(H5get_libversion(&major, &minor, &release), "H5get_libversion");
  return concat(major, '.', minor, '.', release);
}

}  // namespace sweep::storage::hdf5
