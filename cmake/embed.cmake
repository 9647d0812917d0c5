# embed_file(TARGET SYMBOL FILE): compiles FILE (absolute), whatever bytes it has, into TARGET as `const char SYMBOL[]`,
# ended by a NUL that `const size_t SYMBOL_length` does not count.
function(embed_file target symbol file)
    set(source ${CMAKE_CURRENT_BINARY_DIR}/${symbol}.c)
    add_custom_command(
        OUTPUT ${source}
        COMMAND ${CMAKE_COMMAND} -DINPUT=${file} -DOUTPUT=${source}
                -DSYMBOL=${symbol} -P ${CMAKE_SOURCE_DIR}/cmake/embed_file.cmake
        DEPENDS ${file} ${CMAKE_SOURCE_DIR}/cmake/embed_file.cmake
        VERBATIM)
    target_sources(${target} PRIVATE ${source})
endfunction()
