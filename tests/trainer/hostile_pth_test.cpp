// Files that no torch.save has written. The pickles are put together by hand.

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <zip.h>

#include <cstring>
#include <fstream>
#include <random>

#include "core/atomic_file.hpp"
#include "core/text.hpp"
#include "tests/support/child.hpp"
#include "tests/support/message_of.hpp"
#include "tests/support/temporary_folder.hpp"
#include "trainer/weights/pickle.hpp"
#include "trainer/weights/state_dict.hpp"
#include "trainer/weights/weights.hpp"

namespace sweep::trainer {
namespace {

using sweep::test_support::message_of;
using ::testing::HasSubstr;

template <class Number>
std::string raw(Number number) {
  std::string bytes(sizeof number, '\0');
  std::memcpy(bytes.data(), &number, sizeof number);
  return bytes;
}

std::string text(const std::string& value) {
  return concat("X", raw(static_cast<std::uint32_t>(value.size())), value);
}

std::string integer(std::int64_t value) {
  return concat("\x8a\x08", raw(value));
}

std::string tuple(const std::vector<std::int64_t>& values) {
  std::string items;
  for (const auto value : values) items += integer(value);
  return concat("(", items, "t");
}

struct Layout {
  std::int64_t storage_elements = 6, offset = 0;
  std::vector<std::int64_t> shape{2, 3}, strides{3, 1};
  std::string key = "0", type = "FloatStorage";
};

std::string tensor(const Layout& layout = {}) {
  return concat("ctorch._utils\n_rebuild_tensor_v2\n((", text("storage"), "ctorch\n", layout.type,
                "\n", text(layout.key), text("cpu"), integer(layout.storage_elements), "tQ",
                integer(layout.offset), tuple(layout.shape), tuple(layout.strides), "\x89",
                "ccollections\nOrderedDict\n)RtR");
}

/// A pickle of a dictionary.
std::string dict(const std::string& items) {
  return concat("\x80\x02", "}(", items, "u.");
}

struct Entry {
  std::string name, bytes;
  zip_int32_t method = ZIP_CM_STORE;
};

void write_zip(const std::filesystem::path& path, const std::vector<Entry>& entries) {
  zip_t* archive = ::zip_open(path.c_str(), ZIP_CREATE | ZIP_TRUNCATE, nullptr);
  ASSERT_NE(archive, nullptr);
  for (const auto& [name, bytes, method] : entries) {
    auto* source = ::zip_source_buffer(archive, bytes.data(), bytes.size(), 0);
    const auto index = ::zip_file_add(archive, name.c_str(), source, 0);
    ASSERT_GE(index, 0);
    ::zip_set_file_compression(archive, static_cast<zip_uint64_t>(index), method, 0);
  }
  ASSERT_EQ(::zip_close(archive), 0);
}

/// No more than `bytes` of memory beside what this process has.
void limit_memory(rlim_t bytes) {
  std::size_t pages = 0;
  std::ifstream("/proc/self/statm") >> pages;
  const rlim_t limit = pages * static_cast<rlim_t>(::sysconf(_SC_PAGESIZE)) + bytes;
  const rlimit limits{limit, limit};
  ASSERT_EQ(::setrlimit(RLIMIT_AS, &limits), 0);
}

class HostilePth : public ::testing::Test {
 protected:
  NamedTensors read(const std::string& pickle, std::vector<Entry> more = {}) const {
    more.push_back({"a/data.pkl", pickle});
    if (more.size() == 1) more.push_back({"a/data/0", std::string(24, '\0')});
    write_zip(file_, more);
    return read_weights(file_);
  }

  std::string refusal(const std::string& pickle, const std::vector<Entry>& more = {}) const {
    const auto message = message_of([&] { read(pickle, more); });
    EXPECT_THAT(message, HasSubstr(concat("the weights '", file_.string(), "' can't be used")));
    EXPECT_LT(message.size(), 700U);
    return message;
  }

  std::string refusal_of(const Layout& layout) const {
    const auto message = refusal(dict(text("w") + tensor(layout)));
    EXPECT_THAT(message, HasSubstr("tensor 'w'"));
    return message;
  }

