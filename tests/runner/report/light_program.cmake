# Fails when PROGRAM needs a library that only trainings need: it must start in milliseconds, anywhere.
execute_process(COMMAND ldd "${PROGRAM}" OUTPUT_VARIABLE libraries COMMAND_ERROR_IS_FATAL ANY)
if(libraries MATCHES "lib(torch|c10|mpi|open-rte|cuda|cudart|nccl)[^ \n]*")
  message(FATAL_ERROR "${PROGRAM} needs ${CMAKE_MATCH_0} (it should only link core and storage); "
    "see who brings it in:\n${libraries}")
endif()
