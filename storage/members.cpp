#include "storage/members.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <optional>
#include <set>
#include <system_error>

#include "core/error.hpp"
#include "core/host_name.hpp"
#include "core/json.hpp"
#include "core/log.hpp"
#include "core/text.hpp"
#include "core/untrusted_json.hpp"

namespace sweep::storage {
namespace {

namespace fs = std::filesystem;

constexpr int kTriesOfTheList = 3000;  // every 10 ms; its holder needs a few milliseconds

fs::path members_folder(const fs::path& root) {
  return root / "members";
}

fs::path member_path(const fs::path& root, std::int64_t epoch) {
  return members_folder(root) / concat(epoch);
}

fs::path claim_path(const fs::path& root, const std::string& hash) {
  return root / "claims" / hash;
}

bool is_there(const fs::path& path) {
  std::error_code error;
  const bool there = fs::exists(path, error);
  if (error) throw storage_error("look for", path.string(), error.value());
  return there;
}

/// False: there was none.
bool remove_if_there(const fs::path& path) {
  if (::unlink(path.c_str()) == 0) return true;
  if (errno != ENOENT) throw storage_error("remove", path.string(), errno);
  return false;
}

std::optional<std::int64_t> number_in(std::string_view text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number < 1) return std::nullopt;
  return number;
}

/// Right to change the list of members.
class ListLock {
 public:
  explicit ListLock(const fs::path& root) {
    const fs::path path = members_folder(root) / "lock";
    create_folders(path.parent_path());
    file_ = FileDescriptor(::open(path.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0644));
    if (file_.get() < 0) throw storage_error("open", path.string(), errno);
  }

  bool try_take() const { return ::flock(file_.get(), LOCK_EX | LOCK_NB) == 0; }

  void take(const fs::path& root) const {
    for (int tries = 1; !try_take(); ++tries) {
      if (errno != EWOULDBLOCK && errno != EINTR)
        throw storage_error("lock", (members_folder(root) / "lock").string(), errno);
      if (tries == kTriesOfTheList)
        throw Error(FailureType::storage,
                    concat("another process has held '", (members_folder(root) / "lock").string(),
                           "' for 30 s (it is held for milliseconds by runs that start or end; its "
                           "holder is stopped or hangs); end or continue that process"));
      ::usleep(10000);
    }
  }

 private:
  FileDescriptor file_;
};

std::vector<std::int64_t> members(const fs::path& root) {
  std::vector<std::int64_t> numbers;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(members_folder(root), error))
    if (const auto number = number_in(entry.path().filename().string())) numbers.push_back(*number);
  return numbers;
}

