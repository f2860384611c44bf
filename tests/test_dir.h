#ifndef FOVEA_TESTS_TEST_DIR_H_
#define FOVEA_TESTS_TEST_DIR_H_

#include <filesystem>

namespace fovea::tests {

/// This folder. A function, so that the one file that knows the path is the only one compiled anew where the
/// repository lies elsewhere.
std::filesystem::path test_dir();

}  // namespace fovea::tests

#endif  // FOVEA_TESTS_TEST_DIR_H_
