#include "cluster/mpirun.hpp"

#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "core/error.hpp"
#include "core/text.hpp"

namespace sweep::cluster {

void exec_mpirun(int ranks, const std::vector<std::string>& command) {
  std::vector<std::string> arguments{"mpirun",          "-np",       std::to_string(ranks),
                                     "--oversubscribe", "--bind-to", "none"};
  if (::geteuid() == 0) arguments.emplace_back("--allow-run-as-root");
  // Containers forbid the system call that copies between processes; without it MPI only warns and
  // copes.
  ::setenv("OMPI_MCA_btl_vader_single_copy_mechanism", "none", 0);
  arguments.insert(arguments.end(), command.begin(), command.end());
  std::vector<char*> pointers;
  for (auto& argument : arguments) pointers.push_back(argument.data());
  pointers.push_back(nullptr);
  ::execvp("mpirun", pointers.data());
  throw InputError(concat("cannot start mpirun (", std::strerror(errno),
                          "; --np needs it); install Open MPI (Debian, Ubuntu: apt-get install "
                          "openmpi-bin) or leave --np out to run in one process"));
}

}  // namespace sweep::cluster
