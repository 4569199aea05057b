#include "runner/plan/listing.hpp"

#include <cmath>

#include "core/error.hpp"
#include "core/text.hpp"
#include "runner/plan/reference.hpp"
#include "runner/plan/sweep.hpp"
#include "runner/slurm/options.hpp"

namespace sweep::plan {
namespace {

std::string default_text(const Json& value) {
  return value.is_number_float() ? concat(value.get<double>()) : value.dump();
}

/// "lambda_n = 0.0", "epsilon (or alpha_rel)  required".
std::string key_text(const OptionInfo& option) {
  const std::string key =
      option.relative_key.empty() ? option.key : concat(option.key, " or ", option.relative_key);
  return concat("    ", key,
                option.default_value.is_null() ? "  (required)"
                                               : concat(" = ", default_text(option.default_value)));
}

std::string range_text(const OptionInfo& option) {
  std::string text;
  if (!option.choices.empty()) text = concat("one of ", join(option.choices, ", "));
  const bool low = std::isfinite(option.min), high = std::isfinite(option.max);
  if (low && high) text = concat(option.min, " to ", option.max);
  if (low && !high) text = concat("at least ", option.min);
  if (!low && high) text = concat("at most ", option.max);
  if (!option.unit.empty()) text += concat(text.empty() ? "" : ", ", option.unit);
  return text;
}

std::string options_text(const Schema& schema) {
  std::string text;
  for (const auto& option : schema) {
    const std::string range = range_text(option);
    text += concat(key_text(option), "\n        ", option.doc,
                   range.empty() ? "" : concat(" [", range, "]"), "\n");
  }
  return text;
}

std::string plugins_text(const Plugins& plugins) {
  std::string text;
  for (const auto& [name, plugin] : plugins)
    text += concat(text.empty() ? "" : "\n", name, "  ", plugin.summary, "\n",
                   options_text(plugin.schema));
  return text;
}

}  // namespace

const std::vector<std::string>& listed_kinds() {
  static const std::vector<std::string> kinds{"attacks",       "datasets", "defences", "models",
                                              "preprocessors", "run",      "slurm",    "training"};
  return kinds;
}

std::string list(const Catalogue& catalogue, const std::string& kind) {
  if (kind == "attacks") return plugins_text(catalogue.attacks);
  if (kind == "datasets") return plugins_text(catalogue.datasets);
  if (kind == "defences")
    return concat("In training, [defence] name = ...\n\n", plugins_text(catalogue.defences),
                  "\nBefore any trained classifier, [preprocessor] name = ...\n\n",
                  plugins_text(catalogue.preprocessors));
  if (kind == "preprocessors") return plugins_text(catalogue.preprocessors);
  if (kind == "models") return plugins_text(catalogue.models);
  if (kind == "reference") return reference(catalogue);
  if (kind == "run") return options_text(run_schema());
  if (kind == "slurm") return options_text(slurm::slurm_schema());
  if (kind == "training") return options_text(catalogue.training);
  throw InputError(concat("there is no list of '", kind, "'", suggestion(kind, listed_kinds())));
}

}  // namespace sweep::plan
