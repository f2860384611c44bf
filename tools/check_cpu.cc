#include <unistd.h>

#include <cstring>
#include <initializer_list>

// A build for the machine it was made on (FOVEA_ARCH=native) dies on another of an illegal instruction.
// Before anything else runs, this says so. It is itself compiled for any machine.

#if defined(__x86_64__) && defined(__GNUC__)
namespace {

[[gnu::constructor(101), gnu::target("arch=x86-64")]] void check_cpu() {
  __builtin_cpu_init();
  const char* missing = nullptr;
#ifdef __AVX__
  if (!__builtin_cpu_supports("avx")) missing = "AVX";
#endif
#ifdef __FMA__
  if (!__builtin_cpu_supports("fma")) missing = "FMA";
#endif
#ifdef __AVX2__
  if (!__builtin_cpu_supports("avx2")) missing = "AVX2";
#endif
#ifdef __AVX512F__
  if (!__builtin_cpu_supports("avx512f")) missing = "AVX-512";
#endif
  if (!missing) return;
  const char *before = "fovea: this program was built for a processor with ",
             *after =
                 ", which this one has not; build it here, or anywhere with -DFOVEA_ARCH=x86-64-v2 or what "
                 "gcc's -march calls this one\n";
  for (const char* part : {before, missing, after})
    if (write(STDERR_FILENO, part, std::strlen(part)) < 0) break;
  _exit(1);
}

}  // namespace
#endif
