#include "runner/report/plan_file.hpp"

#include <algorithm>
#include <cctype>
#include <limits>
#include <set>
#include <system_error>

#include "core/atomic_file.hpp"
#include "core/error.hpp"
#include "core/text.hpp"
#include "runner/report/untrusted_json.hpp"

namespace sweep::report {
namespace {

constexpr int kPlanVersion = 3;
constexpr std::uintmax_t kLargestFile = std::uintmax_t{256} << 20;
constexpr std::size_t kMostCells = 1'000'000;

[[noreturn]] void refuse_damaged(const std::filesystem::path& path, const std::string& what) {
  throw InputError(concat("'", path.string(), "' is damaged (", what,
                          "); run the sweep again, which writes it anew and keeps all finished "
                          "work"));
}

/// A value of the file that knows its dotted key.
class Node {
 public:
  Node(const Json& json, const std::filesystem::path& file, std::string key)
      : json_(json), file_(file), key_(std::move(key)) {}

  Node at(const std::string& key) const {
    check(json_.is_object(), "a table");
    const auto found = json_.find(key);
    const std::string dotted = key_.empty() ? key : concat(key_, ".", key);
    if (found == json_.end()) refuse_damaged(file_, dotted + " is missing");
    return {*found, file_, dotted};
  }
  std::vector<Node> list() const {
    check(json_.is_array(), "a list");
    std::vector<Node> nodes;
    for (std::size_t i = 0; i < json_.size(); ++i)
      nodes.emplace_back(json_[i], file_, concat(key_, "[", i, "]"));
    return nodes;
  }
  std::map<std::string, Node> table() const {
    check(json_.is_object(), "a table");
    std::map<std::string, Node> nodes;
    for (const auto& [key, value] : json_.items())
      nodes.emplace(key, Node(value, file_, concat(key_, ".", key)));
    return nodes;
  }
  std::string text() const {
    check(json_.is_string(), "a text");
    return json_.get<std::string>();
  }
  bool boolean() const {
    check(json_.is_boolean(), "true or false");
    return json_.get<bool>();
  }
  std::int64_t integer() const {
    const bool fits = json_.is_number_unsigned() ? json_.get<std::uint64_t>() <= kLargestInteger
                                                 : json_.is_number_integer();
    check(fits, "an integer of 64 bit");
    return json_.get<std::int64_t>();
  }
  double percent() const {
    const double value = json_.is_number() ? json_.get<double>() : -1;
    check(value >= 0 && value <= 100, "a number from 0 to 100");
    return value;
  }
  /// The name of an artifact, which becomes the name of a file.
  std::string hash() const {
    const std::string name = text();
    const bool safe = !name.empty() && name.size() <= 128 && name.front() != '.' &&
                      std::all_of(name.begin(), name.end(), [](unsigned char letter) {
                        return std::isalnum(letter) != 0 || letter == '.' || letter == '_';
                      });
    check(safe, "the name of an artifact");
    return name;
  }
  const Json& object() const {
    check(json_.is_object(), "a table");
    return json_;
  }
  const Json& json() const { return json_; }
  bool is_null() const { return json_.is_null(); }
  void check(bool good, const std::string& what) const {
    if (!good) refuse_damaged(file_, concat(key_.empty() ? "the file" : key_, " is not ", what));
  }

 private:
  static constexpr std::uint64_t kLargestInteger{std::numeric_limits<std::int64_t>::max()};

