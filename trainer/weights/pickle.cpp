#include "trainer/weights/pickle.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <map>
#include <string_view>

#include "core/text.hpp"
#include "trainer/weights/file.hpp"

namespace sweep::trainer {
namespace {

using Kind = PickleValue::Kind;
using Index = PickleValue::Index;

constexpr std::size_t kMaxOperations = 1 << 20;
constexpr char kOrderedDict[] = "collections.OrderedDict";

constexpr std::array kGlobals{kOrderedDict,
                              "torch._utils._rebuild_tensor",
                              "torch._utils._rebuild_tensor_v2",
                              "torch._utils._rebuild_parameter",
                              "torch.DoubleStorage",
                              "torch.FloatStorage",
                              "torch.HalfStorage",
                              "torch.BFloat16Storage",
                              "torch.LongStorage",
                              "torch.IntStorage",
                              "torch.ShortStorage",
                              "torch.CharStorage",
                              "torch.ByteStorage",
                              "torch.BoolStorage"};

/// Python's stack machine for pickles, over descriptions of values.
class Interpreter {
 public:
  Interpreter(const std::filesystem::path& path, std::span<const std::byte> bytes)
      : path_(path), bytes_(bytes) {}

  Pickle run() {
    for (std::size_t count = 0; !stopped_; ++count) {
      if (count == kMaxOperations)
        refuse(concat("it has more than ", kMaxOperations, " operations"));
      execute(number<std::uint8_t>());
    }
    pickle_.root = pop();
    pickle_.bytes = at_;
    return std::move(pickle_);
  }

 private:
  [[noreturn]] void refuse(const std::string& fault) const {
    refuse_weights(path_, concat("its pickle is not one of weights: ", fault, ", at byte ", at_),
                   "save a state_dict: torch.save(model.state_dict(), FILE)");
  }

  [[noreturn]] void refuse_global(const std::string& name) const {
    refuse_weights(path_,
                   concat("its pickle asks for ", quote(name),
                          ", which is code and no tensor; nothing of it was executed"),
                   "if you trust where it is from, load it in Python and save the weights alone: "
                   "torch.save(model.state_dict(), FILE)");
  }

  // --- the bytes

  std::string_view take(std::uint64_t count) {
    if (count > bytes_.size() - at_)
      refuse(concat("it ends inside of a value of ", count, " bytes"));
    const auto* begin = reinterpret_cast<const char*>(bytes_.data()) + at_;
    at_ += count;
    return {begin, static_cast<std::size_t>(count)};
  }

  template <class Number>
  Number number() {
    Number value{};
    std::memcpy(&value, take(sizeof value).data(), sizeof value);
    return value;
  }

  std::string line() {
    const auto rest = bytes_.subspan(at_);
    const auto end = std::find(rest.begin(), rest.end(), std::byte{'\n'});
    if (end == rest.end()) refuse("it ends inside of a name");
    std::string text(take(static_cast<std::uint64_t>(end - rest.begin())));
    take(1);
    return text;
  }

  // --- stack and memo

  void push_new(PickleValue value) {
    stack_.push_back(pickle_.values.size());
    pickle_.values.push_back(std::move(value));
  }
  void push_integer(std::int64_t value, Kind kind = Kind::integer) {
    push_new({.kind = kind, .integer = value});
  }
  void push_text(std::uint64_t length) {
    push_new({.kind = Kind::text, .text = std::string(take(length))});
  }

  /// Little-endian with a sign, of any length; those of more than 8 bytes are no sizes.
  void push_long(std::uint64_t length) {
    const auto digits = take(length);
    if (length > sizeof(std::int64_t)) refuse("it has a whole number beyond 64 bits");
    std::int64_t value = !digits.empty() && (digits.back() & 0x80) ? -1 : 0;
    std::memcpy(&value, digits.data(), digits.size());
    push_integer(value);
  }

  /// Big-endian.
  void push_real() {
    std::uint64_t bits = 0;
    for (const char byte : take(sizeof bits)) bits = bits << 8 | static_cast<std::uint8_t>(byte);
    push_new({.kind = Kind::real, .real = std::bit_cast<double>(bits)});
  }

  /// First element of the stack that belongs to what is behind the last mark.
  std::size_t floor() const { return marks_.empty() ? 0 : marks_.back(); }

  Index pop() {
    const Index top = peek();
    stack_.pop_back();
    return top;
  }

  Index peek() const {
    if (stack_.size() <= floor()) refuse("it takes more from its stack than there is");
    return stack_.back();
  }

