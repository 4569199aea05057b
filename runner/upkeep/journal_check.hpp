#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

namespace sweep::upkeep {

/// What is wrong with a journal, "ends in half a line (its writer was killed)"; empty when it is
/// well. A journal that is not there is well. @throws Error{storage}
std::string journal_fault(const std::filesystem::path& path);

/// Writes the journal anew, with its events alone. @throws Error{storage}
void mend_journal(const std::filesystem::path& path);

/// The highest number of a run of which the journal tells; 0: none. @throws Error{storage}
std::int64_t last_epoch(const std::filesystem::path& path);

}  // namespace sweep::upkeep
