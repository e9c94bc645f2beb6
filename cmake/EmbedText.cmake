# cmake -DOUT=FILE -DFOLDER=FOLDER -DSHARED="FILE..." -DNAMES="NAME..." -P EmbedText.cmake: a table's entries in C, {"NAME", "text"},
# where a text is that of the shared files, of those that NAME.cl includes by #include "...", in that order, and of NAME.cl, one behind
# the other, each under a #line of its own. Such lines are left out of all of them.
cmake_minimum_required(VERSION 3.21)
separate_arguments(SHARED UNIX_COMMAND "${SHARED}")
separate_arguments(NAMES UNIX_COMMAND "${NAMES}")

function(literal file result)
    file(READ ${FOLDER}/${file} text)
    string(REGEX REPLACE "(^|\n)#include \"[^\n]*" "\\1" text "${text}")
    string(REPLACE "\\" "\\\\" text "${text}")
    string(REPLACE "\"" "\\\"" text "${text}")
    string(REPLACE "\n" "\\n\"\n\"" text "${text}")
    set(${result} "\"#line 1 \\\"${file}\\\"\\n\"\n\"${text}\"\n" PARENT_SCOPE)
endfunction()

set(entries "")
foreach(name ${NAMES})
    string(APPEND entries "{\"${name}\",\n")
    file(STRINGS ${FOLDER}/${name}.cl parts REGEX "^#include \"")
    list(TRANSFORM parts REPLACE "^.*/([^/]*)\".*$" "\\1")
    foreach(file ${SHARED} ${parts} ${name}.cl)
        literal(${file} text)
        string(APPEND entries "${text}")
    endforeach()
    string(APPEND entries "},\n")
endforeach()
file(CONFIGURE OUTPUT ${OUT} CONTENT "@entries@" @ONLY)
