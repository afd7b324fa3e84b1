"""What the pages say of the sources, held against the sources: dependencies, links, decisions, the reference of the C API."""
import fnmatch
import json
import os
import pathlib
import re
import subprocess
import sys
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
DEPENDENCIES = (ROOT / "docs/DEPENDENCIES.md").read_text(encoding="utf-8")


def tracked(pattern):
    """Files of the project, without what was built."""
    found = []
    for folder, folders, files in os.walk(ROOT):
        # Other tests make and remove files in some of these meanwhile: they are not entered.
        folders[:] = [name for name in folders if name not in ("build", ".git", ".theater", "my-data", "hello")]
        found += [pathlib.Path(folder) / name for name in files if fnmatch.fnmatch(name, pattern)]
    return sorted(found)


def without_comments(path):
    return re.sub(r"#[^\n]*", "", path.read_text(encoding="utf-8"))


def modules_linked():
    """What CMake asks pkg-config for."""
    files = tracked("CMakeLists.txt") + tracked("*.cmake")
    found = set()
    for path in files:
        for call in re.findall(r"pkg_check_modules\(([^)]*)\)", without_comments(path)):
            words = call.split()[1:]
            found |= {re.split(r"[<>=]", word)[0] for word in words if word not in ("REQUIRED", "IMPORTED_TARGET", "QUIET", "GLOBAL")}
    return found


def targets_linked():
    """Imported targets of CMake's own packages, such as OpenSSL::Crypto."""
    found = set()
    for path in tracked("CMakeLists.txt") + tracked("*.cmake"):
        found |= set(re.findall(r"\b([A-Z][A-Za-z]+::[A-Za-z]+)\b", without_comments(path)))
    return {name for name in found if not name.startswith("PkgConfig::")}


def crates():
    """Crates that the workspace asks for, each with its version; not its own."""
    found = {}
    for path in tracked("Cargo.toml"):
        section = ""
        for line in path.read_text(encoding="utf-8").splitlines():
            if line.startswith("["):
                section = line.strip("[] ")
            match = re.match(r'([a-z][a-z0-9_-]*)\s*=\s*(.*)', line)
            if section.endswith("dependencies") and match and "path =" not in match.group(2):
                version = re.search(r'"([=~^]?)([0-9][0-9.]*)"', match.group(2))
                found[match.group(1)] = version.groups() if version else ("", "")
    return found


def packages():
    """Packages of npm that the page asks for, each with its version."""
    found = {}
    for path in [ROOT / "web/package.json", ROOT / "tests/web/browser/package.json"]:
        if path.exists():
            page = json.loads(path.read_text(encoding="utf-8"))
            found |= page.get("dependencies", {}) | page.get("devDependencies", {})
    return found


def tool_chains():
    """What tools/guest-tools installs, each with its version."""
    script = (ROOT / "tools/guest-tools").read_text(encoding="utf-8")
    return {name: version for version, name in re.findall(r"^[A-Z_]+=([\d.]+) +# (?:PyPI|npm) ([\w-]+)", script, re.M)}


def rows():
    """First and second column of the page's tables of dependencies, where one stands."""
    return re.findall(r"^\| ([^|]*) \| ([^|]*) \|", DEPENDENCIES, re.M)


