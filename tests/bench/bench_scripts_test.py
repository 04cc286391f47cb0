#!/usr/bin/env python3
"""The scripts of bench/: arithmetic, the table of cases, what is kept and shown. Nothing is measured here."""

import contextlib
import io
import os
import pathlib
import string
import sys
import tempfile
import unittest
import xml.etree.ElementTree
from dataclasses import replace
from unittest import mock

BENCH = pathlib.Path(__file__).resolve().parents[2] / "bench"
sys.path.insert(0, str(BENCH))
sys.dont_write_bytecode = True

import bench  # noqa: E402
import cases  # noqa: E402
import corpora  # noqa: E402
import curve  # noqa: E402
import measure  # noqa: E402
import plot  # noqa: E402
import report  # noqa: E402
import results  # noqa: E402
import rounds  # noqa: E402
import targets  # noqa: E402
import tiny_files  # noqa: E402
import workbench  # noqa: E402
from measure import Measurement  # noqa: E402

COMMANDS = [
    (name, command)
    for job in cases.JOBS
    for name, command in [(job.name, job.ours), *((job.case(peer), peer.command) for peer in job.peers)]
]


def seconds(*walls):
    return [Measurement(wall, wall / 2, peak_bytes=int(wall * 100), result_bytes=10) for wall in walls]


def row(**changes):
    run = results.Run("2024-01-01 00:00", "abc1234", "a machine, 2 cores", rounds=3)
    corpus = corpora.Corpus("w1h", pathlib.Path("/tree"), 1000, 5_000_000, "a/b")
    found = measure.compare(seconds(1, 2, 3), seconds(4, 4, 4))
    return replace(run.row(corpus, "tar.gz-6/pigz", "tar 1.34, pigz 2.6", found, 0.48), **changes)


class TemporaryDirectory(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)


class Compare(unittest.TestCase):
    def test_takes_the_median_of_an_odd_and_an_even_number_of_rounds(self):
        self.assertEqual(measure.summary(seconds(9, 1, 2)).wall_seconds, 2)
        self.assertEqual(measure.summary(seconds(9, 1, 2, 3)).wall_seconds, 2.5)

    def test_takes_the_largest_peak(self):
        self.assertEqual(measure.summary(seconds(1, 9, 2)).peak_bytes, 900)

    def test_takes_the_ratio_round_by_round(self):
        found = measure.compare(seconds(1, 10, 3), seconds(2, 10, 12))  # a slow round was slow for both
        self.assertEqual((found.lowest_ratio, found.ratio, found.highest_ratio), (0.25, 0.5, 1.0))

    def test_refuses_rows_of_different_length(self):
        with self.assertRaises(ValueError):
            measure.compare(seconds(1, 2), seconds(1))


class RunningACommand(TemporaryDirectory):
    def run_line(self, line):
        return measure.run(line, self.folder, os.environ, self.folder / "log")

    def test_counts_the_processor_time_of_children_of_children(self):
        found = self.run_line("bash -c 'for ((i = 0; i < 100000; i++)); do :; done; true' | cat")
        self.assertGreater(found.cpu_seconds, 0)
        self.assertGreater(found.wall_seconds, 0)

    def test_sees_the_peak_of_the_largest_child(self):
        found = self.run_line("python3 -c 'bytearray(150_000_000)' | cat")
        self.assertGreater(found.peak_bytes, 140_000_000)

    def test_a_failure_anywhere_in_a_pipe_is_one_and_tells_the_last_words(self):
        with self.assertRaisesRegex(measure.CommandFailed, "status 3.*no such luck"):
            self.run_line("(echo no such luck >&2; exit 3) | cat".replace("\n", " "))

    def test_the_size_of_a_directory_is_that_of_its_files(self):
        (self.folder / "a").mkdir()
        (self.folder / "a/b").write_bytes(b"12345")
        (self.folder / "c").write_bytes(b"123")
        self.assertEqual(measure.size_of(self.folder), 8)
        self.assertEqual(measure.size_of(self.folder / "c"), 3)


