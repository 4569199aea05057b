#include "storage/store.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <ctime>
#include <vector>

#include "core/enum_names.hpp"
#include "core/error.hpp"
#include "core/host_name.hpp"
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

/// A store that can't be written is the user's to mend.
template <class Action>
void as_input_error(Action action) {
  try {
    action();
  } catch (const std::exception& error) {  // Error, fs::filesystem_error
    throw InputError(concat("the output folder can't be used: ", error.what()));
  }
}

void remove_file(const fs::path& path) {
  std::error_code error;
  fs::remove(path, error);
  if (error) throw storage_error("remove", path.string(), error.value());
}

/// Whoever only asks for the holder has the lock for a moment, too. False: errno says why.
bool take(const FileDescriptor& lock, Access access) {
  constexpr int kTries = 20;
  const int how = access == Access::joined ? LOCK_SH : LOCK_EX;
  for (int tries = 1;; ++tries) {
    if (::flock(lock.get(), how | LOCK_NB) == 0) return true;
    if (errno != EWOULDBLOCK || tries == kTries) return false;
    ::usleep(5000);
  }
}

/// Who keeps others out: runs, or something that mends and cleans, which has left its name.
std::string holder_text(const Store& store) {
  const auto living = living_members(store.root());
  return living.empty() ? read_text(lock_path(store)) : join(living, "; ");
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

void Store::refuse_links(const fs::path& path) const {
  fs::path step = fs::absolute(root_).lexically_normal();
  for (const auto& part : fs::absolute(path).lexically_normal().lexically_relative(step)) {
    step /= part;
    std::error_code error;
    if (fs::is_symlink(step, error))
      throw InputError(concat("'", step.string(),
                              "' is a link (what is written there would leave the output folder); "
                              "put what it leads to in its place"));
  }
}

bool Store::contains(const ArtifactId& id) const {
  const fs::path path = artifact_path(id);
  std::error_code error;
  const fs::file_status status = fs::symlink_status(path, error);
  if (status.type() == fs::file_type::none)
    throw storage_error("look for", path.string(), error.value());
  return fs::is_regular_file(status);
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
    // Shards may be removed at any time, once they have been used.
    if (error.type() != FailureType::bad_data && contains(id)) throw;
    return false;
  }
}

void Store::publish(const ArtifactId& id, const Content& content, std::int64_t epoch) const {
  const fs::path path = artifact_path(id);
  refuse_links(path.parent_path());
  create_folders(path.parent_path());
  check_member(epoch);
  // The first one stays: what was made from it is to fit to what others find.
  while (!write_new_artifact(path, content)) {
    if (verify(id)) return;
    std::error_code error;
    const auto type = fs::symlink_status(path, error).type();
    if (type != fs::file_type::regular && type != fs::file_type::not_found)
      set_aside(path, "it is no file");  // a link would lead readers out of the store
  }
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
  refuse_links(path.parent_path());
  create_folders(path.parent_path());
  check_member(epoch);
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
  refuse_links(folder);
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

void Store::check_member(std::int64_t epoch) const {
  if (is_member(root_, epoch)) return;
  const std::int64_t last = read_epoch(root_);
  throw Error(FailureType::storage,
              concat("run number ", epoch, " may no longer write to '", root_.string(), "' (",
                     last > epoch ? concat("run number ", last, " has taken it over")
                                  : "it has ended, or was taken for dead",
                     "); its result is not published"));
}

FolderLock::FolderLock(const Store& store, Access access) {
  const fs::path& root = store.root();
  as_input_error([&] { create_folders(root); });
  const fs::path path = lock_path(store);
  lock_ = FileDescriptor(::open(path.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0644));
  if (lock_.get() < 0)
    throw InputError(concat("the output folder can't be used: ",
                            storage_error("open", path.string(), errno).what()));
  if (!take(lock_, access)) {
    if (errno != EWOULDBLOCK)
      throw InputError(concat("the output folder can't be used: ",
                              storage_error("lock", path.string(), errno).what()));
    throw InputError(concat("the output folder '", root.string(), "' is in use by another run (",
                            holder_text(store),
                            "); wait for it, or choose another folder with "
                            "--out; runs that are all started with --join share one"));
  }
  if (access == Access::joined) return;
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
  if (::flock(file.get(), LOCK_SH | LOCK_NB) == 0) {
    // Runs that share the folder share its lock.
    const auto living = living_members(store.root());
    return living.empty() ? std::nullopt : std::optional(join(living, "; "));
  }
  if (errno != EWOULDBLOCK) throw storage_error("lock", path.string(), errno);
  return holder_text(store);
}

StoreLock::StoreLock(const Store& store, Access access, const std::string& sweep)
    : lock_(store, access) {
  const fs::path& root = store.root();
  for (const char* folder : {"artifacts", "checkpoints", "damaged", "runs", "members", "claims"})
    store.refuse_links(root / folder);
  for (const auto& [kind, name] : kKindNames.entries) store.refuse_links(root / "artifacts" / name);
  as_input_error([&] { member_.emplace(root, access, sweep); });
}

}  // namespace sweep::storage
