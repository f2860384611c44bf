#!/usr/bin/env python3
"""Makes text.gz, the embedded text, from NLTK's chesterton-thursday.txt (gutenberg/ of a data folder): its argument.

There punctuation stands apart; here it is put back to its words, and the line of the title is left out.
"""
import gzip
import pathlib
import re
import sys

text = gzip.open(sys.argv[1], "rt", encoding="ascii").read().split("\n", 1)[1]
for pattern, replacement in [
    (r"\bI' ?(ll|ve|m|d)\b", r"I'\1"),
    (r"`` ?", '"'),
    (r" ?''", '"'),
    (r"` ", "'"),
    (r" '(?=[ .,;:!?\n])", "'"),
    (r" (n't|'s|'S|'ll|'ve|'re|'m|'d)\b", r"\1"),
    (r" ([.,;:!?)\]])", r"\1"),
    (r"([(\[]) ", r"\1"),
    (r" +\n", "\n"),
]:
    text = re.sub(pattern, replacement, text)
pathlib.Path(__file__).with_name("text.gz").write_bytes(gzip.compress(text.encode(), 9, mtime=0))
print(len(text), "characters of", len(set(text)), "kinds", file=sys.stderr)
