"""Every command over a running server: the same output, the same JSON, the same exit codes as on the folder itself."""

import http.client
import signal
import subprocess

from remote import *

LINES = b"inc\nadd 5\nbad\nget"


class Reading(ServerCase):
    """One folder, looked at directly and through its server."""

    def setUp(self):
        super().setUp()
        self.start(config='{"start":7}')
        self.send("counter", "inc")
        self.run_theater("checkpoint", "counter")
        self.old = self.file("old.note", self.run_theater("checkpoint", "counter").output)
        self.run_theater("send", "counter", "nonsense", code=REJECTED)
        self.run_theater("send", "counter", "add 5", "--id", "order-1", "--principal", "alice")
        self.run_theater("upgrade", "counter", "--fuel", "18446744073709551", "--config-text", '{"start":1}')
        self.start_fixture("echo", "echo")
        self.run_theater("send", "echo", "--file", self.file("bytes", bytes(range(256))))
        self.start("pong")
        self.start("ping", config="pong")
        self.send("ping", "play 3")
        self.start("gone", component=ACTORS / "counter.wasm")
        self.run_theater("remove", "gone")
        self.new = self.file("new.note", self.run_theater("checkpoint", "counter").output)
        self.serve()

    def test_actors(self):
        for json_ in ([], ["--json"]):
            self.both("list", *json_)
            self.both("list", "--all", *json_)
            for name in ("counter", "echo", "gone", "ping#4"):
                self.both("inspect", name, *json_)

    def test_chains(self):
        for json_ in ([], ["--json"]):
            for name in ("counter", "echo", "ping", "pong", "gone#5"):
                self.both("chain", name, *json_)
            self.both("chain", "counter", "--from", "1", "--to", "2", *json_)
            self.both("chain", "counter", "--from", "99", *json_)
            self.both("trace", "pong", "1", *json_)
            self.both("trace", "ping", "1", "--max", "2", *json_)

    def test_a_long_chain_comes_in_pages(self):
        self.over("send", "counter", "--lines", stdin=b"inc\n" * 1300)
        done = self.both("chain", "counter", "--json")
        self.assertEqual([e["sequence"] for e in done.lines], list(range(1305)))

    def test_states(self):
        for json_ in ([], ["--json"]):
            for name in ("counter", "echo", "ping"):
                self.both("state", name, *json_)
            self.both("state", "counter", "--at", "1", *json_)

    def test_turns_that_are_looked_at(self):
        for json_ in ([], ["--json"]):
            for sequence in range(5):
                self.both("rerun", "counter", sequence, *json_)
            self.both("rerun", "ping", "1", *json_)
        for name, text in (("counter", "inc"), ("counter", "nonsense"), ("ping", "play 2")):
            local = self.run_theater("try", name, text, "--json", "--state").json
            remote = self.over("try", name, text, "--json", "--state").json
            for each in (local, remote):
                self.assertGreater(each.pop("timestamp"), 0)
            self.assertEqual(local, remote)

    def test_proofs(self):
        key = self.both("keys", "counter").text.strip()
        for json_ in ([], ["--json"]):
            self.both("keys", "counter", *json_)
            self.both("prove", "counter", "--element", "1", *json_)
            self.both("prove", "counter", "--element", "1", "--checkpoint", self.old, *json_)
            self.both("prove", "counter", "--consistency", self.old, *json_)
            self.both("prove", "counter", "--consistency", self.old, "--checkpoint", self.new, *json_)
        for how in (["--element", "2"], ["--consistency", self.old]):
            proof = self.file("proof", self.over("prove", "counter", *how).output)
            self.bare("verify-proof", proof, "--key", key)
        self.both("prove", "counter", "--element", "4", "--checkpoint", self.old, code=NOT_FOUND)

    def test_bundles(self):
        for how in (["counter"], ["ping", "pong"], ["--all"], ["--without-payloads", "counter"],
                    ["--without-components", "--without-snapshots", "counter"]):
            local, remote = self.folder / "local.bundle", self.folder / "remote.bundle"
            mine = self.run_theater("export", *how, local, "--json").json
            other = self.over("export", *how, remote, "--json").json
            self.assertEqual((mine["chains"], mine["bytes"]), (other["chains"], other["bytes"]))
            self.assertEqual(local.read_bytes(), remote.read_bytes(), how)
            self.assertEqual(local.stat().st_mode, remote.stat().st_mode)
        self.assertEqual([p.name for p in self.folder.glob("remote.bundle*")], ["remote.bundle"])

    def test_checks_are_done_here(self):
        for command in (["verify"], ["verify", "--all"], ["verify", "counter"], ["replay"], ["replay", "ping"],
                        ["replay", "ping", "--engine", "pulley"]):
            local = self.run_theater(*command, "--json").json
            for more in ([], ["--remote"]):
                remote = self.over(*command, *more, "--json").json
                for key in ("verdict", "chains", "elements", "payload_bytes", "causes", "missing_causes", "head", "tree_head",
                            "state_root", "checkpoints", "what", "actor"):
                    self.assertEqual(local[key], remote[key], (command, more, key))
        self.assertEqual(list(Path(self.environment.get("TMPDIR", "/tmp")).glob("theater-??????")), [])
        key = self.over("keys", "counter").text.strip()
        self.over("verify", "counter", "--key", key)
        other = self.folder / "other"
        self.bare("--data", other, "start", "counter", "--component", ACTORS / "counter.wasm")
        self.bare("--data", other, "checkpoint", "counter")
        wrong = self.bare("--data", other, "keys", "counter").text.strip()
        self.over("verify", "counter", "--key", wrong, code=VERIFY_FAILED)
        bundle = self.folder / "counter"
        self.over("export", "counter", bundle)
        self.assertIn("came with the bundle", self.over("verify", "./counter").text)
        self.over("verify", "counter", "--key", key, "--remote", code=INVALID_ARGUMENT)
        self.run_theater("verify", "counter", "--remote", code=INVALID_ARGUMENT)

    def test_failures_have_the_same_words_and_codes(self):
        for command in ("inspect", "chain", "state", "keys"):
            self.both(command, "nobody", code=NOT_FOUND)
            self.both(command, "No Name", code=INVALID_ARGUMENT)
            self.both(command, "counter#x", code=INVALID_ARGUMENT)
        self.both("state", "counter", "--at", "99", code=NOT_FOUND)
        self.both("rerun", "counter", "99", code=NOT_FOUND)
        self.both("trace", "counter", "99", code=NOT_FOUND)
        self.both("trace", "counter", "x", code=INVALID_ARGUMENT)
        self.both("prove", "counter", code=INVALID_ARGUMENT)
        for where in (["--data", self.data], ["--server", self.address]):
            self.bare(*where, "prove", "counter", "--element", "99", code=NOT_FOUND)
        self.both("export", "nobody", "out", code=NOT_FOUND)
        self.both("verify", "nobody", code=NOT_FOUND)
        self.assertFalse((self.folder / "out").exists())

    def test_a_chain_is_followed(self):
        follower = subprocess.Popen(self.command("--server", self.address, "chain", "counter", "--from", "5", "--follow", "--json"),
                                    stdout=subprocess.PIPE, cwd=self.folder, env=self.environment)
        for _ in range(3):
            self.over("send", "counter", "inc")
        self.assertEqual([json.loads(follower.stdout.readline())["sequence"] for _ in range(3)], [5, 6, 7])
        follower.send_signal(signal.SIGINT)
        self.assertEqual(follower.wait(timeout=20), 0)
        follower.stdout.close()


