# Run as a script by embed_file: writes INPUT's bytes as a C array. Constants of characters fit into one whatever its sign.
file(READ ${INPUT} bytes HEX)
string(REGEX REPLACE "(..)" "'\\\\x\\1'," bytes "${bytes}")
file(WRITE ${OUTPUT} "#include <stddef.h>\n\nextern const char ${SYMBOL}[];\nextern const size_t ${SYMBOL}_length;\n"
    "const char ${SYMBOL}[] = {${bytes}0};\nconst size_t ${SYMBOL}_length = sizeof(${SYMBOL}) - 1;\n")
