#include "trainer/weights/safetensors.hpp"

#include <ATen/ATen.h>

#include <algorithm>
#include <array>
#include <bit>
#include <set>

#include "core/error.hpp"
#include "core/json.hpp"
#include "core/text.hpp"
#include "trainer/weights/layout.hpp"
#include "trainer/weights/values.hpp"
#include "trainer/weights/weights.hpp"

namespace sweep::trainer {
namespace {

static_assert(std::endian::native == std::endian::little, "the bytes of the format are used as is");

constexpr char kMetadata[] = "__metadata__";
constexpr std::uint64_t kLengthBytes = 8;
// The format allows 100 MB; the headers of real models have a hundred bytes per tensor.
constexpr std::uint64_t kMaxHeaderBytes = 16 << 20;

struct TypeName {
  const char* name;
  at::ScalarType type;
};

constexpr std::array<TypeName, 10> kTypes{{{"F64", at::kDouble},
                                           {"F32", at::kFloat},
                                           {"F16", at::kHalf},
                                           {"BF16", at::kBFloat16},
                                           {"I64", at::kLong},
                                           {"I32", at::kInt},
                                           {"I16", at::kShort},
                                           {"I8", at::kChar},
                                           {"U8", at::kByte},
                                           {"BOOL", at::kBool}}};

struct Entry {
  std::string name;
  at::ScalarType type = at::kFloat;
  Shape shape;
  std::uint64_t begin = 0, end = 0;  ///< in the bytes behind the header
};

class SafetensorsReader {
 public:
  explicit SafetensorsReader(const WeightFile& file) : file_(file) {}

  NamedTensors read() {
    const std::string header = read_header();
    data_at_ = kLengthBytes + header.size();
    const auto entries = entries_of(parse(header));
    check_places(entries);
    NamedTensors tensors;
    for (const auto& entry : entries) tensors.emplace(entry.name, values_of(entry));
    return tensors;
  }

 private:
  [[noreturn]] void refuse(const std::string& fault) const { refuse_weights(file_.path(), fault); }
  [[noreturn]] void refuse(const std::string& name, const std::string& fault) const {
    refuse(concat("tensor ", quote(name), " ", fault));
  }

  std::string read_header() const {
    std::uint64_t length = 0;
    if (file_.size() < kLengthBytes) refuse("it is too short for a header");
    file_.read(0, std::as_writable_bytes(std::span(&length, 1)));
    if (length > file_.size() - kLengthBytes)
      refuse(concat("its header of ", length, " bytes is beyond its end at ", file_.size()));
    if (length > kMaxHeaderBytes)
      refuse(concat("its header of ", length, " bytes is longer than ", kMaxHeaderBytes));
    std::string header(length, '\0');
    file_.read(kLengthBytes, std::as_writable_bytes(std::span(header)));
    return header;
  }

  Json parse(const std::string& header) const {
    // {"NAME": {"shape": [ is the deepest that there is.
    constexpr int kMaxDepth = 3;
    std::set<std::string> names;
    const auto check = [&](int depth, Json::parse_event_t event, Json& parsed) {
      if (depth > kMaxDepth) refuse("its header is nested too deeply");
      if (event == Json::parse_event_t::key && depth == 1 &&
          !names.insert(parsed.get<std::string>()).second)
        refuse(parsed.get<std::string>(), "is there twice");
      return true;
    };
    try {
      Json json = Json::parse(header, check);
      if (!json.is_object()) refuse("its header is no JSON object");
      return json;
    } catch (const Json::exception& error) {
      refuse(concat("its header is no JSON: ", quote(error.what())));
    }
  }

  std::vector<Entry> entries_of(const Json& header) const {
    std::vector<Entry> entries;
    for (const auto& [name, described] : header.items())
      if (name != kMetadata) entries.push_back(entry_of(name, described));
    return entries;
  }

  Entry entry_of(const std::string& name, const Json& described) const {
    const auto member = [&](const char* key) {
      return described.is_object() && described.contains(key) ? described.at(key) : Json();
    };
    const auto type = member("dtype"), shape = member("shape"), place = member("data_offsets");
    const auto* known = std::find_if(kTypes.begin(), kTypes.end(),
                                     [&](const auto& candidate) { return type == candidate.name; });
    if (known == kTypes.end())
      refuse(name,
             concat("has the type ", quote(type.is_string() ? type.get<std::string>() : "none"),
                    ", which is not among those that are read"));
    const auto dimensions = numbers(shape), offsets = numbers(place);
    if (!dimensions) refuse(name, "has no shape of whole numbers");
    if (!offsets || offsets->size() != 2) refuse(name, "has no data_offsets of two whole numbers");
    return {name, known->type, *dimensions, static_cast<std::uint64_t>(offsets->front()),
            static_cast<std::uint64_t>(offsets->back())};
  }

