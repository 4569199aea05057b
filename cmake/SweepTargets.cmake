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
    # All three give false alarms on std::string and std::variant from GCC 12 on (GCC bugs 105329, 105562).
    target_compile_options(${target} PRIVATE -Wno-restrict -Wno-maybe-uninitialized -Wno-array-bounds)
  endif()
  if(SWEEP_SANITIZE)
    target_compile_options(${target} PRIVATE -fsanitize=${SWEEP_SANITIZE} -fno-omit-frame-pointer)
    target_link_options(${target} PUBLIC -fsanitize=${SWEEP_SANITIZE})
  endif()
endfunction()

# sweep_library(core SOURCES a.cpp ... LINK Library ...)
# makes the static library sweep_core with the alias sweep::core. Includes are relative to the
# repository's root, so that every #include names the layer it reaches into.
#
# With PLUGINS it is an object library: plugins register themselves from static objects, which a linker
# drops from an archive that nothing refers to. Programs name such libraries behind PLUGINS.
function(sweep_library name)
  cmake_parse_arguments(ARG "PLUGINS" "" "SOURCES;LINK" ${ARGN})
  set(kind STATIC)
  if(ARG_PLUGINS)
    set(kind OBJECT)
  endif()
  add_library(sweep_${name} ${kind} ${ARG_SOURCES})
  add_library(sweep::${name} ALIAS sweep_${name})
  target_include_directories(sweep_${name} PUBLIC "${CMAKE_SOURCE_DIR}" "${CMAKE_BINARY_DIR}/generated")
  target_link_libraries(sweep_${name} PUBLIC ${ARG_LINK})
  sweep_compile_options(sweep_${name})
endfunction()

function(sweep_link_plugins target)
  foreach(library ${ARGN})
    target_link_libraries(${target} PRIVATE sweep_${library})
  endforeach()
endfunction()

# sweep_embed_output(runner/plan/catalogue_text.cpp trial_executor describe sweep::plan kCatalogueText)
# makes a source in the build's generated/ with a constant: what `trial_executor describe` prints.
function(sweep_embed_output file program argument namespace name)
  set(output "${CMAKE_BINARY_DIR}/generated/${file}")
  add_custom_command(OUTPUT "${output}"
    COMMAND ${CMAKE_COMMAND} -DPROGRAM=$<TARGET_FILE:${program}> -DARGUMENT=${argument}
            -DNAMESPACE=${namespace} -DNAME=${name} "-DOUTPUT=${output}"
            -P "${CMAKE_SOURCE_DIR}/cmake/EmbedOutput.cmake"
    DEPENDS ${program} "${CMAKE_SOURCE_DIR}/cmake/EmbedOutput.cmake"
    COMMENT "Asking ${program} to ${argument}"
    VERBATIM)
endfunction()

# sweep_program(name SOURCES main.cpp LINK sweep::core PLUGINS attacks)
function(sweep_program name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINK;PLUGINS" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  sweep_compile_options(${name})
  target_link_libraries(${name} PRIVATE ${ARG_LINK})
  sweep_link_plugins(${name} ${ARG_PLUGINS})
  set_target_properties(${name} PROPERTIES
    BUILD_RPATH_USE_ORIGIN ON
    INSTALL_RPATH_USE_LINK_PATH ON)
  install(TARGETS ${name} RUNTIME DESTINATION "${CMAKE_INSTALL_BINDIR}")
endfunction()

# Links LibTorch and compiles with its headers for tensors precompiled. torch/torch.h itself is left out:
# GCC instantiates its pending templates in every file again (10 s each).
function(sweep_use_torch target)
  if(NOT TARGET sweep_torch_pch)
    file(CONFIGURE OUTPUT "${CMAKE_BINARY_DIR}/generated/torch_pch.cpp" CONTENT "// only carries the header\n")
    add_library(sweep_torch_pch OBJECT "${CMAKE_BINARY_DIR}/generated/torch_pch.cpp")
    sweep_compile_options(sweep_torch_pch)
    target_link_libraries(sweep_torch_pch PUBLIC LibTorch::cpu nlohmann_json::nlohmann_json)
    target_precompile_headers(sweep_torch_pch PRIVATE
      <ATen/ATen.h> <torch/csrc/autograd/autograd.h> <nlohmann/json.hpp>)
  endif()
  target_link_libraries(${target} PUBLIC LibTorch::cpu)
  target_precompile_headers(${target} REUSE_FROM sweep_torch_pch)
endfunction()

# sweep_test(core TIMEOUT 60 SOURCES a_test.cpp ... LINK sweep::core PLUGINS attacks)
# is one program, core_tests, and one CTest entry; a test without a time limit is an error. What stands
# behind LAUNCHER is put before the program. BUSY: it keeps two cores busy, so nothing should run beside it.
function(sweep_test name)
  cmake_parse_arguments(ARG "BUSY" "TIMEOUT" "SOURCES;LINK;PLUGINS;LAUNCHER" ${ARGN})
  if(NOT ARG_TIMEOUT)
    message(FATAL_ERROR "the test ${name} has no TIMEOUT (a test that hangs must not hang the build); give one")
  endif()
  add_executable(${name}_tests ${ARG_SOURCES})
  target_include_directories(${name}_tests PRIVATE "${CMAKE_SOURCE_DIR}" "${CMAKE_BINARY_DIR}/generated")
  sweep_compile_options(${name}_tests)
  target_link_libraries(${name}_tests PRIVATE ${ARG_LINK} GTest::gtest GTest::gtest_main GTest::gmock)
  sweep_link_plugins(${name}_tests ${ARG_PLUGINS})
  set_target_properties(${name}_tests PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/tests")
  add_test(NAME ${name} COMMAND ${ARG_LAUNCHER} $<TARGET_FILE:${name}_tests>)
  set_tests_properties(${name} PROPERTIES TIMEOUT ${ARG_TIMEOUT})
  if(ARG_BUSY)
    set_tests_properties(${name} PROPERTIES PROCESSORS 2)
  endif()
endfunction()
