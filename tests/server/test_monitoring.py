"""What the figures say, that Prometheus reads them, and that the dashboard and the page of monitoring name only what there is."""

import json
import re
import subprocess

from support import *

ROOT = Path(__file__).parents[2]


def names(text):
    """Metrics named in an expression or a page, without the suffixes of histograms."""
    return {re.sub(r"_(bucket|sum|count)$", "", name) for name in re.findall(r"\btheater_\w+", text)}


class Monitoring(Case):
    def figures(self):
        return self.get("/metrics").body.decode()

    def series(self):
        """Every line as a number."""
        return {line.rsplit(" ", 1)[0]: float(line.rsplit(" ", 1)[1]) for line in self.figures().splitlines() if not line.startswith("#")}

    def described(self):
        return set(re.findall(r"^# TYPE (theater_\w+) ", self.figures(), re.M))

    def histogram(self, name):
        series = self.series()
        buckets = [(float(re.search(r'le="([^"]+)"', key).group(1)), value) for key, value in series.items()
                   if key.startswith(f"theater_{name}_bucket")]
        return buckets, series[f"theater_{name}_sum"], series[f"theater_{name}_count"]

    def test_latencies_are_counted(self):
        self.start()
        for i in range(20):
            self.send("counter", "nonsense" if i % 5 == 4 else "inc", 422 if i % 5 == 4 else 200)
        self.post("/v1/actors/counter/query", b"get")
        for name, count in (("queue_seconds", 20), ("turn_seconds", 20), ("answer_seconds", 20), ("message_seconds", 21)):
            buckets, total, counted = self.histogram(name)
            self.assertEqual(counted, count, name)
            self.assertEqual(buckets[-1], (float("inf"), count))
            self.assertEqual([b for b, _ in buckets], sorted(b for b, _ in buckets))
            self.assertEqual([v for _, v in buckets], sorted(v for _, v in buckets))
            self.assertGreater(total, 0)
            mean = total / count
            self.assertLess(sum(b for b, _ in buckets if b < mean / 100), mean)
        queue, turn, answer = (self.histogram(f"{n}_seconds")[1] for n in ("queue", "turn", "answer"))
        self.assertLess(queue + turn, answer)
        buckets, total, counted = self.histogram("commit_seconds")
        series = self.series()
        self.assertEqual(counted, series["theater_commits_total"])
        self.assertAlmostEqual(total, series["theater_commit_seconds_sum"])

    def test_counters_follow_what_happens(self):
        self.start()
        before = self.series()
        for text, code in (("inc", 200), ("inc", 200), ("nonsense", 422)):
            self.send("counter", text, code)
        self.get("/v1/nothing", 404)
        after = self.series()
        grown = {name: after[name] - before[name] for name in before}
        self.assertEqual(grown["theater_turns_total"], 3)
        self.assertEqual(grown['theater_rejections_total{code="1"}'], 1)
        self.assertEqual(grown["theater_commit_records_total"], 3)
        self.assertEqual(grown["theater_instance_hits_total"], 3)
        self.assertEqual(grown['theater_http_responses_total{class="4xx"}'], 2)
        self.assertGreater(grown["theater_fuel_total"], 0)
        self.assertGreater(after["theater_log_bytes"], 1000)
        self.assertGreater(after["theater_resident_memory_bytes"], 1 << 20)
        self.assertGreater(after["theater_disk_free_bytes"], 1 << 20)
        self.assertEqual(after["theater_read_only"], 0)
        self.assertTrue(wait_for(lambda: self.series()["theater_waiting_messages"] == 0))

    def test_caches_are_counted_across_a_restart(self):
        self.start()
        self.assertEqual(self.series()['theater_components_total{from="compiler"}'], 1)
        for _ in range(10):
            self.send("counter", "inc")
        self.stop()
        self.serve()
        self.send("counter", "inc")
        series = self.series()
        self.assertEqual(series['theater_components_total{from="compiled"}'], 1)
        self.assertEqual(series['theater_components_total{from="compiler"}'], 0)
        self.assertEqual(series["theater_activations_total"], 1)
        self.assertEqual(series["theater_replayed_turns_total"], 10)

    def test_in_async_durability_answers_are_counted_too(self):
        self.stop()
        self.serve("--async")
        self.start()
        for _ in range(5):
            self.send("counter", "inc")
        self.assertEqual(self.histogram("answer_seconds")[2], 5)

    def test_every_figure_has_a_description_and_one_type(self):
        self.start()
        text = self.figures()
        types = re.findall(r"^# TYPE (\w+) (\w+)$", text, re.M)
        self.assertEqual(len(types), len(dict(types)))
        self.assertEqual([name for name, _ in types], re.findall(r"^# HELP (\w+) \S", text, re.M))
        for name, kind in types:
            self.assertEqual(name.endswith("_total"), kind == "counter", name)
        self.assertEqual(names("\n".join(self.series())), {name for name, _ in types})

    def test_promtool_accepts_the_figures(self):
        self.start()
        self.send("counter", "inc")
        try:
            done = subprocess.run([PROMTOOL or "promtool", "check", "metrics"], input=self.figures().encode(), capture_output=True, timeout=60, check=False)
        except FileNotFoundError:
            self.skipTest("promtool is not here (Debian: prometheus)")
        self.assertEqual((done.returncode, done.stdout + done.stderr), (0, b""))

    def test_promtool_accepts_the_rules(self):
        page = (ROOT / "docs/monitoring.md").read_text()
        rules = next(block for block in re.findall(r"^```yaml\n(.*?)^```", page, re.M | re.S) if "groups:" in block)
        (self.folder / "rules.yml").write_text(rules)
        try:
            done = subprocess.run([PROMTOOL or "promtool", "check", "rules", self.folder / "rules.yml"], capture_output=True, timeout=60, check=False)
        except FileNotFoundError:
            self.skipTest("promtool is not here (Debian: prometheus)")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertLessEqual(names(rules), self.described())

    def test_the_dashboard_asks_for_figures_that_there_are(self):
        dashboard = json.loads((ROOT / "docs/grafana/theater.json").read_text())
        asked, ids = set(), []
        for panel in dashboard["panels"]:
            ids.append(panel["id"])
            for target in panel.get("targets", []):
                self.assertTrue(names(target["expr"]), panel["title"])
                asked |= names(target["expr"])
        self.assertEqual(len(ids), len(set(ids)))
        self.assertGreater(len(ids), 15)
        described = self.described()
        self.assertEqual(asked - described, set(), "the dashboard asks for what /metrics does not give")
        self.assertEqual(described - asked - {"theater_build_info"}, set(), "the dashboard shows nothing of these")
        labels = {"code", "class", "from", "le"}
        for panel in dashboard["panels"]:
            for target in panel.get("targets", []):
                for label in re.findall(r"sum by \((\w+)\)", target["expr"]):
                    self.assertIn(label, labels)

    def test_the_page_of_monitoring_names_all_figures(self):
        page = names((ROOT / "docs/monitoring.md").read_text())
        self.assertEqual(page - self.described(), set(), "docs/monitoring.md names what /metrics does not give")
        self.assertEqual(self.described() - page, set(), "docs/monitoring.md does not name these")


if __name__ == "__main__":
    main()
