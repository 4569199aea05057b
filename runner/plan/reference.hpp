#pragma once

#include <string>

#include "runner/plan/catalogue.hpp"

namespace sweep::plan {

/// Every key that a sweep file can have, as Markdown: docs/reference.md.
std::string reference(const Catalogue& catalogue);

}  // namespace sweep::plan
