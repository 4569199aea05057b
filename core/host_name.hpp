#pragma once

#include <string>

namespace sweep {

/// The name of this host; "host" where it has none. Never empty: it is a part of files' names.
std::string host_name();

}  // namespace sweep
