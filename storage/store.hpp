#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "core/atomic_file.hpp"
#include "storage/array.hpp"
#include "storage/members.hpp"

namespace sweep::storage {

enum class ArtifactKind {
  dataset,
  model,
  preprocessor,
  adversarial_shard,
  adversarial_set,
  evaluation
};

std::string_view to_string(ArtifactKind kind);
std::optional<ArtifactKind> find_artifact_kind(std::string_view name);
/// @throws Error{internal} for an unknown name.
ArtifactKind artifact_kind_from(std::string_view name);

/// An artifact's kind and its name: the SHA-256 of its canonical spec, which holds its inputs'
/// names.
struct ArtifactId {
  ArtifactKind kind = ArtifactKind::dataset;
  std::string hash;

  /// "model 1f2e3d4c", for people.
  std::string short_name() const;
  auto operator<=>(const ArtifactId&) const = default;
};

/// The folder that holds everything a sweep makes:
///   artifacts/<kind>/<hash>.h5   finished work, shared by all sweeps of the folder
///   checkpoints/<hash>.h5        unfinished trainings
///   damaged/                     artifacts whose checksum did not match, set aside
///   runs/<sweep>/                plan.json, journal.jsonl, logs/
///   lock, members/, claims/      who writes here and makes what: members.hpp
///   epoch                        number of the last run
class Store {
 public:
  explicit Store(std::filesystem::path root) : root_(std::move(root)) {}

  const std::filesystem::path& root() const { return root_; }
  std::filesystem::path artifact_path(const ArtifactId& id) const;
  std::filesystem::path checkpoint_path(const ArtifactId& id) const;
  std::filesystem::path run_folder(const std::string& sweep_name) const;

  /// @param path  in the store
  /// @throws InputError when it, or a folder on the way to it from the root, is a symbolic link:
  /// what is written or removed there would be a file of somebody else. The root may be one.
  void refuse_links(const std::filesystem::path& path) const;

  /// A link is no artifact. @throws Error{storage} when it can't be told
  bool contains(const ArtifactId& id) const;

  /// Sets a damaged file aside before it throws. @throws Error{bad_data}, Error{storage}
  Content read(const ArtifactId& id) const;

  /// True when the artifact is there and its checksum matches. A damaged one is set aside.
  bool verify(const ArtifactId& id) const;

  /// Writes and publishes an artifact for the run with number `epoch`. One that is there and whole
  /// stays as it is.
  /// @throws Error{storage} when it can't be written or the run is no member any more.
  void publish(const ArtifactId& id, const Content& content, std::int64_t epoch) const;

  std::optional<Content> read_checkpoint(const ArtifactId& id) const;
  void write_checkpoint(const ArtifactId& id, const Content& content, std::int64_t epoch) const;
  void remove_checkpoint(const ArtifactId& id) const;
  void remove(const ArtifactId& id) const;

  /// Moves a damaged artifact or checkpoint to damaged/, where it is in nobody's way.
  /// @param why  for the warning: "its checksum does not match"
  void set_aside(const std::filesystem::path& path, std::string_view why) const;

 private:
  void check_member(std::int64_t epoch) const;

  std::filesystem::path root_;
};

/// The right to change a store, alone or with others, and nothing more: for what mends and cleans.
/// The operating system gives it back when the process dies, so that no stale lock is ever left.
class FolderLock {
 public:
  /// Creates the root and takes the lock.
  /// @throws InputError when the folder can't be written or is in use (says by whom).
  explicit FolderLock(const Store& store, Access access = Access::exclusive);

 private:
  FileDescriptor lock_;
};

/// Who holds the lock of the folder ("process 4711 on node1, sweep 'table1'"; runs that share it
/// are all named); nothing when it is free. Changes nothing. @throws Error{storage}
std::optional<std::string> lock_holder(const Store& store);

/// The right to write to a store. Held by the coordinator for a whole run.
class StoreLock {
 public:
  /// Creates the folders, proves that they can be written, takes the lock, becomes a member with a
  /// new epoch and removes what earlier runs left half written, once no other run is there.
  /// @param sweep  for others, who ask who is there
  /// @throws InputError when the folder can't be written, is full, or is in use (says by whom).
  explicit StoreLock(const Store& store, Access access = Access::exclusive,
                     const std::string& sweep = "");
  const Membership& member() const { return *member_; }
  std::int64_t epoch() const { return member_->epoch(); }

 private:
  FolderLock lock_;
  std::optional<Membership> member_;
};

}  // namespace sweep::storage
