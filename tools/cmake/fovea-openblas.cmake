# Finds OpenBLAS as PkgConfig::FOVEA_OPENBLAS; used by Fovea's own build and by its installed package.
# Debian's alternatives prefer the pthread build. The OpenMP build shares one thread pool with Fovea's
# loops, so its own folder is looked at first.
if(NOT TARGET PkgConfig::FOVEA_OPENBLAS)
  find_package(PkgConfig REQUIRED)
  set(fovea_pkg_config_path "$ENV{PKG_CONFIG_PATH}")
  set(ENV{PKG_CONFIG_PATH}
      "/usr/lib/${CMAKE_LIBRARY_ARCHITECTURE}/openblas-openmp/pkgconfig:${fovea_pkg_config_path}")
  pkg_check_modules(FOVEA_OPENBLAS REQUIRED QUIET IMPORTED_TARGET GLOBAL openblas)
  set(ENV{PKG_CONFIG_PATH} "${fovea_pkg_config_path}")
endif()