  std::vector<Index> pop_last(std::size_t count) {
    if (stack_.size() - floor() < count) refuse("it takes more from its stack than there is");
    const auto first = stack_.end() - static_cast<std::ptrdiff_t>(count);
    std::vector<Index> last(first, stack_.end());
    stack_.erase(first, stack_.end());
    return last;
  }

  std::vector<Index> pop_to_mark() {
    if (marks_.empty()) refuse("it goes back to a mark that is not there");
    auto items = pop_last(stack_.size() - marks_.back());
    marks_.pop_back();
    return items;
  }

  void memoize(std::size_t key) { memo_[key] = peek(); }

  void recall(std::size_t key) {
    const auto found = memo_.find(key);
    if (found == memo_.end()) refuse("it recalls a value that it has not kept");
    stack_.push_back(found->second);
  }

  // --- containers, globals and calls

  void push_container(Kind kind, std::vector<Index> items) {
    push_new({.kind = kind, .items = std::move(items)});
  }

  /// Adds to the container on the top.
  void extend(Kind kind, const std::vector<Index>& items) {
    auto& container = pickle_.values[peek()];
    if (container.kind != kind) refuse("it adds to a value that is no container of this kind");
    if (kind == Kind::dict && items.size() % 2 != 0) refuse("it has a key without a value");
    container.items.insert(container.items.end(), items.begin(), items.end());
  }

  void push_global(const std::string& module, const std::string& name) {
    const std::string full = concat(module, ".", name);
    if (std::find(kGlobals.begin(), kGlobals.end(), full) == kGlobals.end()) refuse_global(full);
    push_new({.kind = Kind::global, .text = full});
  }

  void push_global() {
    const std::string module = line(), name = line();
    push_global(module, name);
  }

  void push_stack_global() {
    const auto names = pop_last(2);
    const auto &module = pickle_[names[0]], &name = pickle_[names[1]];
    if (module.kind != Kind::text || name.kind != Kind::text)
      refuse("it has a global without name");
    push_global(module.text, name.text);
  }

  void push_call() {
    const auto parts = pop_last(2);
    const auto &callee = pickle_[parts[0]], &arguments = pickle_[parts[1]];
    if (callee.kind != Kind::global || arguments.kind != Kind::tuple)
      refuse("it calls what is no global, or without a tuple of arguments");
    if (callee.text != kOrderedDict) return push_new({.kind = Kind::call, .items = parts});
    push_container(Kind::dict, items_of(arguments.items));
  }

  /// OrderedDict() and, as Python 2 wrote it, OrderedDict([[key, value], ...]).
  std::vector<Index> items_of(const std::vector<Index>& arguments) {
    if (arguments.empty()) return {};
    const auto is_list = [&](Index i) { return pickle_[i].kind == Kind::list; };
    if (arguments.size() != 1 || !is_list(arguments[0]))
      refuse("it makes an OrderedDict from what is no list");
    std::vector<Index> items;
    for (const auto pair : pickle_[arguments[0]].items) {
      const auto& parts = pickle_[pair].items;
      if (!is_list(pair) || parts.size() != 2) refuse("it makes an OrderedDict from no pairs");
      items.insert(items.end(), parts.begin(), parts.end());
    }
    return items;
  }

  /// Attributes of an OrderedDict, such as the versions of modules, are nothing that weights need.
  void drop_attributes() {
    const Index attributes = pop();
    if (pickle_[attributes].kind != Kind::dict || pickle_[peek()].kind != Kind::dict)
      refuse("it gives attributes to what is no dictionary");
  }

  using Operation = void (*)(Interpreter&);