class Cases(unittest.TestCase):
    def test_every_target_has_a_case(self):
        used = {peer.target for job in cases.JOBS for peer in job.peers if peer.target} | {curve.TARGET}
        self.assertEqual(used, set(targets.TARGETS))

    def test_every_corpus_of_a_target_is_measured(self):
        for job in cases.JOBS:
            for peer in job.peers:
                if peer.target:
                    for corpus in targets.TARGETS[peer.target].reach:
                        self.assertIn(corpus, job.corpora, job.case(peer))

    def test_every_job_that_creates_has_a_memory_limit(self):
        for job in cases.JOBS:
            self.assertEqual("{aa} create" in job.ours.line, job.memory_mib is not None, job.name)

    def test_names_are_unique(self):
        names = [job.case(peer) for job in cases.JOBS for peer in job.peers]
        self.assertEqual(len(names), len(set(names)))

    def test_every_program_of_a_line_is_named_as_a_tool(self):
        for job in cases.JOBS:
            for peer in job.peers:
                for tool in peer.tools:
                    self.assertIn(tool, peer.command.line, job.case(peer))
                self.assertEqual(peer.command.line.split()[0], peer.tools[0], job.case(peer))

    def test_only_known_words_stand_in_braces(self):
        known = {"aa", "tree", "cores", "out", "state", "base", "ours", "foreign", "member", "to"}
        for name, command in [*COMMANDS, *cases.FOREIGN.items()]:
            for text in (command.line, command.once, command.before, *command.environment.values()):
                words = {word for _, word, _, _ in string.Formatter().parse(text) if word is not None}
                self.assertLessEqual(words, known, name)

    def test_only_a_job_that_reads_an_archive_names_one(self):
        for job in cases.JOBS:
            for command in [job.ours, *(peer.command for peer in job.peers)]:
                named = any(word in command.line for word in ("{ours}", "{foreign}", "{to}"))
                self.assertEqual(named, job.reads is not None, job.name)

    def test_the_plain_case_leaves_out_what_no_peer_does_and_the_full_one_does_not(self):
        by_name = {job.name: job for job in cases.JOBS}
        self.assertEqual(by_name["tar"].ours.environment, {"AA_BENCHMARK": "no-sync"})
        self.assertEqual(by_name["tar-full"].ours.environment, {})

    def test_the_tools_come_with_the_packages_that_dev_installs(self):
        dev = (BENCH.parent / "dev").read_text(encoding="utf-8")
        packages = dev.partition("bench_packages=(")[2].partition(")")[0].split()
        package_of = {"bsdtar": "libarchive-tools", "borg": "borgbackup", "xz": "xz-utils"}
        always_there = {"sync", "sha256sum"}
        for tool in {tool for job in cases.JOBS for peer in job.peers for tool in peer.tools} - always_there:
            self.assertIn(package_of.get(tool, tool), packages)


class Targets(unittest.TestCase):
    def test_belong_to_a_corpus_and_are_an_orientation_on_any_small_tree(self):
        target = targets.TARGETS["tar, GNU tar"]
        self.assertEqual([target.on(name) for name in ("w1", "w2", "w1h", "include")], [0.55, 0.40, None, 0.55])


class Plan(unittest.TestCase):
    def plan(self, *words):
        return bench.plan(bench.parse_arguments(words))

    def names(self, work):
        return {f"{corpus} {job.case(peer)}" for corpus, job, peers in work.jobs for peer in peers}

    def test_measures_each_job_on_its_own_corpora_one_after_the_other(self):
        work = self.plan()
        order = [corpus for corpus, _, _ in work.jobs]
        self.assertEqual(order, sorted(order, key=order.index))
        self.assertIn("w3 tar/gnu-tar", self.names(work))

    def test_takes_the_cases_that_match(self):
        work = self.plan("--case", "xz-6|bz2/pbzip2")
        self.assertEqual(self.names(work), {"w1h tar.xz-6/xz", "small tar.xz-6/xz", "w1h tar.bz2/pbzip2"})
        self.assertEqual(list(work.curves), [])

    def test_quick_needs_no_large_corpus(self):
        work = self.plan("--quick")
        self.assertEqual({corpus for corpus, _, _ in work.jobs}, {"small"})
        self.assertLessEqual(max(entries for _, points in work.curves for entries in points), 10_000)

    def test_the_million_is_measured_only_when_asked_for(self):
        self.assertNotIn(1_000_000, self.plan().curves[0][1])
        self.assertIn(1_000_000, self.plan("--full").curves[0][1])


