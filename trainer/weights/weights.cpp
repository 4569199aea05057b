#include "trainer/weights/weights.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <string_view>

#include "core/text.hpp"
#include "trainer/named_tensors.hpp"
#include "trainer/weights/pth.hpp"
#include "trainer/weights/safetensors.hpp"

namespace sweep::trainer {
namespace {

constexpr std::string_view kZip = "PK\3\4";

NamedTensors read_by_content(const WeightFile& file) {
  std::array<char, legacy_magic.size()> buffer{};
  const auto start = std::span(buffer).first(std::min<std::uint64_t>(file.size(), buffer.size()));
  file.read(0, std::as_writable_bytes(start));
  const std::string_view text(start.data(), start.size());
  if (text.starts_with(kZip)) return read_pth(file);
  if (text == legacy_magic) return read_legacy_pth(file);
  // Behind the length of its header a safetensors file starts with the header's brace.
  if (text.size() > 8 && text[8] == '{') return read_safetensors(file);
  refuse_weights(file.path(), "it is neither a safetensors file nor one of torch.save",
                 "give the path of weights in one of these formats");
}

/// Takes away what all names start with because of a wrapper around the model.
NamedTensors without_wrappers(NamedTensors tensors) {
  for (const std::string wrapper : {"_orig_mod.", "module.", "_orig_mod."}) {
    auto unwrapped = without_prefix(tensors, wrapper);
    if (unwrapped.size() == tensors.size()) tensors = std::move(unwrapped);
  }
  return tensors;
}

/// Names become parts of messages and of files.
void check_names(const NamedTensors& tensors, const std::filesystem::path& path) {
  constexpr std::size_t kLongest = 256;
  for (const auto& [name, tensor] : tensors)
    if (name.empty() || name.size() > kLongest ||
        std::any_of(name.begin(), name.end(), [](unsigned char c) { return std::iscntrl(c); }))
      refuse_weights(path, concat("a tensor is called ", quote(name),
                                  ", which is empty, long or has control characters"));
}

}  // namespace

NamedTensors read_weights(const std::filesystem::path& path) {
  const WeightFile file(path);
  auto tensors = read_by_content(file);
  check_names(tensors, path);
  return without_wrappers(std::move(tensors));
}

}  // namespace sweep::trainer
