execute_process(COMMAND "${PROGRAM}" describe
  OUTPUT_VARIABLE text ERROR_VARIABLE reason RESULT_VARIABLE status)
if(NOT status EQUAL 0)
  message(FATAL_ERROR "${PROGRAM} describe failed (${status}): ${reason}")
endif()
file(WRITE "${OUTPUT}"
  "namespace sweep::plan {\nextern const char* const kCatalogueText;\n"
  "const char* const kCatalogueText = R\"catalogue(${text})catalogue\";\n}  // namespace sweep::plan\n")
