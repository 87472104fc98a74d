"""Pages that say what the programs and sources say as well, compared with them."""

import os
import pathlib
import re
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
import tap  # noqa: E402

SOURCE = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("TASKCORE_BUILD", SOURCE / "build"))


class Pages(unittest.TestCase):
    def test_the_configuration_page_is_what_the_program_prints(self):
        printed = subprocess.run([BUILD / "taskapi", "--print-config-docs"], check=True,
                                 capture_output=True, text=True).stdout
        page = (SOURCE / "docs" / "configuration.md").read_text()
        self.assertTrue(page.endswith(printed), "run build/taskapi --print-config-docs")

    def test_the_readme_shows_the_example_that_is_built(self):
        example = (SOURCE / "docs" / "examples" / "embed.c").read_text().rstrip()
        self.assertIn("```c\n" + example + "\n```", (SOURCE / "README.md").read_text())

    def test_every_link_within_the_docs_leads_somewhere(self):
        for page in [SOURCE / "README.md", SOURCE / "CONTRIBUTING.md",
                     *sorted((SOURCE / "docs").rglob("*.md"))]:
            for target in re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text()):
                if not re.match(r"[a-z]+:", target):
                    with self.subTest(page=page.name, target=target):
                        self.assertTrue((page.parent / target).exists())


if __name__ == "__main__":
    tap.main()
