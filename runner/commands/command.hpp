#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

namespace CLI {
class App;
}

namespace sweep::commands {

/// A verb of sweep_runner. One file, NAME.cpp, is one verb.
class Command {
 public:
  virtual ~Command() = default;

  /// Binds options to members.
  virtual void add_options(CLI::App& app) = 0;

  /// After parsing. Returns the exit status. @throws Error
  virtual int run() = 0;
};

/// What a verb's help shows, in this order.
enum class Group { run, look, change, upkeep, help };

struct Entry {
  Group group = Group::run;
  std::string summary;   ///< one line, for the list of all verbs
  std::string examples;  ///< below its own --help: what else there is to know, and command lines
  std::function<std::unique_ptr<Command>()> make;
};

/// All verbs by name.
std::map<std::string, Entry>& all();

/// For static initialisation: the last line of a verb's file. A duplicate name ends the program.
bool add(const std::string& name, Entry entry);

template <class Verb>
bool add(const std::string& name, Group group, const std::string& summary,
         const std::string& examples) {
  return add(name, {group, summary, examples, [] { return std::make_unique<Verb>(); }});
}

}  // namespace sweep::commands
