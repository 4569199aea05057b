#include "runner/command_line/man_page.hpp"

#include <algorithm>
#include <cctype>
#include <iterator>
#include <sstream>
#include <utility>

#include "core/atomic_file.hpp"
#include "core/error.hpp"
#include "core/text.hpp"

namespace sweep::command_line {
namespace {

constexpr const char* kPrograms[] = {"sweep_runner", "aggregate_results"};

constexpr char kEveryExitStatus[] =
    "As of every verb: 0 done; 1 something has failed; 2 bad input, and the message says what to "
    "change; 75 not done yet, the same command goes on.";

/// Text that roff prints as it is: no escapes, no requests, and '-' as what people type.
std::string escaped(std::string_view text) {
  std::string out;
  if (text.starts_with('.') || text.starts_with('\'')) out = "\\&";
  for (const char c : text) {
    if (c == '\\') {
      out += "\\e";
    } else if (c == '-') {
      out += "\\-";
    } else if (c == '\'') {
      out += "\\(aq";
    } else if (c == '`') {
      out += "\\(ga";
    } else {
      out += c;
    }
  }
  return out;
}

std::string bold(std::string_view text) {
  return concat("\\fB", escaped(text), "\\fR");
}

std::string italic(std::string_view text) {
  return concat("\\fI", escaped(text), "\\fR");
}

std::string upper(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return text;
}

class Page {
 public:
  void section(std::string_view heading) { out_ << ".SH " << heading << "\n"; }
  void subsection(const std::string& heading) { out_ << ".SS " << escaped(heading) << "\n"; }
  void line(const std::string& roff) { out_ << roff << "\n"; }
  void paragraphs(const std::vector<std::string>& texts) {
    for (const auto& text : texts) out_ << ".PP\n" << escaped(text) << "\n";
  }
  void example(const std::vector<std::string>& lines) {
    out_ << ".PP\n.nf\n.RS 4\n";
    for (const auto& text : lines) out_ << escaped(text) << "\n";
    out_ << ".RE\n.fi\n";
  }
  /// A term and, indented below it, what it means.
  void entry(const std::string& term, const std::string& meaning) {
    out_ << ".TP\n" << term << "\n" << meaning << "\n";
  }
  std::string text() const { return out_.str(); }

