# Manual pages are written for scdoc; where there is none, nothing but they is missing.
find_program(SCDOC scdoc)

# scdoc_page(NAME SECTION MADE [COMPONENT …]): man/NAME.SECTION.scd becomes a page, which is installed; MADE is its path.
function(scdoc_page name section made)
    set(${made} "" PARENT_SCOPE)
    if(SCDOC)
        set(source ${PROJECT_SOURCE_DIR}/man/${name}.${section}.scd)
        set(page ${CMAKE_CURRENT_BINARY_DIR}/${name}.${section})
        add_custom_command(OUTPUT ${page}
            COMMAND sh -c "\"$1\" <\"$2\" >\"$3\"" sh ${SCDOC} ${source} ${page}
            DEPENDS ${source} VERBATIM)
        install(FILES ${page} DESTINATION ${CMAKE_INSTALL_MANDIR}/man${section} ${ARGN})
        set(${made} ${page} PARENT_SCOPE)
    endif()
endfunction()
