# How everything of ours is compiled. Sanitizers and fuzzing are switched on by CMakePresets.json.
set(CMAKE_C_STANDARD 17)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

set(PIERONE_SANITIZE "" CACHE STRING "Sanitizers, as -fsanitize= takes them")
option(PIERONE_FUZZ "Build the fuzz targets (clang only)" OFF)

add_library(project_options INTERFACE)
target_compile_definitions(project_options INTERFACE _GNU_SOURCE)
target_compile_options(project_options INTERFACE
    -include ${CMAKE_SOURCE_DIR}/src/base/banned.h
    -Wall -Wextra -Wpedantic -Werror -Wshadow -Wconversion -Wsign-conversion
    -Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition -Wvla -Wwrite-strings
    -Wformat=2 -Wundef -Wswitch-enum -Wcast-qual -Wpointer-arith -Wnull-dereference
    -Wimplicit-fallthrough -fno-common -fstack-protector-strong)
if(NOT APPLE) # whose linker does so anyway, and knows no such options
    target_link_options(project_options INTERFACE -Wl,-z,relro,-z,now)
endif()
target_link_libraries(project_options INTERFACE Threads::Threads)

# Asserts stay on in every build: they guard invariants that must hold in production too.
set(CMAKE_C_FLAGS_RELEASE "-O2 -g -D_FORTIFY_SOURCE=2")
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