 private:
  std::ostringstream out_;
};

/// What stands for a positional argument: "FILE.toml".
std::string word(const Argument& argument) {
  return italic(argument.value.empty() ? upper(argument.positional) : argument.value);
}

/// "--watch[=SECONDS]", "-C, --dir DIR", "FILE.toml"
std::string term(const Argument& argument) {
  if (argument.names.empty()) return word(argument);
  std::vector<std::string> names;
  for (const auto& name : argument.names) names.push_back(bold(name));
  const std::string text = join(names, ", ");
  if (argument.value.empty()) return text;
  return text + (argument.flag ? concat("[=", italic(argument.value), "]")
                               : concat(" ", italic(argument.value)));
}

std::string meaning(const Argument& argument) {
  std::vector<std::string> facts;
  if (argument.required) facts.emplace_back("required");
  if (!argument.choices.empty()) facts.push_back("one of " + join(argument.choices, ", "));
  if (!argument.limits.empty()) facts.push_back("in " + argument.limits);
  if (!argument.default_value.empty() && !argument.flag)
    facts.push_back("default " + argument.default_value);
  if (!argument.names.empty() && !argument.positional.empty())
    facts.emplace_back("also without the option's name");
  std::string text = escaped(argument.description);
  if (!facts.empty()) text += concat("\n.br\n", escaped(concat("(", join(facts, "; "), ")")));
  return text;
}

/// "Runs a sweep of trainings": the line that `apropos` shows.
std::string summary(const Usage& usage) {
  std::string first = usage.description.substr(0, usage.description.find('\n'));
  if (first.ends_with('.') && !first.ends_with("..")) first.pop_back();
  return first;
}

void add_synopsis(Page& page, const Usage& usage) {
  page.section("SYNOPSIS");
  std::string line = bold(usage.name);
  if (!usage.arguments.empty()) line += concat(" [", italic("OPTION"), "]...");
  for (const auto& argument : usage.arguments) {
    if (argument.positional.empty()) continue;
    const std::string words = word(argument) + (argument.repeatable ? "..." : "");
    line += argument.required ? " " + words : concat(" [", words, "]");
  }
  page.line(line);
  if (usage.verbs.empty()) return;
  page.line(".br");
  page.line(concat(bold(usage.name), " ", italic("VERB"), " [", italic("ARGUMENT"), "]..."));
}

void add_arguments(Page& page, const Usage& usage) {
  const auto add = [&](const char* heading, auto belongs) {
    bool first = true;
    for (const auto& argument : usage.arguments) {
      if (!belongs(argument)) continue;
      if (std::exchange(first, false)) page.section(heading);
      page.entry(term(argument), meaning(argument));
    }
  };
  add("ARGUMENTS", [](const Argument& argument) { return argument.names.empty(); });
  add("OPTIONS", [](const Argument& argument) { return !argument.names.empty(); });
}

void add_verbs(Page& page, const Usage& usage) {
  if (usage.verbs.empty()) return;
  page.section("VERBS");
  std::string group;
  for (const auto& verb : usage.verbs) {
    if (verb.group != group) page.subsection(verb.group);
    group = verb.group;
    page.entry(bold(verb.verb()), escaped(summary(verb)));
  }
  page.paragraphs({concat("Each verb has a page of its own: man ", page_name(usage), "-VERB.")});
}

void add_examples(Page& page, const HelpText& help) {
  if (help.examples.empty()) return;
  page.section("EXAMPLES");
  for (const auto& lines : help.examples) page.example(lines);
}

void add_see_also(Page& page, const std::vector<std::string>& names) {
  if (names.empty()) return;
  page.section("SEE ALSO");
  std::vector<std::string> pages;
  for (const auto& name : names) pages.push_back(bold(name) + "(1)");
  page.line(join(pages, ", "));
}

std::vector<std::string> other_programs(const Usage& program) {
  std::vector<std::string> names(std::begin(kPrograms), std::end(kPrograms));
  std::erase(names, program.name);
  return names;
}

/// The program, and what has the same purpose.
std::vector<std::string> related(const Usage& program, const Usage& verb) {
  std::vector<std::string> names{page_name(program)};
  for (const auto& usage : program.verbs)
    if (usage.group == verb.group && usage.name != verb.name) names.push_back(page_name(usage));
  return names;
}

std::string page_of(const Usage& usage, std::string_view version,
                    const std::vector<std::string>& see_also) {
  const HelpText help = read_help(concat(usage.description, "\n\n", usage.footer));
  Page page;
  page.line(concat(".TH ", escaped(upper(page_name(usage))), " 1 \"\" \"sweep_runner ", version,
                   "\" \"User commands\""));
  page.line(".nh");  // a hyphen of hyphenation would look like a part of an option
  page.line(".ad l");
  page.section("NAME");
  page.line(concat(escaped(page_name(usage)), " \\- ", escaped(summary(usage))));
  add_synopsis(page, usage);
  page.section("DESCRIPTION");
  page.paragraphs(help.paragraphs);
  add_verbs(page, usage);
  add_arguments(page, usage);
  add_examples(page, help);
  page.section("EXIT STATUS");
  page.paragraphs({help.exit_status.empty() ? kEveryExitStatus : help.exit_status});
  add_see_also(page, see_also);
  return page.text();
}

}  // namespace

std::string page_name(const Usage& usage) {
  std::string name = usage.name;
  std::replace(name.begin(), name.end(), ' ', '-');
  return name;
}

std::string man_page(const Usage& program, const std::string& verb, std::string_view version) {
  if (verb.empty()) return page_of(program, version, other_programs(program));
  const auto found = std::find_if(program.verbs.begin(), program.verbs.end(),
                                  [&](const Usage& usage) { return usage.verb() == verb; });
  if (found == program.verbs.end()) {
    std::vector<std::string> verbs;
    for (const auto& usage : program.verbs) verbs.push_back(usage.verb());
    throw InputError(concat(program.name, " has no verb '", verb, "'", suggestion(verb, verbs)));
  }
  return page_of(*found, version, related(program, *found));
}

std::vector<std::filesystem::path> write_man_pages(const Usage& program, std::string_view version,
                                                   const std::filesystem::path& folder) {
  create_folders(folder);
  std::vector<std::filesystem::path> paths;
  const auto write = [&](const Usage& usage, const std::string& verb) {
    paths.push_back(folder / (page_name(usage) + ".1"));
    write_atomically(paths.back(), man_page(program, verb, version));
  };
  write(program, "");
  for (const auto& verb : program.verbs) write(verb, verb.verb());
  return paths;
}

}  // namespace sweep::command_line
