"""Help, man pages and docs/cli.md say the same, and the program's manners are what they say."""

from pathlib import Path
import re

from support import *

ROOT = Path(__file__).resolve().parent.parent.parent


class Pages(Case):
    def commands(self):
        lines = self.bare("help").text.split("Commands\n")[1].split("\n\n")[0].splitlines()
        return [line.split()[0] for line in lines]

    def test_each_command_of_the_issue_is_there(self):
        wanted = """new build start stop resume remove upgrade list inspect send query chain state verify replay prove
            verify-proof trace export import backup checkpoint keys doctor""".split()
        self.assertEqual([c for c in wanted if c not in self.commands()], [])

    def test_man_pages_are_what_the_tables_print(self):
        names = self.commands()
        self.assertEqual((ROOT / "man" / "theater.1").read_text(), self.bare("help", "--format", "man").text)
        for name in names:
            page = ROOT / "man" / f"theater-{name}.1"
            self.assertEqual(page.read_text(), self.bare("help", "--format", "man", name).text, "run man/update.sh")
        self.assertEqual(sorted(p.name for p in (ROOT / "man").glob("*.1")),
                         sorted(["theater.1"] + [f"theater-{n}.1" for n in names]))

    def test_the_reference_is_what_the_tables_print(self):
        page = (ROOT / "docs" / "cli.md").read_text()
        own, reference = page.split("<!-- From here on this page is printed by the program: man/update.sh -->\n")
        self.assertEqual(reference, self.bare("help", "--format", "markdown").text, "run man/update.sh")

    def test_help_man_page_and_reference_have_the_same_options(self):
        reference = self.bare("help", "--format", "markdown").text
        for name in self.commands():
            text = self.bare("help", name).text
            self.assertEqual(text, self.bare(name, "--help").text)
            options = set(re.findall(r"^  (--[a-z-]+)", text, re.M))
            page = (ROOT / "man" / f"theater-{name}.1").read_text().replace("\\-", "-")
            self.assertEqual(options, set(re.findall(r"^\\fB(--[a-z-]+)", page, re.M)), name)
            section = reference.split(f"\n## theater {name}\n")[1].split("\n## ")[0]
            common = {"--data", "--server", "--token", "--token-file", "--ca", "--json", "--verbose", "--help"}
            self.assertEqual(options - common, set(re.findall(r"^- `(--[a-z-]+)", section, re.M)), name)
            self.assertIn("Examples", text)

    def test_help_fits_a_terminal(self):
        for name in self.commands():
            for line in self.bare("help", name).text.splitlines():
                if not line.startswith("  theater ") and not line.startswith("theater "):
                    self.assertLessEqual(len(line), 80, f"{name}: {line}")

    def test_exit_codes_are_documented(self):
        text = self.bare("help", "exit-codes").text
        page = (ROOT / "docs" / "cli.md").read_text()
        for line in text.splitlines():
            code, name = line.split()[:2]
            self.assertIn(f"| {code} | `{name}` |", page)

    def test_wrong_usage_is_one_error_that_says_what_to_do(self):
        for arguments in ["nonsense"], ["send"], ["send", "a", "b", "c"], ["list", "--nonsense"], ["--nonsense"], \
                ["list", "--data"], ["list", "--json=x"], ["send", "a", "--id", "1", "--id", "2"], []:
            done = self.bare(*arguments, code=INVALID_ARGUMENT)
            self.assertEqual(len(done.errors.splitlines()), 1, done.errors)
        self.assertIn("theater help send", self.bare("send", "a", "--nonsense", code=INVALID_ARGUMENT).errors)
        self.bare("new", "x", "--json", code=INVALID_ARGUMENT)
        self.bare("help", "nonsense", code=NOT_FOUND)

    def test_options_may_stand_anywhere(self):
        self.start()
        for arguments in ["--data", self.data, "chain", "counter", "--json"], ["chain", "counter", f"--data={self.data}", "--json"], \
                ["--json", "chain", "--data", self.data, "--", "counter"]:
            self.assertEqual(self.bare(*arguments).lines[0]["type"], "genesis")

    def test_version(self):
        self.assertRegex(self.bare("version").text, r"^theater \d+\.\d+\.\d+, engine wasmtime-\d+\n$")
        self.assertEqual(self.bare("--version").text, self.bare("version").text)
        self.assertEqual(self.bare("version", "--json").json["engine"], "wasmtime-48")


if __name__ == "__main__":
    main()
