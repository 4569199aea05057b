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

using Kind = PickleValue::Kind;

constexpr std::size_t kMaxTensors = 1 << 16;
constexpr std::uint64_t kMaxSharing = 4;
constexpr char kRemedy[] = "save a state_dict: torch.save(model.state_dict(), FILE)";

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
  std::string name, key;
  at::ScalarType type = at::kFloat;
  std::int64_t storage_bytes = 0, offset = 0;  ///< the offset in elements
  Shape shape, strides;
};

class Reader {
 public:
  Reader(const WeightFile& file, const Pickle& pickle) : file_(file), pickle_(pickle) {}

  NamedTensors read(const ReadStorage& read_storage) const {
    std::map<std::string, std::vector<View>> by_storage;
    for (auto& view : views()) by_storage[view.key].push_back(std::move(view));
    NamedTensors tensors;
    for (const auto& [key, views] : by_storage) {
      const auto bytes = at::empty({views.front().storage_bytes}, at::kByte);
      read_storage(key, bytes_of(bytes));
      for (const auto& view : views) tensors.emplace(view.name, values_of(view, bytes));
    }
    return tensors;
  }

 private:
  [[noreturn]] void refuse(const std::string& fault) const {
    refuse_weights(file_.path(), fault, kRemedy);
  }
  [[noreturn]] void refuse(const std::string& name, const std::string& fault) const {
    refuse(concat("tensor ", quote(name), " ", fault));
  }

  bool is_call(const PickleValue& value, const char* global) const {
    return value.kind == Kind::call && pickle_[value.items[0]].text == global;
  }

  bool is_tensor(const PickleValue& value) const {
    return is_call(value, "torch._utils._rebuild_tensor_v2") ||
           is_call(value, "torch._utils._rebuild_parameter");
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
    if (root.kind != Kind::dict) refuse("it holds no dictionary of tensors");
    const PickleValue* found = nullptr;
    for_each_item(root, [&](const PickleValue&, const PickleValue& value) {
      if (is_tensor(value)) found = &root;
    });
    for (const char* name : {"state_dict", "model", "model_state_dict"})
      for_each_item(root, [&](const PickleValue& key, const PickleValue& value) {
        if (!found && key.kind == Kind::text && key.text == name && value.kind == Kind::dict)
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
      if (key.kind != Kind::text) refuse("a tensor has a name that is no text");
      if (!names.insert(key.text).second) refuse(key.text, "is there twice");
      if (!is_tensor(value)) refuse(concat("its entry ", quote(key.text), " is no tensor"));
      if (views.size() == kMaxTensors) refuse(concat("it has more than ", kMaxTensors, " tensors"));
      const View& view = views.emplace_back(view_of(key.text, value));
      if (storages.emplace(view.key, view.storage_bytes).first->second != view.storage_bytes)
        refuse(key.text, "gives its storage another size than a tensor before it");
      bytes += static_cast<std::uint64_t>(byte_count(view.shape, view.type).value());
      if (bytes > kMaxSharing * file_.size())
        refuse(concat("its tensors have more than ", kMaxSharing, " times its bytes"));
    });
    return views;
  }

  View view_of(const std::string& name, const PickleValue& value) const {
    const auto& arguments = arguments_of(value);
    if (!is_call(value, "torch._utils._rebuild_parameter")) return view_from(name, arguments);
    if (arguments.empty() || !is_call(pickle_[arguments[0]], "torch._utils._rebuild_tensor_v2"))
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
    View view{.name = name};
    const auto storage_elements = read_storage_id(view, pickle_[arguments[0]]);
    const auto& offset = pickle_[arguments[1]];
    view.shape = numbers(name, pickle_[arguments[2]]);
    view.strides = numbers(name, pickle_[arguments[3]]);
    const auto count = element_count(view.shape);
    const auto needed = storage_needed(offset.kind == Kind::integer ? offset.integer : -1,
                                       view.shape, view.strides);
    if (!count || !needed) refuse(name, concat("has an impossible layout: ", layout_text(view)));
    if (*needed > storage_elements || *count > storage_elements)
      refuse(name, concat("of the layout ", layout_text(view), " reaches beyond its storage of ",
                          storage_elements, " elements"));
    view.offset = offset.integer;
    return view;
  }

  static std::string layout_text(const View& view) {
    return concat("shape ", shape_text(view.shape), ", strides ", shape_text(view.strides));
  }

  /// Fills in what ("storage", TYPE, KEY, DEVICE, ELEMENTS) says. Returns the elements.
  std::int64_t read_storage_id(View& view, const PickleValue& stored) const {
    if (stored.kind != Kind::stored) refuse(view.name, "has no storage");
    const auto& id = pickle_[stored.items[0]];
    if (id.kind != Kind::tuple || id.items.size() < 5) refuse(view.name, "has an unknown storage");
    const auto part = [&](std::size_t i) -> const PickleValue& { return pickle_[id.items[i]]; };
    const auto* type =
        std::find_if(kStorageTypes.begin(), kStorageTypes.end(), [&](const auto& candidate) {
          return part(1).kind == Kind::global && part(1).text == candidate.global;
        });
    if (part(0).text != "storage" || type == kStorageTypes.end() || part(2).kind != Kind::text ||
        part(4).kind != Kind::integer)
      refuse(view.name, "has an unknown storage");
    view.key = part(2).text;
    view.type = type->type;
    const auto bytes = byte_count({part(4).integer}, view.type);
    if (!bytes || static_cast<std::uint64_t>(*bytes) > file_.size())
      refuse(view.name, concat("has a storage of ", part(4).integer,
                               " elements, more than the file has room for"));
    view.storage_bytes = *bytes;
    return part(4).integer;
  }

  Shape numbers(const std::string& name, const PickleValue& tuple) const {
    Shape values;
    const bool is_short = tuple.kind == Kind::tuple && tuple.items.size() <= max_dimensions;
    if (!is_short) refuse(name, "has a shape or strides that are no short tuple");
    for (const auto index : tuple.items) {
      if (pickle_[index].kind != Kind::integer) refuse(name, "has a size that is no whole number");
      values.push_back(pickle_[index].integer);
    }
    return values;
  }

  at::Tensor values_of(const View& view, const at::Tensor& storage) const {
    const auto elements = storage.view(view.type);
    if (!is_valid(elements)) refuse(view.name, "has truth values that are neither 0 nor 1");
    return elements.as_strided(view.shape, view.strides, view.offset)
        .clone(at::MemoryFormat::Contiguous);
  }

  const WeightFile& file_;
  const Pickle& pickle_;
};

}  // namespace

NamedTensors read_state_dict(const WeightFile& file, const Pickle& pickle,
                             const ReadStorage& read_storage) {
  return Reader(file, pickle).read(read_storage);
}

}  // namespace sweep::trainer
