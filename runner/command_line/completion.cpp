#include "runner/command_line/completion.hpp"

#include <map>
#include <sstream>
#include <utility>
#include <vector>

#include "core/text.hpp"

namespace sweep::command_line {
namespace {

/// What a value is completed with.
struct Source {
  enum class Kind { nothing, words, files, folders } kind = Kind::nothing;
  std::string pattern;  ///< of files: "*.toml"; empty: any
};

Source source_of(const Argument& argument) {
  if (!argument.choices.empty()) return {Source::Kind::words, ""};
  const std::string& value = argument.value;
  if (value == "DIR" || value == "FOLDER") return {Source::Kind::folders, ""};
  const auto dot = value.find('.');
  // FILE.toml, MODEL.h5: the ending is a part of the name.
  if (dot != std::string::npos && dot + 1 < value.size() && value[dot + 1] != '.')
    return {Source::Kind::files, "*" + value.substr(dot)};
  if (value == "FILE" || value == "SET" || value == "PROGRAM") return {Source::Kind::files, ""};
  return {};
}

bool is_list(const Argument& argument) {
  return argument.value.ends_with(",...");
}

std::vector<std::string> names_of_options(const Usage& usage) {
  std::vector<std::string> names;
  for (const auto& argument : usage.arguments)
    names.insert(names.end(), argument.names.begin(), argument.names.end());
  return names;
}

std::vector<std::string> names_of_verbs(const Usage& program) {
  std::vector<std::string> names;
  for (const auto& verb : program.verbs) names.push_back(verb.verb());
  return names;
}

// ---------------------------------------------------------------------------------------- bash

constexpr char kBashBegin[] =
    R"bash(# Bash completion of @PROGRAM@. Made by: @PROGRAM@ completion bash

_@PROGRAM@_words() {
  local head=
  if [[ ${2-} == list && $cur == *,* ]]; then
    head=${cur%,*},
  fi
  mapfile -t COMPREPLY < <(compgen -P "$head" -W "$1" -- "${cur#"$head"}")
}

_@PROGRAM@_files() {
  compopt -o filenames 2>/dev/null
  mapfile -t COMPREPLY < <(compgen -d -- "$cur"; [[ $1 == folders ]] || compgen -f -X "!$1" -- "$cur" |
    while IFS= read -r name; do [[ -d $name ]] || printf '%s\n' "$name"; done)
}
)bash";

constexpr char kBashEnd[] = R"bash(
_@PROGRAM@() {
  local cur=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} verb=@DEFAULT@ first=1
  COMPREPLY=()
  # Bash cuts --option=value into three words.
  if [[ $cur == = ]]; then
    cur=
  elif [[ $before == = ]]; then
    before=${COMP_WORDS[COMP_CWORD - 2]}
  fi
  if ((COMP_CWORD > 1)) && [[ " @VERBS@ " == *" ${COMP_WORDS[1]} "* ]]; then
    verb=${COMP_WORDS[1]}
    first=2
  fi
  if [[ $before == -* ]] && _@PROGRAM@_value "$verb" "$before"; then
    return
  fi
  if [[ $cur == -* ]]; then
    _@PROGRAM@_words "$(_@PROGRAM@_options "$verb")"
    return
  fi
  _@PROGRAM@_argument "$verb"
  if ((COMP_CWORD == 1)); then
    local files=("${COMPREPLY[@]}")
    _@PROGRAM@_words "@VERBS@"
    COMPREPLY+=("${files[@]}")
  fi
}

complete -F _@PROGRAM@ @PROGRAM@
)bash";

std::string filled(std::string text, const Usage& program, const std::string& default_verb) {
  const std::pair<std::string, std::string> values[] = {
      {"@PROGRAM@", program.name},
      {"@DEFAULT@", default_verb},
      {"@VERBS@", join(names_of_verbs(program), " ")}};
  for (const auto& [key, value] : values)
    for (auto at = text.find(key); at != std::string::npos; at = text.find(key, at + value.size()))
      text.replace(at, key.size(), value);
  return text;
}

/// The command of the script that completes a value.
std::string bash_action(const Argument& argument) {
  const Source source = source_of(argument);
  switch (source.kind) {
    case Source::Kind::words:
      return concat("_@PROGRAM@_words '", join(argument.choices, " "), "'",
                    is_list(argument) ? " list" : "");
    case Source::Kind::files:
      return concat("_@PROGRAM@_files '", source.pattern.empty() ? "*" : source.pattern, "'");
    case Source::Kind::folders:
      return "_@PROGRAM@_files folders";
    case Source::Kind::nothing:
      return ":";
  }
  return ":";
}

