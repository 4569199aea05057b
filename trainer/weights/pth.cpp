#include "trainer/weights/pth.hpp"

#include <algorithm>

#include "core/text.hpp"
#include "trainer/weights/archive.hpp"
#include "trainer/weights/pickle.hpp"
#include "trainer/weights/state_dict.hpp"

namespace sweep::trainer {
namespace {

constexpr char kPickle[] = "/data.pkl";

std::string read_entry(const WeightFile& file, const Archive& archive, const std::string& name) {
  const auto size = archive.size(name);
  if (size > kMaxPickleBytes)
    refuse_weights(file.path(), concat("entry ", quote(name), " of ", size,
                                       " bytes is longer than ", kMaxPickleBytes));
  std::string text(size, '\0');
  archive.read(name, std::as_writable_bytes(std::span(text)));
  return text;
}

/// The folder that all entries lie in.
std::string folder_of(const WeightFile& file, const Archive& archive) {
  auto names = archive.names();
  std::erase_if(names, [](const std::string& name) { return !name.ends_with(kPickle); });
  if (names.size() != 1)
    refuse_weights(file.path(),
                   concat("it has ", names.size(), " entries called data.pkl and should have one"),
                   "save a state_dict: torch.save(model.state_dict(), FILE)");
  return names.front().substr(0, names.front().size() - (sizeof kPickle - 1));
}

}  // namespace

NamedTensors read_pth(const WeightFile& file) {
  const Archive archive(file);
  const std::string folder = folder_of(file, archive);
  if (archive.contains(folder + "/constants.pkl"))
    refuse_weights(file.path(), "it is a TorchScript program and not weights",
                   "save a state_dict: torch.save(torch.jit.load(FILE).state_dict(), OTHER)");
  const std::string order_entry = folder + "/byteorder";
  if (archive.contains(order_entry) && read_entry(file, archive, order_entry) != "little")
    refuse_weights(file.path(), "its bytes are not in little-endian order",
                   "save it again on a little-endian machine");
  const std::string bytes = read_entry(file, archive, folder + kPickle);
  const Pickle pickle = read_pickle(file.path(), std::as_bytes(std::span(bytes)));
  return read_state_dict(file, pickle, [&](const std::string& key, std::span<std::byte> storage) {
    archive.read(concat(folder, "/data/", key), storage);
  });
}

}  // namespace sweep::trainer
