# Finds LibTorch in the folder of a `torch` wheel or of a LibTorch archive, without a CUDA toolkit.
#
#   LIBTORCH_ROOT  folder that holds include/ and lib/ (default: the wheel in .deps/python)
#
# Gives the target LibTorch::cpu. CUDA is loaded at run time (trainer/device.cpp), so that a machine
# without a GPU neither needs nor loads its libraries.
include(FindPackageHandleStandardArgs)

if(NOT LIBTORCH_ROOT)
  file(GLOB _wheels "${CMAKE_SOURCE_DIR}/.deps/python/lib/python3*/site-packages/torch")
  list(APPEND _wheels "")
  list(GET _wheels 0 LIBTORCH_ROOT)
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