class Writing(ServerCase):
    """The same commands on two folders: one of them served. Hashes and times differ, all else is the same."""

    def setUp(self):
        super().setUp()
        self.served = self.folder / "served"
        self.bare("--data", self.served, "start", "first", "--component", ACTORS / "counter.wasm")
        self.run_theater("start", "first", "--component", ACTORS / "counter.wasm")
        self.serve(data=self.served)

    def two(self, *arguments, code=OK, stdin=b""):
        local = self.run_theater(*arguments, code=code, stdin=stdin)
        remote = self.over(*arguments, code=code, stdin=stdin)
        self.assertEqual(plain(local.text), plain(remote.text), arguments)
        self.assertEqual(plain(local.errors).replace(f" in {self.data}", ""),
                         plain(remote.errors).replace(f" in {self.served}", ""), arguments)
        return remote

    def test_a_life(self):
        counter = ACTORS / "counter.wasm"
        for json_ in ([], ["--json"]):
            name = "two" if json_ else "one"
            self.two("start", name, "--component", counter, "--config-text", '{"start":41}', "--fuel", "123456789",
                     "--state", "2MiB", *json_)
            self.two("send", name, "inc", *json_)
            self.two("send", name, "nonsense", *json_, code=REJECTED)
            self.two("send", name, "inc", "--id", "k 1", *json_)
            self.two("send", name, "inc", "--id", "k 1", *json_)
            self.two("query", name, "get", *json_)
            self.two("query", name, "nonsense", *json_, code=REJECTED)
            self.two("stop", name, *json_)
            self.two("send", name, "inc", *json_, code=STOPPED)
            self.two("resume", name, *json_)
            self.over("checkpoint", name, *json_)
            self.run_theater("checkpoint", name, *json_)
            self.two("upgrade", name, "--memory", "1MiB", *json_)
            self.two("upgrade", name, "--component", counter, "--config-text", "", *json_)
            self.two("send", name, "--lines", *json_, stdin=LINES, code=REJECTED)
            self.two("send", name, "--lines", "--id", "batch", *json_, stdin=b"inc\r\ninc\n\n", code=REJECTED)
            self.two("chain", name, *json_)
            self.two("inspect", name, *json_)
            self.two("remove", name, *json_)
            self.two("send", name, "inc", *json_, code=NOT_FOUND)
            self.two("start", name, "--component", counter, *json_, code=EXISTS)
        self.two("list", "--all")

    def test_bytes_pass_as_they_are(self):
        echo = FIXTURES / "echo.wasm"
        self.two("start", "echo", "--component", echo)
        for contents in (b"", b"\0", bytes(range(256)) * 4000, "grüße".encode(), b"no\r\nline\n"):
            self.assertEqual(self.two_bytes("send", "echo", "--file", self.file("input", contents)), contents)
        many = b"\n".join(bytes([i]) * 100 for i in range(256) if i not in (10, 13))
        self.assertEqual(self.two_bytes("send", "echo", "--lines", "--file", self.file("many", many)), many + b"\n")

    def two_bytes(self, *arguments):
        local, remote = self.run_theater(*arguments).output, self.over(*arguments).output
        self.assertEqual(local, remote)
        return remote

    def test_a_start_with_all_kinds_of_configurations(self):
        for i, config in enumerate((b"x" * 3000, b"a\0b", "ü&=#+ %41".encode(), b"y" * 200000)):
            path = self.file("config", config)
            self.two("start", f"echo-{i}", "--component", FIXTURES / "echo.wasm", "--config", path)
            for where in (["--data", self.data], ["--server", self.address]):
                first = self.bare(*where, "chain", f"echo-{i}", "--json").lines[0]["input"]["descriptor"]["config"]
                self.assertEqual(first, config.decode() if b"\0" not in config else {"base64": "YQBi"})

    def test_components_that_are_refused(self):
        for name in ("core_module", "all_wrong", "empty"):
            path = FIXTURES / f"{name}.wasm"
            if path.exists():
                self.two("start", "bad", "--component", path, code=COMPONENT_REFUSED)
        self.two("start", "bad", "--component", self.file("none", b""), code=COMPONENT_REFUSED)
        self.two("start", "bad", "--component", FIXTURES / "init_error.wasm", code=ACTOR_FAILED)
        self.two("start", "Bad Name", "--component", ACTORS / "counter.wasm", code=INVALID_ARGUMENT)
        self.two("upgrade", "nobody", "--fuel", "5", code=NOT_FOUND)
        self.two("start", "x", "--component", "missing.wasm", code=NOT_FOUND)

    def test_a_bundle_is_taken_in(self):
        bundle = self.folder / "b.bundle"
        self.run_theater("send", "first", "inc")
        self.run_theater("export", "first", bundle)
        for json_ in ([], ["--json"]):
            self.two("import", bundle, "--name", "copy-json" if json_ else "copy", *json_)
        self.two("verify", "copy")
        self.over("import", bundle, "--name", "copy", code=EXISTS)
        spoiled = bytearray(bundle.read_bytes())
        spoiled[-40] ^= 1
        done = self.over("import", self.file("spoiled", bytes(spoiled)), "--name", "spoiled", code=None)
        self.assertIn(done.code, (VERIFY_FAILED, CORRUPT))
        self.assertEqual(list(self.served.glob("*.tmp*")), [])

    def test_who_asks_for_it_waits_for_what_was_caused(self):
        for name, config in (("pong", ""), ("ping", "pong")):
            self.two("start", name, "--component", ACTORS / f"{name}.wasm", "--config-text", config)
        self.two("send", "ping", "play 50", "--drain", "30s")
        self.two("query", "ping", "score")
        self.assertIn("the server goes on", self.over("send", "ping", "play 20000", "--drain", "1ms").errors)

    def test_ten_thousand_lines(self):
        done = self.two("send", "first", "--lines", stdin=b"inc\n" * 10000)
        self.assertEqual(done.output.split(), [str(i + 1).encode() for i in range(10000)])
        done = self.over("send", "first", "--lines", "--id", "again", stdin=b"inc\n" * 500)
        self.assertEqual(self.over("send", "first", "--lines", "--id", "again", stdin=b"inc\n" * 500).output, done.output)

    def test_lines_are_answered_while_more_are_written(self):
        process = subprocess.Popen(self.command("--server", self.address, "send", "first", "--lines"), stdin=subprocess.PIPE,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=self.folder, env=self.environment)
        for i in range(5):
            process.stdin.write(b"inc\n")
            process.stdin.flush()
            self.assertEqual(process.stdout.readline(), b"%d\n" % (i + 1))
        process.send_signal(signal.SIGINT)
        output, errors = process.communicate(timeout=20)
        self.assertEqual((process.returncode, output), (INTERRUPTED, b""))
        self.assertIn(b"after 5 lines, which were all answered", errors)

    def test_lines_to_an_actor_that_is_stopped(self):
        self.over("stop", "first")
        done = self.over("send", "first", "--lines", stdin=b"inc\n" * 3000, code=STOPPED)
        self.assertIn("(0 of ", done.errors)

    def test_a_line_that_the_server_does_not_take(self):
        self.end_server()
        self.serve("--max-body", "1KiB", data=self.served)
        done = self.over("send", "first", "--lines", stdin=b"inc\n" * 3 + b"x" * 300000 + b"\n" + b"inc\n" * 20000, code=TOO_LARGE)
        self.assertEqual(done.output, b"1\n2\n3\n\n")
        self.assertIn("4 of 20004 lines sent were answered", done.errors)
        self.over("send", "first", "--file", self.file("large", b"x" * 2000), code=TOO_LARGE)

    def test_a_reader_that_goes_away(self):
        process = subprocess.Popen(self.command("--server", self.address, "send", "first", "--lines"), stdin=subprocess.PIPE,
                                   stdout=subprocess.PIPE, cwd=self.folder, env=self.environment)
        process.stdin.write(b"inc\n")
        process.stdin.flush()
        process.stdout.readline()
        process.stdout.close()
        try:
            process.stdin.write(b"inc\n" * 20000)
            process.stdin.close()
        except BrokenPipeError:
            pass
        self.assertEqual(process.wait(timeout=30), -signal.SIGPIPE)