class Curve(unittest.TestCase):
    def test_is_one_when_each_entry_costs_the_same(self):
        start, cost = 0.05, 1e-5
        for entries in curve.FULL_POINTS:
            times = [start + cost * count for count in (entries, curve.REFERENCE, curve.SMALLEST)]
            self.assertAlmostEqual(curve.cost_ratio(entries, *times), 1.0)

    def test_tells_how_much_more_an_entry_costs(self):
        taken = {curve.SMALLEST: seconds(1), curve.REFERENCE: seconds(1 + 9_998), 100_000: seconds(1 + 2 * 99_998)}
        self.assertAlmostEqual(curve.compare(100_000, taken).ratio, 2.0)

    def test_does_not_count_what_others_make_a_run_wait_for(self):
        taken = {curve.SMALLEST: seconds(1), curve.REFERENCE: seconds(9_999), 1_000: seconds(999)}
        waited = {entries: [replace(run, wall_seconds=7) for run in runs] for entries, runs in taken.items()}
        self.assertEqual(curve.compare(1_000, waited).ratio, curve.compare(1_000, taken).ratio)


class Results(TemporaryDirectory):
    def setUp(self):
        super().setUp()
        self.file = self.folder / "results.csv"

    def test_appended_rows_come_back_as_they_were(self):
        rows = [row(), row(case="tar/bsdtar", target=None), row(machine='one, "two"')]
        results.append(self.file, rows[:1])
        results.append(self.file, rows[1:])
        self.assertEqual(results.read(self.file), rows)
        self.assertEqual(self.file.read_text(encoding="utf-8").count("commit"), 1)

    def test_nothing_is_appended_to_a_file_with_other_columns(self):
        self.file.write_text("date,case\n", encoding="utf-8")
        with self.assertRaisesRegex(results.ResultsDamaged, "results.csv:1: columns"):
            results.append(self.file, [row()])
        self.assertEqual(self.file.read_text(encoding="utf-8"), "date,case\n")

    def test_a_damaged_line_is_named(self):
        results.append(self.file, [row()])
        text = self.file.read_text(encoding="utf-8")
        for damaged in (text.replace("0.48", "soon"), text[: len(text) // 2 * 2 - 40] + "\n"):
            self.file.write_text(damaged, encoding="utf-8")
            with self.assertRaisesRegex(results.ResultsDamaged, "results.csv:2: "):
                results.read(self.file)

    def test_a_target_is_reached_or_not_or_there_is_none(self):
        self.assertEqual([row(target=target).reached for target in (0.5, 0.4999, None)], [True, False, None])


class Report(unittest.TestCase):
    def test_shows_the_last_row_of_each_case_in_the_order_of_the_cases(self):
        rows = [
            row(commit="old", ratio=0.7),
            row(case="curve-create/10000", corpus="curve-10000"),
            row(case="curve-create/1000", corpus="curve-1000"),
            row(case="of old/peer"),
            row(corpus="/a/tree"),
            row(case="tar/bsdtar", corpus="w1"),
            row(commit="new", ratio=0.6),
            row(case="tar.gz-6/gzip", commit="old"),
        ]
        self.assertEqual(
            [(one.corpus, one.case, one.commit) for one in report.shown(rows)],
            [
                ("w1", "tar/bsdtar", "abc1234"),
                ("w1h", "tar.gz-6/gzip", "old"),
                ("w1h", "tar.gz-6/pigz", "new"),
                ("/a/tree", "tar.gz-6/pigz", "abc1234"),
                ("curve-1000", "curve-create/1000", "abc1234"),
                ("curve-10000", "curve-create/10000", "abc1234"),
            ],
        )

    def test_shows_one_machine(self):
        shown = report.shown([row(machine="another"), row(case="tar.gz-6/gzip")])
        self.assertEqual([one.machine for one in shown], ["a machine, 2 cores"])
        self.assertEqual(report.shown([]), [])

    def test_says_which_limits_were_not_kept(self):
        self.assertEqual(report.exceeded(row(ours_peak_mib=50)), [])
        self.assertIn("99 MiB of memory, above 84", report.exceeded(row(ours_peak_mib=99)))
        larger = row(case="tar.gz-6/gzip", ours_bytes=1010, peer_bytes=1000)
        self.assertEqual(report.exceeded(larger), ["size 1.0100, above 1.005"])
        self.assertIn("above 64", report.exceeded(row(case="curve-create/1000", ours_peak_mib=65))[0])
        self.assertEqual(report.exceeded(row(case="of old/peer")), [])

    def test_lists_a_limit_once_for_a_job(self):
        rows = [row(case=f"tar.gz-6/{peer}", ours_peak_mib=99) for peer in ("pigz", "bsdtar")]
        self.assertEqual(report.limits_list(rows).count("w1h, tar.gz-6: 99 MiB of memory, above 84"), 1)

    def test_renews_only_what_stands_between_the_marks(self):
        text = f"before\n{report.BEGIN}\nold\n{report.END}\nafter\n"
        self.assertEqual(
            report.replace_between(text, "new\n"), f"before\n{report.BEGIN}\n\nnew\n\n{report.END}\nafter\n"
        )

    def test_keeps_the_curve_apart_from_the_cases(self):
        text = report.markdown([row(), row(corpus="curve-1000", case="curve-create/1000")])
        self.assertIn("| w1h | tar.gz-6/pigz |", text)
        self.assertIn("| curve-create | 1,000 |", text)

    def test_a_line_for_the_terminal_has_all_figures(self):
        line = report.line(row())
        for figure in ("tar.gz-6/pigz", "2.000", "4.000", "0.500", "0.250", "0.750", "missed"):
            self.assertIn(figure, line)


class Plot(unittest.TestCase):
    def test_is_well_formed_and_has_a_bar_and_a_mark_for_each_case(self):
        rows = [row(), row(case="a<b&c/d", target=None), row(ratio=50, highest_ratio=60)]
        picture = xml.etree.ElementTree.fromstring(plot.svg(rows))
        words = [element.text for element in picture.iter("{http://www.w3.org/2000/svg}text")]
        self.assertIn("w1h  a<b&c/d", words)
        self.assertIn("50.000", words)
        bars = [one for one in picture.iter("{http://www.w3.org/2000/svg}rect") if one.get("height") == "12"]
        self.assertEqual(len(bars), 3 + len(rows))  # and the legend
        self.assertLessEqual(max(float(one.get("x")) + float(one.get("width")) for one in bars), plot.WIDTH)


class Corpora(TemporaryDirectory):
    def test_tiny_files_are_the_same_tree_each_time_with_as_many_entries_as_wanted(self):
        tiny_files.make(self.folder / "a", 500)
        tiny_files.make(self.folder / "b", 500)
        surveys = [corpora.survey("tree", self.folder / name) for name in "ab"]
        self.assertEqual([one.entries for one in surveys], [500, 500])
        trees = [
            [(path.relative_to(top), path.is_file() and path.read_bytes(), path.is_file() and path.stat().st_mtime_ns)
             for path in sorted(top.rglob("*"))]
            for top in (self.folder / "a", self.folder / "b")
        ]  # fmt: skip
        self.assertEqual(*trees)

    def test_a_survey_counts_links_and_directories_but_only_content_of_files(self):
        (self.folder / "d").mkdir()
        (self.folder / "d/file").write_bytes(b"12345")
        (self.folder / "d/link").symlink_to("file")
        found = corpora.survey("tree", self.folder)
        self.assertEqual((found.entries, found.content_bytes, found.member), (4, 5, "d/file"))

    def test_joined_files_have_the_wanted_size_even_if_there_is_too_little(self):
        (self.folder / "x").write_bytes(b"123")
        (self.folder / "y").write_bytes(b"45")
        for wanted, content in ((2, b"12"), (4, b"1234"), (12, b"123451234512")):
            corpora.join_files(self.folder / "joined", iter([self.folder / "x", self.folder / "y"]), wanted)
            self.assertEqual((self.folder / "joined").read_bytes(), content)

    def test_a_directory_is_a_corpus_by_itself_and_a_wrong_name_is_said(self):
        (self.folder / "file").write_bytes(b"1")
        self.assertEqual(corpora.prepare(str(self.folder), pathlib.Path("/nowhere")).path, self.folder.resolve())
        with self.assertRaisesRegex(corpora.CorpusMissing, "w9 is neither a directory nor one of w1"):
            corpora.prepare("w9", pathlib.Path("/nowhere"))


class Rounds(TemporaryDirectory):
    """A bench on a tree with a space in its name, and with a program that only pretends to be ours."""

    def setUp(self):
        super().setUp()
        tree = self.folder / "a tree"
        tree.mkdir()
        (tree / "file").write_bytes(b"12345")
        self.corpus = corpora.survey("tree", tree)
        self.bench = workbench.Workbench(pathlib.Path("/bin/echo"), self.folder)
        self.addCleanup(self.bench.__exit__)
        self.failures = rounds.Failures()

    def job(self, ours, *peers, **options):
        made = tuple(cases.Peer(f"peer-{number}", command, ("bash",)) for number, command in enumerate(peers))
        return cases.Job("job", ("tree",), ours, made, **options)

    def measure(self, job, count=2):
        with contextlib.redirect_stderr(io.StringIO()) as self.told:
            return list(rounds.measure_job(self.bench, job, list(job.peers), self.corpus, count, self.failures))

    def test_ours_and_the_peers_take_turns_and_every_second_round_is_reversed(self):
        log = self.folder / "turns"
        commands = [cases.Command(f"echo {name} >> '{log}'") for name in "abc"]
        self.measure(self.job(*commands), count=3)
        self.assertEqual(log.read_text(encoding="utf-8").split(), list("abccbaabc"))

    def test_each_run_begins_with_empty_directories_and_what_was_prepared(self):
        command = cases.Command(
            "ls {out} {state} | wc -l > {base}/found && cp {out}/prepared {out}/result && touch {state}/left",
            "result",
            once="echo once > {base}/once",
            before="cat {base}/once {base}/once > {out}/prepared",
        )
        (_, found), = self.measure(self.job(command, cases.Command("cp file {out}/copy", "copy")))  # fmt: skip
        self.assertEqual((found.ours.result_bytes, found.peer.result_bytes), (10, 5))
        self.assertEqual(self.failures.count, 0)

    def test_a_peer_that_fails_is_said_and_the_others_go_on(self):
        found = self.measure(self.job(cases.Command("true"), cases.Command("echo oh; exit 2"), cases.Command("true")))
        self.assertEqual([peer.name for peer, _ in found], ["peer-1"])
        self.assertEqual(self.failures.count, 1)
        self.assertIn("job/peer-0: FAILED, status 2", self.told.getvalue())

    def test_nothing_is_compared_with_a_run_of_ours_that_fails(self):
        self.assertEqual(self.measure(self.job(cases.Command("false"), cases.Command("true"))), [])

    def test_a_value_with_a_space_is_one_word_in_a_line_and_unquoted_in_the_environment(self):
        line = 'test {tree} = "$SEEN" && cp {tree}/{member} {out}/x'
        command = cases.Command(line, "x", environment={"SEEN": "{tree}"})
        self.assertEqual(len(self.measure(self.job(command, command))), 1)

    def test_the_state_of_ours_is_below_the_scratch_directory(self):
        line = 'test "$AA_STATE_DIR" = {state} && test ! -e "$XDG_CONFIG_HOME"'
        self.assertEqual(len(self.measure(self.job(cases.Command(line), cases.Command("true")))), 1)

    def test_a_restore_that_leaves_something_out_is_a_failure(self):
        whole, part = cases.Command("cp file {to}"), cases.Command("head -c 4 file > {to}/file")
        with mock.patch.dict(cases.FOREIGN, tar=cases.Command("touch {out}/x.tar", "x.tar")):
            with mock.patch.object(workbench, "ours", lambda _: cases.FOREIGN["tar"]):
                found = self.measure(self.job(whole, whole, part, reads="tar", restores_all=True))
        self.assertEqual([peer.name for peer, _ in found], ["peer-0"])
        self.assertIn("peer-1: FAILED, restored 4 bytes of 5", self.told.getvalue())

    def test_waits_after_trees_were_removed(self):
        (self.folder / "trees-removed").touch()
        with mock.patch.object(workbench.time, "sleep") as slept:
            self.bench._make_room(1)
        self.assertAlmostEqual(slept.call_args.args[0], workbench.SETTLE_SECONDS, delta=5)

    def test_nothing_is_left_behind_but_the_time_of_removal(self):
        with workbench.Workbench(pathlib.Path("/bin/echo"), self.folder / "a tree") as other:
            other._make_room(1)
        self.assertEqual({path.name for path in (self.folder / "a tree").iterdir()}, {"file", "trees-removed"})

    def test_a_peer_whose_program_is_missing_is_left_out(self):
        missing = cases.Peer("peer", cases.Command("true"), ("no-such-program",))
        with contextlib.redirect_stderr(io.StringIO()) as told:
            self.assertEqual(rounds.available(self.job(cases.Command("true")), [missing]), [])
        self.assertIn("job/peer: left out, no-such-program not found", told.getvalue())


class Recorded(unittest.TestCase):
    def test_the_results_parse(self):
        self.assertTrue(results.read(results.RESULTS))

    def test_the_readme_and_the_plot_are_those_of_the_results(self):
        rows = results.read(results.RESULTS)
        readme = report.README.read_text(encoding="utf-8")
        self.assertEqual(readme, report.replace_between(readme, report.markdown(rows)), "run bench/report.py")
        self.assertEqual(plot.PLOT.read_text(encoding="utf-8"), plot.svg(report.shown(rows)), "run bench/report.py")


if __name__ == "__main__":
    unittest.main()
