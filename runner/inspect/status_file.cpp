#include "runner/inspect/status_file.hpp"

#include <ctime>

#include <system_error>

#include "core/error.hpp"
#include "core/untrusted_json.hpp"
#include "runner/inspect/journal_reader.hpp"

namespace sweep::inspect {
namespace {

constexpr std::uintmax_t kLargestStatusFile = std::uintmax_t{64} << 20;

/// Reads keys that may be missing.
class Keys {
 public:
  explicit Keys(const JsonNode& node) : node_(node) {}
  void read(const char* key, std::string& value) const {
    if (const auto found = node_.find(key)) value = found->text();
  }
  void read(const char* key, std::int64_t& value) const {
    if (const auto found = node_.find(key)) value = found->integer();
  }
  void read(const char* key, std::optional<std::int64_t>& value) const {
    if (const auto found = node_.find(key)) value = found->integer();
  }
  void read(const char* key, std::optional<double>& value) const {
    if (const auto found = node_.find(key)) value = found->number();
  }

 private:
  const JsonNode& node_;
};

RankStatus read_rank(const JsonNode& node) {
  RankStatus rank;
  const Keys keys(node);
  keys.read("rank", rank.rank);
  keys.read("host", rank.host);
  keys.read("device", rank.device);
  keys.read("state", rank.state);
  keys.read("label", rank.label);
  keys.read("text", rank.text);
  keys.read("log", rank.log);
  keys.read("attempt", rank.attempt);
  keys.read("task", rank.task);
  keys.read("fraction", rank.fraction);
  keys.read("since_s", rank.since_s);
  keys.read("loss", rank.loss);
  keys.read("images_per_second", rank.images_per_second);
  keys.read("memory_bytes", rank.memory_bytes);
  keys.read("epoch", rank.epoch);
  return rank;
}

}  // namespace

bool is_active(const StatusFile& status) {
  const bool says_so = status.state == "running" || status.state == "draining";
  return says_so && std::time(nullptr) - status.time <= kDiedAfterSeconds;
}

StatusFile read_status(const std::filesystem::path& path) {
  StatusFile status;
  std::error_code error;
  if (!std::filesystem::exists(path, error)) return status;
  const JsonOrigin origin{path.string(),
                          "a run that is active writes it anew every second; else remove it"};
  const Json json = parse_untrusted(read_bounded(path, kLargestStatusFile));
  if (!json.is_object()) refuse_damaged(origin, "it is not a JSON object");
  const JsonNode root(json, origin);
  status.there = true;
  const Keys keys(root);
  keys.read("state", status.state);
  keys.read("host", status.host);
  keys.read("pid", status.pid);
  keys.read("epoch", status.epoch);
  keys.read("elapsed_s", status.elapsed_s);
  keys.read("eta_s", status.eta_s);
  if (const auto time = root.find("time")) status.time = utc_seconds(*time);
  if (const auto ranks = root.find("ranks"))
    ranks->for_each([&](const JsonNode& rank) { status.ranks.push_back(read_rank(rank)); });
  return status;
}

}  // namespace sweep::inspect
