"""The runner of the pages' sessions can fail: each way in which a page may be wrong is found."""
import os
import pathlib
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import run_docs


class Sessions(unittest.TestCase):
    def run_page(self, text):
        with tempfile.TemporaryDirectory() as folder:
            page = pathlib.Path(folder) / "page.md"
            page.write_text(f"# A page\n\n```console\n{text}\n```\n", encoding="utf-8")
            return run_docs.run_page(page, dict(os.environ), folder)

    def wrong(self, text, words):
        with self.assertRaises(run_docs.Wrong) as caught:
            self.run_page(text)
        self.assertIn(words, str(caught.exception))

    def test_what_is_right(self):
        self.assertEqual(self.run_page("$ echo a; echo b\na\nb\n$ printf c\nc\n$ true"), 3)

    def test_one_shell(self):
        self.run_page("$ x=7; mkdir f; cd f\n$ echo $x; basename $PWD\n7\nf")

    def test_blocks_of_another_language_are_not_run(self):
        self.assertEqual(self.run_page("$ true\n```\n\n```sh\n$ false"), 1)

    def test_commands_of_several_lines(self):
        self.run_page("$ for i in 1 2; do\n>     echo $i\n> done\n1\n2")

    def test_marked_blocks(self):
        self.assertEqual(self.run_page("$ true\n```\n\n<!-- run -->\n```sh\nx=5\n\ntest $x = 5\n```\n\n```sh\nfalse"), 3)
        self.wrong("$ true\n```\n\n<!-- run -->\n```sh\nfalse", "exit code 1")

    def test_files(self):
        self.run_page("$ true\n```\n\n```c some.c\nint a;\n\n  int $b;\n```\n\n```console\n$ cat some.c\nint a;\nint $b;")

    def test_what_may_differ(self):
        self.run_page("$ echo 2026-11-23T08:54:40.394Z 0123456789abcdef 12345 '0.1 s'\n2020-01-01T00:00:00Z fedcba9876543210 999 7 s")
        self.run_page("$ echo hash 0123456789abcdef. end\nhash fedc.... end")
        self.run_page("$ echo one; echo two; echo three\n...\ntwo\n...")

    def test_another_line(self):
        self.wrong("$ echo a\nb", "there came:      a")

    def test_another_small_number(self):
        self.wrong("$ echo 11 elements\n12 elements", "12 elements")

    def test_a_line_too_few(self):
        self.wrong("$ echo a\na\nb", "nothing more")

    def test_a_line_too_many(self):
        self.wrong("$ echo a; echo b\na", "the page ends before this came: b")

    def test_another_order(self):
        self.wrong("$ echo a; echo b\n...\nb\n...\na", "nothing more")

    def test_a_command_that_fails(self):
        self.wrong("$ false", "exit code 1")

    def test_a_command_that_may_fail(self):
        self.run_page("$ (exit 3)\n$ echo $?\n3")
        self.wrong("$ (exit 4)\n$ echo $?\n3", "there came:      4")

    def test_a_compiler_that_is_missing(self):
        with self.assertRaises(run_docs.Missing):
            self.run_page("$ echo no compiler; (exit 25)")

    def test_a_shell_that_ends(self):
        self.wrong("$ exit 0\n$ true", "the shell ended here")

    def test_output_without_a_command(self):
        self.wrong("a", "begins without a command")


if __name__ == "__main__":
    unittest.main()
