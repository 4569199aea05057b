# Finds LibTorch in the folder of a `torch` wheel or of a LibTorch archive, without a CUDA toolkit.
#
#   LIBTORCH_ROOT  folder that holds include/ and lib/ (default: the choice of scripts/setup)
#
# Gives the target LibTorch::cpu. CUDA is loaded at run time (trainer/device.cpp), so that a machine
# without a GPU neither needs nor loads its libraries.
include(FindPackageHandleStandardArgs)

if(NOT LIBTORCH_ROOT AND EXISTS "${CMAKE_SOURCE_DIR}/.deps/libtorch_root")
  file(STRINGS "${CMAKE_SOURCE_DIR}/.deps/libtorch_root" _choice LIMIT_COUNT 1)
  set(LIBTORCH_ROOT "${_choice}" CACHE PATH "Folder of LibTorch, with include/ and lib/" FORCE)
endif()

find_path(LIBTORCH_INCLUDE_DIR ATen/ATen.h PATHS "${LIBTORCH_ROOT}/include" NO_DEFAULT_PATH NO_CACHE)
find_library(LIBTORCH_CPU_LIBRARY torch_cpu PATHS "${LIBTORCH_ROOT}/lib" NO_DEFAULT_PATH NO_CACHE)
find_library(LIBTORCH_C10_LIBRARY c10 PATHS "${LIBTORCH_ROOT}/lib" NO_DEFAULT_PATH NO_CACHE)
find_package_handle_standard_args(LibTorch
  REQUIRED_VARS LIBTORCH_CPU_LIBRARY LIBTORCH_C10_LIBRARY LIBTORCH_INCLUDE_DIR
  REASON_FAILURE_MESSAGE "run scripts/setup, or give -DLIBTORCH_ROOT=DIR with include/ and lib/")

if(LibTorch_FOUND AND NOT TARGET LibTorch::cpu)
  add_library(LibTorch::cpu INTERFACE IMPORTED)
  target_include_directories(LibTorch::cpu SYSTEM INTERFACE
    "${LIBTORCH_INCLUDE_DIR}" "${LIBTORCH_INCLUDE_DIR}/torch/csrc/api/include")
  target_link_libraries(LibTorch::cpu INTERFACE "${LIBTORCH_CPU_LIBRARY}" "${LIBTORCH_C10_LIBRARY}")
endif()
