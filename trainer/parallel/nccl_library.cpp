#include "trainer/parallel/nccl_library.hpp"

#include <dlfcn.h>

#include "core/error.hpp"
#include "core/text.hpp"

namespace sweep::trainer::nccl {
namespace {

template <class Function>
void load(Function& function, const char* name) {
  function = reinterpret_cast<Function>(::dlsym(RTLD_DEFAULT, name));
  if (function == nullptr)
    throw Error(FailureType::internal,
                concat("there is no NCCL here (the function ", name,
                       " is missing; GPUs that train together need it); set "
                       "run.devices_per_trial = 1, or use a LibTorch that has NCCL 2.14 or later"));
}

Library load_all() {
  Library nccl{};
  load(nccl.get_unique_id, "ncclGetUniqueId");
  load(nccl.comm_init_rank_config, "ncclCommInitRankConfig");
  load(nccl.comm_get_async_error, "ncclCommGetAsyncError");
  load(nccl.comm_finalize, "ncclCommFinalize");
  load(nccl.comm_destroy, "ncclCommDestroy");
  load(nccl.comm_abort, "ncclCommAbort");
  load(nccl.all_reduce, "ncclAllReduce");
  load(nccl.broadcast, "ncclBroadcast");
  load(nccl.error_text, "ncclGetErrorString");
  return nccl;
}

}  // namespace

const Library& library() {
  static const Library loaded = load_all();
  return loaded;
}

}  // namespace sweep::trainer::nccl