class Places(ServerCase):
    """Which folder or server a command takes."""

    def setUp(self):
        super().setUp()
        self.start()
        self.serve()

    def test_a_folder_whose_server_runs_is_written_to_through_it(self):
        self.assertEqual(self.send("counter", "inc"), "1")
        self.assertEqual(self.run_theater("query", "counter", "get").text, "1")
        self.run_theater("stop", "counter")
        self.run_theater("resume", "counter")
        self.run_theater("start", "other", "--component", ACTORS / "counter.wasm")
        self.run_theater("checkpoint", "counter")
        self.run_theater("upgrade", "other", "--fuel", "5000000")
        self.run_theater("remove", "other")
        self.assertEqual(self.run_theater("send", "counter", "--lines", stdin=b"inc\ninc\n").text, "2\n3\n")
        self.end_server()
        self.assertEqual(self.send("counter", "inc"), "4")
        self.still_good("counter")

    def test_the_principal_is_the_socket_s(self):
        self.run_theater("send", "counter", "inc", "--principal", "alice")
        self.run_theater("send", "counter", "--lines", "--principal", "bob", stdin=b"inc\n")
        self.assertEqual([e["principal"] for e in self.chain("counter")], [None, "alice", "bob"])
        self.over("send", "counter", "inc", "--principal", "alice", code=INVALID_ARGUMENT)
        self.over("send", "counter", "--lines", "--principal", "alice", stdin=b"inc\n", code=INVALID_ARGUMENT)
        self.run_theater("send", "counter", "inc", "--principal", "two words", code=INVALID_ARGUMENT)

    def test_over_tcp_nobody_names_the_principal(self):
        port = int(self.address.rsplit(":", 1)[1])
        for headers in ({"Theater-Principal": "alice"}, {"Theater-Principal": ""}):
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
            connection.request("POST", "/v1/actors/counter/messages", b"inc", headers)
            answer = connection.getresponse()
            self.assertEqual((answer.status, json.loads(answer.read())["type"]), (403, "urn:theater:problem:principal"))
            connection.close()
        self.assertEqual(len(self.chain("counter")), 1)

    def test_a_folder_whose_server_was_killed_is_opened_again(self):
        self.send("counter", "inc")
        self.end_server(signal.SIGKILL)
        self.assertTrue((self.data / "server.sock").exists())
        self.assertEqual(self.send("counter", "inc"), "2")

    def test_the_environment_names_a_server(self):
        there = {"THEATER_SERVER": self.address}
        self.assertEqual(self.bare("send", "counter", "inc", environment=there).text, "1")
        other = {"THEATER_SERVER": self.nobody(), "THEATER_DATA": str(self.data)}
        self.bare("list", environment=other, code=IO)
        self.assertIn("counter", self.run_theater("list", environment=other).text)
        self.assertIn("counter", self.over("list", environment=other).text)
        self.bare("version", environment=other)
        self.bare("doctor", environment=other)

    def test_what_works_on_this_machine_takes_no_server(self):
        for command in (["backup", "copy"], ["serve"], ["token", "list"], ["doctor"], ["new", "x"], ["build"], ["version"]):
            done = self.over(*command, code=INVALID_ARGUMENT)
            self.assertIn("takes no --server", done.errors)
        self.over("--data", self.data, "list", code=INVALID_ARGUMENT)
        self.over("checkpoint", "counter", "--origin", "example.com", code=INVALID_ARGUMENT)

    def test_addresses(self):
        for address in ("ftp://127.0.0.1:1", "127.0.0.1:8080", "http://", "unix:", "http://a b", "http://me@127.0.0.1", "unix:" + "x" * 200):
            self.bare("--server", address, "list", code=INVALID_ARGUMENT)
        self.assertEqual(self.bare("--server", self.address + "/", "list").output, self.over("list").output)
        self.bare("--server", f"unix:{self.data}/server.sock", "list")


