# Writes OUTPUT from TEMPLATE: what is built, with the state of SOURCES in git. Runs in every build and leaves
# a file alone that is right already.

function(ask_git output)
  execute_process(COMMAND git ${ARGN} WORKING_DIRECTORY "${SOURCES}" RESULT_VARIABLE status
    OUTPUT_VARIABLE answer OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
  if(NOT status EQUAL 0)
    set(answer "")
  endif()
  set(${output} "${answer}" PARENT_SCOPE)
endfunction()

set(ENV{GIT_OPTIONAL_LOCKS} 0)  # somebody may be committing meanwhile
set(SWEEP_GIT_REVISION "unknown")
set(SWEEP_GIT_DIFF "unknown")
ask_git(top rev-parse --show-toplevel)
file(REAL_PATH "${SOURCES}" sources)
# Sources from an archive may lie somewhere in a repository of something else.
if(top AND top STREQUAL sources)
  ask_git(revision describe --always --dirty --abbrev=12)
  if(revision)
    set(SWEEP_GIT_REVISION "${revision}")
  endif()
  # As a file: CMake's variables can't hold every byte.
  execute_process(COMMAND git diff HEAD --binary --full-index --no-ext-diff --no-textconv --no-color
    WORKING_DIRECTORY "${SOURCES}" OUTPUT_FILE "${OUTPUT}.diff" RESULT_VARIABLE status ERROR_QUIET)
  if(status EQUAL 0)
    file(SIZE "${OUTPUT}.diff" size)
    if(size EQUAL 0)
      set(SWEEP_GIT_DIFF "clean")
    else()
      file(SHA256 "${OUTPUT}.diff" digest)
      string(SUBSTRING "${digest}" 0 16 SWEEP_GIT_DIFF)
    endif()
  endif()
  file(REMOVE "${OUTPUT}.diff")
endif()
configure_file("${TEMPLATE}" "${OUTPUT}" @ONLY)
