"""send and query."""

import base64
import signal
import subprocess
import time

from support import *


class One(Case):
    def test_the_output_is_printed_byte_for_byte(self):
        self.start_fixture("echo", name="echo")
        bytes_ = bytes(range(256)) * 300
        done = self.run_theater("send", "echo", "--file", self.file("input", bytes_))
        self.assertEqual(done.output, bytes_)
        self.assertEqual(self.run_theater("send", "echo", "--file", "-", stdin=b"from stdin").output, b"from stdin")
        self.assertEqual(self.run_theater("send", "echo").output, b"")

    def test_a_rejection_goes_to_standard_error_with_its_exit_code(self):
        self.start()
        done = self.run_theater("send", "counter", "nonsense", code=REJECTED)
        self.assertEqual(done.output, b"")
        self.assertIn("unknown input", done.errors)

    def test_json(self):
        self.start()
        answer = self.run_theater("send", "counter", "inc", "--json").json
        element = self.chain("counter")[1]
        self.assertEqual(answer, {"status": "ok", "output": "1", "sequence": 1, "element": element["hash"],
                                  "state_root": element["state_after"], "fuel": element["fuel"], "repeated": False})
        answer = self.run_theater("send", "counter", "x", "--json", code=REJECTED).json
        self.assertEqual((answer["status"], answer["output"], answer["code"], answer["sequence"]),
                         ("rejected", None, 1, 2))
        self.assertIn("unknown input", answer["message"])

    def test_an_id_runs_once(self):
        self.start()
        self.assertEqual(self.send("counter", "inc", "--id", "a"), "1")
        self.assertEqual(self.send("counter", "inc", "--id", "a"), "1")
        self.assertTrue(self.run_theater("send", "counter", "inc", "--id", "a", "--json").json["repeated"])
        self.assertEqual(self.send("counter", "inc", "--id", "b"), "2")
        self.assertEqual([e["id"] for e in self.chain("counter")], [None, "a", "b"])

    def test_a_principal_stands_on_the_chain(self):
        self.start()
        self.send("counter", "inc", "--principal", "client 7")
        self.assertEqual(self.chain("counter")[1]["principal"], "client 7")

    def test_async_gives_the_same(self):
        self.start()
        self.assertEqual(self.send("counter", "inc", "--async"), "1")
        self.assertEqual(self.send("counter", "get"), "1")

    def test_a_query_records_nothing(self):
        self.start()
        self.assertEqual(self.run_theater("query", "counter", "inc").output, b"1")
        answer = self.run_theater("query", "counter", "inc", "--json").json
        self.assertEqual((answer["output"], answer["sequence"]), ("1", 0))
        self.run_theater("query", "counter", "nonsense", code=REJECTED)
        self.assertEqual(len(self.chain("counter")), 1)

    def test_wrong_arguments(self):
        self.start()
        self.run_theater("send", "nobody", "x", code=NOT_FOUND)
        self.run_theater("send", "Not A Name", "x", code=None)
        self.run_theater("send", "counter", "x", "--file", "y", code=INVALID_ARGUMENT)
        self.run_theater("send", "counter", "--file", "/no/such/file", code=NOT_FOUND)
        self.run_theater("send", "counter", "x", "--drain", "soon", code=INVALID_ARGUMENT)
        self.run_theater("send", "counter", "x", "--lines", code=INVALID_ARGUMENT)
        self.assertEqual(len(self.chain("counter")), 1)


