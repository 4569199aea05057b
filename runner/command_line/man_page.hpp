#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "runner/command_line/usage.hpp"

namespace sweep::command_line {

/// "sweep_runner-status": the page that `man` finds under this name, in section 1.
std::string page_name(const Usage& usage);

/// The page of a program, or of one of its verbs, as roff with the macros of man(7).
/// @param verb  empty: the program
/// @throws InputError for an unknown verb
std::string man_page(const Usage& program, const std::string& verb, std::string_view version);

/// The pages of a program and of each of its verbs, as NAME.1 in `folder`. Returns their paths.
/// @throws Error{storage}
std::vector<std::filesystem::path> write_man_pages(const Usage& program, std::string_view version,
                                                   const std::filesystem::path& folder);

}  // namespace sweep::command_line
