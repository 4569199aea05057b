#include "runner/engine/run_place.hpp"

#include <fcntl.h>
#include <sys/file.h>

#include <cerrno>

#include "core/error.hpp"
#include "core/text.hpp"

namespace sweep::engine {

RunPlace take_place(const storage::Store& store, const std::string& sweep) {
  for (int number = 1;; ++number) {
    const std::string name = number == 1 ? sweep : concat(sweep, "@", number);
    RunPlace place{std::filesystem::absolute(store.run_folder(name)), {}};
    const std::filesystem::path path = place.folder / "lock";
    store.refuse_links(path);
    create_folders(place.folder);
    place.lock =
        FileDescriptor(::open(path.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0644));
    if (place.lock.get() < 0) throw InputError(storage_error("open", path.string(), errno).what());
    if (::flock(place.lock.get(), LOCK_EX | LOCK_NB) == 0) return place;
    if (errno != EWOULDBLOCK) throw InputError(storage_error("lock", path.string(), errno).what());
  }
}

}  // namespace sweep::engine