  /// A list of whole numbers, none of them negative.
  static std::optional<Shape> numbers(const Json& list) {
    if (!list.is_array()) return std::nullopt;
    Shape values;
    for (const auto& number : list) {
      if (!number.is_number_unsigned() || number.get<std::uint64_t>() >> 63) return std::nullopt;
      values.push_back(number.get<std::int64_t>());
    }
    return values;
  }

  /// Every tensor has the bytes of its shape, and they follow each other up to the file's end: with
  /// that the memory of all tensors together is that of the file.
  void check_places(std::vector<Entry> entries) const {
    const std::uint64_t data_bytes = file_.size() - data_at_;
    std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
      return std::tie(a.begin, a.end) < std::tie(b.begin, b.end);
    });
    std::uint64_t next = 0;
    for (const auto& entry : entries) {
      if (entry.begin > entry.end || entry.end > data_bytes)
        refuse(entry.name,
               concat("lies at the bytes ", entry.begin, " to ", entry.end, " of ", data_bytes));
      if (entry.begin != next)
        refuse(entry.name, entry.begin < next ? "overlaps the one before it"
                                              : "leaves a gap behind the one before it");
      const auto bytes = byte_count(entry.shape, entry.type);
      if (!bytes || static_cast<std::uint64_t>(*bytes) != entry.end - entry.begin)
        refuse(entry.name,
               concat("has ", entry.end - entry.begin, " bytes, which are not those of ",
                      shape_text(entry.shape), " ", at::toString(entry.type)));
      next = entry.end;
    }
    if (next != data_bytes)
      refuse(concat("its last ", data_bytes - next, " bytes belong to no tensor"));
  }

  at::Tensor values_of(const Entry& entry) const {
    auto tensor = at::empty(entry.shape, entry.type);
    file_.read(data_at_ + entry.begin, bytes_of(tensor));
    if (!is_valid(tensor)) refuse(entry.name, "has truth values that are neither 0 nor 1");
    return tensor;
  }

  const WeightFile& file_;
  std::uint64_t data_at_ = 0;
};

std::string type_name(const std::string& name, at::ScalarType type) {
  for (const auto& candidate : kTypes)
    if (candidate.type == type) return candidate.name;
  throw Error(FailureType::internal, concat("tensor ", quote(name), " of type ", at::toString(type),
                                            " can't be written as safetensors"));
}

}  // namespace

NamedTensors read_safetensors(const WeightFile& file) {
  return SafetensorsReader(file).read();
}

void write_safetensors(const std::filesystem::path& path, const NamedTensors& tensors) {
  std::vector<std::pair<std::string, at::Tensor>> ordered;
  for (const auto& [name, tensor] : tensors)
    ordered.emplace_back(name, tensor.detach().to(at::kCPU).contiguous());
  // Wide elements first: every tensor is then aligned to its elements.
  std::stable_sort(ordered.begin(), ordered.end(), [](const auto& a, const auto& b) {
    return a.second.element_size() > b.second.element_size();
  });
  Json header{{kMetadata, {{"format", "pt"}}}};
  std::size_t end = 0;
  for (const auto& [name, tensor] : ordered) {
    if (name == kMetadata)
      throw Error(FailureType::internal, concat("no tensor can be called ", kMetadata));
    const std::size_t begin = end;
    end += tensor.nbytes();
    header[name] = {{"dtype", type_name(name, tensor.scalar_type())},
                    {"shape", tensor.sizes().vec()},
                    {"data_offsets", {begin, end}}};
  }
  std::string text = header.dump();
  text.resize((text.size() + kLengthBytes - 1) / kLengthBytes * kLengthBytes, ' ');
  const std::uint64_t length = text.size();
  std::vector<std::span<const std::byte>> pieces{std::as_bytes(std::span(&length, 1)),
                                                 std::as_bytes(std::span(text))};
  for (const auto& [name, tensor] : ordered) pieces.push_back(bytes_of(tensor));
  write_atomically(path, pieces);
}

}  // namespace sweep::trainer
