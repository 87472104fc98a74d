"""systemd units, Dockerfile and compose file: they cannot be run here, so what can be said of
them without that is: they parse, name what exists, and mirror `deploy/run cluster`."""

import re
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))

import tap  # noqa: E402
from taskapi import ROOT, build_folder, run_once  # noqa: E402

DEPLOY = ROOT / "deploy"
PROGRAMS = ("taskapi", "taskpublisher", "taskworker", "taskctl")
ROLES = {"taskapi": "api", "taskpublisher": "publisher", "taskworker": "worker",
         "taskctl": "owner"}
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))


def tool(*arguments):
    return subprocess.run(arguments, capture_output=True, text=True, timeout=60,
                          stdin=subprocess.DEVNULL, check=False)


def known_settings():
    """Every TASK_ name that some program's --help mentions."""
    said = "".join(tool(build_folder() / name, "--help").stdout for name in PROGRAMS)
    return set(re.findall(r"TASK_[A-Z0-9_]+", said))


class UnitsTest(unittest.TestCase):
    def test_each_program_has_its_unit_with_its_own_user_of_the_database(self):
        for name in PROGRAMS:
            file = {"taskctl": "taskctl-migrate", "taskworker": "taskworker@"}.get(name, name)
            text = (DEPLOY / f"systemd/{file}.service").read_text()
            self.assertRegex(text, rf"(?m)^ExecStart=/usr/local/bin/{name}\b")
            self.assertIn(f"/etc/taskcore/database-url.{ROLES[name]}\n", text)

    def test_programs_begin_after_the_schema_is_there(self):
        for unit in UNITS:
            if "migrate" not in unit.name:
                text = unit.read_text()
                self.assertRegex(text, r"(?m)^Requires=taskctl-migrate.service$", unit.name)
                self.assertRegex(text, r"(?m)^After=.*taskctl-migrate.service", unit.name)

    def test_all_are_hardened_alike(self):
        sections = {re.search(r"# Nothing but .*?\n\n", unit.read_text(), re.S)[0]
                    for unit in UNITS}
        self.assertEqual(len(sections), 1)

    @unittest.skipUnless(shutil.which("systemd-analyze"), "no systemd-analyze")
    def test_systemd_understands_them(self):
        with tempfile.TemporaryDirectory() as folder:
            copies = []
            for unit in UNITS:
                copy = Path(folder) / unit.name.replace("@.", "@8021.")
                copy.write_text(unit.read_text().replace("/usr/local/bin", str(build_folder())))
                copies.append(str(copy))
            for copy in copies:
                said = tool("systemd-analyze", "verify", copy).stderr
                ours = [line for line in said.splitlines() if "task" in line]
                self.assertEqual(ours, [])

    @unittest.skipUnless(shutil.which("systemd-analyze"), "no systemd-analyze")
    def test_their_exposure_is_low(self):
        for unit in UNITS:
            said = tool("systemd-analyze", "security", "--offline=true", str(unit)).stdout
            exposure = float(re.search(r"exposure level for \S+: ([\d.]+)", said)[1])
            self.assertLessEqual(exposure, 2.0, unit.name)


class ImageTest(unittest.TestCase):
    def setUp(self):
        self.text = (DEPLOY / "Dockerfile").read_text()

    def test_its_packages_bring_every_library_that_the_programs_need(self):
        for name in PROGRAMS:
            needed = re.findall(r"=> (/\S+)", tool("ldd", build_folder() / name).stdout)
            direct = re.findall(r"\(NEEDED\).*\[(.*)\]",
                                tool("readelf", "-d", build_folder() / name).stdout)
            self.assertTrue(direct, name)
            for path in needed:
                if Path(path).name in direct:
                    self.assertIn(self.package_of(path), self.packages() | {"libc6"}, path)

    def packages(self):
        command = re.search(r"--no-install-recommends(.*?)&&", self.text, re.S)[1]
        return set(command.replace("\\", " ").split())

    @staticmethod
    def package_of(path):
        for known in (path, str(Path(path).resolve()), "/usr" + path):
            said = tool("dpkg", "-S", known).stdout
            if said:
                return said.split(":")[0]
        return path

    def test_what_it_copies_from_the_tree_is_what_meson_installs(self):
        installed = tool("meson", "introspect", "--installed", str(build_folder())).stdout
        for name in PROGRAMS:
            self.assertIn(f"/usr/local/bin/{name}", installed)
        self.assertIn("/out/usr/local/bin/ /usr/local/bin/", self.text)

    def test_it_does_not_run_as_root(self):
        self.assertRegex(self.text, r"(?m)^USER taskcore$")

    def test_its_settings_exist(self):
        self.assertLessEqual(set(re.findall(r"TASK_[A-Z_]+", self.text)), known_settings())


class ComposeTest(unittest.TestCase):
    def setUp(self):
        self.text = (DEPLOY / "compose.yaml").read_text()
        self.services = dict(re.findall(r"(?ms)^  (\w+):\n(.*?)(?=^  \w+:$|^\w+:|\Z)",
                                        self.text.split("\nservices:\n")[1]))

    def test_it_has_the_parts_of_the_cluster(self):
        self.assertEqual(set(self.services), {"postgres", "kafka", "migrate", "taskapi",
                                              "taskpublisher", "taskworker"})
        self.assertIn("replicas: 2", self.services["taskworker"])

    def test_each_program_logs_in_as_its_own_user(self):
        for name, role in ROLES.items():
            service = self.services["migrate" if name == "taskctl" else name]
            self.assertIn(f"postgresql://taskcore_{role}:", service)
            self.assertRegex(service, rf"command: \[{name}\b")

    def test_its_settings_exist(self):
        self.assertLessEqual(set(re.findall(r"TASK_[A-Z_]+", self.text)), known_settings())

    def test_its_kafka_is_the_one_that_is_tested(self):
        tested = re.search(r"<artifactId>kafka_2.13</artifactId>\s*<version>(.*?)<",
                           (DEPLOY / "dev/pom.xml").read_text())[1]
        self.assertIn(f"apache/kafka:{tested}\n", self.text)

    def test_it_names_files_that_exist(self):
        for path in re.findall(r"- \./(\S+?):", self.text):
            self.assertTrue((DEPLOY / path).exists(), path)
        self.assertTrue((ROOT / re.search(r"dockerfile: (\S+)", self.text)[1]).exists())

    def test_it_is_yaml(self):
        try:
            import yaml
        except ImportError:
            self.skipTest("no python3-yaml")
        services = yaml.safe_load(self.text)["services"]
        self.assertEqual(set(services), set(self.services))

    def test_its_roles_are_those_of_deploy_run(self):
        script = (DEPLOY / "docker/roles.sh").read_text()
        used = re.search(r"(?m)^roles=\((.*)\)", (DEPLOY / "lib/database.sh").read_text())[1]
        self.assertIn(f"for role in {used}; do", script)


class SettingsTest(unittest.TestCase):
    def test_flags_of_the_units_exist(self):
        for unit in UNITS:
            line = re.search(r"(?m)^ExecStart=/usr/local/bin/(\S+)(.*)", unit.read_text())
            known = known_flags(line[1])
            for flag in re.findall(r"--[a-z-]+", line[2]):
                self.assertIn(flag, known, unit.name)


def known_flags(name):
    said = tool(build_folder() / name, "--help").stdout
    settings = {"--" + found[5:].lower().replace("_", "-")
                for found in re.findall(r"TASK_[A-Z0-9_]+", said)}
    return settings | set(re.findall(r"--[a-z-]+", said))


if __name__ == "__main__":
    tap.main()
