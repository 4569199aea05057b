#include "runner/plan/extends.hpp"

#include <algorithm>
#include <vector>

#include "core/error.hpp"
#include "core/text.hpp"
#include "runner/plan/range.hpp"

namespace sweep::plan {
namespace {

namespace fs = std::filesystem;

constexpr char kExtends[] = "extends";
constexpr std::size_t kMaxDepth = 16;

bool is_at_or_below(const std::string& key, const std::string& path) {
  return key.starts_with(path) &&
         (key.size() == path.size() || key[path.size()] == '.' || key[path.size()] == '[');
}

/// Whether both are tables of keys that go together.
bool belong_together(const Json& base, const Json& top, const std::string& path) {
  if (!base.is_object() || !top.is_object() || is_range(base) || is_range(top)) return false;
  const bool component =
      path == "dataset" || path == "model" || path == "defence" || path == "preprocessor";
  const bool attack = path.starts_with("attacks.");
  const char* name = component ? "name" : "method";
  return !(component || attack) || !top.contains(name) || !base.contains(name) ||
         top.at(name) == base.at(name);
}

class Merger {
 public:
  Merger(Document& base, const Document& top) : base_(base), top_(top) {}

  void merge(Json& base, const Json& top, const std::string& parent) {
    for (const auto& [key, value] : top.items()) {
      const std::string path = parent.empty() ? key : concat(parent, ".", key);
      if (base.contains(key) && belong_together(base.at(key), value, path)) {
        if (const auto place = top_.locations.find(path); place != top_.locations.end())
          base_.locations[path] = place->second;
        merge(base[key], value, path);
      } else {
        replace(base[key], value, path);
      }
    }
  }

 private:
  void replace(Json& base, const Json& top, const std::string& path) {
    base = top;
    std::erase_if(base_.locations,
                  [&](const auto& entry) { return is_at_or_below(entry.first, path); });
    for (auto place = top_.locations.lower_bound(path);
         place != top_.locations.end() && place->first.starts_with(path); ++place)
      if (is_at_or_below(place->first, path)) base_.locations.insert(*place);
  }

  Document& base_;
  const Document& top_;
};

fs::path base_of(const Document& document, const fs::path& file) {
  const Json& value = document.root.at(kExtends);
  const std::string place = concat(document.location_of(kExtends), ": extends = ", value.dump());
  if (!value.is_string() || value.get_ref<const std::string&>().empty())
    throw InputError(concat(place, " is no path; give that of a sweep file"));
  const fs::path base = file.parent_path() / value.get<std::string>();
  std::error_code error;
  if (!fs::is_regular_file(base, error))
    throw InputError(concat(place, " is no file (it is looked for at '", base.string(),
                            "'); give a path relative to this file"));
  return base;
}

/// @param chain  canonical paths of the files that lead here, this one last
Document read(const fs::path& file, std::vector<fs::path>& chain) {
  Document document = read_toml(file);
  if (!document.root.contains(kExtends)) return document;
  const fs::path base = base_of(document, file);
  const fs::path canonical = fs::weakly_canonical(base);
  const std::string place = document.location_of(kExtends);
  if (std::find(chain.begin(), chain.end(), canonical) != chain.end())
    throw InputError(concat(place, ": extends leads back to '", base.string(),
                            "' (a file can't stand on itself); break the circle"));
  if (chain.size() >= kMaxDepth)
    throw InputError(concat(place, ": more than ", kMaxDepth,
                            " files stand on each other (nobody could follow them); extend a file "
                            "further down"));
  chain.push_back(canonical);
  Document merged = read(base, chain);
  document.root.erase(kExtends);
  document.locations.erase(kExtends);
  Merger(merged, document).merge(merged.root, document.root, "");
  merged.file = document.file;
  return merged;
}

}  // namespace

Document read_extended(const fs::path& file) {
  std::error_code error;
  std::vector<fs::path> chain{fs::weakly_canonical(file, error)};
  return read(file, chain);
}

}  // namespace sweep::plan
