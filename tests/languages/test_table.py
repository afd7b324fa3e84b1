#!/usr/bin/env python3
"""docs/languages.md has a row for every language that the program knows, with every column filled in; its section stands below."""
import unittest

from languages import ROOT, load, table, theater

COLUMNS = ["language", "clock", "random", "hash order", "same bytes", "state", "needs"]


class Table(unittest.TestCase):
    def test_every_language_has_a_row_and_a_section(self):
        rows = table()
        done = theater("doctor", "--json")
        known = [load(line)["check"] for line in done.stdout.splitlines()]
        known = known[known.index("engine") + 1:known.index("tools")]
        self.assertEqual(sorted(rows), sorted(known))
        text = (ROOT / "docs/languages.md").read_text(encoding="utf-8").lower()
        for name, row in rows.items():
            self.assertEqual(list(row), COLUMNS, name)
            self.assertTrue(all(row.values()), f"{name}: an empty cell")
            self.assertIn(row["same bytes"], ("yes", "no"), name)
            self.assertIn(f"\n## {name}", text)


if __name__ == "__main__":
    unittest.main(verbosity=1)
