#include "fovea/models/data/parallel_text.h"

#include <doctest/doctest.h>

#include "tests/errors.h"
#include "tests/scratch.h"

using namespace fovea;
using fovea::tests::contains;
using fovea::tests::error_of;
using Lines = std::vector<std::string>;

TEST_CASE("parallel_text: lines") {
  const tests::Scratch data("parallel_text");
  CHECK(read_lines(data.write("a", "ein\nzwei drei \r\nvier")) == Lines{"ein", "zwei drei ", "vier"});
  CHECK(read_lines(data.write("a", "")).empty());
  CHECK(read_lines(data.write("a", "x\n\ny\n"), {.allow_empty = true}) == Lines{"x", "", "y"});
  const auto error = [&](const std::string& text, const ReadLinesOptions& options = {}) {
    return error_of([&] { read_lines(data.write("a.de", text), options); });
  };
  CHECK(contains(error("x\n\ny\n"), "a.de: line 2 is empty"));
  CHECK(contains(error("x\n \t\n"), "a.de: line 2 is empty"));
  CHECK(contains(error("x\nsch\xF6n\n"), "a.de: line 2: byte 0xF6 at offset 3 is not UTF-8"));
  CHECK(contains(error("x\nabcdef\n", {.longest = 5}), "a.de: line 2 has 6 bytes, more than 5"));
  CHECK(error("x\nabcde\n", {.longest = 5}) == "");
}

TEST_CASE("parallel_text: pairs in two files or in one") {
  const tests::Scratch data("parallel_text");
  const auto en = data.write("a.en", "one\ntwo\n"), de = data.write("a.de", "eins\nzwei\n");
  const ParallelText text = read_parallel_text(en, de);
  CHECK(text.size() == 2);
  CHECK(text.source == Lines{"one", "two"});
  CHECK(text.target == Lines{"eins", "zwei"});
  const std::string mismatch = error_of([&] { read_parallel_text(en, data.write("b.de", "eins\n")); });
  CHECK(contains(mismatch, "a.en has 2 lines"));
  CHECK(contains(mismatch, "b.de has 1;"));

  const ParallelText tabbed = read_tabbed_text(data.write("t", "Go.\tVa !\nHi.\tSalut.\tCC-BY\n"));
  CHECK(tabbed.source == Lines{"Go.", "Hi."});
  CHECK(tabbed.target == Lines{"Va !", "Salut."});
  for (const char* bad :
       {"Go.\tVa !\nHi.\n", "Go.\tVa !\nHi.\t\n", "Go.\tVa !\n\tSalut.\n", "Go.\tVa !\nHi.\t\tx\n"})
    CHECK(contains(error_of([&] { read_tabbed_text(data.write("t", bad)); }), "t: line 2 is not a source"));
}

TEST_CASE("parallel_text: Multi30k") {
  const tests::Scratch data("parallel_text");
  for (const char* part : {"train", "val", "test_2016_flickr"}) {
    data.write(std::string("multi30k/") + part + ".en", std::string(part) + " en\n");
    data.write(std::string("multi30k/") + part + ".de", std::string(part) + " de\n");
  }
  CHECK(load_multi30k(data.path, Split::train, "en", "de").target == Lines{"train de"});
  CHECK(load_multi30k(data.path, Split::validation, "de", "en").target == Lines{"val en"});
  CHECK(load_multi30k(data.path, Split::test, "de", "en").source == Lines{"test_2016_flickr de"});
  CHECK(
      contains(error_of([&] { load_multi30k(data.path, Split::test, "de", "it"); }), "no language 'it' but"));
  CHECK(contains(error_of([&] { load_multi30k(data.path, Split::test, "de", "fr"); }),
                 "tools/get-data multi30k"));
  data.write("multi30k/val.en", "x\n\n");
  const std::string error = error_of([&] { load_multi30k(data.path, Split::validation, "en", "de"); });
  CHECK(contains(error, "val.en: line 2 is empty"));
  CHECK(contains(error, "get it anew with: tools/get-data multi30k"));
}