std::string bash_functions(const Usage& program) {
  std::ostringstream options, values, arguments;
  options << "\n_@PROGRAM@_options() {\n  case $1 in\n";
  values << "\n# Completes the value of an option; false when it takes none.\n"
            "_@PROGRAM@_value() {\n  case $1:$2 in\n";
  arguments << "\n_@PROGRAM@_argument() {\n  case $1 in\n";
  for (const auto& verb : program.verbs) {
    options << "    " << verb.verb() << ") echo '" << join(names_of_options(verb), " ") << "' ;;\n";
    std::map<std::string, std::vector<std::string>> patterns;  // by what completes them
    bool has_argument = false;
    for (const auto& argument : verb.arguments) {
      if (!argument.flag)
        for (const auto& name : argument.names)
          patterns[bash_action(argument)].push_back(concat(verb.verb(), ":", name));
      if (argument.positional.empty() || std::exchange(has_argument, true)) continue;
      arguments << "    " << verb.verb() << ") " << bash_action(argument) << " ;;\n";
    }
    for (const auto& [action, names] : patterns)
      values << "    " << join(names, " | ") << ") " << action << " ;;\n";
  }
  options << "  esac\n}\n";
  values << "    *) return 1 ;;\n  esac\n}\n";
  arguments << "  esac\n}\n";
  return options.str() + values.str() + arguments.str();
}

// ----------------------------------------------------------------------------------------- zsh

/// Inside of single quotes, in a part of a specification that ends at one of `special`.
std::string zsh_text(const std::string& text, std::string_view special) {
  std::string out;
  for (const char c : text) {
    if (c == '\'') {
      out += "'\\''";
    } else {
      if (c == '\\' || special.find(c) != std::string_view::npos) out += '\\';
      out += c;
    }
  }
  return out;
}

/// ":DIR:_files -/": what a value is called and how it is completed.
std::string zsh_value(const Argument& argument) {
  const Source source = source_of(argument);
  std::string action = " ";
  switch (source.kind) {
    case Source::Kind::words:
      action = is_list(argument) ? concat("_values -s , value ", join(argument.choices, " "))
                                 : concat("(", join(argument.choices, " "), ")");
      break;
    case Source::Kind::files:
      action = source.pattern.empty() ? "_files" : concat("_files -g \"", source.pattern, "\"");
      break;
    case Source::Kind::folders:
      action = "_files -/";
      break;
    case Source::Kind::nothing:
      break;
  }
  const std::string& name = argument.value.empty() ? argument.positional : argument.value;
  return concat(":", zsh_text(name, ":"), ":", action);
}

std::string zsh_option(const Argument& argument, const std::string& name) {
  const bool is_long = name.starts_with("--");
  std::string spec = argument.repeatable ? "*" : "";
  spec += name;
  if (!argument.flag) spec += is_long ? "=" : "+";
  if (argument.flag && !argument.value.empty() && is_long) spec += "=-";
  spec += concat("[", zsh_text(argument.description, "[]"), "]");
  if (argument.flag && !argument.value.empty() && is_long)
    return spec + ":" + zsh_value(argument);  // two colons: it may be left out
  return argument.flag ? spec : spec + zsh_value(argument);
}

void write_zsh_verb(std::ostream& out, const Usage& verb) {
  out << "    " << verb.verb() << ")\n      specs=(\n";
  int place = 0;
  for (const auto& argument : verb.arguments) {
    for (const auto& name : argument.names)
      out << "        '" << zsh_option(argument, name) << "'\n";
    if (!argument.positional.empty())
      out << "        '" << (argument.repeatable ? "*" : std::to_string(++place))
          << (argument.required || argument.repeatable ? "" : ":") << zsh_value(argument) << "'\n";
  }
  out << "      ) ;;\n";
}

}  // namespace

std::string bash_completion(const Usage& program, const std::string& default_verb) {
  return filled(kBashBegin + bash_functions(program) + kBashEnd, program, default_verb);
}

std::string zsh_completion(const Usage& program, const std::string& default_verb) {
  std::ostringstream out;
  out << "#compdef @PROGRAM@\n# Zsh completion of @PROGRAM@. Made by: @PROGRAM@ completion zsh\n\n"
         "_@PROGRAM@() {\n  local -a verbs specs\n  local verb=@DEFAULT@\n  verbs=(\n";
  for (const auto& verb : program.verbs)
    out << "    '" << verb.verb() << ":" << zsh_text(verb.description, "") << "'\n";
  out << "  )\n"
         "  if ((CURRENT > 2)) && [[ \" @VERBS@ \" == *\" $words[2] \"* ]]; then\n"
         "    verb=$words[2]\n    shift words\n    ((CURRENT--))\n"
         "  elif ((CURRENT == 2)) && [[ $words[2] != -* ]]; then\n"
         "    _describe -t verbs verb verbs\n  fi\n  case $verb in\n";
  for (const auto& verb : program.verbs) write_zsh_verb(out, verb);
  out << "  esac\n  _arguments -s $specs\n}\n\n"
         "# Found in the fpath, the file is the function; sourced, it has to be made known.\n"
         "if [[ $zsh_eval_context[-1] == loadautofunc ]]; then\n  _@PROGRAM@ \"$@\"\nelse\n"
         "  compdef _@PROGRAM@ @PROGRAM@\nfi\n";
  return filled(out.str(), program, default_verb);
}

}  // namespace sweep::command_line
