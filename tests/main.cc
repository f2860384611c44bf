#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include <doctest/doctest.h>

// Out of memory must come back as an exception under the address sanitizer too.
extern "C" const char* __asan_default_options() { return "allocator_may_return_null=1"; }

#include "tests/test_dir.h"

std::filesystem::path fovea::tests::test_dir() { return FOVEA_TEST_DIR; }
