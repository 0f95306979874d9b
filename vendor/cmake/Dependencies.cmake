# Finds every third-party library, each with the least version that was tried and the Debian package that holds it.
# Gives one imported target a library: smc::uv, smc::curl, ...; see ../packages.txt for reasons and licences.

find_package(PkgConfig QUIET)
if(NOT PkgConfig_FOUND)
  message(FATAL_ERROR "pkg-config is missing. Install it with:  apt-get install pkg-config")
endif()

# smc_need(<target> <pkg-config module> <least version> <Debian package>)
function(smc_need target module version package)
  pkg_check_modules(DEP_${target} QUIET IMPORTED_TARGET ${module}>=${version})
  if(NOT DEP_${target}_FOUND)
    message(FATAL_ERROR "${module} >= ${version} is missing. Install it with:  apt-get install ${package}\n"
                        "or install everything that smcrun needs with:  vendor/bootstrap install")
  endif()
  add_library(smc::${target} INTERFACE IMPORTED GLOBAL)
  target_link_libraries(smc::${target} INTERFACE PkgConfig::DEP_${target})
endfunction()

smc_need(uv libuv 1.44.2 libuv1-dev)
smc_need(curl libcurl 7.88.1 libcurl4-openssl-dev)
smc_need(lws libwebsockets 4.1.6 libwebsockets-dev)
smc_need(crypto libcrypto 3.0.0 libssl-dev)
smc_need(ssl libssl 3.0.0 libssl-dev)
smc_need(zlib zlib 1.2.13 zlib1g-dev)
smc_need(lua lua5.4 5.4.4 liblua5.4-dev)
smc_need(hiredis hiredis 0.14.1 libhiredis-dev)
smc_need(jansson jansson 2.14 libjansson-dev)
smc_need(edit libedit 3.1 libedit-dev)
smc_need(cmocka cmocka 1.1.5 libcmocka-dev)

# Lua is linked statically: calls of its API are what bindings spend their time on, and cost less without a jump table.
find_library(SMC_LUA_LIBRARY NAMES liblua5.4.a)
if(NOT SMC_LUA_LIBRARY)
  message(FATAL_ERROR "liblua5.4.a is missing. Install it with:  apt-get install liblua5.4-dev")
endif()
target_include_directories(smc::lua INTERFACE $<TARGET_PROPERTY:PkgConfig::DEP_lua,INTERFACE_INCLUDE_DIRECTORIES>)
set_property(TARGET smc::lua PROPERTY INTERFACE_LINK_LIBRARIES ${SMC_LUA_LIBRARY} m ${CMAKE_DL_LIBS})

# lua-cjson is linked statically: scenarios `require "cjson"` wherever the binary runs.
find_library(SMC_CJSON_LIBRARY NAMES liblua5.4-cjson.a)
if(NOT SMC_CJSON_LIBRARY)
  message(FATAL_ERROR "liblua5.4-cjson.a is missing. Install it with:  apt-get install lua-cjson-dev")
endif()
add_library(smc::cjson INTERFACE IMPORTED GLOBAL)
target_link_libraries(smc::cjson INTERFACE ${SMC_CJSON_LIBRARY} smc::lua)

# Pure Lua modules are embedded into the binary from where Debian puts them.
find_path(SMC_LUASSERT_DIR luassert/assert.lua PATHS /usr/share/lua/5.4 NO_DEFAULT_PATH)
find_path(SMC_SAY_DIR say/init.lua PATHS /usr/share/lua/5.4 NO_DEFAULT_PATH)
foreach(pair "SMC_LUASSERT_DIR:lua-luassert" "SMC_SAY_DIR:lua-say")
  string(REPLACE ":" ";" pair ${pair})
  list(GET pair 0 var)
  list(GET pair 1 package)
  if(NOT ${var})
    message(FATAL_ERROR "${package} is missing. Install it with:  apt-get install ${package}")
  endif()
endforeach()
