# What `cmake --install` puts where: the compiler, the runtime with its header, pkg-config file and CMake package, stdlib.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

install(TARGETS espalier RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(FILES $<TARGET_FILE:espalier_rt> DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(DIRECTORY ${CMAKE_SOURCE_DIR}/runtime/include/espalier DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(DIRECTORY ${CMAKE_SOURCE_DIR}/docs/codes DESTINATION ${CMAKE_INSTALL_DATADIR}/espalier)
install(DIRECTORY ${CMAKE_SOURCE_DIR}/stdlib DESTINATION ${CMAKE_INSTALL_DATADIR}/espalier)

configure_file(${CMAKE_SOURCE_DIR}/cmake/espalier-runtime.pc.in espalier-runtime.pc @ONLY)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/espalier-runtime.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)

configure_package_config_file(${CMAKE_SOURCE_DIR}/cmake/EspalierRuntimeConfig.cmake.in EspalierRuntimeConfig.cmake
  INSTALL_DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/EspalierRuntime
  PATH_VARS CMAKE_INSTALL_INCLUDEDIR CMAKE_INSTALL_LIBDIR)
write_basic_package_version_file(EspalierRuntimeConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/EspalierRuntimeConfig.cmake
  ${CMAKE_CURRENT_BINARY_DIR}/EspalierRuntimeConfigVersion.cmake
  DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/EspalierRuntime)

# Manual pages and completions are what the compiler itself prints from its tables.
if(TARGET espalier)
  set(made ${CMAKE_BINARY_DIR}/share)
  add_custom_command(OUTPUT ${made}/stamp
    COMMAND ${CMAKE_COMMAND} -E make_directory ${made}/man ${made}/completions
    COMMAND espalier manual --all=${made}/man
    COMMAND espalier completions bash > ${made}/completions/espalier
    COMMAND espalier completions zsh > ${made}/completions/_espalier
    COMMAND espalier completions fish > ${made}/completions/espalier.fish
    COMMAND ${CMAKE_COMMAND} -E touch ${made}/stamp
    DEPENDS espalier COMMENT "manual pages and completions" VERBATIM)
  add_custom_target(manual ALL DEPENDS ${made}/stamp)
  install(DIRECTORY ${made}/man/ DESTINATION ${CMAKE_INSTALL_MANDIR}/man1 FILES_MATCHING PATTERN "*.1")
  install(DIRECTORY ${made}/man/ DESTINATION ${CMAKE_INSTALL_MANDIR}/man5 FILES_MATCHING PATTERN "*.5")
  install(FILES ${made}/completions/espalier DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions)
  install(FILES ${made}/completions/_espalier DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/site-functions)
  install(FILES ${made}/completions/espalier.fish DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d)
endif()
