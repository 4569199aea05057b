#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "core/atomic_file.hpp"

namespace sweep::storage {

/// Whether a run has a store to itself, or shares it with others that were started to share it.
enum class Access { exclusive, joined };

/// Number of the last run of the store; 0: none yet. @throws InputError when it is damaged
std::int64_t read_epoch(const std::filesystem::path& root);

/// Whether the run with this number may still write to the store: nobody has taken it for dead, and
/// it has not ended. @throws Error{storage}
bool is_member(const std::filesystem::path& root, std::int64_t epoch);

/// "process 4711 on node1, sweep 'table1'" of every run of the store that is alive.
std::vector<std::string> living_members(const std::filesystem::path& root);

/// A run's place among those that write to a store, and the tasks that it has for itself:
///   members/EPOCH   who it is; locked as long as its process lives
///   members/lock    held for a moment by whoever changes the list
///   claims/HASH     a second name of its member's file: the artifact is made by that run
/// A run whose lock is free is dead: the next one that looks removes it, its claims with it, and
/// what is left of it can publish nothing any more. Numbers are never used again.
class Membership {
 public:
  /// Proves that the folder can be written and joins, with the next number. One that is to be alone
  /// removes all others; one that is alone removes what others left half written.
  /// @throws Error{storage}, InputError when the counter is damaged
  Membership(std::filesystem::path root, Access access, const std::string& sweep);
  Membership(const Membership&) = delete;
  Membership& operator=(const Membership&) = delete;
  /// Gives up what it has claimed.
  ~Membership();

  std::int64_t epoch() const { return epoch_; }

  /// From now on nobody else makes the artifact. False: somebody else does. @throws Error{storage}
  bool claim(const std::string& hash) const;
  /// Of what it has claimed. @throws Error{storage}
  void release(const std::string& hash) const;
  /// Somebody makes the artifact. @throws Error{storage}
  bool is_claimed(const std::string& hash) const;

  /// Frees what dead runs had claimed; their numbers. Does nothing while another run does the same.
  /// @throws Error{storage}
  std::vector<std::int64_t> remove_dead() const;

 private:
  void join(Access access, const std::string& sweep);
  void prove_claims() const;

  std::filesystem::path root_;
  FileDescriptor file_;
  std::int64_t epoch_ = 0;
};

}  // namespace sweep::storage
