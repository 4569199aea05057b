# The verbs that the folders' CMakeLists use.

find_program(SWEEP_CCACHE ccache)
if(SWEEP_CCACHE)
  # PCHs are not hashed by content unless ccache is told to ignore their time stamps.
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env
    CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime ${SWEEP_CCACHE})
endif()

function(sweep_compile_options target)
  target_compile_options(${target} PRIVATE -Wall -Wextra -Wpedantic -Wshadow -Werror
    -Wno-missing-field-initializers)  # members left out of a braced list have defaults
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # All give false alarms on std::string and std::variant from GCC 12 on (GCC bugs 105329, 105562).
    target_compile_options(${target} PRIVATE -Wno-restrict -Wno-maybe-uninitialized -Wno-array-bounds
      -Wno-stringop-overflow)
  endif()
  if(SWEEP_SANITIZE)
    target_compile_options(${target} PRIVATE -fsanitize=${SWEEP_SANITIZE} -fno-omit-frame-pointer)
    target_link_options(${target} PUBLIC -fsanitize=${SWEEP_SANITIZE})
  endif()
  if(SWEEP_FUZZ)  # counts which branches an input takes; the fuzzer's main comes with its program alone
    target_compile_options(${target} PRIVATE -fsanitize=fuzzer-no-link -fno-sanitize-recover=all)
  endif()
endfunction()

# Compiles with a header precompiled once for all: `name` is sweep_NAME_pch, `headers` what it holds.
# Its target needs the options of those that use it.
function(sweep_precompile name)
  cmake_parse_arguments(ARG "" "" "HEADERS;LINK;OPTIONS" ${ARGN})
  set(source "${CMAKE_BINARY_DIR}/generated/${name}_pch.cpp")
  file(CONFIGURE OUTPUT "${source}" CONTENT "// only carries the header\n")
  add_library(sweep_${name}_pch OBJECT "${source}")
  sweep_compile_options(sweep_${name}_pch)
  target_compile_options(sweep_${name}_pch PRIVATE ${ARG_OPTIONS})
  target_link_libraries(sweep_${name}_pch PUBLIC ${ARG_LINK})
  target_precompile_headers(sweep_${name}_pch PRIVATE ${ARG_HEADERS})
endfunction()

# sweep_reuse(target name): `target` is compiled with the precompiled header `name` and no other.
function(sweep_reuse target name)
  set_target_properties(${target} PROPERTIES PRECOMPILE_HEADERS_REUSE_FROM sweep_${name}_pch)
endfunction()

# Most of the time that a file without LibTorch takes goes into this header.
function(sweep_use_json target)
  if(NOT TARGET sweep_json_pch)
    sweep_precompile(json HEADERS <nlohmann/json.hpp> LINK nlohmann_json::nlohmann_json)
  endif()
  sweep_reuse(${target} json)
endfunction()

# For what runs for a moment only, or only in tests: compiled for the time that compiling takes.
set(sweep_quick_options $<$<CONFIG:Release>:-O1>)

# What reads command lines: every file of it would optimise CLI11's functions again.
function(sweep_use_cli target)
  if(NOT TARGET sweep_cli_pch)
    sweep_precompile(cli HEADERS <nlohmann/json.hpp> <CLI/CLI.hpp> OPTIONS ${sweep_quick_options}
      LINK nlohmann_json::nlohmann_json CLI11::CLI11)
  endif()
  target_compile_options(${target} PRIVATE ${sweep_quick_options})
  sweep_reuse(${target} cli)
endfunction()

# sweep_library(core SOURCES a.cpp ... LINK Library ...)
# makes the static library sweep_core with the alias sweep::core. Includes are relative to the
# repository's root, so that every #include names the layer it reaches into.
#
# With PLUGINS it is an object library: plugins register themselves from static objects, which a linker
# drops from an archive that nothing refers to. Programs name such libraries behind PLUGINS.
#
# POSITION_INDEPENDENT: modules that are loaded at run time link it.
function(sweep_library name)
  cmake_parse_arguments(ARG "PLUGINS;POSITION_INDEPENDENT" "" "SOURCES;LINK" ${ARGN})
  set(kind STATIC)
  if(ARG_PLUGINS)
    set(kind OBJECT)
  endif()
  add_library(sweep_${name} ${kind} ${ARG_SOURCES})
  add_library(sweep::${name} ALIAS sweep_${name})
  target_include_directories(sweep_${name} PUBLIC "${CMAKE_SOURCE_DIR}" "${CMAKE_BINARY_DIR}/generated")
  target_link_libraries(sweep_${name} PUBLIC ${ARG_LINK})
  sweep_compile_options(sweep_${name})
  if(ARG_POSITION_INDEPENDENT)
    set_target_properties(sweep_${name} PROPERTIES POSITION_INDEPENDENT_CODE ON)
  else()
    sweep_use_json(sweep_${name})
  endif()
endfunction()

function(sweep_link_plugins target)
  foreach(library ${ARGN})
    target_link_libraries(${target} PRIVATE sweep_${library})
  endforeach()
endfunction()

