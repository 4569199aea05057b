execute_process(COMMAND "${PROGRAM}" describe
  OUTPUT_VARIABLE text ERROR_VARIABLE reason RESULT_VARIABLE status)
if(NOT status EQUAL 0)
  message(FATAL_ERROR "${PROGRAM} describe failed (${status}): ${reason}")
endif()
string(CONCAT source
  "namespace sweep::plan {\nextern const char* const kCatalogueText;\n"
  "const char* const kCatalogueText = R\"catalogue(${text})catalogue\";\n}  // namespace sweep::plan\n")
# Left alone where it says the same already: the program changes with every commit.
set(before "")
if(EXISTS "${OUTPUT}")
  file(READ "${OUTPUT}" before)
endif()
if(NOT source STREQUAL before)
  file(WRITE "${OUTPUT}" "${source}")
endif()
