#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sweep::cluster {

enum class Element : std::uint8_t { float32, float64, bfloat16 };

/// What every rank has at the end: the sum over all, or what the first of the group had.
enum class Reduction : std::uint8_t { sum, first };

/// One rank's part in the reductions of a group of ranks. Each rank adds up one part of the values
/// and sends it to all others: a rank sends and receives 2 (k-1)/k of the bytes, in two rounds.
/// Values are added in the order of the group, whatever order they arrive in: equal values on all
/// ranks, and equal bits in every run. Floating-point numbers are added in a wider type (bfloat16
/// in float32) and rounded once.
///
/// Nothing blocks and nothing is collective: a group whose member has died is just dropped. All
/// hosts must have the same byte order. Not thread-safe.
class GroupReduction {
 public:
  using Send = std::function<void(int rank, std::string message)>;

  /// @param number  names the group: what another group says is not for this one
  /// @param ranks   of the group, at least two; `own` is one of them
  GroupReduction(std::uint64_t number, std::vector<int> ranks, int own, Send send);

  /// Begins a reduction of `values`, in place; they must stay until it is done. All ranks of the
  /// group begin the same reductions under the same sequence numbers, in any order.
  void start(std::uint64_t sequence, std::span<std::byte> values, Element element, Reduction how);

  /// Takes a message of a member. @throws Error{communication} when it does not fit ours.
  void receive(int from, std::string_view message);

  /// Sequence numbers of the reductions that have been done since the last call.
  std::vector<std::uint64_t> take_done();

  /// Reductions that were begun and are not done.
  bool pending() const;

 private:
  struct Work {
    std::span<std::byte> values;
    Element element = Element::float32;
    Reduction how = Reduction::sum;
    bool started = false;
    std::vector<std::string> contributions;  ///< to our part, by index in the group
    std::size_t contributed = 0;             ///< ranks, without us
    std::size_t results = 0;                 ///< parts that others have added up
    bool added = false;                      ///< our part
  };
  struct Part {
    std::size_t begin, bytes;
  };

  Part part(const Work& work, std::size_t index) const;
  std::size_t index_of(int rank) const;
  Work& work(std::uint64_t sequence);
  void send_contributions(std::uint64_t sequence, const Work& work) const;
  void advance(std::uint64_t sequence);
  void add_up(Work& work) const;

  std::uint64_t number_;
  std::vector<int> ranks_;
  std::size_t own_;
  Send send_;
  std::map<std::uint64_t, Work> works_;
  std::vector<std::uint64_t> done_;
};

/// Whether a message is one of a group, and of which one.
bool is_of_a_group(std::string_view message);
std::uint64_t group_of(std::string_view message);

std::size_t size_of(Element element);

}  // namespace sweep::cluster
