#include "runner/plan/reference.hpp"

#include "core/text.hpp"
#include "runner/plan/grammar.hpp"

namespace sweep::plan {
namespace {

constexpr char kHead[] =
    R"(# Reference of sweep files

Written by `sweep_runner describe reference > docs/reference.md` from the tables that the programs check files with; a
test fails where the two differ. What the keys are for, with examples: [sweep_files.md](sweep_files.md).

Numbers may be written as fractions: `"8/255"`.

Values of an axis ([grid], [[zip]], [[include]], sweep.seeds): a list, or a range with both ends included,

    {from = 0, to = 9, step = 1}                           # equal steps, counted exactly; integers stay integers
    {from = 0.1, to = 0.9, num = 5}                        # so many values, equally spaced
    {from = 1e-4, to = 0.1, num = 4, scale = "log"}        # or with equal ratios

Conditions ([[exclude]], where): a value, a list of values of which one holds, or `{min, max, not}`, of which all that are
given hold; limits belong to the range. A trial that does not have the key meets no condition on it.
)";

/// In a cell of a table a vertical bar would begin the next.
std::string cell(const std::string& text) {
  std::string escaped;
  for (const char c : text) escaped += c == '|' ? std::string("\\|") : std::string(1, c);
  return escaped;
}

std::string code(const std::string& text) {
  return text.empty() ? "" : concat("`", cell(text), "`");
}

std::string table(const std::vector<KeyInfo>& keys) {
  if (keys.empty()) return "";
  std::string text = "\n| Key | Takes | Default | Meaning |\n|---|---|---|---|\n";
  for (const auto& key : keys)
    text += concat("| `", key.key, "` | ", cell(key.takes), " | ",
                   key.required ? "required" : code(key.otherwise), " | ", cell(key.doc), " |\n");
  return text;
}

std::string plugins(const std::string& heading, const std::string& name_key,
                    const Plugins& plugins) {
  std::string text;
  for (const auto& [name, plugin] : plugins)
    text += concat("\n### ", heading, " ", name_key, " = \"", name, "\"\n\n", plugin.summary, "\n",
                   table(key_infos(plugin.schema)));
  return text;
}

/// What the plugins of a section have to say.
std::string details(const std::string& section, const Catalogue& catalogue) {
  if (section == "dataset") return plugins("[dataset]", "name", catalogue.datasets);
  if (section == "model") return plugins("[model]", "name", catalogue.models);
  if (section == "defence") return plugins("[defence]", "name", catalogue.defences);
  if (section == "preprocessor") return plugins("[preprocessor]", "name", catalogue.preprocessors);
  if (section == "attacks") return plugins("[attacks.NAME]", "method", catalogue.attacks);
  if (section == "training") return table(key_infos(catalogue.training));
  return "";
}

}  // namespace

std::string reference(const Catalogue& catalogue) {
  std::string text = kHead;
  for (const auto& section : sections())
    text += concat("\n## ", section.heading, "\n\n", section.doc, "\n", table(section.keys),
                   details(section.name, catalogue));
  return text;
}

}  // namespace sweep::plan
