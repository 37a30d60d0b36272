# The commands and folders of Slicer that a scripted extension uses. They put the same files into the same places as
# Slicer 5.13's do, but for the byte-compiled ones (.pyc) beside the scripts.
set(Slicer_QTSCRIPTEDMODULES_LIB_DIR lib/Slicer-5.13/qt-scripted-modules)
set(Slicer_INSTALL_QTSCRIPTEDMODULES_LIB_DIR ${Slicer_QTSCRIPTEDMODULES_LIB_DIR})

# Copies the files that are named into the build tree, and installs them from there.
#
# Each keeps its path relative to the CMakeLists.txt that names it, below qt-scripted-modules, or WITH_SUBDIR below a
# folder in there that is called as the one of the CMakeLists.txt. Without WITH_SUBDIR, all of qt-scripted-modules is
# installed, so that what else was put there comes too.
function(slicerMacroBuildScriptedModule)
  cmake_parse_arguments(PARSE_ARGV 0 module "WITH_GENERIC_TESTS;WITH_SUBDIR" "NAME" "SCRIPTS;RESOURCES")
  if(NOT module_NAME OR module_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "slicerMacroBuildScriptedModule: no NAME, or arguments unknown: ${module_UNPARSED_ARGUMENTS}")
  endif()
  set(built ${CMAKE_BINARY_DIR}/${Slicer_QTSCRIPTEDMODULES_LIB_DIR})
  set(installed ${built}/) # with the slash, install() takes what is in the folder; without it, the folder
  if(module_WITH_SUBDIR)
    cmake_path(GET CMAKE_CURRENT_SOURCE_DIR FILENAME folder)
    string(APPEND built /${folder})
    set(installed ${built})
  endif()
  foreach(file IN LISTS module_SCRIPTS module_RESOURCES)
    if(NOT EXISTS ${CMAKE_CURRENT_SOURCE_DIR}/${file})
      message(FATAL_ERROR "slicerMacroBuildScriptedModule: '${file}' is listed and is not there")
    endif()
    configure_file(${file} ${built}/${file} COPYONLY)
  endforeach()
  install(DIRECTORY ${installed} DESTINATION ${Slicer_INSTALL_QTSCRIPTEDMODULES_LIB_DIR} COMPONENT RuntimeLibraries)
endfunction()

# Slicer starts itself with the script; nothing of that is installed.
function(slicer_add_python_unittest)
  cmake_parse_arguments(PARSE_ARGV 0 test "" "SCRIPT;TESTNAME_PREFIX" "SLICER_ARGS")
  if(NOT EXISTS ${test_SCRIPT} AND NOT EXISTS ${CMAKE_CURRENT_SOURCE_DIR}/${test_SCRIPT})
    message(FATAL_ERROR "slicer_add_python_unittest: there is no '${test_SCRIPT}'")
  endif()
endfunction()