  /// By the names of Python's pickletools.
  static const std::map<std::uint8_t, Operation>& operations() {
    using I = Interpreter;
    static const std::map<std::uint8_t, Operation> table{
        {0x80, [](I& i) { i.check_protocol(); }},                             // PROTO
        {0x95, [](I& i) { i.take(8); }},                                      // FRAME
        {'.', [](I& i) { i.stopped_ = true; }},                               // STOP
        {'(', [](I& i) { i.marks_.push_back(i.stack_.size()); }},             // MARK
        {'0', [](I& i) { i.pop(); }},                                         // POP
        {'1', [](I& i) { i.pop_to_mark(); }},                                 // POP_MARK
        {'N', [](I& i) { i.push_new({}); }},                                  // NONE
        {0x88, [](I& i) { i.push_integer(1, Kind::boolean); }},               // NEWTRUE
        {0x89, [](I& i) { i.push_integer(0, Kind::boolean); }},               // NEWFALSE
        {'K', [](I& i) { i.push_integer(i.number<std::uint8_t>()); }},        // BININT1
        {'M', [](I& i) { i.push_integer(i.number<std::uint16_t>()); }},       // BININT2
        {'J', [](I& i) { i.push_integer(i.number<std::int32_t>()); }},        // BININT
        {0x8a, [](I& i) { i.push_long(i.number<std::uint8_t>()); }},          // LONG1
        {0x8b, [](I& i) { i.push_long(i.number<std::uint32_t>()); }},         // LONG4
        {'G', [](I& i) { i.push_real(); }},                                   // BINFLOAT
        {'U', [](I& i) { i.push_text(i.number<std::uint8_t>()); }},           // SHORT_BINSTRING
        {'T', [](I& i) { i.push_text(i.number<std::uint32_t>()); }},          // BINSTRING
        {'C', [](I& i) { i.push_text(i.number<std::uint8_t>()); }},           // SHORT_BINBYTES
        {'B', [](I& i) { i.push_text(i.number<std::uint32_t>()); }},          // BINBYTES
        {0x8e, [](I& i) { i.push_text(i.number<std::uint64_t>()); }},         // BINBYTES8
        {0x8c, [](I& i) { i.push_text(i.number<std::uint8_t>()); }},          // SHORT_BINUNICODE
        {'X', [](I& i) { i.push_text(i.number<std::uint32_t>()); }},          // BINUNICODE
        {0x8d, [](I& i) { i.push_text(i.number<std::uint64_t>()); }},         // BINUNICODE8
        {']', [](I& i) { i.push_container(Kind::list, {}); }},                // EMPTY_LIST
        {'a', [](I& i) { i.extend(Kind::list, i.pop_last(1)); }},             // APPEND
        {'e', [](I& i) { i.extend(Kind::list, i.pop_to_mark()); }},           // APPENDS
        {')', [](I& i) { i.push_container(Kind::tuple, {}); }},               // EMPTY_TUPLE
        {0x85, [](I& i) { i.push_container(Kind::tuple, i.pop_last(1)); }},   // TUPLE1
        {0x86, [](I& i) { i.push_container(Kind::tuple, i.pop_last(2)); }},   // TUPLE2
        {0x87, [](I& i) { i.push_container(Kind::tuple, i.pop_last(3)); }},   // TUPLE3
        {'t', [](I& i) { i.push_container(Kind::tuple, i.pop_to_mark()); }},  // TUPLE
        {'}', [](I& i) { i.push_container(Kind::dict, {}); }},                // EMPTY_DICT
        {'s', [](I& i) { i.extend(Kind::dict, i.pop_last(2)); }},             // SETITEM
        {'u', [](I& i) { i.extend(Kind::dict, i.pop_to_mark()); }},           // SETITEMS
        {'q', [](I& i) { i.memoize(i.number<std::uint8_t>()); }},             // BINPUT
        {'r', [](I& i) { i.memoize(i.number<std::uint32_t>()); }},            // LONG_BINPUT
        {0x94, [](I& i) { i.memoize(i.memo_.size()); }},                      // MEMOIZE
        {'h', [](I& i) { i.recall(i.number<std::uint8_t>()); }},              // BINGET
        {'j', [](I& i) { i.recall(i.number<std::uint32_t>()); }},             // LONG_BINGET
        {'c', [](I& i) { i.push_global(); }},                                 // GLOBAL
        {0x93, [](I& i) { i.push_stack_global(); }},                          // STACK_GLOBAL
        {'Q', [](I& i) { i.push_container(Kind::stored, i.pop_last(1)); }},   // BINPERSID
        {'R', [](I& i) { i.push_call(); }},                                   // REDUCE
        {0x81, [](I& i) { i.push_call(); }},                                  // NEWOBJ
        {'b', [](I& i) { i.drop_attributes(); }},                             // BUILD
    };
    return table;
  }

  void execute(std::uint8_t code) {
    const auto operation = operations().find(code);
    if (operation == operations().end()) refuse(concat("it has the operation ", int{code}));
    operation->second(*this);
  }

  void check_protocol() {
    constexpr int kNewest = 5;
    if (const int protocol = number<std::uint8_t>(); protocol > kNewest)
      refuse(concat("it has the protocol ", protocol));
  }

  const std::filesystem::path& path_;
  std::span<const std::byte> bytes_;
  std::size_t at_ = 0;
  bool stopped_ = false;
  Pickle pickle_;
  std::vector<Index> stack_;
  std::vector<std::size_t> marks_;  ///< heights of the stack
  std::map<std::size_t, Index> memo_;
};

}  // namespace

Pickle read_pickle(const std::filesystem::path& path, std::span<const std::byte> bytes) {
  return Interpreter(path, bytes).run();
}

}  // namespace sweep::trainer
