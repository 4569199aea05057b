# Writes OUTPUT: C++ that has what `PROGRAM ARGUMENT` prints as the constant NAMESPACE::NAME.
execute_process(COMMAND "${PROGRAM}" "${ARGUMENT}"
  OUTPUT_VARIABLE text ERROR_VARIABLE reason RESULT_VARIABLE status)
if(NOT status EQUAL 0)
  message(FATAL_ERROR "${PROGRAM} ${ARGUMENT} failed (${status}): ${reason}")
endif()
string(CONCAT source
  "namespace ${NAMESPACE} {\nextern const char* const ${NAME};\n"
  "const char* const ${NAME} = R\"embedded(${text})embedded\";\n}  // namespace ${NAMESPACE}\n")
# Left alone where it says the same already: the program changes with every commit.
set(before "")
if(EXISTS "${OUTPUT}")
  file(READ "${OUTPUT}" before)
endif()
if(NOT source STREQUAL before)
  file(WRITE "${OUTPUT}" "${source}")
endif()
