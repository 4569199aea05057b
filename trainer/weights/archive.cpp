#include "trainer/weights/archive.hpp"

#include <zip.h>

#include "core/text.hpp"

namespace sweep::trainer {
namespace {

std::unique_ptr<zip, void (*)(zip*)> open_zip(const WeightFile& file) {
  int code = 0;
  zip* const opened = ::zip_open(file.path().c_str(), ZIP_RDONLY, &code);
  if (opened == nullptr) {
    zip_error_t error;
    ::zip_error_init_with_code(&error, code);
    const std::string reason = ::zip_error_strerror(&error);
    ::zip_error_fini(&error);
    refuse_weights(file.path(), concat("it starts as a zip file and is none: ", reason));
  }
  return {opened, ::zip_discard};
}

}  // namespace

Archive::Archive(const WeightFile& file) : file_(file), zip_(open_zip(file)) {
  const auto count = ::zip_get_num_entries(zip_.get(), 0);
  for (zip_int64_t i = 0; i < count; ++i) {
    zip_stat_t status;
    constexpr auto kNeeded = ZIP_STAT_NAME | ZIP_STAT_SIZE | ZIP_STAT_COMP_SIZE |
                             ZIP_STAT_COMP_METHOD | ZIP_STAT_ENCRYPTION_METHOD;
    if (::zip_stat_index(zip_.get(), static_cast<zip_uint64_t>(i), ZIP_FL_ENC_RAW, &status) != 0 ||
        (status.valid & kNeeded) != kNeeded)
      refuse_weights(file.path(), concat("entry ", i, " of it is damaged"));
    const bool plain =
        status.comp_method == ZIP_CM_STORE && status.encryption_method == ZIP_EM_NONE;
    const Entry entry{static_cast<std::uint64_t>(i), status.size, plain};
    if (plain && (status.size != status.comp_size || status.size > file.size()))
      refuse_weights(file.path(), concat("entry ", quote(status.name), " has a size of ",
                                         status.size, " bytes, which the file has no room for"));
    if (!entries_.emplace(status.name, entry).second)
      refuse_weights(file.path(), concat("entry ", quote(status.name), " is there twice"));
  }
}

std::vector<std::string> Archive::names() const {
  std::vector<std::string> names;
  for (const auto& [name, entry] : entries_) names.push_back(name);
  return names;
}

std::uint64_t Archive::size(const std::string& name) const {
  return entry(name).size;
}

void Archive::read(const std::string& name, std::span<std::byte> bytes) const {
  const auto fail = [&](const std::string& reason) {
    refuse_weights(file_.path(), concat("entry ", quote(name), " can't be read: ", reason));
  };
  if (bytes.size() != size(name))
    fail(concat("it has ", size(name), " bytes, and ", bytes.size(), " are asked for"));
  const std::unique_ptr<zip_file_t, int (*)(zip_file_t*)> opened(
      ::zip_fopen_index(zip_.get(), entry(name).index, 0), ::zip_fclose);
  if (!opened) fail(::zip_strerror(zip_.get()));
  while (!bytes.empty()) {
    const auto count = ::zip_fread(opened.get(), bytes.data(), bytes.size());
    if (count <= 0) fail(count < 0 ? ::zip_file_strerror(opened.get()) : "it is cut off");
    bytes = bytes.subspan(static_cast<std::size_t>(count));
  }
  // The checksum is compared where the entry ends.
  std::byte beyond{};
  if (const auto count = ::zip_fread(opened.get(), &beyond, 1); count != 0)
    fail(count < 0 ? ::zip_file_strerror(opened.get()) : "it is longer than it says");
}

const Archive::Entry& Archive::entry(const std::string& name) const {
  const auto found = entries_.find(name);
  if (found == entries_.end())
    refuse_weights(file_.path(), concat("it has no entry ", quote(name)));
  if (!found->second.plain)
    refuse_weights(
        file_.path(),
        concat("entry ", quote(name), " is compressed or encrypted, as torch.save does not"),
        "save it with torch.save");
  return found->second;
}

}  // namespace sweep::trainer
