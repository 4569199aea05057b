#pragma once

#include <cstddef>

namespace sweep::trainer::nccl {

// What is used of NCCL's C interface, as its documentation gives it (version 2.14 and later). Its
// header needs CUDA's, and neither is there where LibTorch is a plain archive.

using Comm = void*;
using Stream = void*;

struct UniqueId {
  char bytes[128];
};

enum Result : int { success = 0, in_progress = 7 };
enum DataType : int { float32 = 7, float64 = 8, bfloat16 = 9 };
enum Operation : int { sum = 0 };

/// Version 2.14's, which later versions accept: `size` and `version` tell them.
struct Config {
  std::size_t size = sizeof(Config);
  unsigned magic = 0xcafebeef;
  unsigned version = 21400;
  int blocking = 0;
};

/// Functions of the loaded library.
struct Library {
  Result (*get_unique_id)(UniqueId*);
  Result (*comm_init_rank_config)(Comm*, int size, UniqueId, int rank, Config*);
  Result (*comm_get_async_error)(Comm, Result*);
  Result (*comm_finalize)(Comm);
  Result (*comm_destroy)(Comm);
  Result (*comm_abort)(Comm);
  Result (*all_reduce)(const void*, void*, std::size_t count, DataType, Operation, Comm, Stream);
  Result (*broadcast)(const void*, void*, std::size_t count, DataType, int root, Comm, Stream);
  const char* (*error_text)(Result);
};

/// @throws Error{internal} where NCCL is not loaded: LibTorch's CUDA part has to be, with it.
const Library& library();

}  // namespace sweep::trainer::nccl
