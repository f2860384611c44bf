#ifndef FOVEA_TOOLS_FIGURES_UTF8_H_
#define FOVEA_TOOLS_FIGURES_UTF8_H_

#include <string>
#include <string_view>

namespace fovea::tools {

/// `text` with every byte that is not part of well-formed UTF-8, and every control character, replaced by
/// `instead`: tokens cut within a character, and newlines, must not break a figure or a terminal line.
std::string valid_utf8(std::string_view text, char instead = '?');

/// The number of code points of well-formed UTF-8.
std::size_t utf8_length(std::string_view text);

/// The first `count` code points of well-formed UTF-8.
std::string_view utf8_prefix(std::string_view text, std::size_t count);

}  // namespace fovea::tools

#endif
