#include "tests/support/reference_h5.hpp"

#include <ATen/ATen.h>

#include <cstdlib>
#include <vector>

#include "core/error.hpp"
#include "core/text.hpp"
#include "storage/hdf5/handle.hpp"

namespace sweep::test_support {
namespace {

namespace hdf5 = storage::hdf5;
using hdf5::checked;

struct Types {
  at::ScalarType tensor;
  hid_t memory;
};

Types types_of(const hdf5::Dataset& dataset) {
  const hdf5::Datatype type(checked(H5Dget_type(dataset.get()), "H5Dget_type"));
  const std::size_t bytes = H5Tget_size(type.get());
  const bool is_float = H5Tget_class(type.get()) == H5T_FLOAT;
  if (is_float && bytes == 8) return {at::kDouble, H5T_NATIVE_DOUBLE};
  if (is_float) return {at::kFloat, H5T_NATIVE_FLOAT};
  if (bytes == 8) return {at::kLong, H5T_NATIVE_INT64};
  if (H5Tget_sign(type.get()) == H5T_SGN_NONE) return {at::kByte, H5T_NATIVE_UINT8};
  return {at::kChar, H5T_NATIVE_INT8};
}

std::vector<std::int64_t> shape_of(const hdf5::Dataset& dataset) {
  const hdf5::Dataspace space(checked(H5Dget_space(dataset.get()), "H5Dget_space"));
  const int rank = checked(H5Sget_simple_extent_ndims(space.get()), "H5Sget_simple_extent_ndims");
  std::vector<hsize_t> sizes(static_cast<std::size_t>(rank));
  checked(H5Sget_simple_extent_dims(space.get(), sizes.data(), nullptr),
          "H5Sget_simple_extent_dims");
  return {sizes.begin(), sizes.end()};
}

}  // namespace

std::filesystem::path reference_file(const std::string& name) {
  const char* shared = std::getenv("SWEEP_SHARED_DIR");
  if (!shared) return {};
  const auto path = std::filesystem::path(shared) / "oracle" / name;
  return std::filesystem::exists(path) ? path : std::filesystem::path();
}

at::Tensor read_reference(const std::filesystem::path& file, const std::string& name) {
  hdf5::init();
  const hdf5::File opened(checked(H5Fopen(file.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT), "H5Fopen"));
  const hdf5::Dataset dataset(
      checked(H5Dopen2(opened.get(), name.c_str(), H5P_DEFAULT), "H5Dopen2"));
  const Types types = types_of(dataset);
  const at::Tensor values = at::empty(shape_of(dataset), types.tensor);
  checked(H5Dread(dataset.get(), types.memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data_ptr()),
          "H5Dread");
  return values;
}

}  // namespace sweep::test_support
