"""Data folders that are missing, in use, of another version, read-only or damaged; backup and doctor."""

import os
import shutil
import stat
import subprocess
import time

from support import *


class Folder(Case):
    def setUp(self):
        super().setUp()
        self.start()
        self.run_theater("send", "counter", "--lines", stdin=b"inc\n" * 200)

    def log_files(self):
        return sorted(p for p in (self.data / "log").iterdir() if p.is_file())

    def hold(self):
        """A process that has the folder open for writing."""
        process = subprocess.Popen(self.command("--data", self.data, "send", "counter", "--lines"), stdin=subprocess.PIPE,
                                   stdout=subprocess.PIPE, cwd=self.folder, env=self.environment)
        process.stdin.write(b"inc\n")
        process.stdin.flush()
        process.stdout.readline()
        return process

    def release(self, process):
        process.stdin.close()
        process.stdout.read()
        process.stdout.close()
        self.assertEqual(process.wait(timeout=60), OK)

    def test_no_folder_was_named(self):
        done = self.bare("list", code=INVALID_ARGUMENT)
        self.assertIn("--data DIR", done.errors)
        self.bare("list", environment={"THEATER_DATA": str(self.data)})
        self.assertIn("--data is empty", self.bare("--data", "", "list", code=INVALID_ARGUMENT).errors)

    def test_a_folder_that_is_not_there(self):
        for command in ["list"], ["send", "a", "b"], ["chain", "a"], ["stop", "a"], ["checkpoint", "a"], ["query", "a", "b"]:
            self.bare("--data", "missing", *command, code=NOT_FOUND)
        self.assertFalse((self.folder / "missing").exists())
        self.file("file", "x")
        self.bare("--data", "file", "list", code=INVALID_ARGUMENT)

    def test_a_folder_that_is_something_else(self):
        (self.folder / "other").mkdir()
        (self.folder / "other" / "photo.jpg").write_bytes(b"x")
        done = self.bare("--data", "other", "list", code=None)
        self.assertNotEqual(done.code, OK)
        done = self.bare("--data", "other", "start", "a", "--component", ACTORS / "counter.wasm", code=None)
        self.assertEqual((self.folder / "other" / "photo.jpg").read_bytes(), b"x")

    def test_readers_work_while_another_process_writes(self):
        process = self.hold()
        self.assertEqual(len(self.chain("counter")), 202)
        self.run_theater("list")
        self.run_theater("verify", "--all")
        self.run_theater("replay", "counter")
        self.run_theater("state", "counter")
        self.run_theater("export", "counter", "c.bundle")
        self.run_theater("backup", "copy")
        self.assertIn("another process", self.run_theater("doctor").text)
        self.release(process)
        self.bare("verify", "c.bundle")

    def test_a_second_writer_waits_and_is_then_told(self):
        process = self.hold()
        began = time.monotonic()
        done = self.run_theater("send", "counter", "inc", code=BUSY)
        self.assertGreater(time.monotonic() - began, 4)
        self.assertIn(str(self.data), done.errors)
        self.release(process)
        self.assertEqual(self.send("counter", "inc"), "202")

    def test_another_version(self):
        (self.data / "format").write_text("theater data folder, version 999\n")
        for command in ["list"], ["send", "counter", "inc"], ["verify"]:
            done = self.run_theater(*command, code=None)
            self.assertIn(done.code, (VERSION, CORRUPT), done.errors)

    def test_a_lost_or_damaged_index_is_built_anew(self):
        chain = self.chain("counter")
        shutil.rmtree(self.data / "index")
        self.assertEqual(self.chain("counter"), chain)
        self.assertEqual(self.send("counter", "inc"), "201")
        for file in (self.data / "index").iterdir():
            contents = bytearray(file.read_bytes())
            for at in range(0, len(contents), 97):
                contents[at] ^= 0x55
            file.write_bytes(bytes(contents))
        self.assertEqual(self.chain("counter")[:201], chain)
        self.assertEqual(self.send("counter", "inc"), "202")
        self.still_good("counter")

    def test_damage_in_the_log_is_named_and_never_repaired(self):
        path = self.log_files()[0]
        contents = bytearray(path.read_bytes())
        at = contents.index(b"inc", 20000)
        contents[at] ^= 1
        path.write_bytes(bytes(contents))
        for command in ["verify", "counter"], ["doctor"], ["backup", "copy"]:
            done = self.run_theater(*command, code=None)
            self.assertEqual(done.code, CORRUPT, f"{command}: {done.errors}")
        self.assertIn(path.name, self.run_theater("verify", "counter", code=CORRUPT).errors)
        self.assertEqual(path.read_bytes(), bytes(contents))

    def test_a_damaged_cache_is_compiled_anew(self):
        for file in (self.data / "cache").iterdir():
            contents = bytearray(file.read_bytes())
            contents[len(contents) // 2] ^= 1
            file.write_bytes(bytes(contents))
        self.assertEqual(self.send("counter", "inc"), "201")
        shutil.rmtree(self.data / "cache")
        self.assertEqual(self.send("counter", "inc"), "202")
        self.run_theater("replay", "counter")

    def test_a_damaged_key_is_an_error_and_not_a_new_key(self):
        self.run_theater("checkpoint", "counter")
        (self.data / "keys" / "signing.key").write_text("nonsense\n")
        self.run_theater("checkpoint", "counter", code=CORRUPT)
        self.run_theater("keys", "counter", code=CORRUPT)
        self.assertEqual(self.send("counter", "inc"), "201")

    @unittest.skipIf(os.geteuid() == 0, "root may write everywhere")
    def test_a_folder_that_may_not_be_written(self):
        self.lock_up()
        self.run_theater("list")
        self.run_theater("verify")
        done = self.run_theater("send", "counter", "inc", code=None)
        self.assertIn(done.code, (PERMISSION, READ_ONLY), done.errors)

    def test_doctor_sends_nobody_to_a_backup_for_a_folder_of_somebody_else(self):
        self.addCleanup(self.data.chmod, 0o755)
        self.data.chmod(0)
        self.folder.chmod(0o755)
        other = {"user": 65534, "group": 65534, "extra_groups": []} if os.geteuid() == 0 else {}
        done = subprocess.run(self.command("--data", self.data, "doctor", "--json"), capture_output=True, cwd="/",
                              env=self.environment, check=False, **other)
        self.assertEqual(done.returncode, PERMISSION, done.stderr)
        self.assertIn("owner", json.loads(done.stdout.splitlines()[0])["remedy"])

    def lock_up(self):
        for path in [self.data, *self.data.rglob("*")]:
            mode = stat.S_IMODE(path.stat().st_mode)
            self.addCleanup(path.chmod, mode)
            path.chmod(mode & ~0o222)

    def test_a_backup_is_a_folder_of_its_own(self):
        self.run_theater("checkpoint", "counter")
        self.run_theater("backup", "copy")
        self.run_theater("backup", "copy", code=EXISTS)
        self.assertEqual(self.bare("--data", "copy", "chain", "counter", "--json").output,
                         self.run_theater("chain", "counter", "--json").output)
        self.assertEqual(self.bare("--data", "copy", "keys", "counter").text, self.run_theater("keys", "counter").text)
        self.assertEqual(stat.S_IMODE(os.stat(self.folder / "copy" / "keys" / "signing.key").st_mode), 0o600)
        self.assertEqual(self.bare("--data", "copy", "send", "counter", "inc").text, "201")
        self.assertEqual(len(self.chain("counter")), 201)

    def test_doctor_says_what_is_and_what_helps(self):
        text = self.run_theater("doctor").text
        for word in "folder", "writing", "log", "index", "key", "engine", "c", "rust":
            self.assertIn(word, text)
        self.run_theater("checkpoint", "counter")
        (self.data / "keys" / "signing.key").chmod(0o644)
        done = self.run_theater("doctor", "--json", code=PERMISSION)
        key = [line for line in done.lines if line["check"] == "key"][0]
        self.assertEqual(key["verdict"], "bad")
        self.assertIn("chmod 600", key["remedy"])
        self.bare("doctor")
        # What others may read signs nothing; what was signed is still checked.
        done = self.run_theater("checkpoint", "counter", code=PERMISSION)
        self.assertIn("chmod 600", done.errors)
        self.assertIn("1 checkpoint, signed by the folder's key", self.run_theater("verify", "counter").text)
        (self.data / "keys" / "signing.key").chmod(0o600)
        self.run_theater("checkpoint", "counter")


class Streams(Case):
    def test_a_closed_stream_is_no_file_of_the_data_folder(self):
        self.start()
        self.file("no input", "")
        for closed, code, arguments in (([1], IO, ["send", "counter", "inc"]), ([0], IO, ["send", "counter", "--lines"]),
                                        ([0, 1, 2], IO, ["send", "counter", "inc"]),
                                        ([0, 1, 2], NOT_FOUND, ["send", "nobody", "inc"])):
            before = {path: path.read_bytes() for path in (self.data / "lock", self.data / "format")}
            done = subprocess.run(["sh", "-c", '"$@" ' + " ".join(f"{fd}>&-" for fd in closed), "sh",
                                   *self.command("--data", self.data, *arguments)],
                                  cwd=self.folder, env=self.environment, capture_output=True, check=False)
            self.assertEqual(done.returncode, code, (closed, arguments, done.stderr))
            self.assertEqual({path: path.read_bytes() for path in before}, before)
        self.assertEqual(len(self.chain("counter")), 3)
        self.still_good("counter")


class Killed(Case):
    def test_a_folder_whose_writer_was_killed_goes_on(self):
        self.start()
        for i in range(5):
            process = subprocess.Popen(self.command("--data", self.data, "send", "counter", "--lines"), stdin=subprocess.PIPE,
                                       stdout=subprocess.PIPE, cwd=self.folder, env=self.environment)
            process.stdin.write(b"inc\n" * 2000)
            process.stdin.flush()
            last = b"0"
            for _ in range(100 * (i + 1)):
                last = process.stdout.readline()
            process.kill()
            process.wait()
            process.stdout.close()
            try:
                process.stdin.close()
            except BrokenPipeError:
                pass
            self.assertGreaterEqual(int(self.send("counter", "get")), int(last))
        self.still_good("counter")


if __name__ == "__main__":
    main()
