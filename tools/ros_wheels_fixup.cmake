# Given to every CMake package from outside (-DCMAKE_PROJECT_INCLUDE=...), so that no package file knows of it.
#
# 13 of the ROS wheels export CMake targets that carry include paths of the machine they were built on
# (/opt/python/...). CMake refuses targets with paths that do not exist; nothing here needs those paths, because
# rosidl_generator_py finds the headers of Python and NumPy itself.
function(_ros_wheels_fixup)
  get_property(targets DIRECTORY PROPERTY IMPORTED_TARGETS)
  foreach(target IN LISTS targets)
    get_target_property(directories ${target} INTERFACE_INCLUDE_DIRECTORIES)
    if(directories)
      list(FILTER directories EXCLUDE REGEX "^/opt/python/")
      set_target_properties(${target} PROPERTIES INTERFACE_INCLUDE_DIRECTORIES "${directories}")
    endif()
  endforeach()
endfunction()

# At the end of the package's own CMakeLists.txt, when all its imported targets are there.
cmake_language(DEFER CALL _ros_wheels_fixup)
