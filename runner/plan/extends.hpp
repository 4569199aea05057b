#pragma once

#include <filesystem>

#include "core/document.hpp"

namespace sweep::plan {

/// A sweep file with what it `extends` below it: tables are merged key by key, everything else is
/// replaced, lists of tables too. A component or an attack that names another plugin begins afresh,
/// without the base's options. Places stay those of the file that a key was written in. Paths of
/// bases are relative to the file that names them.
/// @throws InputError, also for files that extend themselves or stand on too many others
Document read_extended(const std::filesystem::path& file);

}  // namespace sweep::plan
