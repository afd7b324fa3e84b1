"""new and build: from nothing to a running actor."""

from support import *


class Tool(Case):
    def test_a_new_actor_builds_starts_and_answers(self):
        self.bare("new", "poll")
        built = self.bare("build", "poll", "--json").json
        self.assertEqual((built["name"], built["component"]), ("poll", "poll/build/poll.wasm"))
        self.run_theater("start", "--manifest", "poll/actor.yaml")
        self.run_theater("send", "poll", "--lines", "--file", "poll/inputs.txt", code=None)
        self.run_theater("replay", "poll")

    def test_what_is_there_is_not_overwritten(self):
        self.bare("new", "poll")
        self.bare("new", "poll", code=EXISTS)
        self.bare("new", "Not A Name", code=INVALID_ARGUMENT)

    def test_errors_of_a_build(self):
        self.bare("build", "nothing", code=NOT_FOUND)
        self.bare("new", "poll")
        (self.folder / "poll" / "actor.c").write_text("int x = ;\n")
        done = self.bare("build", "poll", code=None)
        self.assertEqual(done.code, INVALID_ARGUMENT)
        self.assertIn("actor.c:1:9: error", done.errors)

    def test_a_build_replaces_files_only(self):
        self.bare("new", "poll")
        os.mkfifo(self.folder / "pipe")
        done = self.bare("build", "poll", "--output", "pipe", code=INVALID_ARGUMENT)
        self.assertIn("pipe is no regular file", done.errors)
        self.assertTrue((self.folder / "pipe").is_fifo())


if __name__ == "__main__":
    main()