class Dependencies(unittest.TestCase):
    def names(self):
        return {name for first, _ in rows() for name in re.findall(r"`([^`]+)`", first)}

    def test_there_are_some(self):
        self.assertIn("lmdb", modules_linked())
        self.assertIn("wasmtime", crates())
        self.assertIn("OpenSSL::Crypto", targets_linked())

    def test_everything_linked_stands_on_the_page(self):
        missing = (modules_linked() | set(crates()) | targets_linked() | set(packages())) - self.names()
        self.assertEqual(missing, set(), "docs/DEPENDENCIES.md has no row for these")

    def test_everything_on_the_page_is_linked(self):
        known = modules_linked() | set(crates()) | targets_linked() | set(packages()) | {"m", "dl", "pkg-config"} | \
            set(tool_chains())
        self.assertEqual(self.names() - known, set(), "docs/DEPENDENCIES.md has rows for what nothing links")

    def test_versions_of_crates(self):
        for name, (_, version) in crates().items():
            row = next(second for first, second in rows() if f"`{name}`" in first)
            self.assertIn(version, row, name)

    def test_versions_of_packages(self):
        for name, version in packages().items():
            row = next(second for first, second in rows() if f"`{name}`" in first)
            self.assertEqual(f"exactly {version}", row, name)

    def test_versions_of_tool_chains(self):
        self.assertGreater(len(tool_chains()), 5)
        for name, version in tool_chains().items():
            row = next(second for first, second in rows() if f"`{name}` (" in first and "exactly" in second)
            self.assertEqual(f"exactly {version}", row, name)

    def test_locks_name_no_host(self):
        """Any registry or mirror serves them; the hashes say whether it is the same."""
        for path in [ROOT / "web/package-lock.json", ROOT / "tests/web/browser/package-lock.json"]:
            if path.exists():
                self.assertNotIn('"resolved"', path.read_text(encoding="utf-8"), path)
                self.assertIn('"integrity"', path.read_text(encoding="utf-8"), path)

    def test_the_pinned_version_is_the_locked_one(self):
        lock = (ROOT / "Cargo.lock").read_text(encoding="utf-8")
        for name, (sign, version) in crates().items():
            if sign == "=":
                self.assertIn(f'name = "{name}"\nversion = "{version}"', lock)

    def test_setup_installs_every_module(self):
        setup = (ROOT / "tools/setup").read_text(encoding="utf-8")
        named = set(re.findall(r"([\w.-]+):[\w.-]+", re.search(r'modules="([^"]*)"', setup).group(1)))
        self.assertEqual(modules_linked() - named, set(), "tools/setup does not install these")
        self.assertEqual(named - modules_linked() - {"libcrypto"}, set(), "tools/setup installs what nothing links")

    def test_rust(self):
        needed = re.search(r"^needed=(\S+)", (ROOT / "tools/cargo").read_text(encoding="utf-8"), re.M).group(1)
        self.assertIn(f"| Rust | {needed} or newer |", DEPENDENCIES)


def anchors(text):
    """The anchors of a page's headings, as code hosts make them."""
    found = set()
    for heading in re.findall(r"^#+ (.*)$", text, re.M):
        plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).replace("`", "").lower()
        found.add(re.sub(r"[^\w\- ]", "", plain).strip().replace(" ", "-"))
    return found


class Links(unittest.TestCase):
    def test_every_link_leads_somewhere(self):
        broken = []
        pages = tracked("*.md")
        self.assertGreater(len(pages), 10)
        for page in pages:
            text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.M | re.S)
            for target in re.findall(r"\]\(([^)\s]+)\)", text):
                if re.match(r"[a-z]+:", target):
                    continue
                path, _, anchor = target.partition("#")
                there = (page.parent / path).resolve() if path else page
                if not there.exists():
                    broken.append(f"{page.relative_to(ROOT)}: {target}")
                elif anchor and there.suffix == ".md" and anchor not in anchors(there.read_text(encoding="utf-8")):
                    broken.append(f"{page.relative_to(ROOT)}: {target}: no such heading")
        self.assertEqual(broken, [])

    def test_every_source_named_is_there(self):
        """`src/store/index.c` and the like in a page's text."""
        broken = []
        for page in tracked("*.md"):
            for name in re.findall(r"`((?:src|engine|encoder|tests|tools|include|examples|sdk|cmake|docs|bench)/[\w./-]+)`",
                                   page.read_text(encoding="utf-8")):
                # A page of an actor's project names its own files.
                if not (ROOT / name).exists() and not (page.parent / name).exists():
                    broken.append(f"{page.relative_to(ROOT)}: {name}")
        self.assertEqual(broken, [])


class Decisions(unittest.TestCase):
    FOLDER = ROOT / "docs/decisions"
    PARTS = ("Context", "Decision", "Why", "What was measured", "Consequences")

    def pages(self):
        return sorted(self.FOLDER.glob("[0-9]*.md"))

    def test_numbers_have_no_gap(self):
        numbers = [int(page.name[:4]) for page in self.pages()]
        self.assertEqual(numbers, list(range(1, len(numbers) + 1)))

    def test_each_has_all_parts(self):
        for page in self.pages():
            text = page.read_text(encoding="utf-8")
            self.assertTrue(text.startswith(f"# {page.name[:4]}: "), page.name)
            places = [text.find(f"**{part}.**") for part in self.PARTS]
            self.assertNotIn(-1, places, page.name)
            self.assertEqual(places, sorted(places), page.name)

    def test_the_list_names_each(self):
        listed = re.findall(r"\]\((\d{4}-[\w-]+\.md)\)", (self.FOLDER / "README.md").read_text(encoding="utf-8"))
        self.assertEqual(listed, [page.name for page in self.pages()])


