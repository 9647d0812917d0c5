# How everything of ours is compiled. Sanitizers and fuzzing are switched on by CMakePresets.json.
set(CMAKE_C_STANDARD 17)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

set(PIERONE_SANITIZE "" CACHE STRING "Sanitizers, as -fsanitize= takes them")
option(PIERONE_FUZZ "Build the fuzz targets (clang only)" OFF)

include(CheckCCompilerFlag)
include(CheckCSourceCompiles)

# What hardens the code, as far as this compiler has it for this processor.
set(wanted_hardening -fstack-clash-protection)
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86|amd64|AMD64|i.86")
    list(APPEND wanted_hardening -fcf-protection)
elseif(CMAKE_SYSTEM_PROCESSOR MATCHES "aarch64|arm64" AND NOT APPLE)
    list(APPEND wanted_hardening -mbranch-protection=standard)
endif()
set(hardening -fstack-protector-strong)
set(CMAKE_REQUIRED_FLAGS -Werror) # a flag that is ignored with a warning is none
foreach(flag ${wanted_hardening})
    string(MAKE_C_IDENTIFIER "has${flag}" has_flag)
    check_c_compiler_flag(${flag} ${has_flag})
    if(${has_flag})
        list(APPEND hardening ${flag})
    endif()
endforeach()

# The C library says what it makes of the level that it is asked for (features.h).
set(CMAKE_REQUIRED_FLAGS "-O2 -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3")
check_c_source_compiles("
    #include <stdlib.h>
    #if __USE_FORTIFY_LEVEL < 3
    #error lower
    #endif
    int main(void) { return 0; }" has_fortify_3)
unset(CMAKE_REQUIRED_FLAGS)
set(fortify_level 2)
if(has_fortify_3)
    set(fortify_level 3)
endif()

add_library(project_options INTERFACE)
target_compile_definitions(project_options INTERFACE _GNU_SOURCE)
target_compile_options(project_options INTERFACE
    -include ${CMAKE_SOURCE_DIR}/src/base/banned.h
    -Wall -Wextra -Wpedantic -Werror -Wshadow -Wconversion -Wsign-conversion
    -Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition -Wvla -Wwrite-strings
    -Wformat=2 -Wundef -Wswitch-enum -Wcast-qual -Wpointer-arith -Wnull-dereference
    -Wimplicit-fallthrough -fno-common ${hardening})
if(NOT APPLE) # whose linker does so anyway, and knows no such options
    target_link_options(project_options INTERFACE -Wl,-z,relro,-z,now)
endif()
target_link_libraries(project_options INTERFACE Threads::Threads)

# Asserts stay on in every build: they guard invariants that must hold in production too.
set(CMAKE_C_FLAGS_RELEASE "-O2 -g -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=${fortify_level}")
set(CMAKE_C_FLAGS_DEBUG "-O1 -g")
if(NOT APPLE)
    set(CMAKE_EXE_LINKER_FLAGS_RELEASE "-pie")
endif()

if(PIERONE_SANITIZE)
    target_compile_options(project_options INTERFACE
        -fsanitize=${PIERONE_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
    target_link_options(project_options INTERFACE -fsanitize=${PIERONE_SANITIZE})
endif()
if(PIERONE_FUZZ)
    target_compile_options(project_options INTERFACE -fsanitize=fuzzer-no-link)
endif()
