#include "storage/store.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <ctime>
#include <vector>

#include "core/enum_names.hpp"
#include "core/error.hpp"
#include "core/log.hpp"
#include "core/text.hpp"
#include "storage/artifact_file.hpp"

namespace sweep::storage {
namespace {

namespace fs = std::filesystem;

constexpr EnumNames<ArtifactKind, 6> kKindNames{{{
    {ArtifactKind::dataset, "dataset"},
    {ArtifactKind::model, "model"},
    {ArtifactKind::preprocessor, "preprocessor"},
    {ArtifactKind::adversarial_shard, "adversarial_shard"},
    {ArtifactKind::adversarial_set, "adversarial_set"},
    {ArtifactKind::evaluation, "evaluation"},
}}};

constexpr char kChecksumDiffers[] = "its checksum does not match";

fs::path lock_path(const Store& store) {
  return store.root() / "lock";
}

std::int64_t read_epoch(const fs::path& root) {
  const fs::path path = root / "epoch";
  if (!fs::exists(path)) return 0;
  try {
    return std::stoll(read_text(path));
  } catch (const std::logic_error&) {
    throw InputError(concat("'", path.string(),
                            "' does not hold a number (the folder's run counter is "
                            "damaged); delete the file when no run uses the folder"));
  }
}

/// A store that can't be written is the user's to mend.
template <class Action>
void as_input_error(Action action) {
  try {
    action();
  } catch (const std::exception& error) {  // Error, fs::filesystem_error
    throw InputError(concat("the output folder can't be used: ", error.what()));
  }
}

/// Writes and removes one MiB: a full disk shows itself here rather than hours later.
void prove_writable(const fs::path& root) {
  const fs::path probe = root / "probe";
  write_atomically(probe, std::string(std::size_t{1} << 20, 'x'));
  fs::remove(probe);
}

/// Only what a store makes: the root may be a folder that holds other things as well.
void remove_temporaries(const fs::path& root) {
  std::vector<fs::path> found;
  const auto collect = [&](auto entries) {
    for (const auto& entry : entries)
      if (is_temporary(entry.path())) found.push_back(entry.path());
  };
  collect(fs::directory_iterator(root));
  for (const char* folder : {"artifacts", "checkpoints", "runs"})
    if (fs::exists(root / folder)) collect(fs::recursive_directory_iterator(root / folder));
  for (const auto& path : found) fs::remove(path);
}

void remove_file(const fs::path& path) {
  std::error_code error;
  fs::remove(path, error);
  if (error) throw storage_error("remove", path.string(), error.value());
}

/// Whoever only asks for the holder has the lock for a moment, too. False: errno says why.
bool take(const FileDescriptor& lock) {
  constexpr int kTries = 20;
  for (int tries = 1;; ++tries) {
    if (::flock(lock.get(), LOCK_EX | LOCK_NB) == 0) return true;
    if (errno != EWOULDBLOCK || tries == kTries) return false;
    ::usleep(5000);
  }
}

std::string host_name() {
  char name[256] = "";
  ::gethostname(name, sizeof name - 1);
  return name;
}

}  // namespace

std::string_view to_string(ArtifactKind kind) {
  return kKindNames.name(kind);
}

std::optional<ArtifactKind> find_artifact_kind(std::string_view name) {
  return kKindNames.value(name);
}

ArtifactKind artifact_kind_from(std::string_view name) {
  if (const auto kind = find_artifact_kind(name)) return *kind;
  throw Error(FailureType::internal, concat("unknown artifact kind '", name, "'"));
}

std::string ArtifactId::short_name() const {
  return concat(to_string(kind), " ", hash.substr(0, 8));
}

fs::path Store::artifact_path(const ArtifactId& id) const {
  return root_ / "artifacts" / to_string(id.kind) / (id.hash + ".h5");
}

fs::path Store::checkpoint_path(const ArtifactId& id) const {
  return root_ / "checkpoints" / (id.hash + ".h5");
}

fs::path Store::run_folder(const std::string& sweep_name) const {
  return root_ / "runs" / sweep_name;
}

bool Store::contains(const ArtifactId& id) const {
  const fs::path path = artifact_path(id);
  std::error_code error;
  const bool there = fs::exists(path, error);
  if (error) throw storage_error("look for", path.string(), error.value());
  return there;
}

Content Store::read(const ArtifactId& id) const {
  const fs::path path = artifact_path(id);
  try {
    return read_artifact(path);
  } catch (const Error& error) {
    if (error.type() == FailureType::bad_data) set_aside(path, kChecksumDiffers);
    throw;
  }
}

bool Store::verify(const ArtifactId& id) const {
  if (!contains(id)) return false;
  try {
    read(id);
    return true;
  } catch (const Error& error) {
    if (error.type() != FailureType::bad_data) throw;
    return false;
  }
}

void Store::publish(const ArtifactId& id, const Content& content, std::int64_t epoch) const {
  const fs::path path = artifact_path(id);
  create_folders(path.parent_path());
  check_epoch(epoch);
  write_artifact(path, content);
}

std::optional<Content> Store::read_checkpoint(const ArtifactId& id) const {
  const fs::path path = checkpoint_path(id);
  if (!fs::exists(path)) return std::nullopt;
  try {
    return read_artifact(path);
  } catch (const Error& error) {
    if (error.type() != FailureType::bad_data) throw;
    set_aside(path, kChecksumDiffers);
    return std::nullopt;
  }
}

void Store::write_checkpoint(const ArtifactId& id, const Content& content,
                             std::int64_t epoch) const {
  const fs::path path = checkpoint_path(id);
  create_folders(path.parent_path());
  check_epoch(epoch);
  write_artifact(path, content);
}

void Store::remove_checkpoint(const ArtifactId& id) const {
  remove_file(checkpoint_path(id));
}

void Store::remove(const ArtifactId& id) const {
  remove_file(artifact_path(id));
}

void Store::set_aside(const fs::path& path, std::string_view why) const {
  const fs::path folder = root_ / "damaged";
  create_folders(folder);
  const std::string name = concat(path.stem().string(), ".", std::time(nullptr));
  fs::path target = folder / (name + ".h5");
  for (int n = 1; fs::exists(target); ++n) target = folder / concat(name, "-", n, ".h5");
  std::error_code error;
  fs::rename(path, target, error);
  if (error == std::errc::no_such_file_or_directory) return;  // another reader was faster
  if (error) throw storage_error("set aside the damaged", path.string(), error.value());
  log_warning(concat("'", path.string(), "' is damaged (", why, "); set aside as '",
                     target.string(), "', it will be made again"));
}

void Store::check_epoch(std::int64_t epoch) const {
  const std::int64_t current = read_epoch(root_);
  if (current != epoch)
    throw Error(FailureType::storage, concat("run number ", epoch, " may no longer write to '",
                                             root_.string(), "' (run number ", current,
                                             " has taken it over); its result is not published"));
}

FolderLock::FolderLock(const Store& store) {
  const fs::path& root = store.root();
  as_input_error([&] { create_folders(root); });
  const fs::path path = lock_path(store);
  lock_ = FileDescriptor(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644));
  if (lock_.get() < 0)
    throw InputError(concat("the output folder can't be used: ",
                            storage_error("open", path.string(), errno).what()));
  if (!take(lock_)) {
    if (errno != EWOULDBLOCK)
      throw InputError(concat("the output folder can't be used: ",
                              storage_error("lock", path.string(), errno).what()));
    throw InputError(concat("the output folder '", root.string(), "' is in use by another run (",
                            read_text(path),
                            "); wait for it, or choose another folder with --out"));
  }
  as_input_error([&] {
    const std::string owner = concat("process ", ::getpid(), " on ", host_name());
    if (::ftruncate(lock_.get(), 0) != 0) throw storage_error("write", path.string(), errno);
    write_all(lock_.get(), std::as_bytes(std::span(owner)), path);
  });
}

std::optional<std::string> lock_holder(const Store& store) {
  const fs::path path = lock_path(store);
  const FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0 && errno == ENOENT) return std::nullopt;
  if (file.get() < 0) throw storage_error("open", path.string(), errno);
  if (::flock(file.get(), LOCK_SH | LOCK_NB) == 0) return std::nullopt;
  if (errno != EWOULDBLOCK) throw storage_error("lock", path.string(), errno);
  return read_text(path);
}

StoreLock::StoreLock(const Store& store) : lock_(store) {
  const fs::path& root = store.root();
  as_input_error([&] {
    remove_temporaries(root);
    prove_writable(root);
    epoch_ = read_epoch(root) + 1;
    write_atomically(root / "epoch", concat(epoch_, "\n"));
  });
}

}  // namespace sweep::storage
