#ifndef FOVEA_MODELS_DATA_PARALLEL_TEXT_H_
#define FOVEA_MODELS_DATA_PARALLEL_TEXT_H_

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "fovea/models/data/split.h"

namespace fovea {

/// Sentences and their translations: source[i] and target[i] belong together.
struct ParallelText {
  std::vector<std::string> source, target;

  std::size_t size() const { return source.size(); }
};

struct ReadLinesOptions {
  std::size_t longest = 10'000;  ///< a line of more bytes is an error
  bool allow_empty = false;      ///< a line without anything but spaces, else an error
};

/// The lines of a UTF-8 text file, gzipped or not, without their ends (a carriage return is taken for a part
/// of it). Throws Error, naming file, line and byte, where a line is not UTF-8, empty, or too long.
std::vector<std::string> read_lines(const std::filesystem::path& path, const ReadLinesOptions& options = {});

/// Two such files of equally many lines.
ParallelText read_parallel_text(const std::filesystem::path& source, const std::filesystem::path& target,
                                const ReadLinesOptions& options = {});

/// A file of pairs, "source<TAB>target" a line, as Tatoeba's are published; what follows another tab is left
/// out. Throws Error, naming the line, also where there is no tab or nothing before or behind it.
ParallelText read_tabbed_text(const std::filesystem::path& path, const ReadLinesOptions& options = {});

/// Multi30k, task 1 (Elliott et al. 2016): 29,000, 1,014 and 1,000 (test_2016_flickr) captions, raw, from
/// FOLDER/multi30k, which `tools/get-data multi30k --data-dir FOLDER` fills. Languages: "en", "de", "fr".
/// Throws Error, saying how to get it, where it is missing or damaged.
ParallelText load_multi30k(const std::filesystem::path& data_dir, Split split, std::string_view source,
                           std::string_view target);

}  // namespace fovea

#endif  // FOVEA_MODELS_DATA_PARALLEL_TEXT_H_
