#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "trainer/parallel/communicator.hpp"
#include "trainer/tensors.hpp"

namespace sweep::trainer {

/// Adds up the gradients of all ranks while the backward pass is still going on (Li et al.,
/// "PyTorch Distributed: Experiences on Accelerating Data Parallel Training", 2020,
/// arXiv:2006.15704). Gradients are copied into flat buckets as they come; a bucket that is full,
/// and all before it, sets out at once. Buckets hold parameters in the reverse of their order,
/// which is about the order in which gradients come; the first one is small, so that sending begins
/// early.
class Reducer {
 public:
  struct Limits {
    std::int64_t first_bytes = 1 << 20, bytes = 25 << 20;  ///< of a bucket
  };

  /// @param parameters  leaves, in the order in which a forward pass uses them
  /// @param compress    buckets are bfloat16
  Reducer(std::vector<at::Tensor> parameters, Communicator& communicator, bool compress)
      : Reducer(std::move(parameters), communicator, compress, Limits{}) {}
  Reducer(std::vector<at::Tensor> parameters, Communicator& communicator, bool compress,
          const Limits& limits);
  Reducer(const Reducer&) = delete;
  Reducer& operator=(const Reducer&) = delete;
  ~Reducer();

  /// Collective; after every backward pass: waits, and makes the sums the parameters' gradients.
  /// A parameter that no gradient has come for on this rank contributes zeros; one that none has
  /// come for on any rank has none afterwards either: which ones are used must be the same on all
  /// ranks.
  /// @throws Error{communication}
  void finish();

  std::size_t buckets() const { return buckets_.size(); }
  /// Bytes that a rank has given to be added up so far, and how many of these were on their way
  /// before finish() was called: what the backward pass could hide.
  std::int64_t bytes() const { return bytes_; }
  std::int64_t overlapped_bytes() const { return overlapped_bytes_; }

 private:
  struct Bucket {
    at::Tensor buffer{};
    std::size_t first = 0, count = 0;  ///< of slots_
    std::size_t missing = 0;           ///< gradients of this pass
    std::optional<std::uint64_t> ticket{};
  };
  struct Slot {
    at::Tensor parameter, view;  ///< its place in the bucket, with the parameter's layout
    std::size_t bucket = 0;
    unsigned hook = 0;
    bool arrived = false;
  };

  void fill(std::int64_t first_bytes, std::int64_t bytes, bool compress);
  void begin_pass();
  void take(std::size_t slot, const at::Tensor& gradient);
  void start_full_buckets();

  Communicator& communicator_;
  std::vector<Bucket> buckets_;
  std::vector<Slot> slots_;
  std::size_t next_ = 0;  ///< bucket to set out
  std::int64_t bytes_ = 0, overlapped_bytes_ = 0;
};

}  // namespace sweep::trainer
