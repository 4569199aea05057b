#pragma once

#include <string>

#include "runner/command_line/usage.hpp"

namespace sweep::command_line {

/// Scripts that complete verbs, options, their values and file names of a program that has verbs.
/// What is typed without a verb is completed as for `default_verb`.

/// For bash 4.4 and newer.
std::string bash_completion(const Usage& program, const std::string& default_verb);
/// For zsh: a function to be found in its fpath as _PROGRAM, or to be sourced.
std::string zsh_completion(const Usage& program, const std::string& default_verb);

}  // namespace sweep::command_line
