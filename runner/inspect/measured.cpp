#include "runner/inspect/measured.hpp"

#include <string_view>
#include <system_error>

#include "core/error.hpp"
#include "core/text.hpp"
#include "core/untrusted_json.hpp"
#include "storage/artifact_file.hpp"

namespace sweep::inspect {
namespace {

constexpr std::string_view kHistory = "history/";
constexpr std::size_t kMostEpochs = 1'000'000;

bool is_there(const std::filesystem::path& path) {
  std::error_code error;
  return std::filesystem::is_regular_file(path, error);
}

Training trained(const storage::Content& content) {
  Training training{.finished = true, .provenance = content.attributes};
  training.provenance.erase("spec");
  // How it came about is JSON in the text of one attribute.
  if (const Json how = training.provenance.value("provenance", Json()); how.is_string()) {
    const Json parsed = parse_untrusted(how.get<std::string>());
    if (parsed.is_object()) training.provenance["provenance"] = parsed;
  }
  for (const auto& [name, array] : content.arrays) {
    if (!name.starts_with(kHistory)) continue;
    const auto values = array.values<double>();
    if (values.size() > kMostEpochs)
      throw Error(FailureType::bad_data,
                  concat("its array '", name, "' has ", values.size(), " epochs"));
    training.metrics[name.substr(kHistory.size())].assign(values.begin(), values.end());
  }
  return training;
}

/// The layout is that of runner/tasks/checkpoint.cpp: "progress" is a JSON text.
Training under_way(const storage::Content& content, const std::filesystem::path& path) {
  const auto bytes = content.array("progress").values<std::uint8_t>();
  const Json progress =
      parse_untrusted({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  const JsonOrigin origin{path.string(), "the next start of the run makes it anew"};
  Training training;
  const auto history = JsonNode(progress, origin, "progress").find("history");
  if (!history) return training;
  history->for_each([&](const JsonNode& epoch) {
    for (const auto& [metric, value] : epoch.table())
      training.metrics[metric].push_back(value.number());
  });
  return training;
}

}  // namespace

std::optional<double> accuracy_of(const storage::Store& store, const storage::ArtifactId& id) {
  const auto path = store.artifact_path(id);
  if (!is_there(path)) return std::nullopt;
  const Json attributes = storage::read_artifact(path).attributes;
  const JsonOrigin origin{path.string(), "run the sweep again, which makes it anew"};
  const auto node = JsonNode(attributes, origin).at("accuracy");
  const double accuracy = node.number();
  node.check(accuracy >= 0 && accuracy <= 1, "a number from 0 to 1");
  return 100 * accuracy;
}

std::optional<Training> training_of(const storage::Store& store, const storage::ArtifactId& id) {
  if (const auto path = store.artifact_path(id); is_there(path))
    return trained(storage::read_artifact(path));
  const auto path = store.checkpoint_path(id);
  if (!is_there(path)) return std::nullopt;
  return under_way(storage::read_artifact(path), path);
}

}  // namespace sweep::inspect