class Tokens(ServerCase):
    options = ["--require-token"]

    def setUp(self):
        super().setUp()
        self.start()
        self.write = self.run_theater("token", "new", "writer").text.strip()
        self.read = self.run_theater("token", "new", "reader", "--read").text.strip()
        self.serve()

    def test_a_token_comes_by_option_environment_or_file(self):
        self.assertIn("a token is needed", self.over("list", code=PERMISSION).errors)
        self.over("list", "--token", self.read)
        self.over("list", environment={"THEATER_TOKEN": self.read})
        self.over("list", "--token-file", self.file("token", self.read + "\n"))
        self.over("list", "--token-file", "missing", code=NOT_FOUND)
        self.over("list", "--token", self.read, "--token-file", "x", code=INVALID_ARGUMENT)
        self.over("list", "--token", "two words", code=INVALID_ARGUMENT)

    def test_wrong_tokens(self):
        done = self.over("list", "--token", "a" * 40, code=PERMISSION)
        self.assertIn("not known", done.errors)
        done = self.over("send", "counter", "inc", "--token", self.read, code=PERMISSION)
        self.assertIn("may only read", done.errors)
        self.over("send", "counter", "--lines", "--token", self.read, stdin=b"inc\n" * 5000, code=PERMISSION)
        self.assertEqual(self.over("send", "counter", "get", "--token", self.write).text, "0")

    def test_the_token_is_the_principal(self):
        self.over("send", "counter", "inc", environment={"THEATER_TOKEN": self.write})
        token = self.run_theater("token", "list", "--json").lines[0]["id"]
        self.assertEqual(self.chain("counter")[1]["principal"], token)

    def test_the_folder_s_own_socket_wants_none(self):
        self.assertEqual(self.send("counter", "inc", environment={"THEATER_TOKEN": "x" * 40}), "1")