  void expect_refusal_in_little_memory(const std::string& reason) const {
    const auto status = sweep::test_support::in_child([&] {
      limit_memory(250 << 20);
      EXPECT_THAT(message_of([&] { read_weights(file_); }), HasSubstr(reason));
    });
    EXPECT_EQ(status, 0);
  }

  const sweep::test_support::TemporaryFolder folder_;
  const std::filesystem::path file_ = folder_ / "a.pth";
};

TEST_F(HostilePth, TheHandMadePickleIsGood) {
  const auto tensors = read(dict(text("w") + tensor()));
  EXPECT_EQ(tensors.at("w").sizes(), (at::IntArrayRef{2, 3}));
}

TEST_F(HostilePth, GlobalsOfCode) {
  for (const std::string global :
       {"os\nsystem", "posix\nsystem", "builtins\neval", "builtins\nexec", "builtins\ngetattr",
        "subprocess\nPopen", "torch\nload", "torch._utils\n_rebuild_tensor_v2x",
        "torch.storage\n_load_from_bytes", "collections\nOrderedDict.fromkeys", "torch._utils\n",
        "\n", "torch\nFloatStorage.__class__"})
    for (const std::string& how :
         {concat("c", global, "\n"), concat(text(global.substr(0, global.find('\n'))),
                                            text(global.substr(global.find('\n') + 1)), "\x93")})
      EXPECT_THAT(refusal(concat("\x80\x04", how, "(", text("touch executed"), "tR.")),
                  HasSubstr("nothing of it was executed"));
}

TEST_F(HostilePth, OperationsOfCode) {
  // INST, OBJ, NEWOBJ_EX, EXT1, PERSID, EXT4, and those of protocol 0.
  for (const char* operation : {"(ios\nsystem\n", "o", "\x92", "\x82\x01", "Pid\n", "\x84", "I1\n",
                                "S'a'\n", "p0\n", "\xff"})
    EXPECT_THAT(refusal(concat("\x80\x02", operation, ".")), HasSubstr("has the operation"));
}

TEST_F(HostilePth, StacksThatDoNotWorkOut) {
  const std::string ordered = "ccollections\nOrderedDict\n";
  for (const std::string& operations : {std::string("."),
                                        std::string("0."),
                                        std::string("t."),
                                        std::string("1."),
                                        std::string("a."),
                                        std::string("Ns."),
                                        std::string("u."),
                                        std::string("}(Nu."),
                                        std::string("}NNa."),
                                        std::string("]NNs."),
                                        std::string("](N}u."),
                                        std::string("\x85."),
                                        std::string("N\x87."),
                                        std::string("Q."),
                                        std::string("R."),
                                        std::string("NNR."),
                                        std::string("NN\x93."),
                                        std::string("q\1."),
                                        std::string("h\1."),
                                        std::string("j\1\1\1\1."),
                                        std::string("\x94."),
                                        std::string("(N(t."),
                                        std::string("N(."),
                                        std::string("(N(0."),
                                        ordered + "NR.",
                                        ordered + "(NtR.",
                                        ordered + "}b.",
                                        concat("N", ordered, ")Rb."),
                                        ordered + ")b.",
                                        std::string("\x80\x06N."),
                                        std::string("\x8a\x09") + std::string(9, 'x') + ".",
                                        std::string("N"),
                                        std::string("")})
    EXPECT_THAT(refusal(concat("\x80\x02", operations)), HasSubstr(".pth")) << quote(operations);
}

TEST_F(HostilePth, LengthsBeyondTheEnd) {
  for (const std::string& operation :
       {concat("X", raw(~std::uint32_t{0})), concat("\x8d", raw(~std::uint64_t{0})),
        concat("\x8e", raw(1ULL << 62)), concat("B", raw(100U)), std::string("\x8c\xff"),
        concat("\x8b", raw(~std::uint32_t{0})), std::string("cos"), std::string("cos\nsystem"),
        std::string("J\1")})
    EXPECT_THAT(refusal(concat("\x80\x02", operation)), HasSubstr("it ends inside of"));
}

TEST_F(HostilePth, LayoutsBeyondTheStorage) {
  constexpr std::int64_t kHuge = std::int64_t{1} << 62;
  EXPECT_THAT(refusal_of({.offset = 1}), HasSubstr("beyond its storage of 6 elements"));
  EXPECT_THAT(refusal_of({.offset = 7, .shape = {0}, .strides = {1}}), HasSubstr("beyond"));
  EXPECT_THAT(refusal_of({.strides = {4, 1}}), HasSubstr("beyond"));
  EXPECT_THAT(refusal_of({.shape = {7}, .strides = {0}}), HasSubstr("beyond"));
  EXPECT_THAT(refusal_of({.shape = {1, 7}, .strides = {kHuge, 1}}), HasSubstr("beyond"));
  for (const auto& impossible : std::vector<Layout>{{.offset = -1},
                                                    {.shape = {-2, -3}},
                                                    {.strides = {-3, 1}},
                                                    {.strides = {3}},
                                                    {.shape = {2, 3, 1}},
                                                    {.strides = {kHuge, kHuge}},
                                                    {.shape = {kHuge, kHuge}, .strides = {0, 0}},
                                                    {.shape = {kHuge, 4, 0}, .strides = {1, 1, 1}},
                                                    {.offset = kHuge, .strides = {kHuge, 1}}})
    EXPECT_THAT(refusal_of(impossible), HasSubstr("impossible layout"));
  EXPECT_THAT(refusal_of({.shape = std::vector<std::int64_t>(65, 1)}), HasSubstr("short tuple"));
}

TEST_F(HostilePth, StoragesThatAreNotThere) {
  for (const std::int64_t elements : {std::int64_t{1} << 61, std::int64_t{-1}})
    EXPECT_THAT(refusal_of({.storage_elements = elements}), HasSubstr("known type and size"));
  EXPECT_THAT(refusal_of({.storage_elements = 1'000'000}), HasSubstr("more than the file"));
  EXPECT_THAT(refusal(dict(text("w") + tensor({.storage_elements = 7}))),
              HasSubstr("it has 24 bytes, and 28 are asked for"));
  EXPECT_THAT(refusal(dict(text("w") + tensor({.key = "../0"}))),
              HasSubstr("no entry 'a/data/../0'"));
  EXPECT_THAT(
      refusal(dict(concat(text("v"), tensor(), text("w"), tensor({.type = "DoubleStorage"})))),
      HasSubstr("tensor 'w' gives its storage another size"));
}

TEST_F(HostilePth, TensorsThatAreNone) {
  const std::string call = "ctorch._utils\n_rebuild_tensor_v2\n";
  const std::string parameter = "ctorch._utils\n_rebuild_parameter\n";
  for (const std::string& value :
       {call + ")R", call + "(NNNNtR", parameter + ")R", parameter + "(NtR",
        concat(parameter, "(", parameter, "(", tensor(), "tRtR"),
        concat(call, "(NQ", integer(0), "))tR"), concat(call, "()Q", integer(0), "))tR"),
        concat(call, "(ctorch\nFloatStorage\n", integer(0), "))tR")})
    EXPECT_THAT(refusal(dict(text("w") + value)), HasSubstr("tensor 'w'"));
  EXPECT_THAT(refusal(dict(concat(text("v"), tensor(), text("w"), "ctorch\nFloatStorage\n)R"))),
              HasSubstr("entry 'w' is no tensor"));
  EXPECT_THAT(refusal(dict("K\1" + tensor())), HasSubstr("name that is no text"));
  EXPECT_THAT(refusal(dict(concat(text("w"), tensor(), text("w"), tensor()))),
              HasSubstr("tensor 'w' is there twice"));
}

TEST_F(HostilePth, ValuesThatContainThemselves) {
  // A list in itself, a dictionary in itself as its weights, a tuple in its own list.
  refusal(dict(concat(text("w"), "]q\1h\1a")));
  refusal(concat("\x80\x02", "}q\1", text("state_dict"), "h\1s."));
  refusal(dict(concat(text("w"), "]q\1(h\1tq\2a")));
  EXPECT_THAT(refusal(dict(concat(text("w"), tensor(), text("self"), "]q\2h\2a"))),
              HasSubstr("entry 'self' is no tensor"));
}

TEST_F(HostilePth, DepthAndNumberTakeBoundedMemory) {
  const std::string nested = concat("N", std::string(1'000'000, '\x85'), ".");
  write_zip(file_, {{"a/data.pkl", nested}});
  expect_refusal_in_little_memory("no dictionary");
  for (const char operation : {']', '(', '}', 'N', '\x85'}) {
    write_zip(file_, {{"a/data.pkl", concat("N", std::string(50'000'000, operation))}});
    expect_refusal_in_little_memory("operations");
  }
  write_zip(file_, {{"a/data.pkl", std::string(65 << 20, '.')}});
  expect_refusal_in_little_memory("is longer than");
}

TEST_F(HostilePth, ZipBombs) {
  write_zip(file_, {{"a/data.pkl", std::string(300 << 20, '\0'), ZIP_CM_DEFLATE}});
  EXPECT_LT(file_size(file_), 1U << 20);
  expect_refusal_in_little_memory("compressed");
}

TEST_F(HostilePth, ArchivesOfOtherThings) {
  const std::string good = dict(text("w") + tensor());
  const Entry storage{"a/data/0", std::string(24, '\0')};
  EXPECT_THAT(refusal(good, {storage, {"b/data.pkl", good}}), HasSubstr("2 entries"));
  EXPECT_THAT(refusal(good, {storage, {"a/byteorder", "big"}}), HasSubstr("little-endian"));
  EXPECT_THAT(refusal(good, {{"a/data/0", std::string(24, '\0'), ZIP_CM_DEFLATE}}),
              HasSubstr("'a/data/0' is compressed"));
  write_zip(file_, {storage});
  EXPECT_THAT(message_of([&] { read_weights(file_); }), HasSubstr("0 entries"));
  EXPECT_THAT(refusal(good, {{"a/data/0", std::string(23, '\0')}}), HasSubstr("23 bytes"));
}

/// Sizes and counts of the directory of a zip file are claims.
TEST_F(HostilePth, DirectoriesThatClaimTooMuch) {
  read(dict(text("w") + tensor()));
  const std::string good = read_text(file_);
  const auto status = sweep::test_support::in_child([&] {
    limit_memory(300 << 20);
    int refused = 0;
    for (std::size_t place = good.find("PK\1\2"); place + 4 <= good.size(); ++place) {
      std::string bytes = good;
      bytes.replace(place, 4, "\xff\xff\xff\x7f");
      std::ofstream(file_, std::ios::binary) << bytes;
      try {
        read_weights(file_);
      } catch (const InputError&) {
        ++refused;
      }
    }
    EXPECT_GT(refused, 50);
  });
  EXPECT_EQ(status, 0);
}

TEST_F(HostilePth, DamagedPicklesAreNeverACrash) {
  std::string items;
  for (const char* name : {"a", "b", "c"}) items += text(name) + tensor();
  const std::string whole = dict(items);
  std::ofstream(file_) << std::string(1000, '\0');
  const WeightFile file(file_);
  std::mt19937 random(1);
  int refused = 0;
  constexpr int kTries = 20'000;
  for (int i = 0; i < kTries; ++i) {
    std::string bytes = whole;
    for (auto changes = 1 + random() % 4; changes > 0; --changes)
      bytes[random() % bytes.size()] = static_cast<char>(random() % 256);
    try {
      const auto pickle = read_pickle(file_, std::as_bytes(std::span(bytes)));
      read_state_dict(file, pickle, [](const std::string&, std::span<std::byte> storage) {
        std::fill(storage.begin(), storage.end(), std::byte{0});
      });
    } catch (const InputError&) {
      ++refused;
    }
  }
  EXPECT_GT(refused, kTries / 2);
  EXPECT_LT(refused, kTries);
}

TEST_F(HostilePth, SharingMakesNoGiant) {
  const std::vector<Entry> storage{{"a/data/0", std::string(40'000, '\0')}};
  const std::string kept = concat(text("w0"), tensor({10'000, 0, {10'000}, {1}}), "q\1");
  std::string items = kept;
  for (int i = 1; i < 1000; ++i) items += concat(text(concat("w", i)), "h\1");
  EXPECT_THAT(refusal(dict(items), storage), HasSubstr("more than 4 times its bytes"));
}

}  // namespace
}  // namespace sweep::trainer
