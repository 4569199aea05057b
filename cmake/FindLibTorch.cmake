# Finds LibTorch in the folder of a `torch` wheel or of a LibTorch archive, without a CUDA toolkit.
#
#   LIBTORCH_ROOT  folder that holds include/ and lib/ (default: the choice of scripts/setup)
#
# Gives the target LibTorch::cpu. CUDA is loaded at run time (trainer/device.cpp), so that a machine
# without a GPU neither needs nor loads its libraries. Where they and their headers are there, as in the
# wheel, also gives LibTorch::cuda, for the module that is loaded with them, and LIBTORCH_CUDA_MAJOR.
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

find_library(LIBTORCH_CUDA_LIBRARY torch_cuda PATHS "${LIBTORCH_ROOT}/lib" NO_DEFAULT_PATH NO_CACHE)
find_library(LIBTORCH_C10_CUDA_LIBRARY c10_cuda PATHS "${LIBTORCH_ROOT}/lib" NO_DEFAULT_PATH NO_CACHE)
file(GLOB _cuda_headers "${LIBTORCH_ROOT}/../nvidia/cu[0-9]*/include/cuda_runtime_api.h")
if(LibTorch_FOUND AND LIBTORCH_CUDA_LIBRARY AND LIBTORCH_C10_CUDA_LIBRARY AND _cuda_headers AND NOT TARGET LibTorch::cuda)
  list(GET _cuda_headers 0 _cuda_header)
  get_filename_component(_cuda_include "${_cuda_header}" DIRECTORY)
  string(REGEX MATCH "/nvidia/cu([0-9]+)/" _ "${_cuda_header}")
  set(LIBTORCH_CUDA_MAJOR "${CMAKE_MATCH_1}" CACHE INTERNAL "")
  add_library(LibTorch::cuda INTERFACE IMPORTED)
  target_include_directories(LibTorch::cuda SYSTEM INTERFACE "${_cuda_include}")
  target_link_libraries(LibTorch::cuda INTERFACE LibTorch::cpu "${LIBTORCH_CUDA_LIBRARY}" "${LIBTORCH_C10_CUDA_LIBRARY}"
    "${_cuda_include}/../lib/libcudart.so.${LIBTORCH_CUDA_MAJOR}")
endif()