# sweep_embed_output(runner/plan/catalogue_text.cpp trial_executor describe sweep::plan kCatalogueText)
# makes a source in the build's generated/ with a constant: what `trial_executor describe` prints. With
# SWEEP_DESCRIBED_BY it is asked of that folder's programs instead: a build of a few targets needs no LibTorch then.
function(sweep_embed_output file program argument namespace name)
  set(output "${CMAKE_BINARY_DIR}/generated/${file}")
  set(asked $<TARGET_FILE:${program}>)
  set(asked_target ${program})
  if(SWEEP_DESCRIBED_BY)
    set(asked "${SWEEP_DESCRIBED_BY}/${program}")
    set(asked_target "${asked}")
  endif()
  add_custom_command(OUTPUT "${output}"
    COMMAND ${CMAKE_COMMAND} -DPROGRAM=${asked} -DARGUMENT=${argument}
            -DNAMESPACE=${namespace} -DNAME=${name} "-DOUTPUT=${output}"
            -P "${CMAKE_SOURCE_DIR}/cmake/EmbedOutput.cmake"
    DEPENDS ${asked_target} "${CMAKE_SOURCE_DIR}/cmake/EmbedOutput.cmake"
    COMMENT "Asking ${program} to ${argument}"
    VERBATIM)
endfunction()

# sweep_program(name SOURCES main.cpp LINK sweep::core PLUGINS attacks)
function(sweep_program name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINK;PLUGINS" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  sweep_compile_options(${name})
  sweep_use_json(${name})
  target_link_libraries(${name} PRIVATE ${ARG_LINK})
  sweep_link_plugins(${name} ${ARG_PLUGINS})
  set_target_properties(${name} PROPERTIES
    BUILD_RPATH_USE_ORIGIN ON
    INSTALL_RPATH_USE_LINK_PATH ON)
  install(TARGETS ${name} RUNTIME DESTINATION "${CMAKE_INSTALL_BINDIR}")
endfunction()

# Links LibTorch and compiles with its headers for tensors precompiled. torch/torch.h itself is left out:
# GCC instantiates its pending templates in every file again (10 s each).
set(sweep_torch_headers <ATen/ATen.h> <torch/csrc/autograd/autograd.h> <nlohmann/json.hpp>)
function(sweep_use_torch target)
  if(NOT TARGET sweep_torch_pch)
    sweep_precompile(torch
      HEADERS ${sweep_torch_headers}
      LINK LibTorch::cpu nlohmann_json::nlohmann_json)
  endif()
  target_link_libraries(${target} PUBLIC LibTorch::cpu)
  sweep_reuse(${target} torch)
endfunction()

# sweep_test(core TIMEOUT 60 SOURCES a_test.cpp ... LINK sweep::core PLUGINS attacks)
# is one program, core_tests, and one CTest entry; a test without a time limit is an error. What stands
# behind LAUNCHER is put before the program. BUSY: it keeps two cores busy, so nothing should run beside it.
# SHARDS: so many entries, NAME_0 and on, share its tests and a core each: for tests that gain little from threads.
# TORCH: its sources include LibTorch.
# THREADED: what it tests has threads of ours, so the preset tsan builds and runs it.
function(sweep_test name)
  cmake_parse_arguments(ARG "BUSY;THREADED;TORCH" "SHARDS;TIMEOUT" "SOURCES;LINK;PLUGINS;LAUNCHER" ${ARGN})
  if(NOT ARG_TIMEOUT)
    message(FATAL_ERROR "the test ${name} has no TIMEOUT (a test that hangs must not hang the build); give one")
  endif()
  add_executable(${name}_tests ${ARG_SOURCES})
  target_include_directories(${name}_tests PRIVATE "${CMAKE_SOURCE_DIR}" "${CMAKE_BINARY_DIR}/generated")
  sweep_compile_options(${name}_tests)
  target_compile_options(${name}_tests PRIVATE ${sweep_quick_options})
  if(NOT TARGET sweep_gtest_pch)
    sweep_precompile(gtest HEADERS <gmock/gmock.h> <nlohmann/json.hpp> OPTIONS ${sweep_quick_options}
      LINK GTest::gmock GTest::gtest nlohmann_json::nlohmann_json)
    sweep_precompile(torch_gtest HEADERS <gmock/gmock.h> ${sweep_torch_headers} OPTIONS ${sweep_quick_options}
      LINK GTest::gmock GTest::gtest LibTorch::cpu nlohmann_json::nlohmann_json)
  endif()
  if(ARG_TORCH)
    sweep_reuse(${name}_tests torch_gtest)
  else()
    sweep_reuse(${name}_tests gtest)
  endif()
  target_link_libraries(${name}_tests PRIVATE ${ARG_LINK} GTest::gtest GTest::gtest_main GTest::gmock)
  sweep_link_plugins(${name}_tests ${ARG_PLUGINS})
  set_target_properties(${name}_tests PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/tests")
  set(entries ${name})
  if(ARG_SHARDS)
    set(entries)
    math(EXPR last "${ARG_SHARDS} - 1")
    foreach(shard RANGE ${last})
      list(APPEND entries ${name}_${shard})
    endforeach()
  endif()
  set(shard 0)
  foreach(entry ${entries})
    add_test(NAME ${entry} COMMAND ${ARG_LAUNCHER} $<TARGET_FILE:${name}_tests>)
    set_tests_properties(${entry} PROPERTIES TIMEOUT ${ARG_TIMEOUT})
    if(ARG_SHARDS)
      set_tests_properties(${entry} PROPERTIES ENVIRONMENT
        "GTEST_TOTAL_SHARDS=${ARG_SHARDS};GTEST_SHARD_INDEX=${shard};OMP_NUM_THREADS=1")
      math(EXPR shard "${shard} + 1")
    endif()
    if(ARG_BUSY)
      set_tests_properties(${entry} PROPERTIES PROCESSORS 2)
    endif()
    if(ARG_THREADED)
      set_tests_properties(${entry} PROPERTIES LABELS threaded)
    endif()
  endforeach()
  if(ARG_THREADED)
    add_dependencies(threaded_tests ${name}_tests)
  endif()
endfunction()
