# What is installed: the command with its manual page and completions, both libraries, the header,
# files for pkg-config and CMake; and the same as a Debian package (make deb).
include(CMakePackageConfigHelpers)

install(TARGETS sluice_static sluice_shared EXPORT sluice)
install(FILES include/sluice/sluice.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/sluice)

# ---- the command and what it says of itself; a foreign processor's cannot be asked ----
if(TARGET sluice)
  install(TARGETS sluice)
  if(NOT CMAKE_CROSSCOMPILING)
    set(said ${CMAKE_CURRENT_BINARY_DIR}/said)
    file(MAKE_DIRECTORY ${said})
    add_custom_command(OUTPUT ${said}/sluice.1 ${said}/sluice.bash ${said}/_sluice ${said}/sluice.fish
      COMMAND sluice help --man > ${said}/sluice.1
      COMMAND sluice help --completion bash > ${said}/sluice.bash
      COMMAND sluice help --completion zsh > ${said}/_sluice
      COMMAND sluice help --completion fish > ${said}/sluice.fish
      DEPENDS sluice VERBATIM)
    add_custom_target(manual ALL DEPENDS ${said}/sluice.1)
    install(FILES ${said}/sluice.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
    set(share ${CMAKE_INSTALL_DATAROOTDIR})
    install(FILES ${said}/sluice.bash RENAME sluice DESTINATION ${share}/bash-completion/completions)
    install(FILES ${said}/_sluice DESTINATION ${share}/zsh/vendor-completions)
    install(FILES ${said}/sluice.fish DESTINATION ${share}/fish/vendor_completions.d)
  endif()
endif()

# ---- for those who link with it ----
# Relative, so that `cmake --install --prefix` and a moved folder stay right.
file(RELATIVE_PATH prefix_from_pkgconfig /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
configure_file(cmake/sluice.pc.in sluice.pc @ONLY)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/sluice.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)

set(package ${CMAKE_INSTALL_LIBDIR}/cmake/sluice)
set_target_properties(sluice_shared PROPERTIES EXPORT_NAME sluice)
set_target_properties(sluice_static PROPERTIES EXPORT_NAME static)
install(EXPORT sluice NAMESPACE sluice:: FILE sluice-targets.cmake DESTINATION ${package})
configure_package_config_file(cmake/sluice-config.cmake.in sluice-config.cmake
  INSTALL_DESTINATION ${package})
# While the major version is 0, a new minor version may rename things.
write_basic_package_version_file(sluice-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/sluice-config.cmake
  ${CMAKE_CURRENT_BINARY_DIR}/sluice-config-version.cmake DESTINATION ${package})

# ---- a Debian package ----
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME sluice)
set(CPACK_PACKAGE_VENDOR "the sluice authors")
set(CPACK_PACKAGE_CONTACT "the sluice authors <sluice@localhost>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "normalizing flows: density estimation and inference")
set(CPACK_DEBIAN_PACKAGE_DESCRIPTION
  "Fits normalizing flows to data or to a Stan program, with an exact density in\\n both directions: the command, the library libsluice, its header and manual.")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION science)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS gnuplot-nox)
set(CPACK_STRIP_FILES ON)
include(CPack)

# ---- and taken away again: what the last installation from here has written down ----
add_custom_target(uninstall
  COMMAND ${CMAKE_COMMAND} -DMANIFEST=${CMAKE_CURRENT_BINARY_DIR}/install_manifest.txt
    -P ${CMAKE_CURRENT_SOURCE_DIR}/cmake/uninstall.cmake VERBATIM)
