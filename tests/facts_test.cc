#include "tools/report/facts.h"

#include <doctest/doctest.h>

#include <limits>

#include "tests/rows.h"

using fovea::tests::check_throws;
using fovea::tools::Facts;

TEST_CASE("facts: come back from JSON as they were, in their order") {
  Facts facts = {{"model", "ntm"}, {"steps", std::int64_t{-3}}, {"bits", 0.1}, {"done", true}};
  facts["seed"] = std::numeric_limits<std::uint64_t>::max();
  facts["bits"] = 0.25;  // changes its value, not its place
  const std::string line = to_json(facts, true);
  CHECK(line == R"({"model":"ntm","steps":-3,"bits":0.25,"done":true,"seed":18446744073709551615})");
  CHECK(to_json(Facts::from_json(line), true) == line);
  CHECK(to_json(Facts::from_json(to_json(facts)), true) == line);
}

TEST_CASE("facts: are found by name") {
  Facts facts = {{"bits", 0.5}, {"steps", std::int64_t{2}}};
  facts.update({{"steps", std::int64_t{3}}, {"loss", 1.5}});
  CHECK(std::get<std::int64_t>(*facts.find("steps")) == 3);
  CHECK(facts.find("nats") == nullptr);
  CHECK(facts.number("loss") == 1.5);
  CHECK(facts.number("nats", 7) == 7);
  check_throws([&] { facts.number("nats"); }, {"nats"});
}

TEST_CASE("facts: bad input") {
  for (const char* text : {"", "{", "3", "[1]", "null"})
    check_throws([&] { Facts::from_json(text); }, {"[facts]", "JSON"});
  for (const char* text : {"{\"a\":[1]}", "{\"a\":{}}", "{\"a\":null}"})
    check_throws([&] { Facts::from_json(text); }, {"[facts]", "plain values"});
}
