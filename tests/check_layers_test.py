#!/usr/bin/env python3
"""check_layers.py notices each kind of wrong arrow."""

import pathlib
import tempfile
import unittest

import check_layers


class CheckLayers(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.top = pathlib.Path(folder.name).resolve()
        self.add("core/include/autoarchive/headers.txt", "")
        self.add("core/include/autoarchive/host_headers.txt", "")

    def add(self, path, text):
        file = self.top / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")

    def faults(self, path, text):
        self.add(path, text)
        return check_layers.check(self.top)[1]

    def test_accepts_an_arrow_down(self):
        text = '#include <string>\n#include <sys/stat.h>\n#include "autoarchive/base/error.hpp"\n'
        self.assertEqual(self.faults("core/src/archiver/router.cpp", text), [])

    def test_refuses_an_arrow_up_with_file_and_line(self):
        faults = self.faults("core/src/base/error.cpp", '\n#include "autoarchive/archiver/router.hpp"\n')
        self.assertEqual(faults, ["core/src/base/error.cpp:2: core/base must not see core/archiver"])

    def test_refuses_a_private_header_of_another_room(self):
        self.add("core/src/storage/journal.hpp", "")
        faults = self.faults("core/src/archiver/router.cpp", '#include "../storage/journal.hpp"\n')
        self.assertEqual(faults, ["core/src/archiver/router.cpp:1: core/archiver must not see core/src/storage/journal.hpp"])

    def test_refuses_a_plugin_that_sees_the_host(self):
        self.add("host/src/session.hpp", "")
        faults = self.faults("plugins/tar-internal/src/codec.cpp", '#include "session.hpp"\n')
        self.assertEqual(faults, ["plugins/tar-internal/src/codec.cpp:1: plugins/tar-internal must not see host/src/session.hpp"])

    def test_refuses_a_plugin_that_sees_the_other(self):
        self.add("plugins/tar-external/src/plan.hpp", "")
        faults = self.faults("plugins/tar-internal/src/codec.cpp", '#include "../../tar-external/src/plan.hpp"\n')
        self.assertEqual(len(faults), 1)

    def test_refuses_a_third_party_header_away_from_home(self):
        self.assertEqual(self.faults("core/src/plugin/loader.cpp", "#include <boost/dll/shared_library.hpp>\n"), [])
        self.assertEqual(len(self.faults("host/src/session.cpp", "#include <boost/dll/shared_library.hpp>\n")), 1)

    def test_refuses_a_third_party_header_without_a_home(self):
        self.assertIn("has no home", self.faults("host/src/session.cpp", "#include <curl/curl.h>\n")[0])

    def test_refuses_a_third_party_header_in_a_public_header(self):
        self.add("core/include/autoarchive/headers.txt", "manifest/frame.hpp\n")
        faults = self.faults("core/include/autoarchive/manifest/frame.hpp", "#include <zstd.h>\n")
        self.assertEqual(faults, ["core/include/autoarchive/manifest/frame.hpp:1: a public header must not see <zstd.h>"])

    def test_refuses_a_public_header_that_is_not_listed(self):
        faults = self.faults("core/include/autoarchive/base/error.hpp", "")
        self.assertEqual(
            faults, ["core/include/autoarchive/base/error.hpp: is not in core/include/autoarchive/headers.txt"]
        )

    def test_keeps_plugins_and_what_they_see_from_headers_that_are_not_installed(self):
        self.add("core/include/autoarchive/headers.txt", "plugin/sdk.hpp\n")
        self.add("core/include/autoarchive/host_headers.txt", "plugin/loader.hpp\narchiver/router.hpp\n")
        self.add("core/include/autoarchive/archiver/router.hpp", "")
        text = '#include "autoarchive/plugin/loader.hpp"\n'
        self.assertEqual(self.faults("host/src/session.cpp", text), [])
        self.assertEqual(self.faults("core/src/plugin/loader.cpp", text), [])
        self.assertEqual(self.faults("core/include/autoarchive/plugin/loader.hpp", ""), [])
        self.assertIn("not installed", self.faults("plugins/tar-internal/src/codec.cpp", text)[0])
        self.add("plugins/tar-internal/src/codec.cpp", "")
        self.assertIn("not installed", self.faults("core/include/autoarchive/plugin/sdk.hpp", text)[0])

    def test_refuses_a_file_outside_of_all_rooms(self):
        self.assertIn("is no room", self.faults("plugins/zip/src/zip.cpp", "")[0])


if __name__ == "__main__":
    unittest.main()
