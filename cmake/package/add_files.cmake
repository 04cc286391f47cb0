# Runs in the staged tree before the package is made of it.
set(root ${CPACK_TEMPORARY_INSTALL_DIRECTORY})
set(here ${CPACK_AA_SOURCE_DIR}/cmake/package)
set(doc ${root}/usr/share/doc/${CPACK_PACKAGE_NAME})
set(CMAKE_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS ${CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS})
set(readable FILE_PERMISSIONS OWNER_READ OWNER_WRITE GROUP_READ WORLD_READ)

file(COPY ${here}/config.yaml DESTINATION ${root}/etc/autoarchive ${readable})
file(COPY ${here}/copyright ${CPACK_AA_SOURCE_DIR}/README.md DESTINATION ${doc} ${readable})
file(COPY ${here}/lintian-overrides DESTINATION ${root}/usr/share/lintian/overrides ${readable})
file(RENAME ${root}/usr/share/lintian/overrides/lintian-overrides ${root}/usr/share/lintian/overrides/${CPACK_PACKAGE_NAME})
file(COPY ${CPACK_AA_SOURCE_DIR}/CHANGELOG.md DESTINATION ${doc} ${readable})
file(RENAME ${doc}/CHANGELOG.md ${doc}/changelog)
execute_process(
  COMMAND gzip --best --no-name ${doc}/changelog ${root}/usr/share/man/man1/aa.1 ${root}/usr/share/man/man5/aa.yaml.5
  COMMAND_ERROR_IS_FATAL ANY)
