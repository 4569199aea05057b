#pragma once

#include <string>
#include <vector>

#include "core/json.hpp"

namespace CLI {
class App;
}

namespace sweep::command_line {

/// An option, a positional argument, or both in one.
struct Argument {
  std::vector<std::string> names;    ///< "-C", "--dir"; none of what is only positional
  std::string positional;            ///< "dir"; empty: it is only an option
  std::string value;                 ///< what stands for its value: "DIR"; empty: it takes none
  std::vector<std::string> choices;  ///< the values that it can have, where they are known
  std::string limits;                ///< of a number: "[1 - 4096]"
  std::string default_value, description;
  bool flag = false;        ///< needs no value; one may follow behind '='
  bool required = false;    ///< an error without it
  bool repeatable = false;  ///< takes any number of values
};

/// What a program or a verb says of itself: what its --help, man page and completion are made of.
struct Usage {
  std::string name;         ///< as it is typed: "sweep_runner status"
  std::string description;  ///< of a verb one line; lines that begin with two blanks are examples
  std::string group;        ///< heading above the verb in the list of all verbs
  std::string footer;       ///< texts and examples below the help
  std::vector<Argument> arguments;  ///< in the order of the help; hidden ones are left out
  std::vector<Usage> verbs;

  /// The part of the name that tells a verb from the others: "status".
  std::string verb() const;
};

/// @param before  name of the program that the verb belongs to; empty for a program
Usage usage_of(const CLI::App& app, const std::string& before = "");

/// "{a,b}": a description of a check of CLI11 by which the choices of an option become known,
/// where something better than CLI11 says what is wrong with another value.
std::string choices_text(const std::vector<std::string>& choices);

void to_json(Json& json, const Usage& usage);
/// @throws Json::exception for what to_json has not made
void from_json(const Json& json, Usage& usage);

/// A text of a help in its parts: what can be typed, what the exit status means, and the rest.
struct HelpText {
  std::vector<std::string> paragraphs;             ///< each without line breaks
  std::vector<std::vector<std::string>> examples;  ///< blocks of lines as they are
  std::string exit_status;                         ///< "0 all done; 1 ..."; may be empty
};

HelpText read_help(const std::string& text);

}  // namespace sweep::command_line
