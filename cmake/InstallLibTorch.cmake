# LibTorch's shared libraries in the installed tree, so that it runs wherever it is moved to.
# They find the CUDA libraries beside them by relative paths, which the copy keeps.

option(SWEEP_INSTALL_LIBTORCH "Copy LibTorch's libraries (up to 4 GB) into the installed tree" ON)

if(SWEEP_INSTALL_LIBTORCH)
  set(_libraries FILES_MATCHING PATTERN "*.so*" PATTERN "libtorch_python*" EXCLUDE)
  set(_tree "${CMAKE_INSTALL_LIBDIR}/sweep_runner")
  install(DIRECTORY "${LIBTORCH_ROOT}/lib/" DESTINATION "${_tree}/torch/lib" ${_libraries})
  file(GLOB _cuda_folders RELATIVE "${LIBTORCH_ROOT}/.." "${LIBTORCH_ROOT}/../nvidia/*/lib")
  foreach(_folder ${_cuda_folders})
    install(DIRECTORY "${LIBTORCH_ROOT}/../${_folder}/" DESTINATION "${_tree}/${_folder}" ${_libraries})
  endforeach()
  file(RELATIVE_PATH _from_programs "/${CMAKE_INSTALL_BINDIR}" "/${_tree}/torch/lib")
  set(SWEEP_INSTALLED_LIBTORCH "$ORIGIN/${_from_programs}")
else()
  set(SWEEP_INSTALLED_LIBTORCH "${LIBTORCH_ROOT}/lib")
endif()
