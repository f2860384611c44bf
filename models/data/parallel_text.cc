#include "fovea/models/data/parallel_text.h"

#include <algorithm>

#include "fovea/core/byte_reader.h"
#include "fovea/core/gzip.h"
#include "fovea/core/utf8.h"
#include "fovea/models/data/data_folder.h"

namespace fovea {
std::vector<std::string> read_lines(const std::filesystem::path& path, const ReadLinesOptions& options) {
  const std::string text = read_text(path, std::uint64_t{1} << 32, "parallel_text");
  std::vector<std::string> lines;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    std::string_view line = std::string_view(text).substr(at, end - at);
    if (line.ends_with('\r')) line.remove_suffix(1);
    const auto where = [&] { return cat(path.string(), ": line ", lines.size() + 1); };
    if (valid_utf8_length(line) != line.size()) require_utf8(line, "parallel_text", where());
    if (line.size() > options.longest)
      fail("parallel_text", where(), " has ", line.size(), " bytes, more than ", options.longest);
    if (!options.allow_empty && line.find_first_not_of(" \t") == line.npos)
      fail("parallel_text", where(), " is empty");
    lines.emplace_back(line);
    at = end + 1;
  }
  return lines;
}

ParallelText read_parallel_text(const std::filesystem::path& source, const std::filesystem::path& target,
                                const ReadLinesOptions& options) {
  ParallelText text{read_lines(source, options), read_lines(target, options)};
  require(text.source.size() == text.target.size(), "parallel_text", source.string(), " has ",
          text.source.size(), " lines, ", target.string(), " has ", text.target.size(),
          "; line i of one must be the translation of line i of the other");
  return text;
}

ParallelText read_tabbed_text(const std::filesystem::path& path, const ReadLinesOptions& options) {
  ParallelText text;
  for (const std::string& line : read_lines(path, options)) {
    const std::size_t tab = line.find('\t'), end = std::min(line.find('\t', tab + 1), line.size());
    require(tab != line.npos && tab > 0 && end > tab + 1, "parallel_text", path.string(), ": line ",
            text.size() + 1, " is not a source, a tab and a target");
    text.source.push_back(line.substr(0, tab));
    text.target.push_back(line.substr(tab + 1, end - tab - 1));
  }
  return text;
}

ParallelText load_multi30k(const std::filesystem::path& data_dir, Split split, std::string_view source,
                           std::string_view target) {
  const DataFolder folder("multi30k", data_dir);
  const std::string part = split == Split::train  ? "train"
                           : split == Split::test ? "test_2016_flickr"
                                                  : "val";
  const auto file = [&](std::string_view language) {
    require(language == "en" || language == "de" || language == "fr", folder.set(), "there is no language ",
            in_quotes(language), " but en, de and fr");
    return folder.find(cat(part, ".", language));
  };
  const std::filesystem::path from = file(source), to = file(target);
  return folder.read(from, [&](const auto&) { return read_parallel_text(from, to); });
}

}  // namespace fovea