/// A process holds the lock of the file. One that is gone is no member.
bool is_alive(const fs::path& member) {
  const FileDescriptor file(::open(member.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0 && errno == ENOENT) return false;
  if (file.get() < 0) throw storage_error("open", member.string(), errno);
  if (::flock(file.get(), LOCK_SH | LOCK_NB) == 0) return false;
  if (errno != EWOULDBLOCK) throw storage_error("lock", member.string(), errno);
  return true;
}

/// The run that has claimed it; nothing when it was released since, 0 when it can't be read.
std::optional<std::int64_t> claimed_by(const fs::path& claim) {
  constexpr int kTries = 100;  // between two looks it may be released and claimed again
  for (int tries = 1; is_there(claim); ++tries) {
    try {
      const Json member = parse_untrusted(read_text(claim));
      const Json epoch = member.is_object() ? member.value("epoch", Json()) : Json();
      return epoch.is_number_integer() ? epoch.get<std::int64_t>() : 0;
    } catch (const Error&) {
      if (tries == kTries) throw;
    }
  }
  return std::nullopt;
}

/// Only by the holder of the list's lock: members end under it, too, so that a claim of one who is
/// not on the list is nobody's, and nobody else touches it.
void remove_void_claims(const fs::path& root) {
  const auto list = members(root);
  const std::set<std::int64_t> known(list.begin(), list.end());
  std::error_code none_yet;
  for (const auto& claim : fs::directory_iterator(root / "claims", none_yet))
    if (const auto owner = claimed_by(claim.path()); owner && !known.contains(*owner))
      remove_if_there(claim.path());
}

/// Only by the holder of the list's lock.
std::vector<std::int64_t> remove_dead_members(const fs::path& root) {
  std::vector<std::int64_t> dead;
  for (const auto member : members(root))
    if (const fs::path path = member_path(root, member); !is_alive(path) && remove_if_there(path))
      dead.push_back(member);
  remove_void_claims(root);
  return dead;
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

/// Writes and removes one MiB: a full disk shows itself here rather than hours later.
void prove_writable(const fs::path& root) {
  const fs::path probe = root / "probe";
  write_atomically(probe, std::string(std::size_t{1} << 20, 'x'));
  fs::remove(probe);
}

std::string who(const Json& member) {
  const Json pid = member.value("pid", Json()), host = member.value("host", Json()),
             sweep = member.value("sweep", Json());
  if (!pid.is_number_integer() || !host.is_string()) return "a process that has not said who it is";
  std::string text = concat("process ", pid.get<std::int64_t>(), " on ", host.get<std::string>());
  if (sweep.is_string() && !sweep.get<std::string>().empty())
    text += concat(", sweep '", sweep.get<std::string>(), "'");
  return text;
}

}  // namespace

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

bool is_member(const fs::path& root, std::int64_t epoch) {
  return is_there(member_path(root, epoch));
}

std::vector<std::string> living_members(const fs::path& root) {
  std::vector<std::string> living;
  for (const auto member : members(root)) {
    const fs::path path = member_path(root, member);
    if (!is_alive(path)) continue;
    const Json text = parse_untrusted(read_text(path));
    living.push_back(who(text.is_object() ? text : Json::object()));
  }
  return living;
}

Membership::Membership(fs::path root, Access access, const std::string& sweep)
    : root_(std::move(root)) {
  const ListLock list(root_);
  list.take(root_);
  if (access == Access::exclusive)
    for (const auto member : members(root_)) remove_if_there(member_path(root_, member));
  remove_dead_members(root_);
  // Whoever writes is a member, or holds the list's lock.
  if (members(root_).empty()) remove_temporaries(root_);
  prove_writable(root_);
  join(access, sweep);
}

void Membership::join(Access access, const std::string& sweep) {
  epoch_ = read_epoch(root_);
  for (const auto member : members(root_)) epoch_ = std::max(epoch_, member);
  // Where locks don't reach other hosts, somebody else may be as far: only one creates the file.
  fs::path path;
  do {
    path = member_path(root_, ++epoch_);
    file_ = FileDescriptor(::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0644));
  } while (file_.get() < 0 && errno == EEXIST);
  if (file_.get() < 0) throw storage_error("create", path.string(), errno);
  try {
    if (::flock(file_.get(), LOCK_EX) != 0) throw storage_error("lock", path.string(), errno);
    const std::string text =
        Json{{"epoch", epoch_}, {"pid", ::getpid()}, {"host", host_name()}, {"sweep", sweep}}.dump(
            -1, ' ', false, Json::error_handler_t::replace) +
        "\n";
    write_all(file_.get(), std::as_bytes(std::span(text)), path);
    write_atomically(root_ / "epoch", concat(epoch_, "\n"));
    if (access == Access::joined) prove_claims();
  } catch (...) {
    ::unlink(path.c_str());
    throw;
  }
}

void Membership::prove_claims() const {
  const fs::path probe = claim_path(root_, concat("probe-", epoch_));
  create_folders(probe.parent_path());
  if (::link(member_path(root_, epoch_).c_str(), probe.c_str()) != 0)
    throw InputError(concat(storage_error("link", probe.string(), errno).what(),
                            " (runs that share a folder claim their tasks by hard links, which its "
                            "file system must have); run without --join"));
  remove_if_there(probe);
}

Membership::~Membership() {
  try {
    const ListLock list(root_);
    list.take(root_);
    remove_if_there(member_path(root_, epoch_));
    remove_void_claims(root_);
  } catch (const std::exception& error) {  // the next run finds it dead
    log_warning(error.what());
  }
}

bool Membership::claim(const std::string& hash) const {
  const fs::path path = claim_path(root_, hash);
  if (::link(member_path(root_, epoch_).c_str(), path.c_str()) == 0) return true;
  const int failure = errno;
  // Over a network a link may be made and its answer lost.
  if (failure == EEXIST) return claimed_by(path) == epoch_;
  if (failure == ENOENT && !is_member(root_, epoch_)) return false;
  throw storage_error("claim", path.string(), failure);
}

void Membership::release(const std::string& hash) const {
  const fs::path path = claim_path(root_, hash);
  // Taken for dead, another run may have claimed it since.
  if (claimed_by(path) == epoch_) remove_if_there(path);
}

bool Membership::is_claimed(const std::string& hash) const {
  return is_there(claim_path(root_, hash));
}

std::vector<std::int64_t> Membership::remove_dead() const {
  const ListLock list(root_);
  return list.try_take() ? remove_dead_members(root_) : std::vector<std::int64_t>();
}

}  // namespace sweep::storage
