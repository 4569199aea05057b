#pragma once

#include <filesystem>
#include <string>

#include "core/atomic_file.hpp"
#include "storage/store.hpp"

namespace sweep::engine {

/// The folder of a run, for its process alone.
struct RunPlace {
  std::filesystem::path folder;
  FileDescriptor lock;
};

/// runs/SWEEP; where another run works there, the first of runs/SWEEP@2, runs/SWEEP@3, ... that is
/// free. Created. @throws InputError
RunPlace take_place(const storage::Store& store, const std::string& sweep);

}  // namespace sweep::engine