# A number on a page, the words around it, and where it stands in the sources.
NUMBERS = (
    ("docs/decisions/0009-one-lock-and-slices.md", "up to 64 of its inputs", "src/runtime/core.h", "TH_SLICE_ITEMS 64 "),
    ("docs/decisions/0009-one-lock-and-slices.md", "ends at 4 MiB of records", "src/runtime/core.h", "TH_SLICE_BYTES ((size_t)4 << 20)"),
    ("docs/decisions/0009-one-lock-and-slices.md", "100 million fuel", "src/runtime/core.h", "TH_SLICE_FUEL UINT64_C(100000000)"),
    ("docs/decisions/0006-exactly-once-by-the-chain-itself.md", "first 1,024 messages", "src/runtime/core.h", "TH_WINDOW_ITEMS 1024 "),
    ("docs/decisions/0006-exactly-once-by-the-chain-itself.md", "or 4 MiB, wait", "src/runtime/core.h", "TH_WINDOW_BYTES ((size_t)4 << 20)"),
    ("docs/decisions/0006-exactly-once-by-the-chain-itself.md", "`undelivered_max`, 65,536", "include/theater/runtime.h", "0: 65,536 */"),
    ("docs/decisions/0005-execution-runs-ahead-answers-wait.md", "`inflight_bytes`, 64 MiB", "src/runtime/open.c", "o->inflight_bytes, UINT64_C(64) << 20)"),
    ("docs/decisions/0011-snapshots-bounded-by-bytes-and-fuel.md", "1 MiB or twice", "src/runtime/open.c", "o->snapshot_bytes, UINT64_C(1) << 20)"),
    ("docs/decisions/0011-snapshots-bounded-by-bytes-and-fuel.md", "500 million fuel", "src/runtime/open.c", "o->snapshot_fuel, UINT64_C(500000000))"),
    ("docs/decisions/0011-snapshots-bounded-by-bytes-and-fuel.md", "counts 10,000 more", "src/runtime/core.h", "TH_TURN_OVERHEAD_FUEL UINT64_C(10000)"),
    ("docs/decisions/0002-one-engine-behind-one-header.md", "1,500 lines", "tests/structure/check_structure.py", "lines > 1500"),
    ("docs/embedding.md", "1,024 unless set", "src/runtime/open.c", "o->mailbox_messages, 1024)"),
    ("docs/TESTING.md", "one in 25", "tests/simulation/main.c", "ENGINE_EVERY 25"),
    ("docs/TESTING.md", "runs 10,000 seeds", "tests/simulation/CMakeLists.txt", "COMMAND test_simulation 10000"),
    ("docs/TESTING.md", "and 500 under the sanitizers", "tests/simulation/CMakeLists.txt", "COMMAND test_simulation 500"),
    ("docs/TESTING.md", "a million seeds", "Makefile", "test_simulation 1000000 "),
    ("docs/TESTING.md", "every 41st", "tests/faults/test_runtime.c", "0, 41, 1)"),
    ("docs/TESTING.md", "60 changes of each", "tests/fuzz/replay.c", "CHANGES 60"),
)


class Numbers(unittest.TestCase):
    def test_numbers_are_those_of_the_sources(self):
        for page, words, source, text in NUMBERS:
            said = " ".join((ROOT / page).read_text(encoding="utf-8").split())
            self.assertIn(words, said, page)
            self.assertIn(" ".join(text.split()), " ".join((ROOT / source).read_text(encoding="utf-8").split()), f"{page}: {words}")


class Reference(unittest.TestCase):
    def test_the_reference_is_made_from_the_headers_as_they_are(self):
        done = subprocess.run([sys.executable, "-B", ROOT / "tools/api_reference.py", "--check"], capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_every_function_is_in_it(self):
        page = (ROOT / "docs/api.md").read_text(encoding="utf-8")
        declared = set()
        for header in (ROOT / "include/theater").glob("*.h"):
            declared |= set(re.findall(r"^THEATER_API[^;]*?\b(theater_\w+)\(", header.read_text(encoding="utf-8"), re.M))
        self.assertGreater(len(declared), 30)
        self.assertEqual({name for name in declared if f"**`{name}`**" not in page}, set())


if __name__ == "__main__":
    unittest.main()
