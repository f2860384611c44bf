#include "fovea/models/data/texts.h"

#include <algorithm>

#include "fovea/core/byte_reader.h"
#include "fovea/core/gzip.h"
#include "fovea/core/utf8.h"
#include "fovea/models/data/data_folder.h"

namespace fovea {
namespace {

std::string load_text(const DataFolder& folder, const std::string& name) {
  return folder.read(folder.find(name), [&](const std::filesystem::path& path) {
    std::string text = read_text(path, std::uint64_t{1} << 30, folder.set());
    require_utf8(text, folder.set(), path.string());
    require(!text.empty(), folder.set(), path.string(), " is empty");
    return text;
  });
}

}  // namespace

std::string load_tinyshakespeare(const std::filesystem::path& data_dir) {
  return load_text(DataFolder("tinyshakespeare", data_dir), "input.txt");
}

std::string load_wikitext2(const std::filesystem::path& data_dir, Split split) {
  const DataFolder folder("wikitext-2", data_dir);
  require(split != Split::train, folder.set(), "has no training text here, only validation and test");
  return load_text(folder, split == Split::test ? "test.txt" : "valid.txt");
}

const std::vector<std::string>& gutenberg_texts() {
  static const std::vector<std::string> names = {
      "austen-emma",      "austen-persuasion",   "austen-sense",       "blake-poems",
      "bryant-stories",   "burgess-busterbrown", "carroll-alice",      "chesterton-ball",
      "chesterton-brown", "chesterton-thursday", "edgeworth-parents",  "melville-moby_dick",
      "milton-paradise",  "shakespeare-caesar",  "shakespeare-hamlet", "shakespeare-macbeth",
      "whitman-leaves",
  };
  return names;
}

std::string load_gutenberg(const std::filesystem::path& data_dir, const std::string& name) {
  const DataFolder folder("gutenberg", data_dir);
  const auto& names = gutenberg_texts();
  require(std::find(names.begin(), names.end(), name) != names.end(), folder.set(), "there is no text ",
          in_quotes(name), "; one is 'carroll-alice'");
  return load_text(folder, name + ".txt");
}

}  // namespace fovea
