#include <dlfcn.h>

#include "cluster/host.hpp"
#include "cluster/message_bus.hpp"
#include "core/error.hpp"
#include "core/text.hpp"

namespace sweep::cluster {

std::unique_ptr<MessageBus> load_mpi_bus() {
  const auto path = program_folder() / "sweep_mpi.so";
  // Global: MPI loads parts of itself, which look for its symbols.
  void* library = ::dlopen(path.c_str(), RTLD_NOW | RTLD_GLOBAL);
  void* make = library == nullptr ? nullptr : ::dlsym(library, "sweep_make_mpi_bus");
  if (make == nullptr)
    throw InputError(concat("cannot load '", path.string(), "' (", ::dlerror(),
                            "; ranks talk over it); install Open MPI (Debian, Ubuntu: apt-get "
                            "install libopenmpi3), or start without mpirun: one process"));
  return std::unique_ptr<MessageBus>(reinterpret_cast<MessageBus* (*)()>(make)());
}

}  // namespace sweep::cluster