class Lines(Case):
    def test_answers_come_in_the_order_of_the_lines(self):
        self.start()
        inputs = "".join(f"add {i % 50}\n" for i in range(20000))
        done = self.run_theater("send", "counter", "--lines", "--file", self.file("lines", inputs))
        total, expected = 0, []
        for i in range(20000):
            total += i % 50
            expected.append(str(total))
        self.assertEqual(done.text.splitlines(), expected)
        self.assertEqual(len(self.chain("counter")), 20001)

    def test_a_rejection_is_an_empty_line_and_an_exit_code_at_the_end(self):
        self.start()
        done = self.run_theater("send", "counter", "--lines", stdin=b"inc\nbad\ninc", code=REJECTED)
        self.assertEqual(done.output, b"1\n\n2\n")
        self.assertIn("1 of 3 inputs were rejected; the first is line 2", done.errors)

    def test_line_breaks_in_answers_do_not_break_lines(self):
        self.start_fixture("set_state", name="s")
        self.run_theater("send", "s", "--file", self.file("f", "two\nlines\r"))
        self.assertEqual(self.run_theater("send", "s", "--lines", stdin=b"x\n").output, b"two\\nlines\\r\n")
        self.run_theater("send", "s", "--file", self.file("f", b"\xff\x00"))
        done = self.run_theater("send", "s", "--lines", "--json", stdin=b"\n\n")
        self.assertEqual([a["output"] for a in done.lines], [{"base64": base64.b64encode(b"\xff\x00").decode()}, ""])

    def test_an_input_that_is_too_large_is_skipped(self):
        self.run_theater("start", "echo", "--component", FIXTURES / "echo.wasm", "--message", "1KiB")
        lines = b"small\n" + b"x" * 2000 + b"\nafter\n"
        done = self.run_theater("send", "echo", "--lines", stdin=lines, code=TOO_LARGE)
        self.assertEqual(done.output, b"small\n\nafter\n")
        self.assertEqual(len(self.chain("echo")), 3)

    def test_nothing_is_sent_for_an_empty_input(self):
        self.start()
        self.assertEqual(self.run_theater("send", "counter", "--lines", stdin=b"").output, b"")

    def test_ids_make_a_repetition_harmless(self):
        self.start()
        for _ in range(2):
            done = self.run_theater("send", "counter", "--lines", "--id", "run", stdin=b"inc\ninc\ninc\n")
            self.assertEqual(done.output, b"1\n2\n3\n")
        self.assertEqual([e["id"] for e in self.chain("counter")], [None, "run-1", "run-2", "run-3"])

    def test_an_unknown_actor_ends_it_at_once(self):
        self.start()
        done = self.run_theater("send", "nobody", "--lines", stdin=b"a\n" * 100000, code=NOT_FOUND)
        self.assertIn("nobody", done.errors)

    def test_answers_are_there_while_the_input_is_still_open(self):
        self.start()
        process = subprocess.Popen(self.command("--data", self.data, "send", "counter", "--lines"), stdin=subprocess.PIPE,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=self.folder, env=self.environment)
        for i in range(1, 4):
            process.stdin.write(b"inc\n")
            process.stdin.flush()
            self.assertEqual(process.stdout.readline(), b"%d\n" % i)
        process.stdin.close()
        self.assertEqual(process.wait(timeout=60), OK)
        process.stdout.close()
        process.stderr.close()

    def test_an_interrupt_ends_it_in_good_order(self):
        self.start()
        process = subprocess.Popen(self.command("--data", self.data, "send", "counter", "--lines"), stdin=subprocess.PIPE,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=self.folder, env=self.environment)
        process.stdin.write(b"inc\n")
        process.stdin.flush()
        self.assertEqual(process.stdout.readline(), b"1\n")
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(timeout=60), INTERRUPTED)
        self.assertIn(b"interrupted", process.stderr.read())
        for stream in process.stdin, process.stdout, process.stderr:
            stream.close()
        self.still_good("counter")

    def test_a_reader_that_goes_away_ends_it_in_good_order(self):
        self.start()
        mark = (self.data / "closed").read_bytes()  # of the log's end when it was closed
        process = subprocess.Popen(self.command("--data", self.data, "send", "counter", "--lines"), stdin=subprocess.PIPE,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=self.folder, env=self.environment)
        process.stdout.close()
        try:
            while process.poll() is None:
                process.stdin.write(b"inc\n" * 1000)
                process.stdin.flush()
        except BrokenPipeError:
            pass
        self.assertEqual(process.wait(timeout=60), -signal.SIGPIPE)
        self.assertNotEqual((self.data / "closed").read_bytes(), mark, "the folder was not closed in good order")
        try:
            process.stdin.close()
        except BrokenPipeError:
            pass
        process.stderr.close()
        self.still_good("counter")

    def test_a_killed_sender_leaves_what_it_was_answered(self):
        self.start()
        process = subprocess.Popen(self.command("--data", self.data, "send", "counter", "--lines"), stdin=subprocess.PIPE,
                                   stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd=self.folder, env=self.environment)
        process.stdin.write(b"inc\n" * 500)
        process.stdin.flush()
        answered = 0
        for _ in range(300):
            answered = int(process.stdout.readline())
        time.sleep(0.05)
        process.kill()
        process.wait()
        for stream in process.stdin, process.stdout:
            try:
                stream.close()
            except BrokenPipeError:
                pass
        self.assertGreaterEqual(int(self.send("counter", "get")), answered)
        self.still_good("counter")


if __name__ == "__main__":
    main()
