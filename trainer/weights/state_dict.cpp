#include "trainer/weights/state_dict.hpp"

#include <ATen/ATen.h>

#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "core/text.hpp"
#include "trainer/weights/layout.hpp"
#include "trainer/weights/values.hpp"

namespace sweep::trainer {
namespace {

constexpr std::size_t kMaxTensors = 1 << 16;
constexpr std::uint64_t kMaxSharing = 4;
constexpr char kRemedyOfStateDict[] = "save a state_dict: torch.save(model.state_dict(), FILE)";

struct StorageType {
  const char* global;
  at::ScalarType type;
};

constexpr std::array<StorageType, 10> kStorageTypes{{{"torch.DoubleStorage", at::kDouble},
                                                     {"torch.FloatStorage", at::kFloat},
                                                     {"torch.HalfStorage", at::kHalf},
                                                     {"torch.BFloat16Storage", at::kBFloat16},
                                                     {"torch.LongStorage", at::kLong},
                                                     {"torch.IntStorage", at::kInt},
                                                     {"torch.ShortStorage", at::kShort},
                                                     {"torch.CharStorage", at::kChar},
                                                     {"torch.ByteStorage", at::kByte},
                                                     {"torch.BoolStorage", at::kBool}}};

/// A part of a storage.
struct View {
  std::string name;
  Storage storage;
  std::int64_t offset = 0;  ///< in elements, like the strides
  Shape shape, strides;
};

class StateDictReader {
 public:
  StateDictReader(const WeightFile& file, const Pickle& pickle) : file_(file), pickle_(pickle) {}

  NamedTensors read(const ReadStorage& fill) const {
    std::map<std::string, std::vector<View>> by_storage;
    for (auto& view : views()) by_storage[view.storage.key].push_back(std::move(view));
    NamedTensors tensors;
    for (const auto& [key, views] : by_storage) {
      const auto bytes = at::empty({views.front().storage.bytes}, at::kByte);
      fill(key, bytes_of(bytes));
      for (const auto& view : views) tensors.emplace(view.name, values_of(view, bytes));
    }
    return tensors;
  }

 private:
  [[noreturn]] void refuse(const std::string& fault) const {
    refuse_weights(file_.path(), fault, kRemedyOfStateDict);
  }
  [[noreturn]] void refuse(const std::string& name, const std::string& fault) const {
    refuse(concat("tensor ", quote(name), " ", fault));
  }

  bool is_call(const PickleValue& value, const char* global) const {
    return value.kind == PickleValue::Kind::call && pickle_[value.items[0]].text == global;
  }

  bool is_plain_tensor(const PickleValue& value) const {
    return is_call(value, "torch._utils._rebuild_tensor_v2") ||
           is_call(value, "torch._utils._rebuild_tensor");
  }
  bool is_parameter(const PickleValue& value) const {
    return is_call(value, "torch._utils._rebuild_parameter");
  }

  /// Calls `visit` with every key and value of a dictionary.
  template <class Visit>
  void for_each_item(const PickleValue& dict, const Visit& visit) const {
    for (std::size_t i = 0; i + 1 < dict.items.size(); i += 2)
      visit(pickle_[dict.items[i]], pickle_[dict.items[i + 1]]);
  }

  /// The dictionary of tensors.
  const PickleValue& weights() const {
    const PickleValue& root = pickle_[pickle_.root];
    if (root.kind != PickleValue::Kind::dict) refuse("it holds no dictionary of tensors");
    const PickleValue* found = nullptr;
    for_each_item(root, [&](const PickleValue&, const PickleValue& value) {
      if (is_plain_tensor(value) || is_parameter(value)) found = &root;
    });
    for (const char* name : {"state_dict", "model", "model_state_dict"})
      for_each_item(root, [&](const PickleValue& key, const PickleValue& value) {
        if (!found && key.kind == PickleValue::Kind::text && key.text == name &&
            value.kind == PickleValue::Kind::dict)
          found = &value;
      });
    if (!found)
      refuse("it holds no tensors, nor a dictionary of them under 'state_dict' or 'model'");
    return *found;
  }

  /// Checked against each other, against their storages and against the size of the file.
  std::vector<View> views() const {
    std::vector<View> views;
    std::set<std::string> names;
    std::map<std::string, std::int64_t> storages;
    std::uint64_t bytes = 0;
    for_each_item(weights(), [&](const PickleValue& key, const PickleValue& value) {
      if (key.kind != PickleValue::Kind::text) refuse("a tensor has a name that is no text");
      if (!names.insert(key.text).second) refuse(key.text, "is there twice");
      if (!is_plain_tensor(value) && !is_parameter(value))
        refuse(concat("its entry ", quote(key.text), " is no tensor"));
      if (views.size() == kMaxTensors) refuse(concat("it has more than ", kMaxTensors, " tensors"));
      const View& view = views.emplace_back(view_of(key.text, value));
      const auto& [storage_key, type, elements, storage_bytes] = view.storage;
      if (storages.emplace(storage_key, storage_bytes).first->second != storage_bytes)
        refuse(key.text, "gives its storage another size than a tensor before it");
      bytes += static_cast<std::uint64_t>(byte_count(view.shape, type).value());
      if (bytes > kMaxSharing * file_.size())
        refuse(concat("its tensors have more than ", kMaxSharing, " times its bytes"));
    });
    return views;
  }

