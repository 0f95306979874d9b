# Compiles one Lua file to bytecode and writes it as a C array.  Run from the module's root with a relative path, so
# that tracebacks name "smc/spec.lua" and no machine's folders.
execute_process(COMMAND ${LUAC} -o ${OUT}.luac ${FILE} WORKING_DIRECTORY ${ROOT} RESULT_VARIABLE rc)
if(NOT rc EQUAL 0)
  message(FATAL_ERROR "${FILE} does not compile")
endif()
file(READ ${OUT}.luac bytes HEX)
string(LENGTH "${bytes}" digits)
math(EXPR size "${digits} / 2")
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${bytes}")
file(WRITE ${OUT} "extern const unsigned char smcb_lua_${SYMBOL}[];\nextern const unsigned long smcb_lua_${SYMBOL}_size;\n"
                  "const unsigned char smcb_lua_${SYMBOL}[] = {${bytes}};\n"
                  "const unsigned long smcb_lua_${SYMBOL}_size = ${size};\n")