  const Json& json_;
  const std::filesystem::path& file_;
  std::string key_;
};

std::map<std::string, std::string> read_hashes(const Node& node) {
  std::map<std::string, std::string> hashes;
  for (const auto& [label, hash] : node.table()) hashes[label] = hash.hash();
  return hashes;
}

Plan::Column read_column(const Node& node) {
  Plan::Column column{.label = node.at("label").text(),
                      .attack = node.at("attack").json(),
                      .attacker = node.at("attacker").text(),
                      .pixels = node.at("pixels").text()};
  if (!column.attack.is_null()) node.at("attack").at("method").text();
  node.at("pixels").check(column.pixels == "float32" || column.pixels == "uint8",
                          "\"float32\" or \"uint8\"");
  if (const Node set = node.at("adversarial_set"); !set.is_null())
    column.adversarial_set = set.hash();
  return column;
}

Plan::Trial read_trial(const Node& node) {
  for (const auto& [component, options] : node.at("spec").table())
    if (!options.is_null()) options.object();
  return {.seed = node.at("seed").integer(),
          .spec = node.at("spec").object(),
          .evaluations = read_hashes(node.at("evaluations")),
          .adversarial_sets = read_hashes(node.at("adversarial_sets"))};
}

Plan::Row read_row(const Node& node) {
  Plan::Row row{.label = node.at("label").text(),
                .group = node.at("group").text(),
                .control = node.at("control").boolean(),
                .baseline = node.at("baseline").boolean()};
  for (const auto& [key, value] : node.at("keys").table()) row.keys[key] = value.json();
  for (const auto& [label, value] : node.at("published").table())
    row.published[label] = value.percent();
  for (const auto& trial : node.at("trials").list()) row.trials.push_back(read_trial(trial));
  return row;
}

/// The parts of "resolved" that are built into sweep files.
void check_resolved(const Node& resolved) {
  resolved.at("attacker").object();
  for (const auto& [name, attacker] : resolved.at("attackers").table()) attacker.object();
  for (const auto& [key, attack] : resolved.at("attacks").table()) attack.object();
  for (const auto& column : resolved.at("columns").list())
    for (const char* key : {"label", "attack", "attacker", "pixels"}) column.at(key).text();
}

Json parse(const std::filesystem::path& path) {
  std::error_code error;
  const auto bytes = std::filesystem::file_size(path, error);
  if (!error && bytes > kLargestFile)
    throw InputError(concat("'", path.string(), "' has ", bytes, " bytes (a plan has at most ",
                            kLargestFile, "); run the sweep again, which writes it anew"));
  Json plan = parse_untrusted(read_text(path));
  if (!plan.is_object()) refuse_damaged(path, "it is not a JSON object");
  const Json version = plan.value("version", Json());
  if (version != kPlanVersion)
    throw InputError(concat("'", path.string(), "' has version ", version.dump(),
                            " (this program reads ", kPlanVersion,
                            "); use the aggregate_results of the same release as the "
                            "sweep_runner that wrote it"));
  return plan;
}

}  // namespace

Plan read_plan(const std::filesystem::path& path, const std::string& name) {
  const Json json = parse(path);
  const Node root(json, path, ""), table = root.at("table");
  Plan plan{.name = name,
            .title = table.at("title").text(),
            .sweep = root.at("sweep").object(),
            .resolved = root.at("resolved").object()};
  check_resolved(root.at("resolved"));
  for (const auto& key : table.at("row_keys").list()) plan.row_keys.push_back(key.text());
  for (const auto& hash : root.at("datasets").list()) plan.datasets.push_back(hash.hash());
  std::set<std::string> labels;
  for (const auto& column : table.at("columns").list()) {
    plan.columns.push_back(read_column(column));
    column.at("label").check(labels.insert(plan.columns.back().label).second,
                             "a label of its own (two columns have it)");
  }
  const auto rows = table.at("rows").list();
  table.at("rows").check(rows.size() * std::max<std::size_t>(plan.columns.size(), 1) <= kMostCells,
                         concat("a table of at most ", kMostCells, " cells"));
  for (const auto& row : rows) plan.rows.push_back(read_row(row));
  return plan;
}

std::map<std::string, Json> leaves(const Json& object) {
  std::map<std::string, Json> found;
  for (const auto& [key, value] : object.items()) {
    if (!value.is_object()) {
      found[key] = value;
      continue;
    }
    for (auto& [below, leaf] : leaves(value)) found[concat(key, ".", below)] = std::move(leaf);
  }
  return found;
}

}  // namespace sweep::report
