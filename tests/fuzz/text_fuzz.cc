#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <string>
#include <string_view>

#include "fovea/core/error.h"
#include "fovea/models/text/bpe.h"
#include "fovea/models/text/byte_bpe.h"
#include "fovea/models/text/characters.h"
#include "fovea/models/text/vocabulary.h"
#include "fovea/models/text/word_piece.h"
#include "fovea/models/text/word_tokenizer.h"

// Takes bytes for each kind of tokenizer file, and for a text; anything but success or Error is a defect.

namespace {

void attempt(auto&& f) {
  try {
    f();
  } catch (const fovea::Error&) {
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  using namespace fovea;
  static const int file = memfd_create("fuzz", 0);
  static const std::string path = "/proc/self/fd/" + std::to_string(file);
  static const std::string folder = "/tmp/fovea-text-fuzz-" + std::to_string(getpid());
  static const std::string json = folder + "/tokenizer.json";  // the ending decides
  static const bool linked = mkdir(folder.c_str(), 0700) == 0 && symlink(path.c_str(), json.c_str()) == 0;
  if (!linked || ftruncate(file, 0) != 0 || pwrite(file, data, size, 0) != static_cast<ssize_t>(size))
    std::abort();
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::string line = "Naïve [MASK] the 漢字 <|endoftext|> 12";
  attempt([&] { WordPiece::load(json).encode(line, 8); });
  attempt([&] { WordPiece::load(path).encode(line, 8); });
  attempt([&] { ByteBpe::load(json).encode(line); });
  attempt([&] { Vocabulary::load(path); });
  attempt([&] { Characters::load(path).encode(line); });
  attempt([&] {
    if (const auto characters = Characters::load_tokenizer(folder)) characters->encode(line);
  });
  attempt([&] { Bpe::load(path).split(split_words(line)); });
  attempt([&] { bert_words(text); });
  attempt([&] {
    std::string joined;
    for (const auto word : gpt2_words(text)) joined += word;
    if (joined != text) std::abort();
  });
  for (const char* language : {"en", "de", "fr", "it"})
    attempt([&] { WordTokenizer({.language = language})(text); });
  attempt([&] {
    Characters characters(text);
    if (characters.decode(characters.encode(text)) != text) std::abort();
  });
  return 0;
}
