#pragma once

namespace sweep {

// What this program was built from. Found anew by every build (cmake/WriteBuildInfo.cmake).

extern const char* const kVersion;
/// `git describe --always --dirty --abbrev=12`; "unknown" where the sources are in no repository.
extern const char* const kGitRevision;
/// "clean", the first 16 digits of the SHA-256 of `git diff HEAD --binary --full-index`, or
/// "unknown".
extern const char* const kGitDiff;
extern const char* const kCompiler;  ///< "GNU 12.2.0"

}  // namespace sweep