  View view_of(const std::string& name, const PickleValue& value) const {
    const auto& arguments = arguments_of(value);
    if (!is_parameter(value)) return view_from(name, arguments);
    if (arguments.empty() || !is_plain_tensor(pickle_[arguments[0]]))
      refuse(name, "is a parameter without values");
    return view_from(name, arguments_of(pickle_[arguments[0]]));
  }

  const std::vector<PickleValue::Index>& arguments_of(const PickleValue& call) const {
    return pickle_[call.items[1]].items;
  }

  /// @param arguments  storage, offset, shape, strides, and more that is for gradients alone
  View view_from(const std::string& name, const std::vector<PickleValue::Index>& arguments) const {
    if (arguments.size() < 4)
      refuse(name, "is not described by storage, offset, shape and strides");
    View view{.name = name, .storage = storage_of(name, pickle_[arguments[0]])};
    const auto& offset = pickle_[arguments[1]];
    view.shape = numbers(name, pickle_[arguments[2]]);
    view.strides = numbers(name, pickle_[arguments[3]]);
    const auto count = element_count(view.shape);
    const auto needed = storage_needed(
        offset.kind == PickleValue::Kind::integer ? offset.integer : -1, view.shape, view.strides);
    if (!count || !needed) refuse(name, concat("has an impossible layout: ", layout_text(view)));
    if (*needed > view.storage.elements || *count > view.storage.elements)
      refuse(name, concat("of the layout ", layout_text(view), " reaches beyond its storage of ",
                          view.storage.elements, " elements"));
    view.offset = offset.integer;
    return view;
  }

  static std::string layout_text(const View& view) {
    return concat("shape ", shape_text(view.shape), ", strides ", shape_text(view.strides));
  }

  Storage storage_of(const std::string& name, const PickleValue& stored) const {
    auto storage = read_storage(pickle_, stored);
    if (!storage) refuse(name, "has no storage of a known type and size");
    if (static_cast<std::uint64_t>(storage->bytes) > file_.size())
      refuse(name, concat("has a storage of ", storage->elements,
                          " elements, more than the file has room for"));
    return *std::move(storage);
  }

  Shape numbers(const std::string& name, const PickleValue& tuple) const {
    Shape values;
    const bool is_short =
        tuple.kind == PickleValue::Kind::tuple && tuple.items.size() <= max_dimensions;
    if (!is_short) refuse(name, "has a shape or strides that are no short tuple");
    for (const auto index : tuple.items) {
      if (pickle_[index].kind != PickleValue::Kind::integer)
        refuse(name, "has a size that is no whole number");
      values.push_back(pickle_[index].integer);
    }
    return values;
  }

  at::Tensor values_of(const View& view, const at::Tensor& storage) const {
    const auto elements = storage.view(view.storage.type);
    if (!is_valid(elements)) refuse(view.name, "has truth values that are neither 0 nor 1");
    return elements.as_strided(view.shape, view.strides, view.offset)
        .clone(at::MemoryFormat::Contiguous);
  }

  const WeightFile& file_;
  const Pickle& pickle_;
};

}  // namespace

std::optional<Storage> read_storage(const Pickle& pickle, const PickleValue& stored) {
  if (stored.kind != PickleValue::Kind::stored) return std::nullopt;
  const auto& id = pickle[stored.items[0]];
  if (id.kind != PickleValue::Kind::tuple || id.items.size() < 5 || id.items.size() > 6)
    return std::nullopt;
  const auto part = [&](std::size_t i) -> const PickleValue& { return pickle[id.items[i]]; };
  const auto* type =
      std::find_if(kStorageTypes.begin(), kStorageTypes.end(), [&](const auto& candidate) {
        return part(1).kind == PickleValue::Kind::global && part(1).text == candidate.global;
      });
  const bool is_known = part(0).text == "storage" && type != kStorageTypes.end() &&
                        part(2).kind == PickleValue::Kind::text &&
                        part(4).kind == PickleValue::Kind::integer &&
                        (id.items.size() == 5 || part(5).kind == PickleValue::Kind::none);
  const auto bytes = is_known ? byte_count({part(4).integer}, type->type) : std::nullopt;
  if (!bytes) return std::nullopt;
  return Storage{part(2).text, type->type, part(4).integer, *bytes};
}

NamedTensors read_state_dict(const WeightFile& file, const Pickle& pickle,
                             const ReadStorage& fill) {
  return StateDictReader(file, pickle).read(fill);
}

}  // namespace sweep::trainer
