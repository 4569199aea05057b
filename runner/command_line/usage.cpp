#include "runner/command_line/usage.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>

#include "core/text.hpp"

namespace sweep::command_line {

NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Argument, names, positional, value, choices, limits,
                                   default_value, description, flag, required, repeatable)

namespace {

constexpr std::string_view kExitStatus = "Exit status: ";

/// CLI11 gives the type and what its checks say of themselves in one text: "VIEW:{auto,live}",
/// "N:INT in [1 - 4096]".
void read_type(const std::string& text, Argument& argument) {
  const auto colon = text.find(':');
  argument.value = text.substr(0, colon);
  if (colon == std::string::npos) return;
  const std::string check = text.substr(colon + 1);
  if (check.starts_with('{') && check.ends_with('}')) {
    argument.choices = split(check.substr(1, check.size() - 2), ',');
  } else if (const auto bracket = check.find('['); bracket != std::string::npos) {
    argument.limits = check.substr(bracket);
  } else {
    argument.limits = check;
  }
}

Argument argument_of(const CLI::Option& option) {
  Argument argument{
      .default_value = option.get_default_str(),
      .description = option.get_description(),
      .flag = option.get_expected_max() == 0,
      .required = option.get_required(),
      .repeatable = option.get_items_expected_max() > 1 ||
                    option.get_multi_option_policy() == CLI::MultiOptionPolicy::TakeAll};
  for (const auto& name : option.get_snames()) argument.names.push_back("-" + name);
  for (const auto& name : option.get_lnames()) argument.names.push_back("--" + name);
  if (option.get_positional()) argument.positional = option.get_name(true);
  read_type(option.get_type_name(), argument);
  return argument;
}

bool is_hidden(const CLI::Option& option) {
  return option.get_group().empty();
}

}  // namespace

std::string Usage::verb() const {
  return name.substr(name.rfind(' ') + 1);
}

Usage usage_of(const CLI::App& app, const std::string& before) {
  Usage usage{.name = before.empty() ? app.get_name() : concat(before, " ", app.get_name()),
              .description = app.get_description(),
              .group = app.get_group(),
              .footer = app.get_footer()};
  for (const auto* option : app.get_options())
    if (!is_hidden(*option)) usage.arguments.push_back(argument_of(*option));
  for (const auto* verb : app.get_subcommands([](const CLI::App*) { return true; }))
    usage.verbs.push_back(usage_of(*verb, usage.name));
  return usage;
}

std::string choices_text(const std::vector<std::string>& choices) {
  return concat("{", join(choices, ","), "}");
}

void to_json(Json& json, const Usage& usage) {
  json = {{"name", usage.name},     {"description", usage.description},
          {"group", usage.group},   {"footer", usage.footer},
          {"verbs", Json::array()}, {"arguments", usage.arguments}};
  for (const auto& verb : usage.verbs) json["verbs"].push_back(verb);
}

void from_json(const Json& json, Usage& usage) {
  usage = {.name = json.at("name"),
           .description = json.at("description"),
           .group = json.at("group"),
           .footer = json.at("footer"),
           .arguments = json.at("arguments")};
  for (const auto& verb : json.at("verbs")) usage.verbs.push_back(verb.get<Usage>());
}

HelpText read_help(const std::string& text) {
  HelpText help;
  enum class Block { none, paragraph, examples, exit_status } block = Block::none;
  for (const auto& line : split(text, '\n')) {
    if (line.empty()) {
      block = Block::none;
    } else if (line.starts_with("  ")) {
      if (block != Block::examples) help.examples.emplace_back();
      block = Block::examples;
      help.examples.back().push_back(line.substr(2));
    } else if (line.starts_with(kExitStatus)) {
      block = Block::exit_status;
      help.exit_status = line.substr(kExitStatus.size());
    } else if (block == Block::exit_status) {
      help.exit_status += " " + line;
    } else if (block == Block::paragraph) {
      help.paragraphs.back() += " " + line;
    } else {
      block = Block::paragraph;
      help.paragraphs.push_back(line);
    }
  }
  return help;
}

}  // namespace sweep::command_line