class Encrypted(ServerCase):
    def setUp(self):
        super().setUp()
        self.start()
        for name in ("one", "two"):
            subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
                            "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", f"{name}.key",
                            "-out", f"{name}.pem"], cwd=self.folder, check=True, capture_output=True)
        self.serve("--tls-certificate", "one.pem", "--tls-key", "one.key")

    def test_a_certificate_must_be_trusted(self):
        self.assertTrue(self.address.startswith("https://"))
        self.assertIn("cannot be trusted", self.over("list", code=PERMISSION).errors)
        self.over("list", "--ca", "two.pem", code=PERMISSION)
        self.over("list", "--ca", "missing.pem", code=NOT_FOUND)
        self.over("list", "--ca", "one.key", code=INVALID_ARGUMENT)
        self.assertEqual(self.over("send", "counter", "inc", "--ca", "one.pem").text, "1")
        done = self.over("send", "counter", "--lines", "--ca", "one.pem", stdin=b"inc\n" * 2000)
        self.assertEqual(done.output.split()[-1], b"2001")
        self.over("verify", "counter", "--ca", "one.pem")

    def openssl(self, *arguments):
        subprocess.run(["openssl", *arguments], cwd=self.folder, check=True, capture_output=True)

    def signed(self, name, names, signer, *validity):
        """A key and a certificate for these names, signed by `signer`."""
        self.file(f"{name}.ext", f"{names}\n")
        self.openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", f"/CN={name}",
                     "-keyout", f"{name}.key", "-out", f"{name}.csr")
        self.openssl("x509", "-req", "-in", f"{name}.csr", "-CA", f"{signer}.pem", "-CAkey", f"{signer}.key", "-CAcreateserial",
                     "-extfile", f"{name}.ext", "-out", f"{name}.pem", *(validity or ("-days", "2")))

    def serve_with(self, certificate, key):
        self.end_server()
        self.serve("--tls-certificate", f"{certificate}.pem", "--tls-key", f"{key}.key")

    def test_what_an_authority_signed_is_trusted_for_its_names_and_its_time(self):
        self.signed("good", "subjectAltName=IP:127.0.0.1,DNS:localhost", "two")
        self.serve_with("good", "good")
        self.over("inspect", "counter", "--ca", "two.pem")
        self.bare("--server", self.address.replace("127.0.0.1", "localhost"), "--ca", "two.pem", "inspect", "counter")
        errors = self.over("list", "--ca", "one.pem", code=PERMISSION).errors
        self.assertIn("issuer", errors)
        self.assertIn("by one.pem", errors)
        self.assertIn("--ca FILE names who signed it", self.over("list", code=PERMISSION).errors)

        self.signed("other", "subjectAltName=DNS:theater.example", "two")
        self.serve_with("other", "other")
        errors = self.over("list", "--ca", "two.pem", code=PERMISSION).errors
        self.assertIn("127.0.0.1", errors.split("(")[1])
        self.assertNotIn("--ca FILE", errors)

        self.signed("expired", "subjectAltName=IP:127.0.0.1", "two", "-days", "-1")
        self.serve_with("expired", "expired")
        errors = self.over("list", "--ca", "two.pem", code=PERMISSION).errors
        self.assertIn("expired", errors)
        self.assertNotIn("--ca FILE", errors)

        # An authority between the two comes with the certificate, or is missed.
        self.signed("between", "basicConstraints=CA:TRUE", "two")
        self.signed("leaf", "subjectAltName=IP:127.0.0.1", "between")
        self.serve_with("leaf", "leaf")
        self.over("list", "--ca", "two.pem", code=PERMISSION)
        self.file("both.pem", (self.folder / "leaf.pem").read_bytes() + (self.folder / "between.pem").read_bytes())
        self.serve_with("both", "leaf")
        self.over("list", "--ca", "two.pem")

    def test_the_wrong_scheme(self):
        self.bare("--server", self.address.replace("https", "http"), "list", code=IO)


if __name__ == "__main__":
    main()
