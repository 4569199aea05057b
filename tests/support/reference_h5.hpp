#pragma once

#include <filesystem>
#include <string>

namespace at {
class Tensor;
}

namespace sweep::test_support {

/// A file of the reference results of other libraries, below SWEEP_SHARED_DIR; an empty path where
/// they are not at hand.
std::filesystem::path reference_file(const std::string& name);

/// A dataset of an HDF5 file that another program wrote, in its own shape: integers and floats of
/// the stored size (half floats as float32). @throws Error{bad_data}
at::Tensor read_reference(const std::filesystem::path& file, const std::string& dataset);

}  // namespace sweep::test_support
