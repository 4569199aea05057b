#include <algorithm>
#include <map>
#include <vector>

#include "core/text.hpp"
#include "trainer/weights/pickle.hpp"
#include "trainer/weights/pth.hpp"
#include "trainer/weights/state_dict.hpp"

namespace sweep::trainer {
namespace {

/// Pickles one after the other.
class Pickles {
 public:
  explicit Pickles(const WeightFile& file)
      : file_(file), bytes_(std::min(file.size() - legacy_magic.size(), kMaxPickleBytes)) {
    file.read(legacy_magic.size(), bytes_);
  }

  Pickle next() {
    auto pickle = read_pickle(file_.path(), std::span(bytes_).subspan(at_));
    at_ += pickle.bytes;
    return pickle;
  }

  /// Where the file goes on behind them.
  std::uint64_t end() const { return legacy_magic.size() + at_; }

 private:
  const WeightFile& file_;
  std::vector<std::byte> bytes_;
  std::size_t at_ = 0;
};

void check_version(const WeightFile& file, const Pickle& version) {
  constexpr std::int64_t kVersion = 1001;
  if (version[version.root].integer != kVersion)
    refuse_weights(file.path(), "it is in an unknown version of the format before PyTorch 1.6");
}

void check_byte_order(const WeightFile& file, const Pickle& machine) {
  const auto& root = machine[machine.root];
  if (root.kind == PickleValue::Kind::dict)
    for (std::size_t i = 0; i + 1 < root.items.size(); i += 2)
      if (machine[root.items[i]].text == "little_endian" && machine[root.items[i + 1]].integer == 1)
        return;
  refuse_weights(file.path(), "its bytes are not in little-endian order",
                 "save it again on a little-endian machine");
}

struct Place {
  std::uint64_t begin = 0, bytes = 0;
};

/// Where every storage lies, in the order of their keys from `begin` on, up to the file's end.
std::map<std::string, Place> places_of(const WeightFile& file, const Pickle& value,
                                       const Pickle& keys, std::uint64_t begin) {
  std::map<std::string, Storage> storages;
  for (const auto& candidate : value.values)
    if (auto storage = read_storage(value, candidate))
      storages.emplace(storage->key, *std::move(storage));
  const auto& list = keys[keys.root];
  std::map<std::string, Place> places;
  for (const auto index : list.items) {
    const auto& key = keys[index].text;
    const auto storage = storages.find(key);
    if (list.kind != PickleValue::Kind::list || storage == storages.end())
      refuse_weights(file.path(), concat("its storage ", quote(key), " is of an unknown kind"));
    std::int64_t elements = 0;
    file.read(begin, std::as_writable_bytes(std::span(&elements, 1)));
    begin += sizeof elements;
    const auto bytes = static_cast<std::uint64_t>(storage->second.bytes);
    if (elements != storage->second.elements || bytes > file.size() - begin)
      refuse_weights(file.path(), concat("its storage ", quote(key), " has not the ",
                                         storage->second.elements, " elements that it should"));
    if (!places.emplace(key, Place{begin, bytes}).second)
      refuse_weights(file.path(), concat("its storage ", quote(key), " is there twice"));
    begin += bytes;
  }
  if (begin != file.size())
    refuse_weights(file.path(),
                   concat("its last ", file.size() - begin, " bytes belong to nothing"));
  return places;
}

}  // namespace

NamedTensors read_legacy_pth(const WeightFile& file) {
  Pickles pickles(file);
  check_version(file, pickles.next());
  check_byte_order(file, pickles.next());
  const Pickle value = pickles.next(), keys = pickles.next();
  const auto places = places_of(file, value, keys, pickles.end());
  return read_state_dict(file, value, [&](const std::string& key, std::span<std::byte> bytes) {
    const auto place = places.find(key);
    if (place == places.end() || place->second.bytes != bytes.size())
      refuse_weights(file.path(), concat("it lacks the storage ", quote(key)));
    file.read(place->second.begin, bytes);
  });
}

}  // namespace sweep::trainer
