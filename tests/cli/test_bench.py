"""What `theater bench` prints. Nothing here asks how fast anything is."""

import json
from pathlib import Path
import signal
import subprocess
import sys
import time
import unittest

from support import ACTORS, INTERRUPTED, INVALID_ARGUMENT, NOT_FOUND, PROGRAM, TOO_LARGE, Case

QUANTILES = ["p50_ns", "p90_ns", "p99_ns", "p999_ns", "max_ns"]


class Bench(Case):
    def figures(self, *arguments, **options):
        return self.bare("bench", "--time", "300ms", "--json", *arguments, **options).json

    def check_figures(self, figures):
        self.assertGreater(figures["turns"], 0)
        self.assertGreater(figures["turns_per_second"], 0)
        self.assertGreaterEqual(figures["wall_ns"], 300_000_000)
        times = [figures["latency"][name] for name in QUANTILES]
        self.assertEqual(times, sorted(times))
        self.assertGreater(times[0], 0)
        self.assertLessEqual(figures["latency"]["mean_ns"], figures["latency"]["max_ns"])
        self.assertLessEqual(figures["queue"]["p50_ns"], figures["queue"]["p99_ns"])
        self.assertGreater(figures["cpu_ns_per_turn"], 0)
        self.assertEqual(set(figures["cpu_ns_by_thread"]), {"client", "workers", "committer", "indexer"})
        stages = figures["stages"]
        self.assertGreater(stages["turns"], 0)
        self.assertEqual(set(stages["cpu_ns"]), {"instantiate", "call", "drop", "hash", "encode"})
        for ns in stages["cpu_ns"].values():
            self.assertGreater(ns, 0)
        self.assertGreaterEqual(figures["turns"], figures["commits"])
        self.assertGreater(figures["commits"], 0)

    def test_without_an_actor_a_counter_runs_on_the_disk_of_temporary_files(self):
        figures = self.figures(environment={"TMPDIR": str(self.folder)})
        self.check_figures(figures)
        self.assertEqual(figures["durability"], "sync")
        self.assertEqual(figures["rejected"], 0)
        self.assertGreater(figures["written_bytes"], 100 * figures["turns"])
        self.assertEqual(list(self.folder.iterdir()), [])

    def test_the_size_of_the_input_shows_in_what_is_written(self):
        figures = self.figures("--size", "4KiB", "--clients", "8", "--actors", "3", "--async")
        self.check_figures(figures)
        self.assertEqual((figures["actors"], figures["clients"], figures["durability"]), (3, 8, "async"))
        self.assertGreater(figures["written_bytes"], 4096 * figures["turns"])

    def test_in_memory(self):
        figures = self.figures("--no-disk", "--workers", "2")
        self.check_figures(figures)
        self.assertEqual(figures["durability"], "none")

    def test_a_component_with_lines_of_a_file(self):
        lines = self.folder / "lines"
        lines.write_text("inc\nadd 5\nno such thing\ninc")
        figures = self.figures(ACTORS / "counter.wasm", "--file", lines, "--lines", "--no-disk")
        self.check_figures(figures)
        part = figures["rejected"] / figures["turns"]
        self.assertGreater(part, 0.2)
        self.assertLess(part, 0.3)

    def test_an_actor_of_the_data_folder_is_left_as_it_is(self):
        self.start("counter", config='{"start":41}')
        names = sorted(path.name for path in self.data.iterdir())
        done = self.run_theater("bench", "counter", "inc", "--time", "200ms", "--clients", "1", "--json")
        self.assertGreater(done.json["turns"], 0)
        self.assertEqual(sorted(path.name for path in self.data.iterdir()), names)
        self.assertEqual(self.send("counter", "inc").strip(), "42")

    def test_for_people(self):
        text = self.bare("bench", "--time", "200ms", "--no-disk").text
        words = [line[:12].strip() for line in text.splitlines()]
        self.assertEqual(words, ["actor", "turns", "latency", "in the queue", "CPU a turn", "by stage", "commits",
                                 "written", "allocations"])

    def test_an_interrupt_ends_it_with_the_figures_so_far(self):
        process = subprocess.Popen(self.command("bench", "--time", "60s", "--json"), stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, env={**self.environment, "TMPDIR": str(self.folder)})
        time.sleep(2)
        process.send_signal(signal.SIGINT)
        output, errors = process.communicate(timeout=100)
        self.assertEqual(process.returncode, INTERRUPTED, errors)
        self.assertIn(b"interrupted", errors)
        if output:  # a machine that was too busy to start within that time has none
            self.assertIn(b'"turns"', output)
        self.assertEqual(list(self.folder.iterdir()), [])

    def test_what_it_refuses(self):
        for arguments in [["--clients", "0"], ["--actors", "100001"], ["--clients", "65537"], ["--time", "0"],
                          ["--async", "--no-disk"], ["--lines"], ["x", "--component", ACTORS / "counter.wasm"]]:
            self.bare("bench", *arguments, code=INVALID_ARGUMENT)
        self.bare("bench", "./none.wasm", code=NOT_FOUND)
        self.run_theater("bench", code=NOT_FOUND)
        self.bare("bench", "--size", "1MiB", "--clients", "1025", code=TOO_LARGE)
        self.bare("bench", "--size", "2MiB", "--clients", "1", "--no-disk", "--time", "100ms", code=TOO_LARGE)


class Compare(Case):
    def test_a_program_with_itself(self):
        compare = Path(__file__).resolve().parents[2] / "bench" / "compare"
        done = subprocess.run([sys.executable, compare, PROGRAM, PROGRAM, "--no-disk", "--time", "100ms"], check=True,
                              capture_output=True, env={**self.environment, "COMPARE_RUNS": "2", "COMPARE_JSON": "1"})
        table = json.loads(done.stdout)
        for name in ["turns/s", "CPU us a turn", "answers p50 ms", "answers max ms", "instantiate ns", "bytes a turn",
                     "turns a commit", "C allocations"]:
            line = table[name]
            self.assertLessEqual(line["least"], line["ratio"], name)
            self.assertLessEqual(line["ratio"], line["most"], name)
            self.assertGreaterEqual(line["b"], 0, name)


unittest.main()
