#include "fovea/models/data/texts.h"

#include <doctest/doctest.h>

#include <set>

#include "tests/errors.h"
#include "tests/scratch.h"

using namespace fovea;
using fovea::tests::contains;
using fovea::tests::error_of;

TEST_CASE("texts: the embedded one") {
  const std::string text = sample_text();
  CHECK(text.size() == 319478);
  CHECK(std::set<char>(text.begin(), text.end()).size() == 73);
  CHECK(text.starts_with("To Edmund Clerihew Bentley\n"));
  CHECK(text.ends_with(".\n"));
  CHECK(contains(text, "Syme rose slowly to his feet"));
}

TEST_CASE("texts: from a data folder") {
  const tests::Scratch data("texts");
  data.write("tinyshakespeare/input.txt", "First Citizen:\n");
  data.write("wikitext-2/valid.txt", " = a = \n");
  data.write("wikitext-2/test.txt", " = b = \n");
  data.write("gutenberg/carroll-alice.txt", "Alice\n");
  CHECK(load_tinyshakespeare(data.path) == "First Citizen:\n");
  CHECK(load_wikitext2(data.path, Split::validation) == " = a = \n");
  CHECK(load_wikitext2(data.path, Split::test) == " = b = \n");
  CHECK(load_gutenberg(data.path, "carroll-alice") == "Alice\n");
  CHECK(gutenberg_texts().size() == 17);
  CHECK(contains(error_of([&] { load_wikitext2(data.path, Split::train); }), "no training text"));
  CHECK(contains(error_of([&] { load_gutenberg(data.path, "alice"); }), "there is no text 'alice'"));
  CHECK(contains(error_of([&] { load_gutenberg(data.path, "austen-emma"); }), "tools/get-data gutenberg"));
  data.write("tinyshakespeare/input.txt", "First\xFF");
  CHECK(contains(error_of([&] { load_tinyshakespeare(data.path); }), "input.txt: byte 0xFF at offset 5"));
  data.write("tinyshakespeare/input.txt", "");
  CHECK(contains(error_of([&] { load_tinyshakespeare(data.path); }), "is empty"));
}
